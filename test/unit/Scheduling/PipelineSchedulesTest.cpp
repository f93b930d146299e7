//===- PipelineSchedulesTest.cpp - the published pipeline schedules -------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestPipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/raw_ostream.h"
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

/// "4", "4.5".
std::string memoryText(double memory) {
  std::string text = std::to_string(int(memory));
  return memory == int(memory) ? text : text + ".5";
}

struct Calibration {
  const char *name;
  int chunks;
  int64_t makespan;
  double peak;
};

TEST(PipelineSchedulesTest, PublishedFiguresOfFourProcessors) {
  for (const Calibration &known : {Calibration{"gpipe", 1, 330, 8},
                                   {"1f1b", 1, 330, 4},
                                   {"interleaved-1f1b", 1, 330, 4},
                                   {"interleaved-1f1b", 2, 285, 5.5},
                                   {"zb-h1", 1, 270, 4},
                                   {"zb-h2", 1, 270, 7},
                                   {"zb-v", 2, 255, 4},
                                   {"dualpipe-v", 2, 255, 4.5},
                                   {"v-half", 2, 265, 3},
                                   {"v-min", 2, 295, 2}}) {
    SCOPED_TRACE(known.name);
    PipelineProblem problem = uniformPipeline(4, 8, {10, 10, 10}, known.chunks);
    ScheduledPipeline found = schedule(known.name, problem);
    checkPipeline(problem, found);
    EXPECT_EQ(found.times.makespan, known.makespan);
    EXPECT_EQ(found.peak, known.peak);
    // At the same memory the automatic one is at least as good.
    ScheduledPipeline best =
        schedule("zb-auto", withLimit(problem, known.peak));
    EXPECT_LE(best.times.makespan, known.makespan);
  }
}

/// The page shows what the schedulers find.
TEST(PipelineSchedulesTest, PicturesOfThePage) {
  auto page = MemoryBuffer::getFile(TAKT_PIPELINES_PAGE, /*IsText=*/true);
  ASSERT_TRUE(bool(page));
  for (const char *name : {"gpipe", "1f1b", "interleaved-1f1b", "zb-h1",
                           "zb-h2", "zb-v", "v-half", "v-min", "dualpipe-v"}) {
    bool oneChunk =
        is_contained({"gpipe", "1f1b", "zb-h1", "zb-h2"}, StringRef(name));
    PipelineProblem problem =
        uniformPipeline(4, 8, {10, 10, 10}, oneChunk ? 1 : 2);
    ScheduledPipeline found = schedule(name, problem);
    std::string expected;
    raw_string_ostream(expected)
        << '`' << name << "`: makespan " << found.times.makespan << ", peak "
        << memoryText(found.peak) << "·M\n\n```text\n"
        << drawPipeline(problem, found, oneChunk ? 10 : 5) << "```\n";
    EXPECT_THAT((*page)->getBuffer().str(), HasSubstr(expected));
  }
}

struct Optimum {
  int processors, microbatches;
  double limit;
  int64_t makespan;
};

TEST(PipelineSchedulesTest, AutoFindsKnownOptimaUnderMemoryLimits) {
  for (const Optimum &known : {Optimum{3, 4, 2, 17},
                               {4, 4, 3, 18},
                               {4, 4, 2, 21},
                               {4, 4, 4, 15},
                               {4, 8, 2, 41},
                               {4, 8, 3, 31}}) {
    PipelineProblem problem = withLimit(
        uniformPipeline(known.processors, known.microbatches, {1, 1, 1}),
        known.limit);
    ScheduledPipeline found = schedule("zb-auto", problem);
    checkPipeline(problem, found);
    EXPECT_EQ(found.times.makespan, known.makespan);
  }
}

TEST(PipelineSchedulesTest, ZeroBubbleFormulas) {
  for (int p : {2, 3, 6}) {
    int m = 3 * p;
    PipelineProblem problem = uniformPipeline(p, m, {18, 18, 9});
    ScheduledPipeline h1 = schedule("zb-h1", problem);
    EXPECT_EQ(h1.times.makespan, m * 45 + (p - 1) * (18 + 18 - 9));
    EXPECT_LE(h1.peak, p);
    ScheduledPipeline h2 = schedule("zb-h2", problem);
    EXPECT_LE(h2.times.span, m * 45 + (p - 1) * (18 + 18 - 2 * 9));
    EXPECT_LE(h2.peak, 2 * p - 1);
  }
}

