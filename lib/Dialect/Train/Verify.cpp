//===- Verify.cpp - verifiers of train operations -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Of operations whose result type is given, not inferred, or whose attributes
// have a range. The rest is in InferTypes.cpp.
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace takt::train;

/// Largest attribute that becomes an unsigned word.
static constexpr int64_t kMaxWord = 0xFFFFFFFF;

/// Checks that all tensors of the operation have one element type, which
/// `accepts` says yes to.
static LogicalResult expectOneElementType(const Reporter &reporter,
                                          Operation *op,
                                          bool (*accepts)(Type)) {
  SmallVector<Type> types(op->getOperandTypes());
  llvm::append_range(types, op->getResultTypes());
  return reporter.expectTensors(types, accepts);
}

/// All tensors of the operation are of floats, of one element type.
static LogicalResult expectFloats(const Reporter &reporter, Operation *op) {
  return expectOneElementType(reporter, op, isFloatTensor);
}

//===----------------------------------------------------------------------===//
// Convolution and pools
//===----------------------------------------------------------------------===//

/// A convolution of x by w has the shape of y.
template <typename OpTy>
static LogicalResult verifyConvolution(OpTy op, Value x, Value w, Value y) {
  Reporter reporter(op.getOperation());
  if (failed(expectFloats(reporter, op)))
    return failure();
  FailureOr<Dims> expected =
      convShape(reporter, shapeOf(x), shapeOf(w), op.getGroups(),
                convAttributes(op, shapeOf(w)));
  if (failed(expected))
    return failure();
  return reporter.expectShape("dy", shapeOf(y), *expected);
}

LogicalResult ConvDgradOp::verify() {
  return verifyConvolution(*this, getDx(), getW(), getDy());
}

LogicalResult ConvWgradOp::verify() {
  return verifyConvolution(*this, getX(), getDw(), getDy());
}

LogicalResult AveragePoolDgradOp::verify() {
  Reporter reporter(getOperation());
  if (failed(expectFloats(reporter, *this)))
    return failure();
  return expectPooled(reporter, shapeOf(getDy()), shapeOf(getDx()),
                      poolAttributes(*this));
}

LogicalResult GlobalAveragePoolDgradOp::verify() {
  Reporter reporter(getOperation());
  ArrayRef<int64_t> dx = shapeOf(getDx());
  if (failed(expectFloats(reporter, *this)) ||
      failed(reporter.expectRank("dx", dx, 2, 8)))
    return failure();
  Dims expected(dx.size(), 1);
  expected[0] = dx[0];
  expected[1] = dx[1];
  return reporter.expectShape("dy", shapeOf(getDy()), expected);
}

//===----------------------------------------------------------------------===//
// Normalization and activations
//===----------------------------------------------------------------------===//

template <typename OpTy> static LogicalResult verifyLrn(OpTy op) {
  Reporter reporter(op.getOperation());
  if (failed(reporter.expectRank("x", shapeOf(op.getX()), 2, 8)))
    return failure();
  return reporter.expectRange("size", op.getSize(), 1, int64_t(1) << 22);
}

LogicalResult LrnOp::verify() { return verifyLrn(*this); }
LogicalResult LrnDgradOp::verify() { return verifyLrn(*this); }

LogicalResult SoftmaxOp::verify() {
  return expectAxis(Reporter(*this), getAxis(), shapeOf(getX()));
}
LogicalResult LogSoftmaxOp::verify() {
  return expectAxis(Reporter(*this), getAxis(), shapeOf(getX()));
}
LogicalResult SoftmaxDgradOp::verify() {
  return expectAxis(Reporter(*this), getAxis(), shapeOf(getY()));
}
LogicalResult LogSoftmaxDgradOp::verify() {
  return expectAxis(Reporter(*this), getAxis(), shapeOf(getY()));
}

LogicalResult DropoutOp::verify() {
  Reporter reporter(getOperation());
  if (getRatio() < 0 || getRatio() >= 1)
    return reporter.failValue("ratio", std::to_string(getRatio()),
                              "at least 0 and less than 1");
  return reporter.expectRange("seed", getSeed(), 0, kMaxWord);
}

//===----------------------------------------------------------------------===//
// Movement and reduction
//===----------------------------------------------------------------------===//

/// C1 and C2 of a reduction of x over `axes` to a tensor of shape y.
static LogicalResult verifyReduction(const Reporter &reporter,
                                     ArrayRef<int64_t> x,
                                     ArrayRef<int64_t> axes, StringRef what,
                                     ArrayRef<int64_t> y) {
  Dims kept(x), dropped;
  SmallVector<bool> listed(x.size(), false);
  for (auto [i, axis] : llvm::enumerate(axes)) {
    std::string name = "axes[" + std::to_string(i) + "]";
    if (failed(reporter.expectRange(name, axis, 0, int64_t(x.size()) - 1)))
      return failure();
    if (listed[axis])
      return reporter.failValue(name, Twine(axis),
                                "an axis that is not listed yet");
    listed[axis] = true;
    kept[axis] = 1;
  }
  for (auto [axis, size] : llvm::enumerate(x))
    if (!listed[axis])
      dropped.push_back(size);
  if (y == ArrayRef(kept) || y == ArrayRef(dropped))
    return success();
  return reporter.failValue("shape of " + what, shapeText(y),
                            shapeText(kept) + " or " + shapeText(dropped));
}

