//===- ElementwiseOps.cpp - element by element ----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "ShapeArithmetic.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult convertActivation(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()))
    return failure();
  return node.emitSameType<OpTy>(x);
}

/// Exporters keep sizes from becoming negative with it.
static LogicalResult convertRelu(Node &node) {
  if (isNumberArithmetic(node))
    return foldNumbers(node, [](double x) { return std::max(x, 0.0); });
  return convertActivation<train::ReluOp>(node);
}

static LogicalResult convertLeakyRelu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float alpha = bind.number("alpha", 0.01f);
  if (failed(bind.finish()))
    return failure();
  return node.emitSameType<train::LeakyReluOp>(
      x, node.attributes().number("alpha", alpha));
}

/// Before opset 13, softmax takes all axes from `axis` on together.
template <typename OpTy> static LogicalResult convertSoftmax(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input");
  bool together = node.since < 13;
  int64_t axis = bind.integer("axis", together ? 1 : -1);
  if (failed(bind.finish()))
    return failure();
  Dims dims(cast<RankedTensorType>(x.getType()).getShape());
  FailureOr<int64_t> resolved = resolveAxis(node, axis, dims.size());
  if (failed(resolved))
    return failure();
  axis = *resolved;
  ArrayRef<int64_t> behind = ArrayRef(dims).drop_front(axis + 1);
  AttributeList attributes = node.attributes();
  if (!together || llvm::all_of(behind, [](int64_t d) { return d == 1; }))
    return node.emitSameType<OpTy>(x, attributes.integer("axis", axis));
  Dims matrix = {1, 1};
  for (auto [i, dim] : llvm::enumerate(dims))
    matrix[int64_t(i) >= axis] *= dim;
  FailureOr<Value> flat = node.reshape(x, matrix);
  if (failed(flat))
    return failure();
  auto softmax = node.createTyped<OpTy>((*flat).getType(), *flat,
                                        attributes.integer("axis", 1));
  if (failed(softmax))
    return failure();
  FailureOr<Value> result = node.reshape((*softmax)->getResult(0), dims);
  if (failed(result))
    return failure();
  return node.define(0, *result);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

static LogicalResult convertAdd(Node &node) {
  if (node.isShapeArithmetic())
    return foldArithmetic(node, IntegerOperation::Add);
  if (isNumberArithmetic(node))
    return foldNumbers(node, std::plus<double>());
  Binder bind(node);
  Value a = bind.tensor("A", Accept::Numbers),
        b = bind.tensor("B", Accept::Numbers);
  if (node.since < 7)
    b = bind.alignedTo(a, b);
  if (failed(bind.finish()))
    return failure();
  return node.emit<train::AddOp>({a, b});
}

static LogicalResult convertOldMul(Node &node) {
  Binder bind(node);
  Value a = bind.tensor("A", Accept::Numbers),
        b = bind.tensor("B", Accept::Numbers);
  b = bind.alignedTo(a, b);
  if (failed(bind.finish()))
    return failure();
  return node.emit<train::MulOp>({a, b});
}

/// Whether the gate is the sigmoid of x, as exporters write swish, or SiLU.
static bool isSigmoidOf(Value gate, Value x) {
  auto sigmoid = gate.getDefiningOp<train::SigmoidOp>();
  return sigmoid && sigmoid.getX() == x;
}

/// A product by a number is train.scale, so that the number is no parameter,
/// one by the own sigmoid train.unary swish, which keeps one tensor and not
/// three for its gradient.
static LogicalResult convertMul(Node &node) {
  if (node.isShapeArithmetic())
    return foldArithmetic(node, IntegerOperation::Mul);
  if (isNumberArithmetic(node))
    return foldNumbers(node, std::multiplies<double>());
  if (node.since < 7)
    return convertOldMul(node);
  Binder bind(node);
  Operand a = bind.operand("A"), b = bind.operand("B");
  if (failed(bind.finish()))
    return failure();
  if (a.constant && !b.constant)
    std::swap(a, b);
  FailureOr<Value> left = node.toValue(a, "A", Accept::Numbers);
  FailureOr<std::optional<float>> factor = constantNumber(node, b);
  if (failed(left) || failed(factor))
    return failure();
  if (*factor)
    return node.emitSameType<train::ScaleOp>(
        *left, node.attributes().number("value", **factor));
  FailureOr<Value> right = node.toValue(b, "B", Accept::Numbers);
  if (failed(right))
    return failure();
  for (auto [x, gate] : {std::pair(*left, *right), std::pair(*right, *left)})
    if (isSigmoidOf(gate, x)) {
      Emit emit(node);
      return emit.define(
          emit.unary(takt::UnaryFunction::Swish, x, /*alpha=*/1));
    }
  return node.emit<train::MulOp>({*left, *right});
}

static LogicalResult convertSum(Node &node) {
  Binder bind(node);
  SmallVector<Value> values = bind.tensors("data_0");
  if (failed(bind.finish()))
    return failure();
  if (values.size() == 1)
    return node.define(0, values.front());
  return node.emit<train::SumOp>(values);
}

static LogicalResult convertMean(Node &node) {
  Binder bind(node);
  SmallVector<Value> values = bind.tensors("data_0");
  if (failed(bind.finish()))
    return failure();
  if (values.size() == 1)
    return node.define(0, values.front());
  auto sum = node.create<train::SumOp>(values);
  if (failed(sum))
    return failure();
  Emit emit(node);
  return emit.define(emit.scale(sum->getResult(), 1.0f / values.size()));
}

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

/// Where nothing is dropped, the mask is true: of truth values since opset 10.
static LogicalResult defineFullMask(Node &node, const Operand &data) {
  if (!node.isUsed(1))
    return success();
  if (node.since < 10)
    return node.unsupported() << "has a mask of numbers, which is used";
  FailureOr<Value> x = node.toValue(data, "data");
  if (failed(x))
    return failure();
  Emit emit(node);
  Type truth = IntegerType::get(x->getContext(), 1);
  Value one = emit.cast(emit.filled(1, {}, *x), truth);
  return emit.define(1, emit.expand(one, shapeOf(*x)));
}

/// From opset 12 on there is an input training_mode. Where it is left out, as
/// before opset 12, whether to drop is for Takt's own mode to say; `false` in
/// so many words holds in training too.
static LogicalResult convertDropout(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  float ratio = 0.5f;
  std::optional<int64_t> seed;
  bool active = node.training();
  if (node.since < 12) {
    ratio = bind.number("ratio", 0.5f);
    if (node.since < 7)
      bind.flag("is_test", false);
  } else {
    if (bind.attribute("seed"))
      seed = bind.integer("seed", 0);
    ratio = bind.optionalScalar("ratio").value_or(0.5f);
    std::optional<Dims> mode = bind.optionalIntegers("training_mode");
    active &= !mode || (mode->size() == 1 && mode->front() != 0);
  }
  if (failed(bind.finish(/*outputs=*/active ? 1 : 2)))
    return failure();
  if (!(ratio >= 0 && ratio < 1))
    return node.invalid() << "has ratio " << ratio
                          << ", expected a number from 0 to less than 1";
  if (!active && failed(defineFullMask(node, data)))
    return failure();
  if (!active || ratio == 0)
    return node.define(0, data);
  FailureOr<Value> x = node.toValue(data, "data");
  if (failed(x))
    return failure();
  AttributeList attributes = node.attributes();
  attributes.number("ratio", ratio)
      .integer("seed", seed ? static_cast<uint32_t>(*seed) : node.ownSeed());
  return node.emitSameType<train::DropoutOp>(*x, attributes);
}

void takt::import::addElementwiseOps(Registry &registry) {
  registry.add("Relu", {6, 13, 14}, convertRelu, "train.relu");
  registry.add("LeakyRelu", {6, 16}, convertLeakyRelu, "train.leaky_relu");
  registry.add("Sigmoid", {6, 13}, convertActivation<train::SigmoidOp>,
               "train.sigmoid");
  registry.add("Tanh", {6, 13}, convertActivation<train::TanhOp>, "train.tanh");
  registry.add("Softmax", {1, 11, 13}, convertSoftmax<train::SoftmaxOp>,
               "train.softmax");
  registry.add("LogSoftmax", {1, 11, 13}, convertSoftmax<train::LogSoftmaxOp>,
               "train.log_softmax");
  registry.add("Add", {6, 7, 13, 14}, convertAdd,
               "train.add; folded on shapes");
  registry.add("Mul", {6, 7, 13, 14}, convertMul,
               "train.mul, train.scale; train.unary of a value times its "
               "sigmoid; folded on shapes");
  registry.add("Sum", {6, 8, 13}, convertSum, "train.sum");
  registry.add("Mean", {6, 8, 13}, convertMean, "train.sum, train.scale");
  registry.add("Dropout", {6, 7, 10, 12, 13, 22}, convertDropout,
               "train.dropout; nothing in forward mode; mask there only");
}
