//===- Selection.cpp - element types, choices and indices -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the operations of TrainSelectionOps.td answer: types, words, gradients,
// rows.
//
//===----------------------------------------------------------------------===//

#include "Gradients.h"
#include "Shapes.h"

using namespace mlir;
using namespace takt::train;
using takt::Work;

#define INFER(OpTy)                                                            \
  LogicalResult OpTy::inferReturnTypes(                                        \
      MLIRContext *, std::optional<Location> location, Adaptor adaptor,        \
      SmallVectorImpl<Type> &types)
#define GRADIENT(OpTy)                                                         \
  Value OpTy::buildOperandGradient(OpBuilder &builder, unsigned operand,       \
                                   ArrayRef<Value> resultGradients)

using Types = SmallVectorImpl<Type>;
using Words = SmallVectorImpl<uint32_t>;

static RowRule rowsIf(bool condition) {
  return condition ? RowRule::Rows : RowRule::None;
}

/// Whether an operand has the rows of the result that it is broadcast to.
static bool hasRowsOf(Value operand, Value result) {
  ArrayRef<int64_t> from = shapeOf(operand), to = shapeOf(result);
  return !to.empty() && from.size() == to.size() && from[0] == to[0];
}

static bool isFloat(Value value) { return isFloatTensor(value.getType()); }

static LogicalResult expectBool(const Reporter &reporter, Value condition) {
  if (isBoolTensor(condition.getType()))
    return success();
  return reporter.fail("condition is no static tensor of i1");
}

static LogicalResult expectIndices(const Reporter &reporter, Value indices) {
  if (isLabelTensor(indices.getType()))
    return success();
  return reporter.fail("indices are no static tensor of i64");
}

/// An operation per element that goes in, as well as per element that comes
/// out.
static Work workOf(Operation *op, Value larger, int64_t perElement) {
  Work work = elementwiseWork(op, 1);
  work.elementwise =
      cast<RankedTensorType>(larger.getType()).getNumElements() * perElement;
  return work;
}

//===----------------------------------------------------------------------===//
// Element types and truth values
//===----------------------------------------------------------------------===//

LogicalResult CastOp::verify() {
  return Reporter(getOperation())
      .expectShape("y", shapeOf(getY()), shapeOf(getX()));
}

OpFoldResult CastOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? getX() : OpFoldResult();
}

/// Integers have none.
GRADIENT(CastOp) {
  Value dy = resultGradients[0];
  if (!dy || !isFloat(getX()))
    return {};
  return CastOp::create(builder, getLoc(), getX().getType(), dy);
}

INFER(CompareOp) {
  Reporter reporter(location, getOperationName());
  if (failed(
          reporter.expectTensors(adaptor.getOperands().getTypes(), isTensor)))
    return failure();
  FailureOr<Dims> y = broadcastShape(
      reporter, {shapeOf(adaptor.getA()), shapeOf(adaptor.getB())});
  if (failed(y))
    return failure();
  Type element = IntegerType::get(adaptor.getA().getContext(), 1);
  return makeResult(reporter, *y, element, types);
}

void CompareOp::getKernelWords(Words &words) {
  words.push_back(static_cast<uint32_t>(getFunction()));
}

bool CompareOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperand(operand), getY());
}

INFER(WhereOp) {
  Reporter reporter(location, getOperationName());
  Value condition = adaptor.getCondition(), a = adaptor.getA(),
        b = adaptor.getB();
  if (failed(expectBool(reporter, condition)) ||
      failed(reporter.expectTensors({a.getType(), b.getType()}, isTensor)))
    return failure();
  FailureOr<Dims> y =
      broadcastShape(reporter, {shapeOf(condition), shapeOf(a), shapeOf(b)});
  if (failed(y))
    return failure();
  return makeResult(reporter, *y, elementTypeOf(a), types);
}

GRADIENT(WhereOp) {
  Value dy = resultGradients[0];
  if (!dy || operand == 0 || !isFloat(dy))
    return {};
  Value each = WhereDgradOp::create(builder, getLoc(), dy.getType(), dy,
                                    getCondition(), operand);
  return sumTo(builder, getLoc(), each, getOperand(operand).getType());
}

bool WhereOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperand(operand), getY());
}

INFER(WhereDgradOp) {
  Reporter reporter(location, getOperationName());
  Value dy = adaptor.getDy(), condition = adaptor.getCondition();
  if (failed(reporter.expectAttribute("operand", adaptor.getOperandAttr())) ||
      failed(reporter.expectRange("operand", adaptor.getOperand(), 1, 2)) ||
      failed(reporter.expectTensors(dy.getType())) ||
      failed(expectBool(reporter, condition)))
    return failure();
  FailureOr<Dims> both =
      broadcastShape(reporter, {shapeOf(dy), shapeOf(condition)});
  if (failed(both) || failed(reporter.expectShape("dy", shapeOf(dy), *both)))
    return failure();
  types.push_back(dy.getType());
  return success();
}

