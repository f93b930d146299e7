//===- Loss.cpp - the loss of a training step -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StepBuilder.h"
#include "takt/Support/AxisView.h"
#include "takt/Transforms/Tags.h"

using namespace mlir;
using namespace takt;

/// N x C for a tensor that is N x C apart from dimensions of size 1.
static FailureOr<RankedTensorType> flattenToClasses(RankedTensorType type) {
  if (type.getRank() < 2 || !type.hasStaticShape())
    return failure();
  ArrayRef<int64_t> trailing = type.getShape().drop_front();
  if (llvm::count_if(trailing, [](int64_t d) { return d != 1; }) > 1)
    return failure();
  int64_t classes = 1;
  for (int64_t dim : trailing)
    classes *= dim;
  return RankedTensorType::get({type.getDimSize(0), classes},
                               type.getElementType());
}

namespace {
/// A softmax or log-softmax.
struct Normalization {
  mlir::Value operand;
  AxisView lines; ///< along which its elements add up to 1
};
} // namespace

/// What the output is, apart from reshaping.
static std::optional<Normalization> findNormalization(mlir::Value output) {
  while (auto reshape = output.getDefiningOp<train::ReshapeOp>())
    output = reshape->getOperand(0);
  Operation *op = output.getDefiningOp();
  int64_t axis = 0;
  if (auto softmax = dyn_cast_or_null<train::SoftmaxOp>(op))
    axis = softmax.getAxis();
  else if (auto logSoftmax = dyn_cast_or_null<train::LogSoftmaxOp>(op))
    axis = logSoftmax.getAxis();
  else
    return std::nullopt;
  return Normalization{
      op->getOperand(0),
      AxisView(cast<RankedTensorType>(output.getType()).getShape(), axis)};
}

/// The axis of the classes where the user names none: that of the model's own
/// softmax; else the last of tokens' logits, and 1 of those of pixels.
static int64_t guessClassAxis(RankedTensorType type,
                              const std::optional<Normalization> &softmax) {
  int64_t rank = type.getRank();
  if (softmax)
    for (int64_t axis = 1; axis < rank; ++axis)
      if (AxisView(type.getShape(), axis) == softmax->lines)
        return axis;
  return rank == 3 ? 2 : 1;
}

namespace {
class LossBuilder {
public:
  LossBuilder(func::FuncOp main)
      : main(main), ret(main.getBody().front().getTerminator()), builder(ret),
        loc(NameLoc::get(builder.getStringAttr("loss"))) {}

  FailureOr<Loss> softmaxCrossEntropy(int64_t classAxis);
  FailureOr<Loss> meanSquaredError();

private:
  FailureOr<mlir::Value> addArgument(StringRef name, Type type);
  LogicalResult addResult(mlir::Value loss);
  mlir::Value inF32(mlir::Value x);

  func::FuncOp main;
  Operation *ret;
  OpBuilder builder;
  Location loc;
};
} // namespace

/// Losses are of f32 where activations are of 16 bits.
mlir::Value LossBuilder::inF32(mlir::Value x) {
  if (!train::isShortFloatTensor(x.getType()))
    return x;
  auto type = cast<RankedTensorType>(x.getType()).clone(builder.getF32Type());
  return train::CastOp::create(builder, loc, type, x);
}

FailureOr<mlir::Value> LossBuilder::addArgument(StringRef name, Type type) {
  for (unsigned i = 0, n = main.getNumArguments(); i < n; ++i)
    if (auto other = main.getArgAttrOfType<StringAttr>(i, kNameAttr);
        other && other.getValue() == name)
      return main.emitError("the loss needs an input '")
             << name << "', but the model has one of that name";
  auto attributes = builder.getDictionaryAttr(
      builder.getNamedAttr(kNameAttr, builder.getStringAttr(name)));
  unsigned index = main.getNumArguments();
  if (failed(main.insertArgument(index, type, attributes, loc)))
    return failure();
  return mlir::Value(main.getArgument(index));
}

LogicalResult LossBuilder::addResult(mlir::Value loss) {
  auto attributes = builder.getDictionaryAttr(
      builder.getNamedAttr(kNameAttr, builder.getStringAttr("loss")));
  if (failed(main.insertResult(0, loss.getType(), attributes)))
    return failure();
  ret->insertOperands(0, loss);
  return success();
}

FailureOr<Loss> LossBuilder::softmaxCrossEntropy(int64_t classAxis) {
  mlir::Value logits = ret->getOperand(0);
  auto type = dyn_cast<RankedTensorType>(logits.getType());
  if (!type || !isa<FloatType>(type.getElementType()) ||
      !type.hasStaticShape() || type.getRank() < 2)
    return emitError(logits.getLoc(), "softmax cross-entropy needs logits of "
                                      "shape batch x classes or of more "
                                      "dimensions, found ")
           << logits.getType();
  std::optional<Normalization> softmax = findNormalization(logits);
  int64_t rank = type.getRank(), axis = 1;
  FailureOr<RankedTensorType> flat = flattenToClasses(type);
  if (classAxis != 0) {
    axis = classAxis < 0 ? classAxis + rank : classAxis;
    if (axis < 1 || axis >= rank)
      return emitError(logits.getLoc(), "class axis is ")
             << classAxis << ", expected 1 to " << rank - 1 << " or "
             << 1 - rank << " to -1 for logits of " << type;
  } else if (succeeded(flat)) {
    type = *flat;
  } else {
    axis = guessClassAxis(type, softmax);
  }
  // The loss works on logits, which is a softmax of its own.
  if (softmax && softmax->lines == AxisView(type.getShape(), axis))
    logits = softmax->operand;
  if (logits.getType() != type)
    logits = train::ReshapeOp::create(builder, loc, type, logits);
  logits = inF32(logits);
  type = cast<RankedTensorType>(logits.getType());
  auto labels = llvm::to_vector(type.getShape());
  labels.erase(labels.begin() + axis);
  FailureOr<mlir::Value> label =
      addArgument("label", RankedTensorType::get(labels, builder.getI64Type()));
  if (failed(label))
    return failure();
  auto scalar = RankedTensorType::get({}, type.getElementType());
  auto op = train::SoftmaxCrossEntropyOp::create(builder, loc, scalar, type,
                                                 logits, *label, axis);
  if (failed(addResult(op->getResult(0))))
    return failure();
  return Loss{logits, op->getResult(1)};
}

FailureOr<Loss> LossBuilder::meanSquaredError() {
  mlir::Value output = ret->getOperand(0);
  auto type = dyn_cast<RankedTensorType>(output.getType());
  if (!type || !type.hasStaticShape() || !isa<FloatType>(type.getElementType()))
    return emitError(output.getLoc(),
                     "mean squared error needs an output of floats, found ")
           << output.getType();
  output = inF32(output);
  type = cast<RankedTensorType>(output.getType());
  FailureOr<mlir::Value> target = addArgument("target", type);
  if (failed(target))
    return failure();
  auto scalar = RankedTensorType::get({}, type.getElementType());
  auto op = train::MeanSquaredErrorOp::create(builder, loc, scalar, type,
                                              output, *target);
  if (failed(addResult(op->getResult(0))))
    return failure();
  return Loss{output, op->getResult(1)};
}

FailureOr<Loss> takt::buildLoss(func::FuncOp main, LossKind kind,
                                int64_t classAxis) {
  if (main.getNumResults() == 0)
    return main.emitError("expected an output for the loss, @main has none");
  LossBuilder builder(main);
  return kind == LossKind::MeanSquaredError
             ? builder.meanSquaredError()
             : builder.softmaxCrossEntropy(classAxis);
}
