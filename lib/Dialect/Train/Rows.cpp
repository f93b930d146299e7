//===- Rows.cpp - operations on some samples at a time --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Batch normalization and the losses mix samples; random numbers follow from an
// element's position in the whole tensor, and the indices of a maximum pool are
// such positions. They are not RowwiseOpInterface.
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace takt::train;

static RowRule rowsIf(bool condition) {
  return condition ? RowRule::Rows : RowRule::None;
}

bool ConvOp::readsRows(unsigned operand) { return operand == 0; }
bool BatchNormApplyOp::readsRows(unsigned operand) { return operand == 0; }
bool ConvDgradOp::readsRows(unsigned operand) { return operand == 0; }
RowRule ConvWgradOp::getRowRule() { return RowRule::Sum; }

/// The rows of a are those of y, or what the product sums over.
RowRule GemmOp::getRowRule() {
  if (!getTransA())
    return RowRule::Rows;
  return !getTransB() && !getC() ? RowRule::Sum : RowRule::None;
}
bool GemmOp::readsRows(unsigned operand) {
  if (operand == 1)
    return getTransA();
  if (operand == 0)
    return true;
  ArrayRef<int64_t> c = shapeOf(getC());
  return c.size() == 2 && c[0] != 1;
}

RowRule MatMulOp::getRowRule() {
  size_t a = shapeOf(getA()).size(), b = shapeOf(getB()).size();
  if (a > 2)
    return rowsIf(b <= a);
  if (b > 2)
    return RowRule::None;
  if (!getTransA())
    return RowRule::Rows;
  return getTransB() ? RowRule::None : RowRule::Sum;
}
bool MatMulOp::readsRows(unsigned operand) {
  ArrayRef<int64_t> a = shapeOf(getA()), b = shapeOf(getB());
  if (a.size() == 2)
    return operand == 0 || getTransA();
  ArrayRef<int64_t> of = operand == 0 ? a : b;
  return of.size() == a.size() && of[0] == shapeOf(getY())[0];
}

RowRule SoftmaxOp::getRowRule() { return rowsIf(getAxis() != 0); }
RowRule LogSoftmaxOp::getRowRule() { return rowsIf(getAxis() != 0); }
RowRule SoftmaxDgradOp::getRowRule() { return rowsIf(getAxis() != 0); }
RowRule LogSoftmaxDgradOp::getRowRule() { return rowsIf(getAxis() != 0); }

/// Whether an operand has the rows of the result that it is broadcast to.
static bool hasRowsOf(Value operand, Value result) {
  ArrayRef<int64_t> from = shapeOf(operand), to = shapeOf(result);
  return !to.empty() && from.size() == to.size() && from[0] == to[0];
}

bool AddOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperand(operand), getY());
}
bool MulOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperand(operand), getY());
}
bool SumOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperand(operand), getY());
}

bool BinaryOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperand(operand), getY());
}
bool BinaryDgradOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperation()->getOperand(operand), getDx());
}
bool ExpandOp::readsRows(unsigned) { return hasRowsOf(getX(), getY()); }

RowRule NormalizeOp::getRowRule() { return rowsIf(getAxis() != 0); }
RowRule NormalizeDgradOp::getRowRule() { return rowsIf(getAxis() != 0); }

RowRule ReduceSumOp::getRowRule() {
  return llvm::is_contained(getAxes(), 0) ? RowRule::Sum : RowRule::Rows;
}
RowRule ReduceMaxOp::getRowRule() {
  return rowsIf(!llvm::is_contained(getAxes(), 0));
}
RowRule ReduceMaxDgradOp::getRowRule() {
  return rowsIf(!llvm::is_contained(getAxes(), 0));
}

/// Whether nothing is added along the samples.
static bool keepsRows(ArrayRef<int64_t> begins, ArrayRef<int64_t> ends) {
  return !begins.empty() && begins[0] == 0 && ends[0] == 0;
}

RowRule PadOp::getRowRule() {
  return rowsIf(keepsRows(getBegins(), getEnds()));
}
RowRule PadDgradOp::getRowRule() {
  return rowsIf(keepsRows(getBegins(), getEnds()));
}
RowRule ConcatOp::getRowRule() { return rowsIf(getAxis() != 0); }
RowRule SliceOp::getRowRule() { return rowsIf(getAxis() != 0); }
RowRule TransposeOp::getRowRule() {
  return rowsIf(!getPermutation().empty() && getPermutation()[0] == 0);
}
RowRule ReshapeOp::getRowRule() {
  ArrayRef<int64_t> x = shapeOf(getX()), y = shapeOf(getY());
  return rowsIf(!x.empty() && !y.empty() && x[0] == y[0]);
}
