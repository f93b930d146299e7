//===- ShapeOps.cpp - move elements ---------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Binder.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include "llvm/ADT/Sequence.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Reshape
//===----------------------------------------------------------------------===//

/// Replaces 0 by the input's own size and the one −1 by what is left. nullopt
/// if that cannot be done; the number of elements is checked by the caller.
static std::optional<Dims> resolveShape(ArrayRef<int64_t> input, Dims target,
                                        bool allowZero) {
  int64_t *open = nullptr;
  Dims known;
  for (auto [i, size] : llvm::enumerate(target)) {
    if (size == 0 && !allowZero && i < input.size())
      size = input[i];
    if (size == -1 && !open) {
      open = &size;
      continue;
    }
    if (size < (allowZero ? 0 : 1))
      return std::nullopt;
    known.push_back(size);
  }
  std::optional<int64_t> elements = countElements(input);
  std::optional<int64_t> product = countElements(known);
  if (!elements || !product)
    return std::nullopt;
  if (open) {
    if (*product == 0 || *elements % *product != 0)
      return std::nullopt;
    *open = *elements / *product;
  }
  return target;
}

/// A shape that the file fixes for its own batch size follows the size that it
/// is imported with: where the input has the batch for its first size, so does
/// the result.
static void rebindBatch(const Batch &batch, const Operand &data,
                        MutableArrayRef<int64_t> target) {
  if (batch.rebound() && data.fromInput && !target.empty() &&
      !data.shape().empty() && data.shape().front() == batch.size &&
      target.front() == batch.inFile)
    target.front() = batch.size;
}

static LogicalResult convertReshape(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  Dims target = bind.integers("shape");
  bool allowZero = node.since >= 14 && bind.flag("allowzero", false);
  if (failed(bind.finish()))
    return failure();
  Dims written = target;
  rebindBatch(node.graph.batch, data, target);
  std::optional<Dims> shape = resolveShape(data.shape(), target, allowZero);
  if (shape && countElements(*shape) == countElements(data.shape()))
    return node.defineReshaped(data, *shape);
  InFlightDiagnostic error = node.invalid();
  error << "has shape " << shapeText(written) << " for an input of "
        << shapeText(data.shape());
  const Batch &batch = node.graph.batch;
  if (batch.rebound())
    error << "; the file fixes the batch at " << batch.inFile
          << ", expected a shape that follows a batch of " << batch.size;
  return error;
}

static LogicalResult convertFlatten(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("input");
  int64_t axis = bind.integer("axis", 1);
  if (failed(bind.finish()))
    return failure();
  int64_t rank = data.shape().size();
  // The axis may be behind the last one.
  if (axis < -rank || axis > rank)
    return node.invalid() << "has axis " << axis << ", expected a number from "
                          << -rank << " to " << rank;
  if (axis < 0)
    axis += rank;
  std::optional<int64_t> rows = countElements(data.shape().take_front(axis));
  std::optional<int64_t> columns = countElements(data.shape().drop_front(axis));
  if (!rows || !columns)
    return node.unsupported()
           << "has an input of shape " << shapeText(data.shape());
  return node.defineReshaped(data, {*rows, *columns});
}

//===----------------------------------------------------------------------===//
// Axes of size 1
//===----------------------------------------------------------------------===//

/// Axes are an attribute before opset 13 and an input from then on.
static std::optional<Dims> bindAxes(const Node &node, Binder &bind) {
  return node.since >= 13 ? bind.optionalIntegers("axes") : bind.list("axes");
}

static LogicalResult convertUnsqueeze(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  std::optional<Dims> axes = bindAxes(node, bind);
  if (failed(bind.finish()))
    return failure();
  if (!axes)
    return node.invalid() << "has no axes";
  int64_t rank = data.shape().size() + axes->size();
  FailureOr<SmallVector<bool>> inserted = markAxes(node, *axes, rank);
  if (failed(inserted))
    return failure();
  Dims dims;
  ArrayRef<int64_t> left = data.shape();
  for (bool one : *inserted) {
    dims.push_back(one ? 1 : left.front());
    if (!one)
      left = left.drop_front();
  }
  return node.defineReshaped(data, dims);
}

static LogicalResult convertSqueeze(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  std::optional<Dims> axes = bindAxes(node, bind);
  if (failed(bind.finish()))
    return failure();
  ArrayRef<int64_t> shape = data.shape();
  SmallVector<bool> removed;
  for (int64_t size : shape)
    removed.push_back(size == 1);
  if (axes) {
    FailureOr<SmallVector<bool>> marked = markAxes(node, *axes, shape.size());
    if (failed(marked))
      return failure();
    removed = *marked;
  }
  Dims dims;
  for (auto [axis, size] : llvm::enumerate(shape)) {
    if (removed[axis] && size != 1)
      return node.invalid() << "removes axis " << axis << " of size " << size
                            << ", expected 1";
    if (!removed[axis])
      dims.push_back(size);
  }
  return node.defineReshaped(data, dims);
}

