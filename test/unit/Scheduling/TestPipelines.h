//===- TestPipelines.h - pipeline problems for tests ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_SCHEDULING_TESTPIPELINES_H
#define TAKT_TEST_UNIT_SCHEDULING_TESTPIPELINES_H

#include "takt/Scheduling/Pipeline.h"
#include <random>

namespace takt::test {

/// Equal stages, memory 1 for each microbatch on a processor between its first
/// F and its last W; the cycles are a processor's, its chunks share them.
PipelineProblem uniformPipeline(int processors, int microbatches,
                                std::array<int64_t, kPipelineKinds> cycles,
                                int chunks = 1);

/// The same limit for every processor, in the problem's unit.
PipelineProblem withLimit(PipelineProblem problem, double limit);

/// Uneven stages, a transfer, and memory changes of all signs that end at 0.
PipelineProblem randomPipeline(std::minstd_rand &random, int chunks);

/// The schedule and its times; adds a failure where there is none.
struct ScheduledPipeline {
  PipelineSolution solution;
  PipelineTimes times;
  /// The largest of all processors, in the problem's unit.
  double peak = 0;
};
ScheduledPipeline schedule(llvm::StringRef name,
                           const PipelineProblem &problem);

/// The least makespan of the published schedules (all but `ilp` and `auto`)
/// that work within the limits; nullopt if none does.
std::optional<int64_t> bestPublished(const PipelineProblem &problem);

/// What is said where there is no schedule; adds a failure where there is one.
std::string scheduleError(llvm::StringRef name, const PipelineProblem &problem);

/// Precedence, transfers, exclusive processors and memory limits, checked from
/// the start times alone.
void checkPipeline(const PipelineProblem &problem,
                   const ScheduledPipeline &scheduled);

/// A line for each processor, a column for each `cyclesPerColumn`: the letter
/// of the task, small for the stages of the second chunk, and points where
/// idle.
std::string drawPipeline(const PipelineProblem &problem,
                         const ScheduledPipeline &scheduled,
                         int64_t cyclesPerColumn);

} // namespace takt::test

#endif // TAKT_TEST_UNIT_SCHEDULING_TESTPIPELINES_H
