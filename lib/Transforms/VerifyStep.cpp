//===- VerifyStep.cpp - what forming tasks relies on ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/SymbolTable.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINVERIFYSTEP
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

/// S1.
static LogicalResult verifyTags(Operation &op) {
  if (!getKind(&op))
    return op.emitError("expected a kind F, D, W or U in '")
           << kKindAttr << "'";
  if (executes(&op) && getNode(&op).empty())
    return op.emitError("expected a forward operation's name in '")
           << kNodeAttr << "'";
  return success();
}

/// S2.
static LogicalResult verifyFlow(Operation &op) {
  TaskKind kind = *getKind(&op);
  for (mlir::Value operand : op.getOperands()) {
    Operation *producer = operand.getDefiningOp();
    if (!producer || *getKind(producer) <= kind)
      continue;
    InFlightDiagnostic diagnostic = op.emitError("operation of kind ")
                                    << letter(kind) << " takes a value of kind "
                                    << letter(*getKind(producer));
    diagnostic.attachNote(producer->getLoc()) << "produced here";
    return diagnostic;
  }
  return success();
}

/// S3.
static LogicalResult verifyWrite(train::WriteOp write,
                                 const SymbolTable &symbols,
                                 llvm::StringMap<train::WriteOp> &written) {
  StringRef name = write.getParameter();
  auto [it, first] = written.try_emplace(name, write);
  if (!first) {
    InFlightDiagnostic diagnostic = write.emitError("parameter '")
                                    << name << "' is written twice";
    diagnostic.attachNote(it->second.getLoc()) << "first written here";
    return diagnostic;
  }
  auto parameter = symbols.lookup<train::ParameterOp>(name);
  if (!parameter)
    return write.emitError("there is no parameter '") << name << "'";
  bool state = parameter.getKind() == ParameterKind::State;
  TaskKind expected = state ? TaskKind::Forward : TaskKind::Update;
  if (parameter.getKind() == ParameterKind::Constant)
    return write.emitError("constant parameter '") << name << "' is written";
  if (*getKind(write) != expected)
    return write.emitError("parameter '")
           << name << "' is written by kind " << letter(*getKind(write))
           << ", expected kind " << letter(expected);
  return success();
}

/// S5.
static LogicalResult verifyUpdate(Operation &op) {
  Operation *producer = op.getOperand(kGradientOperand).getDefiningOp();
  if (producer && isa<train::DelayOp>(producer))
    producer = producer->getOperand(0).getDefiningOp();
  // The update itself may take the mean of replicas' gradients, or clip them.
  while (producer &&
         isa<train::SumOp, train::ScaleOp, train::MulOp>(producer) &&
         getKind(producer) == TaskKind::Update)
    producer = producer->getOperand(0).getDefiningOp();
  if (!producer || getKind(producer) != TaskKind::Wgrad)
    return op.emitError("expected the gradient of an update to come from an "
                        "operation of kind W");
  return success();
}

/// S4.
static LogicalResult verifyLoss(func::FuncOp main) {
  auto type = main.getNumResults() > 0
                  ? dyn_cast<RankedTensorType>(main.getResultTypes()[0])
                  : RankedTensorType();
  if (!type || type.getRank() != 0 || !isa<FloatType>(type.getElementType()))
    return main.emitError("expected the scalar loss as the first result of a "
                          "training step");
  return success();
}

LogicalResult takt::verifyStep(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  Block &block = main->getBody().front();
  SymbolTable symbols(module);
  llvm::StringMap<train::WriteOp> written;
  bool updates = false;
  for (Operation &op : block.without_terminator()) {
    if (failed(verifyTags(op)) || failed(verifyFlow(op)))
      return failure();
    if (auto write = dyn_cast<train::WriteOp>(op);
        write && failed(verifyWrite(write, symbols, written)))
      return failure();
    if (!isUpdate(&op))
      continue;
    updates = true;
    if (failed(verifyUpdate(op)))
      return failure();
  }
  return updates ? verifyLoss(*main) : success();
}

namespace {
struct TrainVerifyStep
    : public takt::impl::TrainVerifyStepBase<TrainVerifyStep> {
  void runOnOperation() override {
    if (failed(verifyStep(getOperation())))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
