//===- EmitShapes.cpp - movement and reduction as ONNX nodes --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include "Indices.h"

using namespace mlir;
using namespace takt;

//===----------------------------------------------------------------------===//
// Reduction
//===----------------------------------------------------------------------===//

/// Whether the result has the reduced axes, of size 1.
static bool keepsAxes(mlir::Value x, mlir::Value y) {
  return dimsOf(x).size() == dimsOf(y).size();
}

static Term emitReduceSum(Emission &emission, train::ReduceSumOp op) {
  return emission.of(op.getX()).sum(op.getAxes(),
                                    keepsAxes(op.getX(), op.getY()));
}

static Term emitReduceMax(Emission &emission, train::ReduceMaxOp op) {
  return emission.of(op.getX()).max(op.getAxes(),
                                    keepsAxes(op.getX(), op.getY()));
}

static Term emitReduceMaxDgrad(Emission &emission, train::ReduceMaxDgradOp op) {
  Term x = emission.of(op.getX()), dy = emission.of(op.getDy());
  Dims kept(dimsOf(op.getX()));
  for (int64_t axis : op.getAxes())
    kept[axis] = 1;
  Term largest = (x == x.max(op.getAxes())).cast(x.getType());
  return dy.reshape(kept) / largest.sum(op.getAxes()) * largest;
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

static Term emitConcat(Emission &emission, train::ConcatOp op) {
  SmallVector<Term> others;
  for (mlir::Value x : op.getX().drop_front())
    others.push_back(emission.of(x));
  return emission.of(op.getX().front())
      .node("Concat", others, NodeAttribute("axis", int64_t(op.getAxis())));
}

static Term emitSlice(Emission &emission, train::SliceOp op) {
  auto axis = static_cast<int64_t>(op.getAxis()),
       begin = static_cast<int64_t>(op.getBegin());
  return emission.of(op.getX()).slice(axis, begin,
                                      begin + dimsOf(op.getY())[axis]);
}

static Term emitReshape(Emission &emission, train::ReshapeOp op) {
  return emission.of(op.getX()).reshape(dimsOf(op.getY()));
}

static Term emitTranspose(Emission &emission, train::TransposeOp op) {
  return emission.of(op.getX()).transpose(op.getPermutation());
}

static Term emitExpand(Emission &emission, train::ExpandOp op) {
  return emission.of(op.getX()).expand(dimsOf(op.getY()));
}

//===----------------------------------------------------------------------===//
// Padding
//===----------------------------------------------------------------------===//

/// Which index of x is at each of a padded axis.
static Dims paddedIndices(PadMode mode, int64_t size, int64_t begin,
                          int64_t end) {
  Dims indices;
  for (int64_t i = -begin; i < size + end; ++i) {
    int64_t index = std::clamp<int64_t>(i, 0, size - 1);
    if (mode == PadMode::Wrap)
      index = ((i % size) + size) % size;
    else if (mode == PadMode::Reflect)
      index = i < 0 ? -i : i >= size ? 2 * (size - 1) - i : i;
    indices.push_back(index);
  }
  return indices;
}

static Term padNode(const Term &x, StringRef mode, ArrayRef<int64_t> begins,
                    ArrayRef<int64_t> ends, double value) {
  Dims pads(begins);
  pads.append(ends.begin(), ends.end());
  return x.node("Pad", {x.integers(pads), x.number(value)},
                NodeAttribute("mode", mode));
}

/// Pad wraps from opset 19 on only; before, a gather does.
static Term emitPad(Emission &emission, train::PadOp op) {
  Term x = emission.of(op.getX());
  switch (op.getMode()) {
  case PadMode::Constant:
    return padNode(x, "constant", op.getBegins(), op.getEnds(), op.getValue());
  case PadMode::Reflect:
    return padNode(x, "reflect", op.getBegins(), op.getEnds(), 0);
  case PadMode::Edge:
    return padNode(x, "edge", op.getBegins(), op.getEnds(), 0);
  case PadMode::Wrap:
    break;
  }
  for (auto [i, size] : llvm::enumerate(dimsOf(op.getX())))
    if (op.getBegins()[i] || op.getEnds()[i])
      x = x.node("Gather",
                 {x.integers(paddedIndices(
                     op.getMode(), size, op.getBegins()[i], op.getEnds()[i]))},
                 NodeAttribute("axis", int64_t(i)));
  return x;
}

/// Axis by axis: cut off a constant, and added up where copies came from.
static Term emitPadDgrad(Emission &emission, train::PadDgradOp op) {
  Term dx = emission.of(op.getDy());
  Dims dims(dimsOf(op.getDy()));
  for (auto [i, size] : llvm::enumerate(dimsOf(op.getDx()))) {
    int64_t begin = op.getBegins()[i], end = op.getEnds()[i];
    auto axis = static_cast<int64_t>(i);
    if (!begin && !end)
      continue;
    if (op.getMode() == PadMode::Constant)
      dx = dx.slice(axis, begin, begin + size);
    else
      dx = gatherGradient(
          dx, dims, dx.integers(paddedIndices(op.getMode(), size, begin, end)),
          1, axis, size);
    dims[i] = size;
  }
  return dx;
}

void takt::addShapeEmitters(EmitterTable &table) {
  table.add<train::ReduceSumOp, emitReduceSum>();
  table.add<train::ReduceMaxOp, emitReduceMax>();
  table.add<train::ReduceMaxDgradOp, emitReduceMaxDgrad>();
  table.add<train::ConcatOp, emitConcat>();
  table.add<train::SliceOp, emitSlice>();
  table.add<train::ReshapeOp, emitReshape>();
  table.add<train::TransposeOp, emitTranspose>();
  table.add<train::ExpandOp, emitExpand>();
  table.add<train::PadOp, emitPad>();
  table.add<train::PadDgradOp, emitPadDgrad>();
}
