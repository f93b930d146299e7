//===- Loss.cpp - the loss of a training step -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StepBuilder.h"
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

/// The operand of a softmax or log-softmax that the output is, apart from
/// reshaping and if it is over the classes; otherwise the output itself.
static mlir::Value findLogits(mlir::Value output) {
  mlir::Value value = output;
  while (auto reshape = value.getDefiningOp<train::ReshapeOp>())
    value = reshape->getOperand(0);
  Operation *op = value.getDefiningOp();
  int64_t axis = 0;
  if (auto softmax = dyn_cast_or_null<train::SoftmaxOp>(op))
    axis = softmax.getAxis();
  else if (auto logSoftmax = dyn_cast_or_null<train::LogSoftmaxOp>(op))
    axis = logSoftmax.getAxis();
  else
    return output;
  auto type = cast<RankedTensorType>(value.getType());
  for (auto [i, dim] : llvm::enumerate(type.getShape()))
    if (i != 0 && int64_t(i) != axis && dim != 1)
      return output;
  return axis == 0 ? output : op->getOperand(0);
}

namespace {
class LossBuilder {
public:
  LossBuilder(func::FuncOp main)
      : main(main), ret(main.getBody().front().getTerminator()), builder(ret),
        loc(NameLoc::get(builder.getStringAttr("loss"))) {}

  FailureOr<Loss> softmaxCrossEntropy();
  FailureOr<Loss> meanSquaredError();

private:
  FailureOr<mlir::Value> addArgument(StringRef name, Type type);
  LogicalResult addResult(mlir::Value loss);

  func::FuncOp main;
  Operation *ret;
  OpBuilder builder;
  Location loc;
};
} // namespace

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

FailureOr<Loss> LossBuilder::softmaxCrossEntropy() {
  mlir::Value logits = findLogits(ret->getOperand(0));
  auto type = dyn_cast<RankedTensorType>(logits.getType());
  FailureOr<RankedTensorType> flat = failure();
  if (type && isa<FloatType>(type.getElementType()))
    flat = flattenToClasses(type);
  if (failed(flat))
    return emitError(logits.getLoc(), "softmax cross-entropy needs logits of "
                                      "shape batch x classes, found ")
           << logits.getType();
  if (*flat != type)
    logits = train::ReshapeOp::create(builder, loc, *flat, logits);
  auto labelType =
      RankedTensorType::get({flat->getDimSize(0)}, builder.getI64Type());
  FailureOr<mlir::Value> label = addArgument("label", labelType);
  if (failed(label))
    return failure();
  auto scalar = RankedTensorType::get({}, flat->getElementType());
  auto op = train::SoftmaxCrossEntropyOp::create(builder, loc, scalar, *flat,
                                                 logits, *label);
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

FailureOr<Loss> takt::buildLoss(func::FuncOp main, LossKind kind) {
  if (main.getNumResults() == 0)
    return main.emitError("expected an output for the loss, @main has none");
  LossBuilder builder(main);
  return kind == LossKind::MeanSquaredError ? builder.meanSquaredError()
                                            : builder.softmaxCrossEntropy();
}