template <typename OpTy> static LogicalResult verifyForwardReduction(OpTy op) {
  Reporter reporter(op.getOperation());
  if (failed(expectOneElementType(reporter, op, isNumberTensor)))
    return failure();
  return verifyReduction(reporter, shapeOf(op.getX()), op.getAxes(), "y",
                         shapeOf(op.getY()));
}

LogicalResult ReduceSumOp::verify() { return verifyForwardReduction(*this); }
LogicalResult ReduceMaxOp::verify() { return verifyForwardReduction(*this); }

LogicalResult ReduceMaxDgradOp::verify() {
  Reporter reporter(getOperation());
  if (failed(expectFloats(reporter, *this)) ||
      failed(reporter.expectShape("dx", shapeOf(getDx()), shapeOf(getX()))))
    return failure();
  return verifyReduction(reporter, shapeOf(getX()), getAxes(), "dy",
                         shapeOf(getDy()));
}

LogicalResult ExpandOp::verify() {
  Reporter reporter(getOperation());
  if (failed(expectOneElementType(reporter, *this, isTensor)))
    return failure();
  ArrayRef<int64_t> x = shapeOf(getX()), y = shapeOf(getY());
  FailureOr<Dims> both = broadcastShape(reporter, {x, y});
  if (failed(both))
    return failure();
  return reporter.expectShape("y", y, *both);
}

LogicalResult PadDgradOp::verify() {
  Reporter reporter(getOperation());
  if (failed(expectFloats(reporter, *this)))
    return failure();
  FailureOr<Dims> expected = paddedShape(reporter, shapeOf(getDx()), getMode(),
                                         getBegins(), getEnds());
  if (failed(expected))
    return failure();
  return reporter.expectShape("dy", shapeOf(getDy()), *expected);
}

LogicalResult SliceOp::verify() {
  Reporter reporter(getOperation());
  ArrayRef<int64_t> x = shapeOf(getX()), y = shapeOf(getY());
  int64_t axis = getAxis();
  if (failed(reporter.expectTensors({getX().getType(), getType()}, isTensor)) ||
      failed(expectAxis(reporter, axis, x)) ||
      failed(reporter.expectRank("y", y, x.size(), x.size())))
    return failure();
  Dims expected(x);
  expected[axis] = y[axis];
  if (failed(reporter.expectShape("y", y, expected)) ||
      failed(reporter.expectRange("extent of y on axis " + Twine(axis), y[axis],
                                  1, x[axis])))
    return failure();
  return reporter.expectRange("begin", getBegin(), 0, x[axis] - y[axis]);
}

LogicalResult ReshapeOp::verify() {
  Reporter reporter(getOperation());
  if (failed(reporter.expectTensors({getX().getType(), getType()}, isTensor)))
    return failure();
  int64_t expected = cast<RankedTensorType>(getX().getType()).getNumElements();
  return reporter.expectRange(
      "number of elements of y",
      cast<RankedTensorType>(getType()).getNumElements(), expected, expected);
}

//===----------------------------------------------------------------------===//
// Optimizers
//===----------------------------------------------------------------------===//

/// C1 and C2 of both halves of a reconstruction. Stages have 16 bits, and no
/// pipeline delays by more of them.
template <typename OpTy> static LogicalResult verifyReconstruction(OpTy op) {
  constexpr int64_t longest = 65535;
  Reporter reporter(op);
  if (failed(reporter.expectRange("updates", op.getUpdates(), 0, longest)))
    return failure();
  float decay = op.getDecay();
  if (decay < 0 || decay >= 1)
    return reporter.failValue("decay", std::to_string(decay),
                              "at least 0 and less than 1");
  return success();
}

LogicalResult FadeOp::verify() { return verifyReconstruction(*this); }
LogicalResult ReconstructOp::verify() { return verifyReconstruction(*this); }

/// C1.
template <typename OpTy> static LogicalResult verifyUpdate(OpTy op) {
  Reporter reporter(op);
  for (auto [name, value] :
       {std::pair(StringRef("weight_decay"), op.getWeightDecay()),
        std::pair(StringRef("rate_factor"), op.getRateFactor()),
        std::pair(StringRef("clip_value"), op.getClipValue())})
    if (!std::isfinite(value) || value < 0)
      return reporter.failValue(name, std::to_string(value), "at least 0");
  return success();
}

LogicalResult ClipFactorOp::verify() {
  double limit = getLimit().convertToDouble();
  if (std::isfinite(limit) && limit >= 0)
    return success();
  return Reporter(getOperation())
      .failValue("limit", std::to_string(limit), "at least 0");
}

LogicalResult SgdOp::verify() { return verifyUpdate(*this); }
LogicalResult MomentumOp::verify() { return verifyUpdate(*this); }

LogicalResult AdamOp::verify() {
  if (failed(verifyUpdate(*this)))
    return failure();
  Reporter reporter(getOperation());
  for (auto [name, beta] : {std::pair(StringRef("beta1"), getBeta1()),
                            std::pair(StringRef("beta2"), getBeta2())})
    if (beta < 0 || beta >= 1)
      return reporter.failValue(name, std::to_string(beta),
                                "at least 0 and less than 1");
  if (getEpsilon() < 0)
    return reporter.failValue("epsilon", std::to_string(getEpsilon()),
                              "at least 0");
  return success();
}
