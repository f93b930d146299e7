//===- Gradients.cpp - gradients of forward operations --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of all but matrix products, which have ProductGradients.cpp.
//
//===----------------------------------------------------------------------===//

#include "Gradients.h"
#include "Shapes.h"

using namespace mlir;
using namespace takt::train;

/// What every buildOperandGradient below takes.
#define GRADIENT(OpTy)                                                         \
  Value OpTy::buildOperandGradient(OpBuilder &builder, unsigned operand,       \
                                   ArrayRef<Value> resultGradients)

//===----------------------------------------------------------------------===//
// Shared steps
//===----------------------------------------------------------------------===//

Value takt::train::sumTo(OpBuilder &builder, Location loc, Value gradient,
                         Type type) {
  if (gradient.getType() == type)
    return gradient;
  ArrayRef<int64_t> from = shapeOf(gradient);
  ArrayRef<int64_t> to = cast<RankedTensorType>(type).getShape();
  size_t skip = from.size() - to.size();
  Dims kept(from), dropped;
  SmallVector<int64_t> axes;
  for (size_t axis = 0; axis < from.size(); ++axis) {
    int64_t target = axis < skip ? 1 : to[axis - skip];
    if (target != from[axis])
      axes.push_back(axis);
    else
      dropped.push_back(from[axis]);
    kept[axis] = target;
  }
  if (!axes.empty()) {
    ArrayRef<int64_t> dims = to == ArrayRef(dropped) ? to : ArrayRef(kept);
    gradient = ReduceSumOp::create(
        builder, loc, RankedTensorType::get(dims, elementTypeOf(gradient)),
        gradient, axes);
  }
  // Axes of size 1 that broadcasting added.
  if (gradient.getType() != type)
    gradient = ReshapeOp::create(builder, loc, type, gradient);
  return gradient;
}

Value takt::train::scaleBy(OpBuilder &builder, Location loc, Value value,
                           float factor) {
  if (factor == 1)
    return value;
  return ScaleOp::create(builder, loc, value, factor);
}

//===----------------------------------------------------------------------===//
// Normalization
//===----------------------------------------------------------------------===//

/// True when an operation is executed before the next one that is built.
static bool comesBefore(Operation *op, OpBuilder &builder) {
  Block *block = builder.getInsertionBlock();
  auto next = builder.getInsertionPoint();
  return op->getBlock() == block &&
         (next == block->end() || op->isBeforeInBlock(&*next));
}

/// Scale and bias share one operation, whichever is asked for first.
static BatchNormWgradOp getBatchNormWgrad(OpBuilder &builder, BatchNormOp op,
                                          Value dy) {
  for (Operation *user : dy.getUsers()) {
    auto wgrad = dyn_cast<BatchNormWgradOp>(user);
    if (wgrad && wgrad.getDy() == dy && wgrad.getX() == op.getX() &&
        wgrad.getMean() == op.getMean() &&
        wgrad.getInvStd() == op.getInvStd() && comesBefore(wgrad, builder))
      return wgrad;
  }
  Type type = op.getMean().getType();
  return BatchNormWgradOp::create(
      builder, op.getLoc(), TypeRange{type, type},
      ValueRange{dy, op.getX(), op.getMean(), op.getInvStd()});
}

GRADIENT(BatchNormOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  switch (operand) {
  case 0:
    return BatchNormDgradOp::create(builder, getLoc(), getX().getType(), dy,
                                    getX(), getScale(), getMean(), getInvStd());
  case 1:
    return getBatchNormWgrad(builder, *this, dy).getDscale();
  case 2:
    return getBatchNormWgrad(builder, *this, dy).getDbias();
  default:
    return {}; // Running statistics.
  }
}

/// Not of inv_std, which only the gradient takes.
GRADIENT(NormalizeOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return NormalizeDgradOp::create(builder, getLoc(), getX().getType(), dy,
                                  getY(), getInvStd(), getAxis());
}

