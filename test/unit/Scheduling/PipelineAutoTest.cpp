//===- PipelineAutoTest.cpp - the best order within a few seconds ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestPipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;

namespace {

/// Lengths of F, D, W, and the transfer.
struct Costs {
  std::array<int64_t, kPipelineKinds> cycles;
  int64_t transfer;
};
const Costs kCosts[] = {{{10, 10, 10}, 0},
                        {{10, 10, 2}, 5},
                        {{6, 6, 18}, 3},
                        {{18522, 18086, 9337}, 601},
                        {{29718, 29444, 19927}, 527},
                        {{10419, 10207, 7715}, 408}};

PipelineProblem unevenPipeline(int processors, int microbatches) {
  PipelineProblem problem =
      uniformPipeline(processors, microbatches, {100, 100, 60});
  for (auto [s, stage] : llvm::enumerate(problem.stages))
    for (int64_t &cycles : stage.cycles)
      cycles += int64_t(s * 37 % 50) - 20;
  problem.transferCycles = 7;
  return problem;
}

struct Totals {
  int every = 8; ///< of those proved: which to compare
  int problems = 0, optimal = 0, compared = 0;
  double gap = 0, gain = 0;

  void compare(const PipelineProblem &problem) {
    ScheduledPipeline found = schedule("auto", problem);
    checkPipeline(problem, found);
    ++problems;
    optimal += found.solution.optimal;
    gap += double(found.times.makespan) / double(found.solution.bound) - 1;
    EXPECT_LE(found.solution.bound, found.times.makespan);
    // What is proved is below all; the published searches take their time.
    if (found.solution.optimal && problems % every != 0)
      return;
    if (std::optional<int64_t> published = bestPublished(problem)) {
      EXPECT_LE(found.times.makespan, *published);
      gain += 1 - double(found.times.makespan) / double(*published);
      ++compared;
    }
  }

  void print(const char *what) const {
    std::printf("%s: %d problems, %d proved optimal, on average %.2f %% above "
                "the bound; on %d that were compared %.1f %% below the best "
                "published\n",
                what, problems, optimal, 100 * gap / problems, compared,
                compared ? 100 * gain / compared : 0);
  }
};

TEST(PipelineAutoTest, IsNeverAboveThePublished) {
  Totals totals;
  size_t turn = 0;
  for (int p : {2, 4, 8})
    for (int m : {p, 2 * p})
      for (double limit : {(p + 2) / 3, (p + 1) / 2, p, 2 * p - 1}) {
        // Eight processors take a second or so: one of the costs each time.
        llvm::ArrayRef<Costs> all(kCosts);
        if (p == 8)
          all = all.slice(turn++ % all.size(), 1);
        for (const Costs &costs : all) {
          PipelineProblem problem = uniformPipeline(p, m, costs.cycles);
          problem.transferCycles = costs.transfer;
          totals.compare(withLimit(problem, limit));
        }
        if (p < 8) // a few seconds each
          totals.compare(withLimit(unevenPipeline(p, m), limit));
      }
  totals.print("one chunk");
  EXPECT_GE(totals.optimal * 10, totals.problems * 9);
}

TEST(PipelineAutoTest, IsNeverAboveThePublishedWithTwoChunks) {
  Totals totals;
  totals.every = 2;
  for (double limit : {2, 3, 4}) {
    totals.compare(withLimit(uniformPipeline(4, 4, {10, 10, 10}, 2), limit));
    totals.compare(withLimit(uniformPipeline(3, 6, {14, 12, 8}, 2), limit));
  }
  totals.print("two chunks");
}

TEST(PipelineAutoTest, IsAheadBelowTheUsualMemory) {
  // 1F1B needs as many activations as there are processors.
  PipelineProblem problem = uniformPipeline(4, 4, {1, 1, 1});
  EXPECT_EQ(schedule("auto", withLimit(problem, 2)).times.makespan, 21);
  EXPECT_EQ(schedule("auto", withLimit(problem, 3)).times.makespan, 18);
}

TEST(PipelineAutoTest, IsTheSameEachTime) {
  PipelineProblem problem = withLimit(unevenPipeline(4, 8), 3);
  PipelineOptions options;
  options.seed = 3;
  auto order = [&](const PipelineOptions &options) {
    std::vector<std::tuple<int, int, int>> tasks;
    for (const auto &own :
         llvm::cantFail(schedulePipeline("auto", problem, options)).order.order)
      for (const PipelineTask &task : own)
        tasks.emplace_back(int(task.kind), task.stage, task.microbatch);
    return tasks;
  };
  EXPECT_EQ(order({}), order({}));
  EXPECT_EQ(order(options), order(options));
}

/// No time at all still gives an order; time can only help.
TEST(PipelineAutoTest, ReturnsTheBestFoundWhenTimeIsOver) {
  PipelineProblem problem = withLimit(unevenPipeline(4, 8), 2);
  for (llvm::StringRef name : {"ilp", "auto"}) {
    ScheduledPipeline whole = schedule(name, problem);
    PipelineOptions options;
    options.timeLimitSeconds = 0;
    llvm::Expected<PipelineSolution> solution =
        schedulePipeline(name, problem, options);
    ASSERT_TRUE(bool(solution)) << llvm::toString(solution.takeError());
    PipelineTimes times =
        llvm::cantFail(timePipeline(problem, solution->order));
    EXPECT_TRUE(fitsMemory(problem, times));
    EXPECT_LE(solution->bound, times.makespan);
    EXPECT_GE(times.makespan, whole.times.makespan);
  }
}

TEST(PipelineAutoTest, ManyProcessors) {
  PipelineProblem problem = uniformPipeline(64, 256, {10, 12, 7});
  problem.transferCycles = 3;
  for (double limit : {64, 32}) {
    ScheduledPipeline found = schedule("auto", withLimit(problem, limit));
    checkPipeline(withLimit(problem, limit), found);
    EXPECT_GE(found.times.makespan, found.solution.bound);
  }
}

} // namespace
