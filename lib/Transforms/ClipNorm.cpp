//===- ClipNorm.cpp - clip gradients by their common norm -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/ClipNorm.h"
#include "TaggingBuilder.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Verify.h"
#include <cmath>

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINCLIPNORM
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

namespace {
class Clipper {
public:
  Clipper(ModuleOp module, func::FuncOp main, double limit)
      : module(module), block(main.getBody().front()), limit(limit),
        builder(block.getTerminator()) {}

  LogicalResult run();

private:
  LogicalResult findUpdates();
  void sumSquares();
  void makeFactor();
  void scaleGradients();

  mlir::Value gradientOf(Operation *update) const {
    return update->getOperand(kGradientOperand);
  }
  /// As the type of elements of the norm, or of a gradient.
  mlir::Value castTo(mlir::Value scalar, Type element) {
    auto type = cast<RankedTensorType>(scalar.getType());
    return type.getElementType() == element
               ? scalar
               : train::CastOp::create(builder, scalar.getLoc(),
                                       type.clone(element), scalar);
  }
  static int64_t microbatchOf(Operation *op) {
    auto attr = op->getAttrOfType<IntegerAttr>(kMicrobatchAttr);
    return attr ? attr.getInt() : -1;
  }

  ModuleOp module;
  Block &block;
  double limit;
  TaggingBuilder builder;
  SmallVector<Operation *> updates;
  llvm::DenseMap<mlir::Value, mlir::Value> squares; ///< by gradient
  mlir::Value factor;
};
} // namespace

LogicalResult Clipper::findUpdates() {
  for (Operation &op : block) {
    if (isa<train::ClipFactorOp>(op))
      return op.emitError("the gradients are clipped already");
    if (isa<train::DelayOp>(op))
      return op.emitError("the step is retimed already");
    if (isUpdate(&op))
      updates.push_back(&op);
  }
  if (updates.empty())
    return module.emitError("there is no update whose gradient could be "
                            "clipped");
  for (Operation *update : updates)
    if (!gradientOf(update).getDefiningOp()->isBeforeInBlock(updates.front()))
      return update->emitError("expected the gradients of all updates to be "
                               "made before the first one");
  return success();
}

void Clipper::sumSquares() {
  for (Operation *update : updates) {
    mlir::Value gradient = gradientOf(update);
    mlir::Value &sum = squares[gradient];
    if (sum)
      continue;
    Operation *producer = gradient.getDefiningOp();
    builder.setInsertionPointAfter(producer);
    builder.tagWith(TaskKind::Wgrad, getNode(producer), getTask(producer),
                    getLayer(producer), microbatchOf(producer));
    sum = train::SumSquaresOp::create(builder, producer->getLoc(), gradient);
  }
}

void Clipper::makeFactor() {
  Operation *first = updates.front();
  int64_t layer = getLayer(first);
  Type element = Float32Type::get(module.getContext());
  for (Operation *update : updates) {
    layer = std::min(layer, getLayer(update));
    Type own = getElementTypeOrSelf(gradientOf(update).getType());
    if (own.isF64())
      element = own;
  }
  auto layers = module->getAttrOfType<ArrayAttr>(kLayersAttr);
  std::string task = (cast<StringAttr>(layers[layer]).getValue() + "." +
                      letter(TaskKind::Update) + ".norm")
                         .str();
  builder.setInsertionPoint(first);
  builder.tagWith(TaskKind::Update, "norm", task, layer, microbatchOf(first));
  SmallVector<mlir::Value> sums;
  for (Operation *update : updates)
    sums.push_back(castTo(squares.lookup(gradientOf(update)), element));
  factor = train::ClipFactorOp::create(builder, module.getLoc(), sums,
                                       builder.getF64FloatAttr(limit));
}

void Clipper::scaleGradients() {
  for (Operation *update : updates) {
    mlir::Value gradient = gradientOf(update);
    builder.setInsertionPoint(update);
    builder.tagWith(TaskKind::Update, getNode(update), getTask(update),
                    getLayer(update), microbatchOf(update));
    mlir::Value own = castTo(factor, getElementTypeOrSelf(gradient.getType()));
    update->setOperand(kGradientOperand,
                       train::MulOp::create(builder, update->getLoc(),
                                            gradient.getType(), gradient, own));
  }
}

LogicalResult Clipper::run() {
  if (failed(findUpdates()))
    return failure();
  sumSquares();
  makeFactor();
  scaleGradients();
  return success();
}

LogicalResult takt::clipByNorm(ModuleOp module, double limit) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  if (!std::isfinite(limit) || limit <= 0)
    return module.emitError("clip norm is ")
           << limit << ", expected a positive number";
  if (!module->hasAttr(kLayersAttr))
    return module.emitError("gradients are clipped after tasks are formed, but "
                            "there is no '")
           << kLayersAttr << "'";
  if (failed(verifyStep(module)) || failed(verifyTasks(module)))
    return failure();
  return Clipper(module, *main, limit).run();
}

namespace {
struct TrainClipNorm : public takt::impl::TrainClipNormBase<TrainClipNorm> {
  using TrainClipNormBase::TrainClipNormBase;

  void runOnOperation() override {
    if (failed(clipByNorm(getOperation(), limit)))
      signalPassFailure();
  }
};
} // namespace
