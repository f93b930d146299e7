//===- SolverStart.cpp - from the published schedules to better ones ------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OrderClimb.h"
#include "Schedules.h"
#include "Solver.h"
#include <chrono>

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
  auto begin = std::chrono::steady_clock::now();
  auto isOver = [&] {
    return options.timeLimitSeconds &&
           std::chrono::steady_clock::now() - begin >=
               std::chrono::seconds(*options.timeLimitSeconds);
  };
  std::optional<TimedOrder> best;
  for (const PipelineScheduler &scheduler : pipelineSchedulers()) {
    if (scheduler.run == scheduleExactly || scheduler.run == scheduleBest)
      continue;
    // It tries all others itself; one by one they stop in time.
    if (!options.timeLimitSeconds && scheduler.run != scheduleZeroBubbleAuto)
      continue;
    if (best && isOver())
      break;
    Expected<PipelineSolution> solution = scheduler.run(problem, options);
    if (solution)
      consider(problem, std::move(solution->order), best);
    else // not for this problem
      consumeError(solution.takeError());
  }
  return best;
}

/// Moves single tasks of the order, under whatever placement it has.
static void climb(const PipelineProblem &problem, int64_t steps, uint64_t seed,
                  std::optional<TimedOrder> &best) {
  for (auto placement :
       {PipelinePlacement::Blocked, PipelinePlacement::Interleaved,
        PipelinePlacement::Vee}) {
    PlacedPipeline placed = placeChunks(problem, placement);
    if (placed.processorOf != best->order.processorOf)
      continue;
    BuiltPipeline built =
        climbOrders(PipelineFrame(placed),
                    {best->order.order, best->makespan, 0}, steps, seed);
    return consider(problem, {placed.processorOf, std::move(built.order)},
                    best);
  }
}

/// What closes easy problems at once.
static constexpr int64_t kFirstEffort = 2'000'000;
/// Of the effort, for one climb.
static constexpr int64_t kClimbShare = 12;

static bool isClosed(const SolverResult &result) {
  return result.status == SolverStatus::Optimal ||
         result.status == SolverStatus::Infeasible;
}

/// First without, then, where that does not close the problem, with the
/// published schedules to start from: some of them take their time.
static SolverResult solve(const PipelineProblem &problem,
                          ArrayRef<std::vector<int>> placements,
                          const PipelineOptions &options, int64_t effort) {
  auto begin = std::chrono::steady_clock::now();
  std::unique_ptr<PipelineSolver> solver = createStateSolver();
  std::optional<TimedOrder> start;
  for (const std::vector<int> &processorOf : placements)
    consider(problem, oneByOne(problem, processorOf), start);
  SolverOptions limits;
  limits.seed = options.seed;
  limits.effort = kFirstEffort;
  SolverResult first =
      solver->solve(problem, placements, std::move(start), limits);
  if (isClosed(first))
    return first;

  start = bestPublished(problem, options);
  if (first.best && (!start || first.best->makespan < start->makespan))
    start = std::move(first.best);
  limits.effort = effort;
  auto secondsLeft = [&]() -> std::optional<int64_t> {
    if (!options.timeLimitSeconds)
      return std::nullopt;
    auto passed = std::chrono::duration_cast<std::chrono::seconds>(
        std::chrono::steady_clock::now() - begin);
    return std::max<int64_t>(0, *options.timeLimitSeconds - passed.count());
  };
  constexpr int kClimbs = 8;
  for (int i = 0; i < kClimbs && start && start->makespan > first.bound &&
                  secondsLeft() != 0;
       ++i)
    climb(problem, effort / kClimbShare, options.seed + i, start);
  limits.timeLimitSeconds = secondsLeft();
  return solver->solve(problem, placements, std::move(start), limits);
}

Expected<PipelineSolution> takt::searchOrders(const PipelineProblem &problem,
                                              const PipelineOptions &options,
                                              int64_t effort) {
  std::vector<std::vector<int>> placements = allPlacements(problem);
  if (Error error = checkLeastMemory(problem, placements))
    return std::move(error);
  SolverResult result = solve(problem, placements, options, effort);
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
