//===- PipelineSchedulesTest.cpp - the published pipeline schedules -------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestPipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace takt;
using namespace takt::test;
using testing::HasSubstr;

namespace {

TEST(PipelineSchedulesTest, GpipeFormula) {
  for (int p : {1, 2, 5})
    for (int m : {1, 3, 9}) {
      ScheduledPipeline gpipe =
          schedule("gpipe", uniformPipeline(p, m, {3, 4, 2}));
      EXPECT_EQ(gpipe.times.makespan, (m + p - 1) * 9);
      EXPECT_EQ(gpipe.peak, m);
    }
}

TEST(PipelineSchedulesTest, OneForwardOneBackwardFormula) {
  for (int p : {1, 2, 5})
    for (int m : {1, 3, 9}) {
      PipelineProblem problem = uniformPipeline(p, m, {3, 4, 2});
      ScheduledPipeline found = schedule("1f1b", problem);
      EXPECT_EQ(found.times.makespan, (m + p - 1) * 9);
      for (auto [s, peak] : enumerate(found.times.peakMemory))
        EXPECT_EQ(peak, 100 * std::min(m, p - int(s)));
    }
}

TEST(PipelineSchedulesTest, NeighbouringStagesAreOneToOneChunkSchedules) {
  PipelineProblem one = uniformPipeline(3, 6, {8, 12, 4});
  PipelineProblem two = uniformPipeline(3, 6, {8, 12, 4}, 2);
  for (StringRef name : {"gpipe", "1f1b"}) {
    ScheduledPipeline a = schedule(name, one), b = schedule(name, two);
    EXPECT_EQ(a.times.makespan, b.times.makespan);
    EXPECT_EQ(a.times.peakMemory, b.times.peakMemory);
  }
}

TEST(PipelineSchedulesTest, RandomProblems) {
  std::minstd_rand random(11);
  for (int round = 0; round < 200; ++round) {
    PipelineProblem problem = randomPipeline(random, 1 + round % 3);
    for (const PipelineScheduler &scheduler : pipelineSchedulers()) {
      if (scheduler.name == "ilp" || scheduler.name == "auto")
        continue; // take long: in tests of their own
      SCOPED_TRACE(scheduler.name.str() + ", round " + std::to_string(round));
      checkPipeline(problem, schedule(scheduler.name, problem));
    }
  }
}

TEST(PipelineSchedulesTest, SaysTheLeastLimitOfAFixedSchedule) {
  PipelineProblem problem = uniformPipeline(4, 8, {1, 1, 1});
  EXPECT_EQ(scheduleError("1f1b", withLimit(problem, 2.5)),
            "1f1b: processor 0 may hold 2.5, but this schedule works only from "
            "a limit of 4");
  EXPECT_EQ(schedule("1f1b", withLimit(problem, 4)).peak, 4);
  EXPECT_THAT(scheduleError("gpipe", withLimit(problem, 4)),
              HasSubstr("a limit of 8"));
}

TEST(PipelineSchedulesTest, RefusesWhatIsNoProblem) {
  PipelineProblem problem = uniformPipeline(4, 8, {1, 1, 1});
  EXPECT_THAT(scheduleError("9f9b", problem),
              HasSubstr("no pipeline schedule '9f9b', expected one of gpipe"));
  problem.stages.pop_back();
  EXPECT_THAT(scheduleError("1f1b", problem),
              HasSubstr("3 stages, expected a multiple of the 4 processors"));
  problem = withLimit(uniformPipeline(2, 1, {1, 1, 1}), 4);
  problem.memoryLimit.pop_back();
  EXPECT_THAT(scheduleError("1f1b", problem), HasSubstr("1 memory limits"));
  problem = uniformPipeline(2, 1, {1, 1, 1});
  problem.microbatches = 0;
  EXPECT_THAT(scheduleError("1f1b", problem), HasSubstr("0 microbatches"));
}

} // namespace
