//===- Differentiate.cpp - from a forward graph to a training step --------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Differentiate.h"
#include "Casts.h"
#include "StepBuilder.h"
#include "SumGradients.h"
#include "mlir/IR/Dominance.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "mlir/Transforms/CSE.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Tags.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINDIFFERENTIATE
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

namespace {
/// Reverse-mode differentiation of one block.
class Differentiator {
public:
  Differentiator(ModuleOp module, func::FuncOp main)
      : module(module), block(main.getBody().front()),
        builder(block.getTerminator()) {}

  /// Builds the gradients of all parameters from that of the loss's operand.
  /// `scaled`: all but the results are times the program's loss scale.
  FailureOr<SmallVector<ParameterGradient>> run(const Loss &loss, bool scaled);

  TaggingBuilder &getBuilder() { return builder; }

private:
  void findNeeded();
  LogicalResult differentiate(Operation *op);
  mlir::Value sum(ArrayRef<mlir::Value> parts, TaskKind kind, StringRef node,
                  Location loc);
  mlir::Value parameterGradient(train::ParameterOp parameter);
  mlir::Value scale(mlir::Value gradient, TaskKind kind, bool divide);

  /// A gradient on the way to an activation is D, to a parameter W.
  TaskKind kindTowards(mlir::Value value) const {
    return ofParametersOnly.contains(value) ? TaskKind::Wgrad : TaskKind::Dgrad;
  }

  ModuleOp module;
  Block &block;
  TaggingBuilder builder;
  /// Values that depend on a trainable parameter; those that depend on no data.
  llvm::DenseSet<mlir::Value> needed, ofParametersOnly;
  /// What every use of a value contributes to its gradient.
  llvm::DenseMap<mlir::Value, SmallVector<mlir::Value, 2>> contributions;
  llvm::StringMap<SmallVector<mlir::Value, 2>> ofParameter;
};
} // namespace

void Differentiator::findNeeded() {
  llvm::StringSet<> trainable;
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (parameter.getKind() == ParameterKind::Trainable)
      trainable.insert(parameter.getSymName());
  for (Operation &op : block) {
    bool isNeeded, onlyParameters;
    if (auto read = dyn_cast<train::ReadOp>(op)) {
      isNeeded = trainable.contains(read.getParameter());
      onlyParameters = true;
    } else {
      auto in = [](const llvm::DenseSet<mlir::Value> &set) {
        return [&set](mlir::Value v) { return set.contains(v); };
      };
      isNeeded = llvm::any_of(op.getOperands(), in(needed));
      onlyParameters = op.getNumOperands() > 0 &&
                       llvm::all_of(op.getOperands(), in(ofParametersOnly));
    }
    for (mlir::Value result : op.getResults()) {
      if (isNeeded)
        needed.insert(result);
      if (onlyParameters)
        ofParametersOnly.insert(result);
    }
  }
}

mlir::Value Differentiator::sum(ArrayRef<mlir::Value> parts, TaskKind kind,
                                StringRef node, Location loc) {
  builder.tagWith(kind, node);
  return sumGradients(builder, loc, parts, kind);
}

/// The node that the sum of those gradients belongs to: a parameter that is
/// read has none of its own.
static StringRef nodeOf(Operation *op, ArrayRef<mlir::Value> gradients) {
  StringRef node = getNode(op);
  return node.empty() ? getNode(gradients.front().getDefiningOp()) : node;
}

/// Adds what `op` contributes to the gradients of its operands.
LogicalResult Differentiator::differentiate(Operation *op) {
  SmallVector<mlir::Value, 2> resultGradients;
  for (mlir::Value result : op->getResults()) {
    auto it = contributions.find(result);
    resultGradients.push_back(it == contributions.end()
                                  ? mlir::Value()
                                  : sum(it->second, kindTowards(result),
                                        nodeOf(op, it->second), op->getLoc()));
  }
  if (llvm::none_of(resultGradients, [](mlir::Value v) { return bool(v); }))
    return success();

  if (auto read = dyn_cast<train::ReadOp>(op)) {
    ofParameter[read.getParameter()].push_back(resultGradients.front());
    return success();
  }
  auto differentiable = dyn_cast<train::DifferentiableOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    if (!needed.contains(operand.get()))
      continue;
    if (!differentiable)
      return op->emitError("operation has no gradient, but a trainable "
                           "parameter reaches the loss through it");
    builder.tagWith(kindTowards(operand.get()), getNode(op));
    mlir::Value gradient = differentiable.buildOperandGradient(
        builder, operand.getOperandNumber(), resultGradients);
    if (gradient)
      contributions[operand.get()].push_back(gradient);
  }
  return success();
}