void WhereDgradOp::getKernelWords(Words &words) {
  words.push_back(getOperand());
}

bool WhereDgradOp::readsRows(unsigned operand) {
  return hasRowsOf(getOperation()->getOperand(operand), getDx());
}

//===----------------------------------------------------------------------===//
// Indices
//===----------------------------------------------------------------------===//

/// The shape of x with that of the indices for an axis.
static FailureOr<Dims> gatheredShape(const Reporter &reporter,
                                     ArrayRef<int64_t> x, int64_t axis,
                                     ArrayRef<int64_t> indices) {
  if (failed(expectAxis(reporter, axis, x)))
    return failure();
  Dims dims(x.take_front(axis));
  llvm::append_range(dims, indices);
  llvm::append_range(dims, x.drop_front(axis + 1));
  return dims;
}

INFER(GatherOp) {
  Reporter reporter(location, getOperationName());
  Value x = adaptor.getX(), indices = adaptor.getIndices();
  if (failed(reporter.expectAttribute("axis", adaptor.getAxisAttr())) ||
      failed(reporter.expectTensors(x.getType(), isTensor)) ||
      failed(expectIndices(reporter, indices)))
    return failure();
  FailureOr<Dims> y =
      gatheredShape(reporter, shapeOf(x), adaptor.getAxis(), shapeOf(indices));
  if (failed(y))
    return failure();
  return makeResult(reporter, *y, elementTypeOf(x), types);
}

void GatherOp::getKernelWords(Words &words) { words.push_back(getAxis()); }

GRADIENT(GatherOp) {
  Value dy = resultGradients[0];
  if (!dy || operand != 0)
    return {};
  return GatherDgradOp::create(builder, getLoc(), getX().getType(), dy,
                               getIndices(), getAxis());
}

/// Rows of y are rows of the indices, or of x.
RowRule GatherOp::getRowRule() {
  return rowsIf(getAxis() != 0 || !shapeOf(getIndices()).empty());
}
bool GatherOp::readsRows(unsigned operand) {
  return operand == (getAxis() == 0 ? 1u : 0u);
}

LogicalResult GatherDgradOp::verify() {
  Reporter reporter(getOperation());
  if (failed(reporter.expectTensors({getDy().getType(), getDx().getType()})))
    return failure();
  FailureOr<Dims> dy = gatheredShape(reporter, shapeOf(getDx()), getAxis(),
                                     shapeOf(getIndices()));
  if (failed(dy))
    return failure();
  return reporter.expectShape("dy", shapeOf(getDy()), *dy);
}

void GatherDgradOp::getKernelWords(Words &words) { words.push_back(getAxis()); }
/// The gradient is set to 0 first.
Work GatherDgradOp::getWork() {
  Work work = elementwiseWork(*this, 1);
  work.elementwise += workOf(*this, getDy(), 1).elementwise;
  return work;
}

RowRule GatherDgradOp::getRowRule() {
  if (getAxis() != 0)
    return RowRule::Rows;
  return shapeOf(getIndices()).empty() ? RowRule::None : RowRule::Sum;
}
bool GatherDgradOp::readsRows(unsigned operand) {
  return operand == 0 || getAxis() == 0;
}

/// Checks that the indices have the shape of x except on the axis.
static LogicalResult expectElementIndices(const Reporter &reporter, Value x,
                                          Value indices, int64_t axis) {
  if (failed(expectIndices(reporter, indices)) ||
      failed(expectAxis(reporter, axis, shapeOf(x))))
    return failure();
  ArrayRef<int64_t> found = shapeOf(indices);
  Dims expected(shapeOf(x));
  if (failed(reporter.expectRank("indices", found, expected.size(),
                                 expected.size())))
    return failure();
  expected[axis] = found[axis];
  return reporter.expectShape("indices", found, expected);
}

INFER(GatherElementsOp) {
  Reporter reporter(location, getOperationName());
  Value x = adaptor.getX(), indices = adaptor.getIndices();
  if (failed(reporter.expectAttribute("axis", adaptor.getAxisAttr())) ||
      failed(reporter.expectTensors(x.getType(), isTensor)) ||
      failed(expectElementIndices(reporter, x, indices, adaptor.getAxis())))
    return failure();
  return makeResult(reporter, shapeOf(indices), elementTypeOf(x), types);
}

void GatherElementsOp::getKernelWords(Words &words) {
  words.push_back(getAxis());
}

GRADIENT(GatherElementsOp) {
  Value dy = resultGradients[0];
  if (!dy || operand != 0)
    return {};
  return GatherElementsDgradOp::create(builder, getLoc(), getX().getType(), dy,
                                       getIndices(), getAxis());
}

RowRule GatherElementsOp::getRowRule() { return rowsIf(getAxis() != 0); }

LogicalResult GatherElementsDgradOp::verify() {
  Reporter reporter(getOperation());
  if (failed(reporter.expectTensors({getDy().getType(), getDx().getType()})) ||
      failed(expectElementIndices(reporter, getDx(), getIndices(), getAxis())))
    return failure();
  return reporter.expectShape("dy", shapeOf(getDy()), shapeOf(getIndices()));
}

