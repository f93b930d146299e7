//===- Front.cpp - Pareto fronts of compiled schedules --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Front.h"
#include "takt/Driver/Recomputation.h"
#include "takt/Scheduling/Objective.h"
#include "llvm/ADT/STLExtras.h"
#include <chrono>

using namespace mlir;
using namespace takt;

static std::vector<ScheduledProgram>
keepFront(std::vector<ScheduledProgram> all) {
  std::vector<Figures> figures;
  for (const ScheduledProgram &entry : all)
    figures.push_back(figuresOf(entry));
  std::vector<ScheduledProgram> front;
  for (size_t index : paretoFront(figures))
    front.push_back(std::move(all[index]));
  return front;
}

/// The search is for the front as a whole: each entry is given its time.
static std::vector<ScheduledProgram>
timed(std::vector<ScheduledProgram> front,
      std::chrono::steady_clock::time_point begin) {
  std::chrono::duration<double> seconds =
      std::chrono::steady_clock::now() - begin;
  for (ScheduledProgram &entry : front)
    entry.compileSeconds = seconds.count();
  return front;
}

//===----------------------------------------------------------------------===//
// Models
//===----------------------------------------------------------------------===//

/// Appends the schedulers' trades of a step. A program may need more memory
/// than its schedule; then it is not of the front, and `shortage` says so.
static LogicalResult
compileTrades(const TrainingStep &step, llvm::ArrayRef<std::string> schedulers,
              const Machine &machine, const CostModel &cost,
              const CompileOptions &options, std::vector<ScheduledProgram> &all,
              std::string &shortage) {
  Problem problem{step.graph.get(), &machine, &cost};
  llvm::Expected<std::vector<Schedule>> schedules =
      paretoSchedules(schedulers, problem, options.scheduling);
  if (!schedules) {
    shortage = llvm::toString(schedules.takeError());
    return success();
  }
  for (Schedule &schedule : *schedules) {
    FailureOr<OwningOpRef<ModuleOp>> module = step.wholeModule();
    if (failed(module))
      return failure();
    std::unique_ptr<MemoryShortage> lacks;
    FailureOr<ScheduledProgram> entry = lowerSchedule(
        **module, problem, std::move(schedule), options.lowering, &lacks);
    if (failed(entry) && !lacks)
      return failure();
    if (failed(entry)) {
      shortage.clear();
      llvm::raw_string_ostream os(shortage);
      lacks->log(os);
      continue;
    }
    entry->recomputed = step.recomputed;
    all.push_back(std::move(*entry));
  }
  return success();
}

FailureOr<std::vector<ScheduledProgram>>
takt::compileFront(const TrainingStep &step,
                   llvm::ArrayRef<std::string> schedulers,
                   const Machine &machine, const CostModel &cost,
                   const CompileOptions &options) {
  auto begin = std::chrono::steady_clock::now();
  FailureOr<std::vector<TrainingStep>> steps =
      recomputationSteps(step, schedulers.front(), machine, cost, options);
  if (failed(steps))
    return failure();
  std::vector<ScheduledProgram> all;
  std::string shortage;
  for (const TrainingStep &own : *steps)
    if (failed(compileTrades(own, schedulers, machine, cost, options, all,
                             shortage)))
      return failure();
  if (all.empty())
    return step.module.get().emitError() << shortage;
  return timed(keepFront(std::move(all)), begin);
}

//===----------------------------------------------------------------------===//
// Stated problems
//===----------------------------------------------------------------------===//

/// What the scheduler finds with the problem's memory, then with a limit below
/// what each processor held, and so on as long as there is a schedule.
static llvm::Expected<std::vector<ScheduledProgram>>
sweepMemory(const StatedProblem &problem, StringRef scheduler,
            ScheduleOptions options) {
  constexpr int kMost = 64;
  options.objective.clear();
  std::vector<ScheduledProgram> all;
  PipelineProblem limited = *problem.pipeline;
  for (int step = 0; step < kMost; ++step) {
    llvm::Expected<StatedProblem> stated = statePipeline(limited);
    if (!stated)
      return stated.takeError();
    llvm::Expected<ScheduledProgram> entry =
        solveProblem(*stated, scheduler, options);
    if (!entry && all.empty())
      return entry.takeError();
    if (llvm::errorToBool(entry.takeError()))
      break;
    int64_t held = *llvm::max_element(entry->peakMemory);
    limited.memoryLimit.resize(limited.processors, held);
    for (int64_t &limit : limited.memoryLimit)
      limit = std::min(limit, held - std::max<int64_t>(1, held / kMost));
    all.push_back(std::move(*entry));
  }
  return std::move(all);
}

llvm::Expected<std::vector<ScheduledProgram>>
takt::solveFront(const StatedProblem &problem,
                 llvm::ArrayRef<std::string> schedulers,
                 const ScheduleOptions &options) {
  auto begin = std::chrono::steady_clock::now();
  std::vector<ScheduledProgram> all;
  if (problem.pipeline) {
    for (const std::string &name : schedulers) {
      auto found = sweepMemory(problem, name, options);
      if (!found)
        return found.takeError();
      llvm::move(*found, std::back_inserter(all));
    }
    return timed(keepFront(std::move(all)), begin);
  }
  Problem of{&problem.graph, &problem.machine, problem.cost.get()};
  auto schedules = paretoSchedules(schedulers, of, options);
  if (!schedules)
    return schedules.takeError();
  for (Schedule &schedule : *schedules)
    all.push_back(describeSchedule(of, std::move(schedule)));
  return timed(keepFront(std::move(all)), begin);
}

llvm::Expected<ScheduledProgram>
takt::solvePipelineByObjective(const StatedProblem &problem,
                               StringRef scheduler,
                               const ScheduleOptions &options) {
  auto found = sweepMemory(problem, scheduler, options);
  if (!found)
    return found.takeError();
  std::vector<Figures> figures;
  for (const ScheduledProgram &entry : *found)
    figures.push_back(figuresOf(entry));
  return std::move((*found)[chooseBest(figures, options.objective)]);
}
