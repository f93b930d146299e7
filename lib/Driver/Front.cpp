//===- Front.cpp - Pareto fronts of compiled schedules --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Front.h"
#include "takt/Scheduling/Objective.h"
#include "llvm/ADT/STLExtras.h"
#include <chrono>

using namespace mlir;
using namespace takt;

/// Of what is executed, where there is a program.
static Figures figuresOf(const ScheduledProgram &entry) {
  Figures result;
  result.interval = static_cast<double>(entry.interval);
  result.memory = static_cast<double>(*llvm::max_element(entry.peakMemory));
  result.traffic = static_cast<double>(entry.metrics.communicationBytes);
  result.staleness = static_cast<double>(totalStaleness(entry.schedule));
  result.energy = entry.metrics.energyPicojoules;
  return result;
}

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

FailureOr<std::vector<ScheduledProgram>>
takt::compileFront(const TrainingStep &step,
                   llvm::ArrayRef<std::string> schedulers,
                   const Machine &machine, const CostModel &cost,
                   const CompileOptions &options) {
  auto begin = std::chrono::steady_clock::now();
  ModuleOp module = *step.module;
  Problem problem{&step.graph, &machine, &cost};
  llvm::Expected<std::vector<Schedule>> schedules =
      paretoSchedules(schedulers, problem, options.scheduling);
  if (!schedules)
    return module.emitError() << llvm::toString(schedules.takeError());
  std::vector<ScheduledProgram> all;
  std::unique_ptr<MemoryShortage> shortage;
  for (Schedule &schedule : *schedules) {
    OwningOpRef<ModuleOp> copy = module.clone();
    // A program may need more than its schedule; then it is not of the front.
    shortage.reset();
    FailureOr<ScheduledProgram> entry = lowerSchedule(
        *copy, problem, std::move(schedule), options.lowering, &shortage);
    if (succeeded(entry))
      all.push_back(std::move(*entry));
    else if (!shortage)
      return failure();
  }
  if (!all.empty())
    return timed(keepFront(std::move(all)), begin);
  std::string text;
  llvm::raw_string_ostream os(text);
  shortage->log(os);
  return module.emitError() << text;
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