/// The sum over all reads. Null where the loss does not depend on the
/// parameter.
mlir::Value Differentiator::parameterGradient(train::ParameterOp parameter) {
  auto it = ofParameter.find(parameter.getSymName());
  if (it == ofParameter.end())
    return {};
  mlir::Value first = it->second.front();
  Operation *producer = first.getDefiningOp();
  mlir::Value total =
      sum(it->second, TaskKind::Wgrad, getNode(producer), parameter.getLoc());
  if (getKind(total.getDefiningOp()) == TaskKind::Wgrad)
    return total;
  // The gradient of an activation as it stands: a W of its own, a sum over no
  // axis, keeps the rule that every update belongs to a wgrad.
  builder.tagWith(TaskKind::Wgrad, getNode(producer));
  return train::ReduceSumOp::create(
      builder, parameter.getLoc(), total.getType(), total, ArrayRef<int64_t>());
}

/// The gradient times the scale of the loss, or divided by it.
mlir::Value Differentiator::scale(mlir::Value gradient, TaskKind kind,
                                  bool divide) {
  Operation *producer = gradient.getDefiningOp();
  builder.tagWith(kind, getNode(producer));
  return train::ScaleGradientOp::create(builder, producer->getLoc(),
                                        gradient.getType(), gradient, divide);
}

FailureOr<SmallVector<ParameterGradient>> Differentiator::run(const Loss &loss,
                                                              bool scaled) {
  findNeeded();
  if (!needed.contains(loss.operand))
    return module.emitError("no trainable parameter influences the loss");
  SmallVector<Operation *> forward;
  for (Operation &op : block.without_terminator())
    forward.push_back(&op);
  contributions[loss.operand].push_back(
      scaled ? scale(loss.gradient, TaskKind::Dgrad, /*divide=*/false)
             : loss.gradient);
  for (Operation *op : llvm::reverse(forward))
    if (failed(differentiate(op)))
      return failure();

  SmallVector<ParameterGradient> gradients;
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (mlir::Value gradient = parameterGradient(parameter))
      gradients.push_back(
          {parameter, scaled ? scale(gradient, TaskKind::Wgrad, /*divide=*/true)
                             : gradient});
  return gradients;
}

/// Backwards, so that the operands of a dead operation die with it.
static void eraseDeadCode(Block &block) {
  for (Operation &op : llvm::make_early_inc_range(llvm::reverse(block)))
    if (isOpTriviallyDead(&op))
      op.erase();
}

/// An operation with one gradient operation for several operands, like batch
/// norm, has built it once per operand.
static void mergeEqualOperations(func::FuncOp main) {
  IRRewriter rewriter(main.getContext());
  DominanceInfo dominance(main);
  eliminateCommonSubExpressions(rewriter, dominance, main);
}

LogicalResult takt::differentiate(ModuleOp module,
                                  const DifferentiateOptions &options) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main) || failed(checkOptions(module, options)))
    return failure();
  Block &block = main->getBody().front();
  for (Operation &op : block)
    if (auto kind = getKind(&op); kind && *kind != TaskKind::Forward)
      return op.emitError("expected a forward graph, found an operation of "
                          "kind ")
             << letter(*kind);
  if (options.loss == LossKind::None)
    return tagForward(module);

  FailureOr<Loss> loss = buildLoss(*main, options.loss, options.classAxis);
  if (failed(loss) || failed(tagForward(module)))
    return failure();
  Differentiator differentiator(module, *main);
  FailureOr<SmallVector<ParameterGradient>> gradients =
      differentiator.run(*loss, options.scaleLoss);
  if (failed(gradients) ||
      failed(buildUpdates(differentiator.getBuilder(), *gradients, options)))
    return failure();
  eraseDeadCode(block);
  widenWeightGradients(block, differentiator.getBuilder());
  mergeEqualOperations(*main);
  castAgain(block, differentiator.getBuilder());
  return success();
}

namespace {
struct TrainDifferentiate
    : public takt::impl::TrainDifferentiateBase<TrainDifferentiate> {
  using TrainDifferentiateBase::TrainDifferentiateBase;

  void runOnOperation() override {
    DifferentiateOptions chosen;
    chosen.loss = loss;
    chosen.classAxis = classAxis;
    chosen.optimizer = optimizer;
    chosen.momentum = momentum;
    chosen.nesterov = nesterov;
    chosen.weightDecay = weightDecay;
    chosen.beta1 = beta1;
    chosen.beta2 = beta2;
    chosen.epsilon = epsilon;
    chosen.clipValue = clipValue;
    chosen.scaleLoss = scaleLoss;
    for (const std::string &text : groups) {
      llvm::Expected<ParameterGroup> group = parseParameterGroup(text);
      if (!group) {
        getOperation().emitError("parameter-group: ")
            << llvm::toString(group.takeError());
        return signalPassFailure();
      }
      chosen.groups.push_back(std::move(*group));
    }
    if (failed(differentiate(getOperation(), chosen)))
      signalPassFailure();
  }
};
} // namespace