void GatherElementsDgradOp::getKernelWords(Words &words) {
  words.push_back(getAxis());
}
Work GatherElementsDgradOp::getWork() {
  Work work = elementwiseWork(*this, 1);
  work.elementwise += workOf(*this, getDy(), 1).elementwise;
  return work;
}
RowRule GatherElementsDgradOp::getRowRule() { return rowsIf(getAxis() != 0); }

INFER(ScatterElementsOp) {
  using M = takt::ScatterMode;
  Reporter reporter(location, getOperationName());
  Value x = adaptor.getX(), indices = adaptor.getIndices(),
        updates = adaptor.getUpdates();
  if (failed(reporter.expectAttribute("axis", adaptor.getAxisAttr())) ||
      failed(reporter.expectAttribute("mode", adaptor.getModeAttr())) ||
      failed(
          reporter.expectTensors({x.getType(), updates.getType()}, isTensor)) ||
      failed(expectElementIndices(reporter, x, indices, adaptor.getAxis())) ||
      failed(
          reporter.expectShape("updates", shapeOf(updates), shapeOf(indices))))
    return failure();
  M mode = adaptor.getMode();
  if (isBoolTensor(x.getType()) && (mode == M::Add || mode == M::Mul))
    return reporter.failValue("mode", takt::name(mode),
                              "replace, max or min for i1");
  types.push_back(x.getType());
  return success();
}

void ScatterElementsOp::getKernelWords(Words &words) {
  words.push_back(static_cast<uint32_t>(getMode()));
  words.push_back(getAxis());
}
Work ScatterElementsOp::getWork() {
  Work work = elementwiseWork(*this, 1);
  work.elementwise += workOf(*this, getUpdates(), 1).elementwise;
  return work;
}

RowRule ScatterElementsOp::getRowRule() { return rowsIf(getAxis() != 0); }

//===----------------------------------------------------------------------===//
// Order along an axis
//===----------------------------------------------------------------------===//

LogicalResult ArgMaxOp::verify() {
  Reporter reporter(getOperation());
  ArrayRef<int64_t> x = shapeOf(getX()), y = shapeOf(getY());
  if (failed(expectAxis(reporter, getAxis(), x)))
    return failure();
  Dims kept(x), dropped(x);
  kept[getAxis()] = 1;
  dropped.erase(dropped.begin() + getAxis());
  if (y == ArrayRef(kept) || y == ArrayRef(dropped))
    return success();
  return reporter.failValue("shape of y", shapeText(y),
                            shapeText(kept) + " or " + shapeText(dropped));
}

void ArgMaxOp::getKernelWords(Words &words) {
  words.push_back(getAxis());
  words.push_back(getLast());
}
Work ArgMaxOp::getWork() { return workOf(*this, getX(), 1); }
RowRule ArgMaxOp::getRowRule() { return rowsIf(getAxis() != 0); }

LogicalResult TopKOp::verify() {
  Reporter reporter(getOperation());
  ArrayRef<int64_t> x = shapeOf(getX()), y = shapeOf(getY());
  int64_t axis = getAxis();
  if (failed(reporter.expectTensors({getX().getType(), getY().getType()},
                                    isNumberTensor)) ||
      failed(expectAxis(reporter, axis, x)) ||
      failed(reporter.expectRank("y", y, x.size(), x.size())))
    return failure();
  Dims expected(x);
  expected[axis] = y[axis];
  if (failed(reporter.expectShape("y", y, expected)) ||
      failed(reporter.expectShape("indices", shapeOf(getIndices()), y)))
    return failure();
  return reporter.expectRange("extent of y on axis " + Twine(axis), y[axis], 1,
                              x[axis]);
}

void TopKOp::getKernelWords(Words &words) {
  words.push_back(getAxis());
  words.push_back(getLargest());
}
/// A sort, of sixteen comparisons per element or so.
Work TopKOp::getWork() { return workOf(*this, getX(), 16); }

GRADIENT(TopKOp) {
  Value dy = resultGradients[0];
  if (!dy || !isFloat(dy))
    return {};
  return GatherElementsDgradOp::create(builder, getLoc(), getX().getType(), dy,
                                       getIndices(), getAxis());
}

RowRule TopKOp::getRowRule() { return rowsIf(getAxis() != 0); }

LogicalResult CumSumOp::verify() {
  return expectAxis(Reporter(*this), getAxis(), shapeOf(getX()));
}

void CumSumOp::getKernelWords(Words &words) {
  words.push_back(getAxis());
  words.push_back(getExclusive());
  words.push_back(getReverse());
}

/// An element is in the sums of those behind it.
GRADIENT(CumSumOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return CumSumOp::create(builder, getLoc(), dy.getType(), dy, getAxis(),
                          getExclusive(), !getReverse());
}

RowRule CumSumOp::getRowRule() { return rowsIf(getAxis() != 0); }
