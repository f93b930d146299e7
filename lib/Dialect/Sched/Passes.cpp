//===- Passes.cpp - solve and verify scheduling problems ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Dialect/Sched/Passes.h"
#include "mlir/IR/BuiltinOps.h"
#include "takt/Dialect/Sched/Conversion.h"

using namespace mlir;
using namespace takt;
using namespace takt::sched;

namespace takt::sched {
#define GEN_PASS_DEF_SCHEDSCHEDULE
#define GEN_PASS_DEF_SCHEDVERIFY
#include "takt/Dialect/Sched/Passes.h.inc"
} // namespace takt::sched

namespace {
/// Machine and cost model of a module, and a problem made from them.
struct Setting {
  Machine machine;
  std::unique_ptr<CostModel> cost;

  static llvm::Expected<Setting> of(ModuleOp module, int64_t processors,
                                    StringRef costName) {
    Setting setting;
    auto text = module->getAttrOfType<StringAttr>(kMachineAttr);
    if (processors == 0 && !text)
      return llvm::createStringError("the module has no attribute '" +
                                     kMachineAttr +
                                     "' and the pass no option 'processors'");
    llvm::Expected<Machine> machine =
        processors != 0 ? Machine::uniform(processors)
                        : Machine::parse({text.getValue(), kMachineAttr});
    if (!machine)
      return machine.takeError();
    setting.machine = std::move(*machine);
    auto name = module->getAttrOfType<StringAttr>(kCostAttr);
    if (costName.empty())
      costName = name ? name.getValue() : StringRef("systolic");
    auto cost = createCostModel(costName);
    if (!cost)
      return cost.takeError();
    setting.cost = std::move(*cost);
    return std::move(setting);
  }

  Problem problem(const TaskGraph &graph) const {
    return {&graph, &machine, cost.get()};
  }
};

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
      if (failed(check(schedule, *setting)))
        return signalPassFailure();
  }

  LogicalResult check(ScheduleOp op, const Setting &setting) {
    auto problem = SymbolTable::lookupNearestSymbolFrom<ProblemOp>(
        op, op.getProblemAttr());
    if (!problem)
      return op.emitOpError("solves ")
             << op.getProblemAttr() << ", which is no problem here (C1)";
    FailureOr<TaskGraph> graph = toTaskGraph(problem);
    if (failed(graph))
      return failure();
    FailureOr<Schedule> solution = toSchedule(op, *graph);
    if (failed(solution))
      return failure();
    if (llvm::Error error = verify(setting.problem(*graph), *solution))
      return op.emitError() << llvm::toString(std::move(error));
    return success();
  }
};
} // namespace
