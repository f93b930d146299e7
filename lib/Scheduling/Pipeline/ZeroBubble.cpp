//===- ZeroBubble.cpp - zero-bubble and controllable-memory schedules -----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ZB-H1, ZB-H2 and ZB-V: Qi et al., "Zero Bubble Pipeline Parallelism", ICLR
// 2024. V-Half and V-Min: Qi et al., "Pipeline Parallelism with Controllable
// Memory", NeurIPS 2024. They differ in how many microbatches a processor may
// have in flight. The papers draw them for equal F, D and W; here the same
// limits and placements are filled by rules, from the costs as they are, so
// that a memory limit below the schedule's own memory changes the order rather
// than breaking it.
//
//===----------------------------------------------------------------------===//

#include "RuleSearch.h"
#include "Schedules.h"

using namespace llvm;
using namespace takt;

/// A fraction of a second of work.
constexpr int64_t kSteps = 1000000;

/// `inFlight` counts a microbatch once for each unit of its processor.
static PipelineResult scheduleInFlight(const PlacedPipeline &placed,
                                       int inFlight) {
  PipelineFrame frame(placed, inFlight);
  if (Error error = frame.checkMemory())
    return std::move(error);
  RuleSearch search(frame, kSteps);
  search.tryRegular();
  return expandUnits(placed, search.best().order, /*fullBackward=*/false);
}

static PipelineResult scheduleVee(const PipelineProblem &problem,
                                  int inFlight) {
  if (Error error = needTwoChunks(problem))
    return std::move(error);
  return scheduleInFlight(placeChunks(problem, PipelinePlacement::Vee),
                          inFlight);
}

PipelineResult takt::scheduleZeroBubbleH1(const PipelineProblem &problem,
                                          const PipelineOptions &) {
  return scheduleInFlight(placeMerged(problem), problem.processors);
}

PipelineResult takt::scheduleZeroBubbleH2(const PipelineProblem &problem,
                                          const PipelineOptions &) {
  return scheduleInFlight(placeMerged(problem), 2 * problem.processors - 1);
}

PipelineResult takt::scheduleZeroBubbleV(const PipelineProblem &problem,
                                         const PipelineOptions &) {
  return scheduleVee(problem, 2 * problem.processors);
}

PipelineResult takt::scheduleVHalf(const PipelineProblem &problem,
                                   const PipelineOptions &) {
  return scheduleVee(problem, 2 * ((problem.processors + 2) / 2));
}

PipelineResult takt::scheduleVMin(const PipelineProblem &problem,
                                  const PipelineOptions &) {
  return scheduleVee(problem, 2 * ((problem.processors + 4) / 3));
}
