//===- VerifyTasks.cpp - what scheduling and lowering rely on -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/SymbolTable.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINVERIFYTASKS
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

/// T1 and T2, apart from what buildTaskGraph needs and therefore checks itself.
static LogicalResult verifyTags(Operation &op,
                                llvm::StringMap<Operation *> &firstOf) {
  if (!executes(&op)) {
    if (op.hasAttr(kTaskAttr) || op.hasAttr(kLayerAttr))
      return op.emitError("operation is not executed and belongs to no task");
    return success();
  }
  auto [it, first] = firstOf.try_emplace(getTask(&op), &op);
  if (first || getLayer(it->second) == getLayer(&op))
    return success();
  InFlightDiagnostic diagnostic = op.emitError("task '")
                                  << getTask(&op) << "' is in layer "
                                  << getLayer(&op) << " here and in layer "
                                  << getLayer(it->second) << " elsewhere";
  diagnostic.attachNote(it->second->getLoc()) << "first operation of the task";
  return diagnostic;
}

/// T4.
static LogicalResult verifyReconstruction(train::WriteOp write,
                                          const SymbolTable &symbols) {
  auto rebuild = write.getValue().getDefiningOp<train::ReconstructOp>();
  if (!rebuild)
    return success();
  auto fade = rebuild.getFaded().getDefiningOp<train::FadeOp>();
  if (!fade || fade.getUpdates() != rebuild.getUpdates() ||
      fade.getDecay() != rebuild.getDecay())
    return rebuild.emitError("expected the faded operand to be of a train.fade "
                             "with the same updates and decay");
  auto parameter = symbols.lookup<train::ParameterOp>(write.getParameter());
  int64_t lead = parameter ? parameter.getLeadOrZero() : 0;
  if (int64_t(rebuild.getUpdates()) == lead)
    return success();
  return rebuild.emitError("goes back ")
         << rebuild.getUpdates() << " updates, but readers of '"
         << write.getParameter() << "' find weights newer by a lead of "
         << lead;
}

LogicalResult takt::verifyTasks(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  llvm::StringMap<Operation *> firstOf;
  SymbolTable symbols(module);
  for (Operation &op : main->getBody().front()) {
    if (failed(verifyTags(op, firstOf)))
      return failure();
    if (auto write = dyn_cast<train::WriteOp>(op);
        write && failed(verifyReconstruction(write, symbols)))
      return failure();
  }
  return buildTaskGraph(module);
}

namespace {
struct TrainVerifyTasks
    : public takt::impl::TrainVerifyTasksBase<TrainVerifyTasks> {
  void runOnOperation() override {
    if (failed(verifyTasks(getOperation())))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
