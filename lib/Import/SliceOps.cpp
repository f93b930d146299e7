//===- SliceOps.cpp - parts of tensors, and what is around them -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "EmptyTensors.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include "takt/Target/KernelCheck.h"

using namespace mlir;
using takt::kMaxTensorElements;
using takt::PadMode;
using namespace takt::import;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

/// Indices begin to begin + extent of an axis; the value itself if these are
/// all.
static FailureOr<Value> slice(Node &node, Value x, int64_t axis, int64_t begin,
                              int64_t extent) {
  Dims dims(shapeOf(x));
  if (dims[axis] == extent)
    return x;
  dims[axis] = extent;
  AttributeList attributes = node.attributes();
  attributes.integer("axis", axis).integer("begin", begin);
  auto op = node.createTyped<train::SliceOp>(
      cast<RankedTensorType>(x.getType()).clone(dims), x, attributes);
  if (failed(op))
    return failure();
  return Value(op->getResult());
}

static FailureOr<Value> pad(Node &node, Value x, PadMode mode,
                            ArrayRef<int64_t> begins, ArrayRef<int64_t> ends,
                            float value) {
  AttributeList attributes = node.attributes();
  attributes.keyword("mode", mode)
      .integers("begins", begins)
      .integers("ends", ends)
      .number("value", value);
  auto op = node.create<train::PadOp>(x, attributes);
  if (failed(op))
    return failure();
  return Value(op->getResult());
}

namespace {
/// Indices begin, begin + step, … of an axis.
struct Range {
  int64_t axis, begin, count, step;
};
} // namespace

/// Every step-th index: the axis in rows of `step`, of which the first column
/// is taken. The last row may need to be filled up.
static FailureOr<Value> stride(Node &node, Value x, const Range &range) {
  Dims dims(shapeOf(x));
  int64_t span = range.count * range.step;
  int64_t missing = std::max<int64_t>(0, range.begin + span - dims[range.axis]);
  FailureOr<Value> rows =
      slice(node, x, range.axis, range.begin, span - missing);
  if (succeeded(rows) && missing > 0) {
    Dims begins(dims.size(), 0), ends(dims.size(), 0);
    ends[range.axis] = missing;
    rows = pad(node, *rows, PadMode::Constant, begins, ends, 0);
  }
  if (failed(rows))
    return failure();
  dims[range.axis] = range.count;
  Dims folded(dims);
  folded.insert(folded.begin() + range.axis + 1, range.step);
  FailureOr<Value> matrix = node.reshape(*rows, folded);
  if (failed(matrix))
    return failure();
  FailureOr<Value> column = slice(node, *matrix, range.axis + 1, 0, 1);
  if (failed(column))
    return failure();
  return node.reshape(*column, dims);
}

/// Backwards: by the list of the indices.
static FailureOr<Value> reverse(Node &node, Value x, const Range &range) {
  if (range.count > kMaxIntegers)
    return node.unsupported()
           << "takes " << range.count << " indices of axis " << range.axis
           << " backwards, expected at most " << kMaxIntegers;
  Dims indices;
  for (int64_t i = 0; i < range.count; ++i)
    indices.push_back(range.begin + i * range.step);
  Emit emit(node);
  Value y = emit.gather(x, emit.integers(indices, range.count), range.axis);
  if (!y)
    return failure();
  return y;
}

/// Which indices of an axis of a size a slice takes, in which order. A step
/// beyond the axis takes one index, whatever its length.
static Range resolveRange(int64_t axis, int64_t size, int64_t start,
                          int64_t end, int64_t step) {
  int64_t most = std::max<int64_t>(size, 1);
  step = std::clamp(step, -most, most);
  if (step > 0) {
    int64_t begin = clampIndex(start, size);
    int64_t span = std::max<int64_t>(0, clampIndex(end, size) - begin);
    return {axis, begin, (span + step - 1) / step, step};
  }
  // Backwards, the end is in front of the first index at most.
  int64_t begin = std::min(clampIndex(start, size), size - 1);
  int64_t last = end < -size ? -1 : std::min(clampIndex(end, size), size - 1);
  int64_t span = std::max<int64_t>(0, begin - last);
  return {axis, begin, (span - step - 1) / -step, step};
}

