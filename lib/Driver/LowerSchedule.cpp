//===- LowerSchedule.cpp - from a step and its schedule to a program
//--------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/SymbolTable.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Driver/Compile.h"
#include "takt/Target/LowerToProgram.h"
#include "takt/Target/Simulate.h"
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Replicate.h"
#include "takt/Transforms/Retime.h"
#include "takt/Transforms/Split.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"

using namespace mlir;
using namespace takt;

/// The schedule's graph and the one of the rewritten module were made by
/// different code; the program is right only if they agree.
static LogicalResult checkSameTasks(ModuleOp module, const Schedule &schedule,
                                    const TaskGraph &formed) {
  const TaskGraph &scheduled = schedule.graph;
  if (scheduled.tasks.size() != formed.tasks.size())
    return module.emitError("schedule '")
           << schedule.scheduler << "' has " << scheduled.tasks.size()
           << " tasks, but the module has " << formed.tasks.size();
  for (auto [a, b] : llvm::zip_equal(scheduled.tasks, formed.tasks))
    if (a.name != b.name)
      return module.emitError("schedule '")
             << schedule.scheduler << "' has task '" << a.name
             << "' where the module has '" << b.name << "'";
  return success();
}

/// Where the weights that dgrads read are newer than those of the forward pass,
/// a schedule of averages counts on a step that reconstructs them.
static LogicalResult checkReconstructions(ModuleOp module,
                                          const Schedule &schedule) {
  if (schedule.weights != WeightVersions::Average)
    return success();
  SymbolTable symbols(module);
  WalkResult result = module.walk([&](train::ReadOp read) {
    auto parameter = symbols.lookup<train::ParameterOp>(read.getParameter());
    if (!parameter || parameter.getKind() != ParameterKind::Trainable ||
        parameter.getLeadOrZero() == 0)
      return WalkResult::advance();
    for (Operation *user : read->getUsers())
      if (getKind(user) == TaskKind::Dgrad) {
        user->emitError("schedule '")
            << schedule.scheduler << "' reads averages of weights, but the "
            << "step has no reconstruction of '" << read.getParameter() << "'";
        return WalkResult::interrupt();
      }
    return WalkResult::advance();
  });
  return failure(result.wasInterrupted());
}

/// Several minibatches with replicas and delays.
static LogicalResult applyReplicas(ModuleOp module, const Schedule &schedule) {
  return replicateStep(
      module,
      SmallVector<int64_t>(schedule.replicas.begin(), schedule.replicas.end()),
      SmallVector<int64_t>(schedule.delay.begin(), schedule.delay.end()));
}

/// Cuts, then delays.
static LogicalResult applyCutsAndDelays(ModuleOp module, const TaskGraph &graph,
                                        const Schedule &schedule) {
  if (failed(split(module, nameCuts(graph, schedule.cuts))))
    return failure();
  SmallVector<int64_t> delays(schedule.delay.begin(), schedule.delay.end());
  SmallVector<NamedLead> leads;
  for (auto [index, lead] : llvm::enumerate(schedule.lead))
    if (lead != 0)
      leads.push_back({schedule.graph.values[index].name, lead});
  return failure(failed(retime(module, delays, leads)) ||
                 failed(checkReconstructions(module, schedule)));
}

/// Rewrites the module for the schedule.
static LogicalResult applySchedule(ModuleOp module, const TaskGraph &graph,
                                   const Schedule &schedule) {
  if (failed(schedule.replicas.empty()
                 ? applyCutsAndDelays(module, graph, schedule)
                 : applyReplicas(module, schedule)))
    return failure();
  FailureOr<TaskGraph> formed = buildTaskGraph(module);
  if (failed(formed) || failed(checkSameTasks(module, schedule, *formed)))
    return failure();
  return verifyTasks(module);
}

/// Cycles as the program attains them: on links its processors do not always
/// wait for the planned moment.
static llvm::Error measure(ScheduledProgram &scheduled) {
  llvm::Expected<SimulationResult> steady = simulate(scheduled.program);
  if (!steady)
    return steady.takeError();
  // Where the cost model takes no operation for work, still one cycle passes.
  scheduled.steadyInterval = std::max<int64_t>(steady->interval, 1);
  scheduled.interval = scheduled.steadyInterval;
  scheduled.program.interval = scheduled.steadyInterval;
  if (scheduled.schedule.semantics == Semantics::Delayed)
    return llvm::Error::success();
  SimulateOptions oneStep;
  oneStep.minibatches = 1;
  llvm::Expected<SimulationResult> step = simulate(scheduled.program, oneStep);
  if (!step)
    return step.takeError();
  // A step is over when its updated weights are where the next one needs them.
  scheduled.interval = std::max<int64_t>(step->totalCycles, scheduled.interval);
  return llvm::Error::success();
}

/// Tries the program whose sends take turns, where the one that sends at once
/// falls behind the schedule, and keeps the faster one.
static llvm::Error sendInTurn(ModuleOp module, const Problem &problem,
                              LowerOptions lower, ScheduledProgram &result) {
  lower.sendTime = SendTime::InTurn;
  llvm::Expected<Program> program =
      lowerToProgram(module, problem, result.schedule, lower);
  if (!program)
    return program.takeError();
  ScheduledProgram other;
  other.schedule = result.schedule;
  other.program = std::move(*program);
  if (llvm::Error error = measure(other))
    return error;
  if (other.interval >= result.interval)
    return llvm::Error::success();
  result.program = std::move(other.program);
  result.interval = other.interval;
  result.steadyInterval = other.steadyInterval;
  return llvm::Error::success();
}

FailureOr<ScheduledProgram>
takt::lowerSchedule(ModuleOp module, const Problem &problem, Schedule schedule,
                    const LowerOptions &options,
                    std::unique_ptr<MemoryShortage> *shortage) {
  auto fail = [&](llvm::Error error) {
    return module.emitError() << llvm::toString(std::move(error));
  };
  ScheduledProgram result;
  result.schedule = std::move(schedule);
  result.bounds = bounds(problem, result.schedule);
  result.metrics = metrics(problem, result.schedule);
  if (failed(applySchedule(module, *problem.graph, result.schedule)))
    return failure();
  LowerOptions lower = options;
  llvm::Expected<Program> program =
      lowerToProgram(module, problem, result.schedule, lower);
  if (!program) {
    llvm::Error error = program.takeError();
    if (!shortage || !error.isA<MemoryShortage>())
      return fail(std::move(error));
    llvm::handleAllErrors(std::move(error),
                          [&](std::unique_ptr<MemoryShortage> lack) {
                            *shortage = std::move(lack);
                          });
    return failure();
  }
  result.program = std::move(*program);
  if (llvm::Error error = measure(result))
    return fail(std::move(error));
  if (result.interval > result.schedule.interval)
    if (llvm::Error error = sendInTurn(module, problem, lower, result))
      return fail(std::move(error));
  result.peakMemory = regionBytes(result.program);
  perMinibatch(result);
  return std::move(result);
}
