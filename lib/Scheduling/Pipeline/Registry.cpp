//===- Registry.cpp - the pipeline schedulers by name ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Units.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;
using namespace takt;

ArrayRef<PipelineScheduler> takt::pipelineSchedulers() {
  static constexpr PipelineScheduler schedulers[] = {
      {"gpipe", "all forwards, then all backwards (Huang et al. 2019)",
       scheduleGpipe},
      {"1f1b", "one forward, one backward in turn (Narayanan et al. 2021)",
       scheduleOneForwardOneBackward},
      {"interleaved-1f1b",
       "1F1B over several chunks a processor (Narayanan et al. 2021)",
       scheduleInterleaved, 2},
      {"zb-h1", "wgrads fill bubbles, memory of 1F1B (Qi et al. 2024)",
       scheduleZeroBubbleH1},
      {"zb-h2", "wgrads fill bubbles, twice that memory (Qi et al. 2024)",
       scheduleZeroBubbleH2},
      {"zb-v", "two chunks in a vee, memory of 1F1B (Qi et al. 2024)",
       scheduleZeroBubbleV, 2},
      {"v-half", "the same at about half of that memory (Qi et al. 2024)",
       scheduleVHalf, 2},
      {"v-min", "the same at about a third of that memory (Qi et al. 2024)",
       scheduleVMin, 2},
      {"dualpipe-v", "both ways of a vee in turn (DeepSeek-AI 2025)",
       scheduleDualPipeV, 2},
      {"zb-auto",
       "the best of many rules under the memory limits, after Qi et "
       "al. 2024",
       scheduleZeroBubbleAuto, 1, /*adapts=*/true},
      {"ilp", "least makespan within the memory limits, proved if time allows",
       scheduleExactly, 1, /*adapts=*/true},
      {"auto", "the best of all, improved by search for a few seconds",
       scheduleBest, 1, /*adapts=*/true},
  };
  return schedulers;
}

namespace {
Error checkProblem(const PipelineProblem &problem) {
  if (problem.processors < 1 || problem.microbatches < 1)
    return createStringError("a pipeline of %d processors and %d microbatches, "
                             "expected at least one of each",
                             problem.processors, problem.microbatches);
  if (problem.stages.empty() || problem.stages.size() % problem.processors != 0)
    return createStringError("%zu stages, expected a multiple of the %d "
                             "processors",
                             problem.stages.size(), problem.processors);
  if (!problem.memoryLimit.empty() &&
      int(problem.memoryLimit.size()) != problem.processors)
    return createStringError("%zu memory limits, expected one for each of the "
                             "%d processors",
                             problem.memoryLimit.size(), problem.processors);
  return Error::success();
}

/// Names the processor that needs most of those that have too little: where all
/// have the same limit, that is the least one with which the schedule works.
Error checkMemory(const PipelineProblem &problem, const PipelineTimes &times) {
  if (fitsMemory(problem, times))
    return Error::success();
  int worst = -1;
  for (int q = 0; q < problem.processors; ++q)
    if (times.peakMemory[q] > problem.memoryLimit[q] &&
        (worst < 0 || times.peakMemory[q] > times.peakMemory[worst]))
      worst = q;
  return memoryError(problem, worst, times.peakMemory[worst]);
}

Expected<PipelineSolution> runChecked(const PipelineScheduler &scheduler,
                                      const PipelineProblem &problem,
                                      const PipelineOptions &options) {
  if (Error error = checkProblem(problem))
    return std::move(error);
  Expected<PipelineSolution> solution = scheduler.run(problem, options);
  if (!solution)
    return solution.takeError();
  Expected<PipelineTimes> times = timePipeline(problem, solution->order);
  if (!times)
    return times.takeError();
  if (Error error = checkMemory(problem, *times))
    return std::move(error);
  solution->optimal |= times->makespan <= solution->bound;
  return solution;
}
} // namespace

Expected<PipelineSolution>
takt::schedulePipeline(StringRef name, const PipelineProblem &problem,
                       const PipelineOptions &options) {
  ArrayRef<PipelineScheduler> all = pipelineSchedulers();
  const auto *found = find_if(
      all, [&](const PipelineScheduler &each) { return each.name == name; });
  if (found == all.end())
    return createStringError(
        "no pipeline schedule '" + name + "', expected one of " +
        join(map_range(all, [](const auto &each) { return each.name; }), ", "));
  Expected<PipelineSolution> solution = runChecked(*found, problem, options);
  if (!solution)
    return createStringError(name + ": " + toString(solution.takeError()));
  return solution;
}
