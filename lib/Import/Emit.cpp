//===- Emit.cpp - operators that become several operations ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

template <typename OpTy>
Value Emit::create(ValueRange operands, ArrayRef<NamedAttribute> attributes) {
  if (llvm::any_of(operands, [](Value operand) { return !operand; }))
    return {};
  FailureOr<OpTy> op = node.create<OpTy>(operands, attributes);
  return failed(op) ? Value() : Value((*op)->getResult(0));
}

template <typename OpTy>
Value Emit::createTyped(Type type, ValueRange operands,
                        ArrayRef<NamedAttribute> attributes) {
  FailureOr<OpTy> op = node.createTyped<OpTy>(type, operands, attributes);
  return failed(op) ? Value() : Value((*op)->getResult(0));
}

//===----------------------------------------------------------------------===//
// Element by element
//===----------------------------------------------------------------------===//

Value Emit::add(Value a, Value b) { return create<train::AddOp>({a, b}); }

Value Emit::mul(Value a, Value b) { return create<train::MulOp>({a, b}); }

Value Emit::binary(BinaryFunction function, Value a, Value b) {
  return create<train::BinaryOp>({a, b},
                                 attributes().keyword("function", function));
}

Value Emit::unary(UnaryFunction function, Value x, float alpha, float beta) {
  if (!x)
    return {};
  AttributeList words = attributes();
  words.keyword("function", function)
      .number("alpha", alpha)
      .number("beta", beta);
  return createTyped<train::UnaryOp>(x.getType(), x, words);
}

Value Emit::scale(Value x, float factor) {
  if (!x || factor == 1)
    return x;
  return createTyped<train::ScaleOp>(x.getType(), x,
                                     attributes().number("value", factor));
}

Value Emit::negate(Value x) {
  if (!x || isFloat(x))
    return scale(x, -1);
  return sub(filled(0, {}, x), x);
}

Value Emit::reverseOrder(Value x) {
  if (!x || isFloat(x))
    return negate(x);
  auto type = llvm::cast<IntegerType>(elementOf(x));
  bool isShort = type.isUnsigned() && type.getWidth() < 64;
  int64_t allBits = isShort ? (int64_t(1) << type.getWidth()) - 1 : -1;
  return sub(integers(allBits, {}, onnxType(type)), x);
}

Value Emit::compare(CompareFunction function, Value a, Value b) {
  return create<train::CompareOp>({a, b},
                                  attributes().keyword("function", function));
}

Value Emit::invert(Value condition) {
  if (!condition)
    return {};
  return compare(CompareFunction::Equal, condition, filled(0, {}, condition));
}

Value Emit::where(Value condition, Value a, Value b) {
  return create<train::WhereOp>({condition, a, b});
}

Value Emit::cast(Value x, Type element) {
  if (!x || elementOf(x) == element)
    return x;
  return createTyped<train::CastOp>(typeOf(x).clone(element), x);
}

Value Emit::castLike(Value x, Value other) {
  return other ? cast(x, elementOf(other)) : Value();
}

Value Emit::relu(Value x) {
  return x ? createTyped<train::ReluOp>(x.getType(), x) : Value();
}

Value Emit::leakyRelu(Value x, float alpha) {
  if (!x)
    return {};
  return createTyped<train::LeakyReluOp>(x.getType(), x,
                                         attributes().number("alpha", alpha));
}

Value Emit::sigmoid(Value x) {
  return x ? createTyped<train::SigmoidOp>(x.getType(), x) : Value();
}