//===----------------------------------------------------------------------===//
// Transpose and Concat
//===----------------------------------------------------------------------===//

static LogicalResult foldTranspose(Node &node, ArrayRef<int64_t> permutation) {
  FailureOr<IntegerTensor> tensor = integerInput(node, 0);
  if (failed(tensor))
    return failure();
  size_t rank = tensor->shape.size();
  Dims sorted(permutation);
  llvm::sort(sorted);
  if (!llvm::equal(sorted, llvm::seq<int64_t>(0, rank)))
    return node.invalid() << "has perm " << shapeText(permutation)
                          << ", expected every axis of " << rank << " once";
  return defineIntegers(node, transpose(*tensor, permutation));
}

static LogicalResult convertTranspose(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  std::optional<Dims> permutation = bind.list("perm");
  if (failed(bind.finish()))
    return failure();
  int64_t rank = data.shape().size();
  if (!permutation) {
    permutation = Dims();
    for (int64_t axis = rank; axis-- > 0;)
      permutation->push_back(axis);
  }
  if (node.isShapeArithmetic())
    return foldTranspose(node, *permutation);
  if (llvm::equal(*permutation, llvm::seq<int64_t>(0, rank)))
    return node.define(0, data);
  FailureOr<Value> x = node.toValue(data, "data", Accept::Any);
  if (failed(x))
    return failure();
  return node.emit<train::TransposeOp>(
      *x, node.attributes().integers("permutation", *permutation));
}

/// Most axes of a tensor of the train dialect.
static constexpr int64_t kMaxAxes = 8;

/// A list of numbers that Constant nodes have, one per axis of a tensor at
/// most: exporters put the scales of a Resize together so.
static bool isLiteralList(const Node &node) {
  int64_t count = 0;
  for (int i = 0; i < node.proto.input_size(); ++i) {
    const Constant *constant = node.operand(i).constant;
    if (!constant || !constant->literal || constant->shape.size() != 1 ||
        constant->type != onnx::TensorProto::FLOAT)
      return false;
    count += constant->shape[0];
  }
  return count > 0 && count <= kMaxAxes;
}

static LogicalResult foldLiteralList(Node &node) {
  Binder bind(node);
  for (int i = 0; i < node.proto.input_size(); ++i)
    bind.operand("inputs");
  int64_t axis = bind.requiredInteger("axis");
  if (failed(bind.finish()) || failed(resolveAxis(node, axis, /*rank=*/1)))
    return failure();
  SmallVector<double> list;
  for (int i = 0; i < node.proto.input_size(); ++i) {
    auto numbers =
        node.graph.reader.numbers(*node.operand(i).constant, node.subject());
    if (failed(numbers))
      return failure();
    llvm::append_range(list, *numbers);
  }
  Constant constant =
      node.numberConstant(list, int64_t(list.size()), onnx::TensorProto::FLOAT);
  constant.literal = true;
  return node.define(0, std::move(constant));
}

/// Few enough to be known: what is more is computed by the program.
static bool hasFewElements(const Node &node) {
  int64_t count = 0;
  for (int i = 0; i < node.proto.input_size(); ++i)
    if (Operand operand = node.operand(i))
      count += countElements(operand.shape()).value_or(kMaxIntegers + 1);
  return count <= kMaxIntegers;
}

static LogicalResult convertConcat(Node &node) {
  if (node.isShapeArithmetic() && hasFewElements(node))
    return foldConcat(node);
  if (isLiteralList(node))
    return foldLiteralList(node);
  Binder bind(node);
  SmallVector<Value> values = bind.tensors("inputs", Accept::Any);
  int64_t axis = bind.requiredInteger("axis");
  if (failed(bind.finish()))
    return failure();
  int64_t rank = cast<RankedTensorType>(values.front().getType()).getRank();
  FailureOr<int64_t> resolved = resolveAxis(node, axis, rank);
  if (failed(resolved))
    return failure();
  return node.emit<train::ConcatOp>(
      values, node.attributes().integer("axis", *resolved));
}

void takt::import::addShapeOps(Registry &registry) {
  registry.add("Reshape", {5, 13, 14, 19, 21, 23, 24, 25}, convertReshape,
               "train.reshape; shapes known at import");
  registry.add("Flatten", {1, 9, 11, 13, 21, 23, 24, 25}, convertFlatten,
               "train.reshape");
  registry.add("Squeeze", {1, 11, 13, 21, 23, 24, 25}, convertSqueeze,
               "train.reshape");
  registry.add("Unsqueeze", {1, 11, 13, 21, 23, 24, 25}, convertUnsqueeze,
               "train.reshape");
  registry.add("Transpose", {1, 13, 21, 23, 24, 25}, convertTranspose,
               "train.transpose; folded on shapes");
  registry.add("Concat", {4, 11, 13}, convertConcat,
               "train.concat; folded on shapes");
}