/// Starts, ends, axes and steps: attributes before opset 10, then inputs.
static FailureOr<SmallVector<Range>> bindRanges(Node &node, Binder &bind,
                                                ArrayRef<int64_t> shape) {
  std::optional<Dims> starts, ends, axes, steps;
  if (node.since < 10) {
    starts = bind.list("starts");
    ends = bind.list("ends");
    axes = bind.list("axes");
  } else {
    starts = bind.integers("starts");
    ends = bind.integers("ends");
    axes = bind.optionalIntegers("axes");
    steps = bind.optionalIntegers("steps");
  }
  if (failed(bind.finish()))
    return failure();
  size_t n = starts ? starts->size() : 0;
  if (!starts || !ends || ends->size() != n || (axes && axes->size() != n) ||
      (steps && steps->size() != n) || n > shape.size())
    return node.invalid() << "has not as many ends, axes and steps as starts, "
                          << n;
  if (!axes) {
    axes = Dims();
    for (size_t i = 0; i < n; ++i)
      axes->push_back(i);
  }
  if (failed(markAxes(node, *axes, shape.size())))
    return failure();
  SmallVector<Range> ranges;
  for (size_t i = 0; i < n; ++i) {
    int64_t axis = *resolveAxis(node, (*axes)[i], shape.size());
    int64_t step = steps ? (*steps)[i] : 1;
    if (step == 0)
      return node.invalid() << "has step 0";
    ranges.push_back(
        resolveRange(axis, shape[axis], (*starts)[i], (*ends)[i], step));
  }
  return ranges;
}

static LogicalResult foldSlice(Node &node) {
  Binder bind(node);
  bind.operand("data");
  FailureOr<IntegerTensor> tensor = integerInput(node, 0);
  if (failed(tensor))
    return failure();
  FailureOr<SmallVector<Range>> ranges = bindRanges(node, bind, tensor->shape);
  if (failed(ranges))
    return failure();
  for (const Range &range : *ranges) {
    Dims indices;
    for (int64_t i = 0; i < range.count; ++i)
      indices.push_back(range.begin + i * range.step);
    tensor = take(*tensor, range.axis, indices);
  }
  return defineIntegers(node, *tensor);
}

static LogicalResult convertSlice(Node &node) {
  if (node.isShapeArithmetic())
    return foldSlice(node);
  Binder bind(node);
  Value x = bind.tensor("data", Accept::Any);
  FailureOr<SmallVector<Range>> ranges =
      bindRanges(node, bind, x ? shapeOf(x) : ArrayRef<int64_t>());
  if (failed(ranges))
    return failure();
  auto takesNothing = [](const Range &range) { return range.count < 1; };
  if (llvm::any_of(*ranges, takesNothing)) {
    Dims shape(shapeOf(x));
    for (const Range &range : *ranges)
      shape[range.axis] = std::max<int64_t>(range.count, 0);
    return defineEmpty(node, shape, onnxType(elementOf(x)));
  }
  for (const Range &range : *ranges) {
    FailureOr<Value> part =
        range.step == 1  ? slice(node, x, range.axis, range.begin, range.count)
        : range.step > 1 ? stride(node, x, range)
                         : reverse(node, x, range);
    if (failed(part))
      return failure();
    x = *part;
  }
  return node.define(0, x);
}

/// Sizes of the parts: as given, or equal but for the last one.
static FailureOr<Dims> splitSizes(Node &node, const std::optional<Dims> &given,
                                  int64_t size) {
  int64_t parts = node.proto.output_size();
  Dims sizes;
  if (given)
    sizes = *given;
  else if (int64_t part = llvm::divideCeil(size, parts);
           size % parts == 0 || node.since >= 18)
    for (int64_t rest = size; rest > 0; rest -= part)
      sizes.push_back(std::min(part, rest));
  int64_t sum = 0;
  for (int64_t part : sizes) {
    if (part < 0 || part > size)
      return node.invalid()
             << "has a part of size " << part << ", expected 0 to " << size;
    sum += part;
  }
  if (int64_t(sizes.size()) != parts || sum != size)
    return node.invalid() << "splits a size of " << size << " into "
                          << shapeText(sizes) << " for " << parts << " outputs";
  return sizes;
}

