//===- ZeroBubbleAuto.cpp - the best order under the memory limits --------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// After the automatic scheduler of Qi et al., "Zero Bubble Pipeline
// Parallelism", ICLR 2024, which tries a few rules for one chunk and one memory
// limit. Here every placement of the stages is tried, with many more rules, a
// beam search, and the published orders that fit.
//
//===----------------------------------------------------------------------===//

#include "OrderClimb.h"
#include "PipelineBeam.h"
#include "RuleSearch.h"
#include "Schedules.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace takt;

namespace {
/// Well under a second of work for each placement, and for the climb.
constexpr int64_t kRuleSteps = 1500000;
constexpr int64_t kClimbSteps = 8000000;
constexpr int kClimbs = 3;
constexpr int64_t kBeamLooks = 1000000;
constexpr int kWidestBeam = 256;

class AutoSearch {
public:
  AutoSearch(const PipelineProblem &problem, const PipelineOptions &options)
      : problem(problem), options(options) {}

  PipelineResult run() {
    std::vector<PlacedPipeline> placements = allPlacements();
    int64_t bound = std::numeric_limits<int64_t>::max();
    for (const PlacedPipeline &placed : placements)
      bound = std::min(bound, makespanBound(problem, placed.processorOf));
    for (const PlacedPipeline &placed : placements)
      if (!found || makespan > bound)
        search(placed);
    for (auto *publish :
         {scheduleGpipe, scheduleOneForwardOneBackward, scheduleInterleaved,
          scheduleDualPipeV, scheduleZeroBubbleH1, scheduleZeroBubbleH2,
          scheduleZeroBubbleV, scheduleVHalf, scheduleVMin})
      if (!found || makespan > bound)
        tryPublished(publish);
    if (found && makespan > bound && improvable)
      climb();
    if (!found)
      return std::move(failure);
    consumeError(std::move(failure));
    best.bound = bound;
    return std::move(best);
  }

private:
  std::vector<PlacedPipeline> allPlacements() const {
    std::vector<PlacedPipeline> placements;
    if (problem.chunks() > 1) {
      placements.push_back(placeChunks(problem, PipelinePlacement::Vee));
      placements.push_back(
          placeChunks(problem, PipelinePlacement::Interleaved));
    }
    placements.push_back(placeMerged(problem));
    return placements;
  }

  void search(const PlacedPipeline &placed) {
    PipelineFrame frame(placed);
    if (Error error = frame.checkMemory()) {
      // That of one unit a processor is kept: it needs least.
      consumeError(std::move(failure));
      failure = std::move(error);
      return;
    }
    RuleSearch rules(frame, kRuleSteps);
    rules.tryRegular();
    rules.climb(options.seed);
    offer(placed, rules.best());
    if (rules.atBound())
      return;
    searchByBeam(placed, frame, rules.bestRule());
  }

  /// From the best of all placements; a published order is left as it is.
  void climb() {
    const PlacedPipeline &placed = *improvable;
    PipelineFrame frame(placed);
    for (int i = 0; i < kClimbs; ++i)
      offer(placed,
            climbOrders(frame, bestBuilt, kClimbSteps, options.seed + i));
  }

  /// With the best rule's limits of what is under way, and without.
  void searchByBeam(const PlacedPipeline &placed, const PipelineFrame &frame,
                    const ListRule &rule) {
    // Each step looks at all processors.
    int64_t looks = int64_t(frame.units) * frame.microbatches * kPipelineKinds *
                    frame.processors;
    int width = int(std::min<int64_t>(kBeamLooks / looks, kWidestBeam));
    if (width < 4)
      return; // no better than a rule
    std::vector<int> limited, unlimited(frame.units, frame.microbatches);
    for (const UnitRule &unit : rule.units)
      limited.push_back(unit.warmUp);
    for (const std::vector<int> &warmUp : {limited, unlimited})
      for (auto [bound, work, path] : {std::array{1, 1, 0}, {0, 2, 1}})
        offer(placed, buildByBeam(frame, {width, bound, work, path, warmUp}));
  }

  void offer(const PlacedPipeline &placed, const BuiltPipeline &built) {
    if (found && built.makespan >= makespan)
      return;
    keep(expandUnits(placed, built.order, /*fullBackward=*/false),
         built.makespan);
    improvable = &placed;
    bestBuilt = built;
  }

  /// A fixed order may be better than what was found; whole backwards are not
  /// needed for it.
  void tryPublished(PipelineResult (*publish)(const PipelineProblem &,
                                              const PipelineOptions &)) {
    PipelineResult solution = publish(problem, options);
    if (!solution) {
      consumeError(solution.takeError());
      return;
    }
    solution->order.fullBackward = false;
    Expected<PipelineTimes> times = timePipeline(problem, solution->order);
    if (!times) {
      consumeError(times.takeError());
      return;
    }
    if (fitsMemory(problem, *times) && (!found || times->makespan < makespan))
      keep(std::move(*solution), times->makespan);
  }

  void keep(PipelineSolution solution, int64_t itsMakespan) {
    best = std::move(solution);
    makespan = itsMakespan;
    found = true;
    improvable = nullptr;
  }

  const PipelineProblem &problem;
  const PipelineOptions &options;
  PipelineSolution best;
  int64_t makespan = 0;
  bool found = false;
  /// Of the best, unless it is a published order.
  const PlacedPipeline *improvable = nullptr;
  BuiltPipeline bestBuilt;
  Error failure = Error::success();
};
} // namespace

PipelineResult takt::scheduleZeroBubbleAuto(const PipelineProblem &problem,
                                            const PipelineOptions &options) {
  return AutoSearch(problem, options).run();
}