TEST(PipelineSchedulesTest, NoSpanBubbleWhereAllThreeAreEqual) {
  for (int p : {2, 4, 6})
    EXPECT_EQ(
        schedule("zb-h2", uniformPipeline(p, 3 * p, {10, 10, 10})).times.span,
        3 * p * 30);
}

TEST(PipelineSchedulesTest, NeighbouringStagesAreOneToOneChunkSchedules) {
  PipelineProblem one = uniformPipeline(3, 6, {8, 12, 4});
  PipelineProblem two = uniformPipeline(3, 6, {8, 12, 4}, 2);
  for (StringRef name : {"gpipe", "1f1b", "zb-h1", "zb-h2"}) {
    ScheduledPipeline a = schedule(name, one), b = schedule(name, two);
    EXPECT_EQ(a.times.makespan, b.times.makespan);
    EXPECT_EQ(a.times.peakMemory, b.times.peakMemory);
  }
}

/// Whether the schedule is one for such problems.
bool isFor(StringRef name, const PipelineProblem &problem) {
  if (name == "dualpipe-v")
    return problem.chunks() == 2 &&
           problem.microbatches >= 2 * problem.processors;
  bool vee = name == "zb-v" || name == "v-half" || name == "v-min";
  return !vee || problem.chunks() == 2;
}

TEST(PipelineSchedulesTest, RandomProblems) {
  std::minstd_rand random(11);
  for (int round = 0; round < 60; ++round) {
    PipelineProblem problem = randomPipeline(random, 1 + round % 3);
    for (const PipelineScheduler &scheduler : pipelineSchedulers()) {
      if (scheduler.name == "ilp" || scheduler.name == "auto")
        continue; // take long: in tests of their own
      SCOPED_TRACE(scheduler.name.str() + ", round " + std::to_string(round));
      if (isFor(scheduler.name, problem) &&
          (scheduler.name != "zb-auto" || round < 12))
        checkPipeline(problem, schedule(scheduler.name, problem));
    }
  }
}

/// The least limit of a schedule that adapts is that of one microbatch after
/// the other, and it works with it.
TEST(PipelineSchedulesTest, SchedulesThatAdaptWorkFromTheLimitTheyName) {
  std::minstd_rand random(5);
  for (int round = 0; round < 40; ++round) {
    PipelineProblem problem = withLimit(randomPipeline(random, 2), 0);
    for (StringRef name : {"zb-h1", "zb-h2", "zb-v", "v-half", "v-min"}) {
      SCOPED_TRACE(name.str() + ", round " + std::to_string(round));
      problem = withLimit(problem, -1);
      std::string message = scheduleError(name, problem);
      size_t at = message.rfind(' ');
      ASSERT_NE(at, std::string::npos);
      int64_t least = std::stoll(message.substr(at));
      problem = withLimit(problem, double(least));
      checkPipeline(problem, schedule(name, problem));
      if (least > 0)
        scheduleError(name, withLimit(problem, double(least - 1)));
    }
  }
}

TEST(PipelineSchedulesTest, VeesNeedTwoChunks) {
  for (const char *name : {"zb-v", "v-half", "v-min", "dualpipe-v"})
    EXPECT_THAT(scheduleError(name, uniformPipeline(4, 8, {1, 1, 1})),
                HasSubstr(": 1 stages a processor, expected two"));
  EXPECT_THAT(scheduleError("dualpipe-v", uniformPipeline(4, 7, {2, 2, 2}, 2)),
              HasSubstr("7 microbatches, expected at least twice the 4"));
}

TEST(PipelineSchedulesTest, InterleavedTakesAnyNumberOfMicrobatches) {
  for (int p : {2, 3, 5})
    for (int m = 1; m < 4 * p; ++m) {
      PipelineProblem problem = uniformPipeline(p, m, {3, 3, 3}, 3);
      ScheduledPipeline found = schedule("interleaved-1f1b", problem);
      checkPipeline(problem, found);
      if (m % p == 0) {
        EXPECT_EQ(found.times.makespan, m * 9 + (p - 1) * 3);
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