GRADIENT(LrnOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return LrnDgradOp::create(builder, getLoc(), getX().getType(), dy, getX(),
                            getSize(), getAlpha(), getBeta(), getBias());
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

GRADIENT(ReluOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return ReluDgradOp::create(builder, getLoc(), dy, getY());
}

GRADIENT(LeakyReluOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return LeakyReluDgradOp::create(builder, getLoc(), dy, getX(), getAlpha());
}

GRADIENT(SigmoidOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return SigmoidDgradOp::create(builder, getLoc(), dy, getY());
}

GRADIENT(TanhOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return TanhDgradOp::create(builder, getLoc(), dy, getY());
}

GRADIENT(SoftmaxOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return SoftmaxDgradOp::create(builder, getLoc(), dy, getY(), getAxis());
}

GRADIENT(LogSoftmaxOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return LogSoftmaxDgradOp::create(builder, getLoc(), dy, getY(), getAxis());
}

/// The same elements are dropped: they follow from minibatch, seed and
/// position.
GRADIENT(DropoutOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return DropoutOp::create(builder, getLoc(), dy, getRatio(), getSeed());
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

GRADIENT(MaxPoolOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return MaxPoolDgradOp::create(builder, getLoc(), getX().getType(), dy, getX(),
                                getKernel(), getStrides(), getPadsBegin(),
                                getPadsEnd(), getDilations());
}

GRADIENT(AveragePoolOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return AveragePoolDgradOp::create(
      builder, getLoc(), getX().getType(), dy, getKernel(), getStrides(),
      getPadsBegin(), getPadsEnd(), getDilations(), getCountIncludePad());
}

GRADIENT(LpPoolOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return LpPoolDgradOp::create(
      builder, getLoc(), getX().getType(), dy, getX(), getY(), getKernel(),
      getStrides(), getPadsBegin(), getPadsEnd(), getDilations(), getP());
}

GRADIENT(GlobalAveragePoolOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return GlobalAveragePoolDgradOp::create(builder, getLoc(), getX().getType(),
                                          dy);
}

//===----------------------------------------------------------------------===//
// Arithmetic
//===----------------------------------------------------------------------===//

GRADIENT(AddOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return sumTo(builder, getLoc(), dy, getOperand(operand).getType());
}

GRADIENT(MulOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  Value product = MulOp::create(builder, getLoc(), dy.getType(), dy,
                                getOperand(1 - operand));
  return sumTo(builder, getLoc(), product, getOperand(operand).getType());
}

GRADIENT(SumOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return sumTo(builder, getLoc(), dy, getOperand(operand).getType());
}

GRADIENT(ScaleOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return scaleBy(builder, getLoc(), dy, getValue());
}

GRADIENT(UnaryOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return UnaryDgradOp::create(builder, getLoc(), getFunction(), dy, getX(),
                              getAlpha(), getBeta());
}

/// A difference needs no operand; all other functions need both.
GRADIENT(BinaryOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  Type type = getOperand(operand).getType();
  if (getFunction() == takt::BinaryFunction::Sub)
    return scaleBy(builder, getLoc(), sumTo(builder, getLoc(), dy, type),
                   operand == 0 ? 1 : -1);
  Value each =
      BinaryDgradOp::create(builder, getLoc(), dy.getType(), getFunction(), dy,
                            getA(), getB(), operand);
  return sumTo(builder, getLoc(), each, type);
}

//===----------------------------------------------------------------------===//
// Reduction
//===----------------------------------------------------------------------===//

/// Every element gets the gradient of the sum that it is part of.
GRADIENT(ReduceSumOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  auto type = cast<RankedTensorType>(getX().getType());
  Dims kept(type.getShape());
  for (int64_t axis : getAxes())
    kept[axis] = 1;
  auto keptType = RankedTensorType::get(kept, type.getElementType());
  if (dy.getType() != keptType)
    dy = ReshapeOp::create(builder, getLoc(), keptType, dy);
  if (keptType == type)
    return dy;
  return ExpandOp::create(builder, getLoc(), type, dy);
}

GRADIENT(ReduceMaxOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return ReduceMaxDgradOp::create(builder, getLoc(), getX().getType(), dy,
                                  getX(), getAxes());
}

//===----------------------------------------------------------------------===//
// Movement
//===----------------------------------------------------------------------===//

GRADIENT(ConcatOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  int64_t begin = 0;
  for (Value before : getX().take_front(operand))
    begin += shapeOf(before)[getAxis()];
  return SliceOp::create(builder, getLoc(), getOperand(operand).getType(), dy,
                         getAxis(), begin);
}

GRADIENT(ReshapeOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return ReshapeOp::create(builder, getLoc(), getX().getType(), dy);
}

GRADIENT(TransposeOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  SmallVector<int64_t> inverse(getPermutation().size());
  for (auto [to, from] : llvm::enumerate(getPermutation()))
    inverse[from] = to;
  return TransposeOp::create(builder, getLoc(), getX().getType(), dy, inverse);
}

/// Zeros around the slice.
GRADIENT(SliceOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  ArrayRef<int64_t> x = shapeOf(getX()), y = shapeOf(getY());
  SmallVector<int64_t> begins(x.size(), 0), ends(x.size(), 0);
  begins[getAxis()] = getBegin();
  ends[getAxis()] = x[getAxis()] - getBegin() - y[getAxis()];
  return PadOp::create(builder, getLoc(), getX().getType(),
                       takt::PadMode::Constant, dy, begins, ends, 0.0f);
}

GRADIENT(ExpandOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return sumTo(builder, getLoc(), dy, getX().getType());
}

GRADIENT(PadOp) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  return PadDgradOp::create(builder, getLoc(), getX().getType(), getMode(), dy,
                            getBegins(), getEnds());
}
