//===- TrainToSched.cpp - state a step's scheduling problem ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Dialect/Sched/Conversion.h"
#include "takt/Dialect/Sched/Setting.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Driver/Passes.h"
#include "takt/Transforms/FormTasks.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINTOSCHED
#include "takt/Driver/Passes.h.inc"
} // namespace takt

namespace {
struct TrainToSchedPass : takt::impl::TrainToSchedBase<TrainToSchedPass> {
  using TrainToSchedBase::TrainToSchedBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    llvm::Expected<sched::Setting> setting =
        sched::Setting::of(module, processors, cost);
    if (!setting) {
      module.emitError() << llvm::toString(setting.takeError());
      return signalPassFailure();
    }
    FailureOr<TaskGraph> graph = formTasks(module);
    if (failed(graph))
      return signalPassFailure();
    sched::setSetting(module, setting->machine, *setting->cost);
    OpBuilder builder(module.getContext());
    sched::ProblemOp problem =
        sched::fromTaskGraph(builder, module.getLoc(), *graph);
    // A parameter may have the model's name.
    SymbolTable(module).insert(problem);
  }
};
} // namespace
