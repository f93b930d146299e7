//===- ArrangeOps.cpp - blocks, repetitions and triangles -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "ShapeArithmetic.h"

using namespace mlir;
using takt::CompareFunction;
using namespace takt::import;

//===----------------------------------------------------------------------===//
// Repetition
//===----------------------------------------------------------------------===//

/// An axis is repeated as the broadcast of one in front of it.
static Value tileAxis(Emit &emit, Value x, int64_t axis, int64_t repeats) {
  if (!x || repeats == 1)
    return x;
  Dims dims(shapeOf(x)), grouped = dims;
  // Axes before and behind, each as one, so that no rank is too large.
  int64_t before = 1, behind = 1;
  for (int64_t dim : ArrayRef(dims).take_front(axis))
    before *= dim;
  for (int64_t dim : ArrayRef(dims).drop_front(axis))
    behind *= dim;
  Value single = emit.reshape(x, {before, 1, behind});
  Value many = emit.expand(single, {before, repeats, behind});
  dims[axis] *= repeats;
  return emit.reshape(many, dims);
}

static LogicalResult foldTile(Node &node) {
  Binder bind(node);
  bind.operand("input");
  Dims repeats = bind.integers("repeats");
  FailureOr<IntegerTensor> x = integerInput(node, 0);
  if (failed(bind.finish()) || failed(x))
    return failure();
  if (repeats.size() != x->shape.size())
    return node.invalid() << "has " << repeats.size()
                          << " repeats, expected one per axis, "
                          << x->shape.size();
  for (auto [axis, count] : llvm::enumerate(repeats)) {
    if (count < 0 || count > kMaxIntegers ||
        count * int64_t(x->values.size()) > kMaxIntegers)
      return node.unsupported()
             << "repeats axis " << axis << " " << count
             << " times, expected at most " << kMaxIntegers << " integers";
    Dims indices;
    for (int64_t i = 0; i < count * x->shape[axis]; ++i)
      indices.push_back(i % x->shape[axis]);
    *x = take(*x, axis, indices);
  }
  return defineIntegers(node, *x);
}

static LogicalResult convertTile(Node &node) {
  if (node.isShapeArithmetic())
    return foldTile(node);
  Binder bind(node);
  Value x = bind.tensor("input", Accept::Any);
  Dims repeats = bind.integers("repeats");
  if (failed(bind.finish()))
    return failure();
  if (int64_t(repeats.size()) != rankOf(x))
    return node.invalid() << "has " << repeats.size()
                          << " repeats, expected one per axis, " << rankOf(x);
  Emit emit(node);
  for (auto [axis, count] : llvm::enumerate(repeats)) {
    if (count < 1)
      return node.unsupported() << "repeats axis " << axis << " " << count
                                << " times, expected at least once";
    if (count > kMaxElements / typeOf(x).getNumElements())
      return node.unsupported() << "repeats axis " << axis << " " << count
                                << " times, which is more than 2^40 elements";
    x = tileAxis(emit, x, axis, count);
    if (!x)
      return failure();
  }
  return emit.define(x);
}

//===----------------------------------------------------------------------===//
// Blocks
//===----------------------------------------------------------------------===//

/// N, C, H, W taken apart; fails with a diagnostic for another rank.
static LogicalResult checkImage(const Node &node, Value x, int64_t block) {
  if (rankOf(x) != 4)
    return node.invalid() << "has an input of rank " << rankOf(x)
                          << ", expected 4";
  // Squares and products with sizes do not overflow.
  if (block < 1 || block > (1 << 20))
    return node.invalid() << "has blocksize " << block
                          << ", expected a number from 1 to 1048576";
  return success();
}

static LogicalResult convertDepthToSpace(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input", Accept::Any);
  int64_t block = bind.requiredInteger("blocksize");
  std::string mode = node.since >= 11 ? bind.text("mode", "DCR") : "DCR";
  if (failed(bind.finish()) || failed(checkImage(node, x, block)))
    return failure();
  if (mode != "DCR" && mode != "CRD")
    return node.invalid() << "has mode '" << mode << "', expected DCR or CRD";
  ArrayRef<int64_t> s = shapeOf(x);
  if (s[1] % (block * block) != 0)
    return node.invalid() << "has " << s[1]
                          << " channels, expected a multiple of "
                          << block * block;
  int64_t channels = s[1] / (block * block);
  bool depthFirst = mode == "DCR";
  Dims split = depthFirst ? Dims{s[0], block, block, channels, s[2], s[3]}
                          : Dims{s[0], channels, block, block, s[2], s[3]};
  Dims order = depthFirst ? Dims{0, 3, 4, 1, 5, 2} : Dims{0, 1, 4, 2, 5, 3};
  Dims shape = {s[0], channels, s[2] * block, s[3] * block};
  Emit emit(node);
  return emit.define(
      emit.reshape(emit.transpose(emit.reshape(x, split), order), shape));
}

static LogicalResult convertSpaceToDepth(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input", Accept::Any);
  int64_t block = bind.requiredInteger("blocksize");
  if (failed(bind.finish()) || failed(checkImage(node, x, block)))
    return failure();
  ArrayRef<int64_t> s = shapeOf(x);
  if (s[2] % block != 0 || s[3] % block != 0)
    return node.invalid() << "has an image of " << s[2] << "x" << s[3]
                          << ", expected multiples of " << block;
  Dims shape = {s[0], s[1] * block * block, s[2] / block, s[3] / block};
  Dims split = {s[0], s[1], shape[2], block, shape[3], block};
  Emit emit(node);
  return emit.define(emit.reshape(
      emit.transpose(emit.reshape(x, split), {0, 3, 5, 1, 2, 4}), shape));
}

