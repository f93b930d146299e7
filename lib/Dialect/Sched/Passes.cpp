//===- Passes.cpp - solve and verify scheduling problems ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Dialect/Sched/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "takt/Dialect/Sched/Conversion.h"
#include "takt/Dialect/Sched/Setting.h"

using namespace mlir;
using namespace takt;
using namespace takt::sched;

namespace takt::sched {
#define GEN_PASS_DEF_SCHEDSCHEDULE
#define GEN_PASS_DEF_SCHEDVERIFY
#include "takt/Dialect/Sched/Passes.h.inc"
} // namespace takt::sched

namespace {
struct ScheduleProblems
    : takt::sched::impl::SchedScheduleBase<ScheduleProblems> {
  using SchedScheduleBase::SchedScheduleBase;

  void runOnOperation() override {
    llvm::Expected<Setting> setting =
        Setting::of(getOperation(), processors, cost);
    if (!setting) {
      getOperation().emitError() << llvm::toString(setting.takeError());
      return signalPassFailure();
    }
    for (ProblemOp problem :
         llvm::to_vector(getOperation().getOps<ProblemOp>()))
      if (failed(solve(problem, *setting)))
        return signalPassFailure();
  }

  LogicalResult solve(ProblemOp op, const Setting &setting) {
    FailureOr<TaskGraph> graph = toTaskGraph(op);
    if (failed(graph))
      return failure();
    ScheduleOptions options;
    options.stages = stages;
    options.intervalTolerance = tolerance;
    for (WeightVersions way : {WeightVersions::Stash, WeightVersions::Latest,
                               WeightVersions::Average})
      if (weights == keyword(way))
        options.weights = way;
    if (!weights.empty() && !options.weights)
      return op.emitError("weights are '")
             << weights << "', expected stash, latest or average";
    llvm::Expected<Schedule> solution =
        schedule(scheduler, setting.problem(*graph), options);
    if (!solution)
      return op.emitError() << llvm::toString(solution.takeError());
    OpBuilder builder(op->getContext());
    builder.setInsertionPointAfter(op);
    fromSchedule(builder, op.getLoc(), op, *solution);
    return success();
  }
};

struct VerifySchedules : takt::sched::impl::SchedVerifyBase<VerifySchedules> {
  using SchedVerifyBase::SchedVerifyBase;

  void runOnOperation() override {
    llvm::Expected<Setting> setting =
        Setting::of(getOperation(), processors, cost);
    if (!setting) {
      getOperation().emitError() << llvm::toString(setting.takeError());
      return signalPassFailure();
    }
    for (ScheduleOp schedule : getOperation().getOps<ScheduleOp>())
      if (failed(readVerified(schedule, *setting)))
        return signalPassFailure();
  }
};
} // namespace