/// The parts of integers that are known, along an axis.
static LogicalResult foldSplit(Node &node, int64_t axis,
                               const std::optional<Dims> &given) {
  FailureOr<IntegerTensor> tensor = integerInput(node, 0);
  if (failed(tensor))
    return failure();
  FailureOr<int64_t> at = resolveAxis(node, axis, tensor->shape.size());
  if (failed(at))
    return failure();
  FailureOr<Dims> sizes = splitSizes(node, given, tensor->shape[*at]);
  if (failed(sizes))
    return failure();
  int64_t begin = 0;
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    IntegerTensor part =
        take(*tensor, *at, llvm::to_vector(llvm::seq(begin, begin + size)));
    if (failed(defineIntegers(node, part, i)))
      return failure();
    begin += size;
  }
  return success();
}

static LogicalResult convertSplit(Node &node) {
  Binder bind(node);
  bool isShape = node.isShapeArithmetic();
  Value x;
  if (isShape)
    bind.operand("input");
  else
    x = bind.tensor("input", Accept::Any);
  int64_t axis = bind.integer("axis", 0);
  std::optional<Dims> given =
      node.since >= 13 ? bind.optionalIntegers("split") : bind.list("split");
  if (node.since >= 18)
    bind.integer("num_outputs", node.proto.output_size(),
                 node.proto.output_size(), node.proto.output_size());
  if (failed(bind.finish(node.proto.output_size())))
    return failure();
  if (isShape)
    return foldSplit(node, axis, given);
  FailureOr<int64_t> at = resolveAxis(node, axis, shapeOf(x).size());
  if (failed(at))
    return failure();
  FailureOr<Dims> sizes = splitSizes(node, given, shapeOf(x)[*at]);
  if (failed(sizes))
    return failure();
  int64_t begin = 0;
  for (auto [i, size] : llvm::enumerate(*sizes)) {
    if (node.isUsed(i) && size == 0) {
      Dims shape(shapeOf(x));
      shape[*at] = 0;
      if (failed(defineEmpty(node, shape, onnxType(elementOf(x)), i)))
        return failure();
    } else if (node.isUsed(i)) {
      FailureOr<Value> part = slice(node, x, *at, begin, size);
      if (failed(part) || failed(node.define(i, *part)))
        return failure();
    }
    begin += size;
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Surroundings
//===----------------------------------------------------------------------===//

/// Begins of all axes, then ends. Those of some axes only, from opset 18 on,
/// are 0 elsewhere.
static FailureOr<Dims> resolvePads(Node &node, const std::optional<Dims> &pads,
                                   const std::optional<Dims> &axes,
                                   int64_t rank) {
  size_t listed = axes ? axes->size() : rank;
  if (!pads || pads->size() != 2 * listed)
    return node.invalid() << "has " << (pads ? pads->size() : 0)
                          << " pads, expected " << 2 * listed;
  for (int64_t amount : *pads)
    if (amount < -kMaxTensorElements || amount > takt::kMaxTensorElements)
      return node.invalid() << "pads by " << amount;
  if (!axes)
    return *pads;
  if (failed(markAxes(node, *axes, rank)))
    return failure();
  Dims all(2 * rank, 0);
  for (auto [i, axis] : llvm::enumerate(*axes)) {
    int64_t at = *resolveAxis(node, axis, rank);
    all[at] = (*pads)[i];
    all[rank + at] = (*pads)[listed + i];
  }
  return all;
}

/// Cuts off what negative pads say, and leaves them at 0.
static FailureOr<Value> crop(Node &node, Value x, Dims &pads) {
  int64_t rank = shapeOf(x).size();
  for (int64_t axis = 0; axis < rank; ++axis) {
    int64_t before = std::max<int64_t>(0, -pads[axis]);
    int64_t after = std::max<int64_t>(0, -pads[rank + axis]);
    int64_t extent = shapeOf(x)[axis] - before - after;
    if (extent < 1)
      return node.unsupported() << "leaves nothing of axis " << axis
                                << ", which has size " << shapeOf(x)[axis];
    FailureOr<Value> part = slice(node, x, axis, before, extent);
    if (failed(part))
      return failure();
    x = *part;
  }
  for (int64_t &amount : pads)
    amount = std::max<int64_t>(0, amount);
  return x;
}

static LogicalResult convertPad(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("data");
  std::string text = bind.text("mode", "constant");
  std::optional<Dims> given, axes;
  float value = 0;
  if (node.since < 11) {
    given = bind.list("pads");
    value = bind.number("value", 0);
  } else {
    given = bind.integers("pads");
    value = bind.optionalScalar("constant_value").value_or(0);
  }
  if (node.since >= 18)
    axes = bind.optionalIntegers("axes");
  if (failed(bind.finish()))
    return failure();
  std::optional<PadMode> mode = takt::findNamed<PadMode>(text);
  if (!mode)
    return node.unsupported() << "has mode '" << text
                              << "', expected constant, reflect, edge or wrap";
  int64_t rank = data.shape().size();
  FailureOr<Dims> pads = resolvePads(node, given, axes, rank);
  if (failed(pads))
    return failure();
  // Exporters put a Pad before every AveragePool, most of which pad by nothing.
  auto isZero = [](int64_t amount) { return amount == 0; };
  if (llvm::all_of(*pads, isZero))
    return node.define(0, data);
  FailureOr<Value> x = node.toValue(data, "data", Accept::Any);
  if (failed(x))
    return failure();
  FailureOr<Value> rest = crop(node, *x, *pads);
  if (failed(rest))
    return failure();
  if (llvm::all_of(*pads, isZero))
    return node.define(0, *rest);
  FailureOr<Value> y = pad(node, *rest, *mode, ArrayRef(*pads).take_front(rank),
                           ArrayRef(*pads).drop_front(rank),
                           *mode == PadMode::Constant ? value : 0);
  return failed(y) ? failure() : node.define(0, *y);
}

/// The larger size on each axis, counted from the last one.
static LogicalResult convertExpand(Node &node) {
  Binder bind(node);
  Operand data = bind.operand("input");
  Dims shape = bind.integers("shape");
  if (failed(bind.finish()))
    return failure();
  ArrayRef<int64_t> from = data.shape();
  if (shape.size() < from.size())
    shape.insert(shape.begin(), from.size() - shape.size(), 1);
  size_t skip = shape.size() - from.size();
  for (auto [i, size] : llvm::enumerate(from))
    if (shape[skip + i] == 1)
      shape[skip + i] = size;
  if (from == ArrayRef(shape))
    return node.define(0, data);
  for (int64_t size : shape)
    if (size < 1)
      return node.unsupported()
             << "has shape " << shapeText(shape) << ", expected positive sizes";
  if (node.isShapeArithmetic() &&
      countElements(shape).value_or(kMaxIntegers + 1) <= kMaxIntegers)
    return foldExpand(node, shape);
  FailureOr<Value> x = node.toValue(data, "input", Accept::Any);
  if (failed(x))
    return failure();
  auto y = node.createTyped<train::ExpandOp>(
      cast<RankedTensorType>(x->getType()).clone(shape), *x);
  return failed(y) ? failure() : node.define(0, y->getResult());
}

void takt::import::addSliceOps(Registry &registry) {
  registry.add("Slice", {1, 10, 11, 13}, convertSlice,
               "train.slice; steps with train.reshape, train.gather; folded "
               "on shapes");
  registry.add("Split", {2, 11, 13, 18}, convertSplit,
               "train.slice; folded on shapes");
  registry.add("Pad", {2, 11, 13, 18, 19, 21, 23, 24, 25}, convertPad,
               "train.pad; nothing for pads of 0");
  registry.add("Expand", {8, 13}, convertExpand,
               "train.expand; folded on shapes");
}