//===----------------------------------------------------------------------===//
// Triangles
//===----------------------------------------------------------------------===//

/// Column j of row i is kept if j ≥ i + k (upper) or j ≤ i + k.
static LogicalResult convertTrilu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input", Accept::Any);
  Dims diagonal = bind.optionalIntegers("k").value_or(Dims{0});
  bool upper = bind.flag("upper", true);
  if (failed(bind.finish()))
    return failure();
  if (rankOf(x) < 2 || diagonal.size() != 1)
    return node.invalid() << "has an input of rank " << rankOf(x) << " and "
                          << diagonal.size()
                          << " numbers for k, expected at least 2 and one";
  int64_t rows = shapeOf(x).take_back(2)[0], columns = shapeOf(x).back();
  int64_t k = std::clamp(diagonal[0], -rows, columns);
  Emit emit(node);
  Value row = emit.reshape(emit.range(rows), {rows, 1});
  Value column = emit.range(columns);
  Value border = emit.add(row, emit.filled(k, {}, row));
  Value kept = upper
                   ? emit.compare(CompareFunction::LessOrEqual, border, column)
                   : emit.compare(CompareFunction::LessOrEqual, column, border);
  return emit.define(emit.where(kept, x, emit.filled(0, {}, x)));
}

/// Ones where the column is k behind the row; of the input only the shape.
static LogicalResult convertEyeLike(Node &node) {
  Binder bind(node);
  Operand input = bind.operand("input");
  bool hasType = bind.attribute("dtype") != nullptr;
  int64_t type = bind.integer("dtype", onnx::TensorProto::FLOAT);
  int64_t k = bind.integer("k", 0);
  if (failed(bind.finish()))
    return failure();
  if (!hasType)
    type = input.constant ? input.constant->type
                          : onnxType(elementOf(input.value));
  Type element = computedType(type, node.loc.getContext());
  if (!element)
    return node.unsupported() << "makes elements of type " << typeName(type);
  ArrayRef<int64_t> shape = input.shape();
  if (shape.size() != 2)
    return node.invalid() << "has an input of shape " << shapeText(shape)
                          << ", expected a matrix";
  Emit emit(node);
  Value row = emit.reshape(emit.range(shape[0]), {shape[0], 1});
  Value column = emit.range(shape[1]);
  k = std::clamp(k, -shape[0], shape[1]);
  Value diagonal = emit.add(row, emit.filled(k, {}, row));
  Value ones = emit.compare(CompareFunction::Equal, diagonal, column);
  return emit.define(emit.cast(ones, element));
}

/// The first elements of each sample along the time axis in reversed order, as
/// many as its length says.
static LogicalResult convertReverseSequence(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input", Accept::Any);
  Value lengths = bind.indices("sequence_lens");
  int64_t batchAxis = bind.integer("batch_axis", 1, 0, 1);
  int64_t timeAxis = bind.integer("time_axis", 0, 0, 1);
  if (failed(bind.finish()))
    return failure();
  ArrayRef<int64_t> shape = shapeOf(x);
  if (shape.size() < 2 || batchAxis == timeAxis ||
      shapeOf(lengths) != shape.slice(batchAxis, 1))
    return node.invalid() << "has an input of shape " << shapeText(shape)
                          << ", lengths of shape "
                          << shapeText(shapeOf(lengths)) << ", batch axis "
                          << batchAxis << " and time axis " << timeAxis;
  Emit emit(node);
  Dims alongBatch(shape.size(), 1), alongTime(shape.size(), 1);
  alongBatch[batchAxis] = shape[batchAxis];
  alongTime[timeAxis] = shape[timeAxis];
  Value length = emit.reshape(lengths, alongBatch);
  Value time = emit.reshape(emit.range(shape[timeAxis]), alongTime);
  Value last = emit.sub(length, emit.integers(1, {}));
  Value inside = emit.compare(CompareFunction::Less, time, length);
  Value mirrored = emit.sub(last, time);
  Value from = emit.where(inside, mirrored, time);
  return emit.define(
      emit.gatherElements(x, emit.expand(from, shape), timeAxis));
}

void takt::import::addArrangeOps(Registry &registry) {
  registry.add("Tile", {6, 13}, convertTile,
               "train.reshape, train.expand; folded on shapes");
  registry.add("DepthToSpace", {1, 11, 13}, convertDepthToSpace,
               "train.reshape, train.transpose");
  registry.add("SpaceToDepth", {1, 13}, convertSpaceToDepth,
               "train.reshape, train.transpose");
  registry.add("Trilu", {14}, convertTrilu, "train.compare, train.where");
  registry.add(kOnnxRuntime, "Trilu", {1}, convertTrilu,
               "train.compare, train.where");
  registry.add("EyeLike", {9, 22}, convertEyeLike,
               "train.compare equal, train.cast");
  registry.add("ReverseSequence", {10}, convertReverseSequence,
               "train.compare less, train.where, train.gather_elements");
}
