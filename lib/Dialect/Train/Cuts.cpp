//===- Cuts.cpp - matrix products computed in parts -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// getSlicedAxis says which axis of each operand a cut slices; legal cuts and
// parts follow from it and the shapes.
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace takt::train;
using takt::CutAxis;
using takt::CutOption;

/// A cut at 1 … extent − 1 needs an extent of 2.
static void addCut(SmallVectorImpl<CutOption> &cuts, CutAxis axis,
                   int64_t extent) {
  if (extent >= 2)
    cuts.push_back({axis, extent});
}

/// Of a result with samples first and channels on that axis.
static int64_t concatenatedAxis(CutAxis axis, int64_t channels) {
  if (axis == CutAxis::Reduction)
    return -1;
  return axis == CutAxis::Channel ? channels : 0;
}

/// The result's type with another size on the axis that is concatenated.
static RankedTensorType partType(Value result, int64_t axis, int64_t extent) {
  auto type = cast<RankedTensorType>(result.getType());
  if (axis < 0)
    return type;
  Dims dims(type.getShape());
  dims[axis] = extent;
  return type.clone(dims);
}

//===----------------------------------------------------------------------===//
// conv: x N, Cin, …; w Cout, Cin / groups, …; b Cout; y N, Cout, …
//===----------------------------------------------------------------------===//

void ConvOp::getLegalCuts(SmallVectorImpl<CutOption> &cuts) {
  if (getGroups() == 1)
    addCut(cuts, CutAxis::Channel, shapeOf(getW())[0]);
  addCut(cuts, CutAxis::Batch, shapeOf(getX())[0]);
  // b must not be added once per part.
  if (getGroups() == 1 && !getB())
    addCut(cuts, CutAxis::Reduction, shapeOf(getW())[1]);
}

int64_t ConvOp::getSlicedAxis(CutAxis axis, unsigned operand) {
  switch (axis) {
  case CutAxis::Channel:
    return operand == 0 ? -1 : 0;
  case CutAxis::Batch:
    return operand == 0 ? 0 : -1;
  case CutAxis::Reduction:
    return operand == 2 ? -1 : 1;
  }
  return -1;
}

int64_t ConvOp::getConcatenatedAxis(CutAxis axis) {
  return concatenatedAxis(axis, 1);
}

Value ConvOp::buildPart(OpBuilder &builder, CutAxis axis, int64_t begin,
                        int64_t end, ValueRange operands) {
  Type type = partType(getY(), getConcatenatedAxis(axis), end - begin);
  Value b = operands.size() > 2 ? operands[2] : Value();
  return ConvOp::create(builder, getLoc(), type, operands[0], operands[1], b,
                        getGroups(), getStrides(), getPadsBegin(), getPadsEnd(),
                        getDilations());
}

//===----------------------------------------------------------------------===//
// conv_wgrad: x N, Cin, …; dy N, Cout, …; dw Cout, Cin / groups, …
//===----------------------------------------------------------------------===//

void ConvWgradOp::getLegalCuts(SmallVectorImpl<CutOption> &cuts) {
  if (getGroups() == 1)
    addCut(cuts, CutAxis::Channel, shapeOf(getDy())[1]);
  addCut(cuts, CutAxis::Reduction, shapeOf(getX())[0]);
}

int64_t ConvWgradOp::getSlicedAxis(CutAxis axis, unsigned operand) {
  switch (axis) {
  case CutAxis::Channel:
    return operand == 0 ? -1 : 1;
  case CutAxis::Reduction:
    return 0;
  case CutAxis::Batch:
    return -1;
  }
  return -1;
}

int64_t ConvWgradOp::getConcatenatedAxis(CutAxis axis) {
  return axis == CutAxis::Channel ? 0 : -1;
}

Value ConvWgradOp::buildPart(OpBuilder &builder, CutAxis axis, int64_t begin,
                             int64_t end, ValueRange operands) {
  Type type = partType(getDw(), getConcatenatedAxis(axis), end - begin);
  return ConvWgradOp::create(builder, getLoc(), type, operands[0], operands[1],
                             getGroups(), getStrides(), getPadsBegin(),
                             getPadsEnd(), getDilations());
}

//===----------------------------------------------------------------------===//
// conv_dgrad: dy N, Cout, …; w Cout, Cin / groups, …; dx N, Cin, …
//===----------------------------------------------------------------------===//

void ConvDgradOp::getLegalCuts(SmallVectorImpl<CutOption> &cuts) {
  // A part of the channels of a grouped convolution is none.
  if (getGroups() == 1)
    addCut(cuts, CutAxis::Channel, shapeOf(getW())[1]);
  addCut(cuts, CutAxis::Batch, shapeOf(getDy())[0]);
  if (getGroups() == 1)
    addCut(cuts, CutAxis::Reduction, shapeOf(getW())[0]);
}

