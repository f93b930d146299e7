//===- SolverStart.cpp - from the published schedules to better ones ------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Solver.h"

using namespace llvm;
using namespace takt;

/// The order with its makespan if it fits the memory and is below the best.
static void consider(const PipelineProblem &problem, PipelineOrder order,
                     std::optional<TimedOrder> &best) {
  // The same tasks in the same order, but D goes on before the W behind it.
  order.fullBackward = false;
  Expected<PipelineTimes> times = timePipeline(problem, order);
  if (!times) {
    consumeError(times.takeError());
    return;
  }
  if (fitsMemory(problem, *times) &&
      (!best || times->makespan < best->makespan))
    best = TimedOrder{std::move(order), times->makespan};
}

std::optional<TimedOrder> takt::bestPublished(const PipelineProblem &problem,
                                              const PipelineOptions &options) {
  std::optional<TimedOrder> best;
  for (const PipelineScheduler &scheduler : pipelineSchedulers()) {
    if (scheduler.run == scheduleExactly || scheduler.run == scheduleBest)
      continue;
    Expected<PipelineSolution> solution = scheduler.run(problem, options);
    if (solution)
      consider(problem, std::move(solution->order), best);
    else // not for this problem
      consumeError(solution.takeError());
  }
  return best;
}

Expected<PipelineSolution> takt::searchOrders(const PipelineProblem &problem,
                                              const PipelineOptions &options,
                                              int64_t effort) {
  std::vector<std::vector<int>> placements = allPlacements(problem);
  if (Error error = checkLeastMemory(problem, placements))
    return std::move(error);
  std::optional<TimedOrder> start = bestPublished(problem, options);
  for (const std::vector<int> &processorOf : placements)
    consider(problem, oneByOne(problem, processorOf), start);

  SolverOptions solver;
  solver.timeLimitSeconds = options.timeLimitSeconds;
  solver.effort = effort;
  solver.seed = options.seed;
  SolverResult result =
      createStateSolver()->solve(problem, placements, std::move(start), solver);
  if (!result.best)
    return createStringError(
        result.status == SolverStatus::Infeasible
            ? "no schedule works within the memory limits"
            : "found no schedule within the memory limits");
  PipelineSolution solution;
  solution.order = std::move(result.best->order);
  solution.optimal = result.status == SolverStatus::Optimal;
  solution.bound = result.bound;
  return solution;
}
