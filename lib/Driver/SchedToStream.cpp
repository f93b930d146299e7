//===- SchedToStream.cpp - from a schedule to instruction streams ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Dialect/Sched/Conversion.h"
#include "takt/Dialect/Sched/Setting.h"
#include "takt/Dialect/Stream/Conversion.h"
#include "takt/Dialect/Stream/Stream.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Driver/Compile.h"
#include "takt/Driver/Passes.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_SCHEDTOSTREAM
#include "takt/Driver/Passes.h.inc"
} // namespace takt

namespace {
struct SchedToStreamPass : takt::impl::SchedToStreamBase<SchedToStreamPass> {
  using SchedToStreamBase::SchedToStreamBase;

  void runOnOperation() override {
    FailureOr<ScheduledProgram> result = lower();
    if (failed(result))
      return signalPassFailure();
    replaceBy(*stream::programToStream(result->program, getContext()));
  }

private:
  FailureOr<sched::ScheduleOp> onlySchedule() {
    auto schedules =
        llvm::to_vector(getOperation().getOps<sched::ScheduleOp>());
    if (schedules.size() != 1)
      return getOperation().emitError("expected one sched.schedule, found ")
                 << schedules.size(),
             failure();
    return schedules.front();
  }

  FailureOr<ScheduledProgram> lower() {
    ModuleOp module = getOperation();
    FailureOr<sched::ScheduleOp> op = onlySchedule();
    if (failed(op))
      return failure();
    llvm::Expected<sched::Setting> setting = sched::Setting::of(module, 0, "");
    if (!setting)
      return module.emitError() << llvm::toString(setting.takeError()),
             failure();
    FailureOr<sched::Solution> solution = sched::readVerified(*op, *setting);
    if (failed(solution))
      return failure();
    // The module is the step alone from here on.
    Operation *problem =
        SymbolTable::lookupNearestSymbolFrom(*op, op->getProblemAttr());
    op->erase();
    problem->erase();
    LowerOptions options;
    options.learningRate = learningRate;
    options.delayScalingSteps = delayScaling;
    auto rate = parseLearningRateSchedule(rateSchedule);
    if (!rate)
      return module.emitError() << llvm::toString(rate.takeError()), failure();
    options.rateSchedule = *rate;
    options.rateSchedule.warmup = warmup;
    options.lossScale = lossScale;
    return lowerSchedule(module, setting->problem(solution->graph),
                         std::move(solution->schedule), options);
  }

  /// The step is gone: its module holds the program from now on.
  void replaceBy(ModuleOp program) {
    ModuleOp module = getOperation();
    module.getBodyRegion().takeBody(program.getBodyRegion());
    module->setAttrs(program->getAttrDictionary());
  }
};
} // namespace