int64_t ConvDgradOp::getSlicedAxis(CutAxis axis, unsigned operand) {
  switch (axis) {
  case CutAxis::Channel:
    return operand == 0 ? -1 : 1;
  case CutAxis::Batch:
    return operand == 0 ? 0 : -1;
  case CutAxis::Reduction:
    return operand == 0 ? 1 : 0;
  }
  return -1;
}

int64_t ConvDgradOp::getConcatenatedAxis(CutAxis axis) {
  return concatenatedAxis(axis, 1);
}

Value ConvDgradOp::buildPart(OpBuilder &builder, CutAxis axis, int64_t begin,
                             int64_t end, ValueRange operands) {
  Type type = partType(getDx(), getConcatenatedAxis(axis), end - begin);
  return ConvDgradOp::create(builder, getLoc(), type, operands[0], operands[1],
                             getGroups(), getStrides(), getPadsBegin(),
                             getPadsEnd(), getDilations());
}

//===----------------------------------------------------------------------===//
// gemm
//===----------------------------------------------------------------------===//

/// The axis of a or b that holds rows (M, K) or columns (K, N) of a' or b'.
static int64_t matrixAxis(Value matrix, bool columns, bool transposed) {
  return int64_t(shapeOf(matrix).size()) - 2 + (columns != transposed);
}

void GemmOp::getLegalCuts(SmallVectorImpl<CutOption> &cuts) {
  ArrayRef<int64_t> y = shapeOf(getY());
  addCut(cuts, CutAxis::Channel, y[1]);
  addCut(cuts, CutAxis::Batch, y[0]);
  // c must not be added once per part.
  if (!getC())
    addCut(cuts, CutAxis::Reduction, shapeOf(getA())[!getTransA()]);
}

int64_t GemmOp::getSlicedAxis(CutAxis axis, unsigned operand) {
  if (operand == 2) {
    // Axis of y, counted from the last, that is cut; c may be broadcast there.
    int64_t fromLast = axis == CutAxis::Channel ? 1 : 2;
    ArrayRef<int64_t> c = shapeOf(getC());
    int64_t at = int64_t(c.size()) - fromLast;
    return axis == CutAxis::Reduction || at < 0 || c[at] == 1 ? -1 : at;
  }
  switch (axis) {
  case CutAxis::Channel:
    return operand == 0 ? -1 : matrixAxis(getB(), true, getTransB());
  case CutAxis::Batch:
    return operand == 0 ? matrixAxis(getA(), false, getTransA()) : -1;
  case CutAxis::Reduction:
    return operand == 0 ? matrixAxis(getA(), true, getTransA())
                        : matrixAxis(getB(), false, getTransB());
  }
  return -1;
}

int64_t GemmOp::getConcatenatedAxis(CutAxis axis) {
  return concatenatedAxis(axis, 1);
}

Value GemmOp::buildPart(OpBuilder &builder, CutAxis axis, int64_t begin,
                        int64_t end, ValueRange operands) {
  Type type = partType(getY(), getConcatenatedAxis(axis), end - begin);
  Value c = operands.size() > 2 ? operands[2] : Value();
  return GemmOp::create(builder, getLoc(), type, operands[0], operands[1], c,
                        getTransA(), getTransB(), getAlpha(), getBeta());
}

//===----------------------------------------------------------------------===//
// matmul with one right operand for all batches
//===----------------------------------------------------------------------===//

void MatMulOp::getLegalCuts(SmallVectorImpl<CutOption> &cuts) {
  if (shapeOf(getB()).size() != 2)
    return;
  ArrayRef<int64_t> y = shapeOf(getY());
  addCut(cuts, CutAxis::Channel, y.back());
  addCut(cuts, CutAxis::Batch, y[0]);
  addCut(cuts, CutAxis::Reduction,
         shapeOf(getA())[matrixAxis(getA(), true, getTransA())]);
}

int64_t MatMulOp::getSlicedAxis(CutAxis axis, unsigned operand) {
  bool batched = shapeOf(getA()).size() > 2;
  switch (axis) {
  case CutAxis::Channel:
    return operand == 0 ? -1 : matrixAxis(getB(), true, getTransB());
  case CutAxis::Batch:
    if (operand == 1)
      return -1;
    return batched ? 0 : matrixAxis(getA(), false, getTransA());
  case CutAxis::Reduction:
    return operand == 0 ? matrixAxis(getA(), true, getTransA())
                        : matrixAxis(getB(), false, getTransB());
  }
  return -1;
}

int64_t MatMulOp::getConcatenatedAxis(CutAxis axis) {
  return concatenatedAxis(axis, int64_t(shapeOf(getY()).size()) - 1);
}

Value MatMulOp::buildPart(OpBuilder &builder, CutAxis axis, int64_t begin,
                          int64_t end, ValueRange operands) {
  Type type = partType(getY(), getConcatenatedAxis(axis), end - begin);
  return MatMulOp::create(builder, getLoc(), type, operands[0], operands[1],
                          getTransA(), getTransB());
}