Value Emit::tanh(Value x) {
  return x ? createTyped<train::TanhOp>(x.getType(), x) : Value();
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

Value Emit::reshape(Value x, ArrayRef<int64_t> shape) {
  if (!x)
    return {};
  return node.reshape(x, shape).value_or(Value());
}

Value Emit::transpose(Value x, ArrayRef<int64_t> permutation) {
  if (!x || llvm::equal(permutation, axesOf(permutation.size())))
    return x;
  return create<train::TransposeOp>(
      x, attributes().integers("permutation", permutation));
}

Value Emit::slice(Value x, int64_t axis, int64_t begin, int64_t extent) {
  if (!x || shapeOf(x)[axis] == extent)
    return x;
  Dims dims(shapeOf(x));
  dims[axis] = extent;
  AttributeList words = attributes();
  words.integer("axis", axis).integer("begin", begin);
  return createTyped<train::SliceOp>(typeOf(x).clone(dims), x, words);
}

Value Emit::concat(ArrayRef<Value> values, int64_t axis) {
  if (values.size() == 1)
    return values.front();
  return create<train::ConcatOp>(values, attributes().integer("axis", axis));
}

Value Emit::expand(Value x, ArrayRef<int64_t> shape) {
  if (!x || shapeOf(x) == shape)
    return x;
  return createTyped<train::ExpandOp>(typeOf(x).clone(shape), x);
}

Value Emit::pad(Value x, PadMode mode, ArrayRef<int64_t> begins,
                ArrayRef<int64_t> ends, float value) {
  AttributeList words = attributes();
  words.keyword("mode", mode)
      .integers("begins", begins)
      .integers("ends", ends)
      .number("value", value);
  return create<train::PadOp>(x, words);
}

Value Emit::gather(Value x, Value indices, int64_t axis) {
  return create<train::GatherOp>({x, indices},
                                 attributes().integer("axis", axis));
}

Value Emit::gatherElements(Value x, Value indices, int64_t axis) {
  return create<train::GatherElementsOp>({x, indices},
                                         attributes().integer("axis", axis));
}

Value Emit::scatterElements(ScatterMode mode, Value x, Value indices,
                            Value updates, int64_t axis) {
  return create<train::ScatterElementsOp>(
      {x, indices, updates},
      attributes().keyword("mode", mode).integer("axis", axis));
}

//===----------------------------------------------------------------------===//
// Along axes
//===----------------------------------------------------------------------===//

template <typename OpTy> Value Emit::reduce(Value x, ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  Dims dims(shapeOf(x));
  for (int64_t axis : axes)
    dims[axis] = 1;
  return createTyped<OpTy>(typeOf(x).clone(dims), x,
                           attributes().integers("axes", axes));
}

Value Emit::reduceSum(Value x, ArrayRef<int64_t> axes) {
  return reduce<train::ReduceSumOp>(x, axes);
}

Value Emit::reduceMax(Value x, ArrayRef<int64_t> axes) {
  return reduce<train::ReduceMaxOp>(x, axes);
}

Value Emit::mean(Value x, ArrayRef<int64_t> axes) {
  if (!x)
    return {};
  double count = 1;
  for (int64_t axis : axes)
    count *= shapeOf(x)[axis];
  return scale(reduceSum(x, axes), static_cast<float>(1 / count));
}

Value Emit::argMax(Value x, int64_t axis, bool last) {
  if (!x)
    return {};
  Dims dims(shapeOf(x));
  dims[axis] = 1;
  auto type = RankedTensorType::get(dims, IntegerType::get(x.getContext(), 64));
  return createTyped<train::ArgMaxOp>(
      type, x, attributes().integer("axis", axis).flag("last", last));
}

Value Emit::cumSum(Value x, int64_t axis, bool exclusive, bool reverse) {
  if (!x)
    return {};
  AttributeList words = attributes();
  words.integer("axis", axis)
      .flag("exclusive", exclusive)
      .flag("reverse", reverse);
  return createTyped<train::CumSumOp>(x.getType(), x, words);
}

Value Emit::logSoftmax(Value x, int64_t axis) {
  if (!x)
    return {};
  return createTyped<train::LogSoftmaxOp>(x.getType(), x,
                                          attributes().integer("axis", axis));
}

Value Emit::softmax(Value x, int64_t axis) {
  if (!x)
    return {};
  return createTyped<train::SoftmaxOp>(x.getType(), x,
                                       attributes().integer("axis", axis));
}

/// The operand of a transpose of the last two axes, whose flag is turned round
/// then: a product reads either order as fast, and needs no copy.
static Value withoutTranspose(Value value, bool &isTransposed) {
  auto transpose =
      value ? value.getDefiningOp<train::TransposeOp>() : train::TransposeOp();
  if (!transpose)
    return value;
  ArrayRef<int64_t> permutation = transpose.getPermutation();
  int64_t rank = static_cast<int64_t>(permutation.size());
  for (auto [to, from] : llvm::enumerate(permutation.drop_back(2)))
    if (int64_t(to) != from)
      return value;
  if (permutation.back() != rank - 2)
    return value;
  isTransposed = !isTransposed;
  return transpose.getX();
}

Value Emit::matmul(Value a, Value b, bool transposeB) {
  bool transposeA = false;
  b = withoutTranspose(b, transposeB);
  // The gradient of a matrix that all of a batch share is one product over the
  // batch's rows, as long as these are rows.
  if (b && rankOf(b) > 2)
    a = withoutTranspose(a, transposeA);
  return create<train::MatMulOp>(
      {a, b},
      attributes().flag("trans_a", transposeA).flag("trans_b", transposeB));
}

//===----------------------------------------------------------------------===//
// Constants
//===----------------------------------------------------------------------===//

Value Emit::filled(float value, ArrayRef<int64_t> shape, Value like) {
  return like ? node.filled(value, shape, like).value_or(Value()) : Value();
}

Value Emit::integers(ArrayRef<int64_t> values, ArrayRef<int64_t> shape,
                     int32_t type) {
  return node.integers(values, shape, type).value_or(Value());
}

Value Emit::floats(ArrayRef<float> values, ArrayRef<int64_t> shape,
                   Value like) {
  if (!like)
    return {};
  return castLike(node.floats(values, shape).value_or(Value()), like);
}

Value Emit::range(int64_t size) {
  if (size > kMaxRange) {
    node.unsupported() << "has an axis of size " << size
                       << " for which indices are made, expected at most "
                       << kMaxRange;
    return {};
  }
  return integers(llvm::to_vector(llvm::seq<int64_t>(0, size)), size);
}

LogicalResult Emit::define(int output, Value value) {
  return value ? node.define(output, value) : failure();
}

LogicalResult takt::import::expectRank(const Node &node, StringRef role,
                                       Value value, int64_t rank) {
  if (rankOf(value) == rank)
    return success();
  return node.invalid() << "has " << role << " of rank " << rankOf(value)
                        << ", expected " << rank;
}

LogicalResult takt::import::expectShape(const Node &node, StringRef role,
                                        Value value, ArrayRef<int64_t> shape) {
  if (!value || shapeOf(value) == shape)
    return success();
  return node.invalid() << "has " << role << " of " << shapeText(shapeOf(value))
                        << ", expected " << shapeText(shape);
}

Dims takt::import::axesOf(int64_t rank) {
  auto axes = llvm::seq<int64_t>(0, rank);
  return Dims(axes.begin(), axes.end());
}

std::optional<Dims> takt::import::broadcastShapes(ArrayRef<int64_t> a,
                                                  ArrayRef<int64_t> b) {
  Dims result(std::max(a.size(), b.size()), 1);
  for (ArrayRef<int64_t> shape : {a, b})
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t &dim = result[result.size() - shape.size() + i];
      if (shape[i] != 1 && dim != 1 && dim != shape[i])
        return std::nullopt;
      dim = shape[i] == 1 ? dim : shape[i];
    }
  return result;
}
