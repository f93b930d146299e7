//===- PipelineExactTest.cpp - orders of least makespan -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestPipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <limits>

using namespace takt;
using namespace takt::test;

namespace {

constexpr int64_t kNone = std::numeric_limits<int64_t>::max();
using Order = std::vector<PipelineTask>;

/// All orders of one processor's tasks that its own precedence and its memory
/// allow, by plain enumeration. With `anyMicrobatch` the microbatches of a row
/// may come in any order.
class ProcessorOrders {
public:
  ProcessorOrders(const PipelineProblem &problem,
                  const std::vector<int> &processorOf, int processor,
                  bool anyMicrobatch, size_t most)
      : problem(problem), anyMicrobatch(anyMicrobatch), most(most) {
    if (!problem.memoryLimit.empty())
      limit = problem.memoryLimit[processor];
    for (int s = 0; s < int(problem.stages.size()); ++s)
      if (processorOf[s] == processor)
        for (int i = 0; i < problem.microbatches; ++i)
          for (TaskKind kind :
               {TaskKind::Forward, TaskKind::Dgrad, TaskKind::Wgrad})
            tasks.push_back({kind, s, i});
    used.assign(tasks.size(), false);
    extend(0);
  }

  std::vector<Order> all;
  bool tooMany = false;

private:
  /// Whether `a` comes before `b` in every schedule.
  bool precedes(const PipelineTask &a, const PipelineTask &b) const {
    if (a.kind == b.kind && a.stage == b.stage)
      return !anyMicrobatch && a.microbatch < b.microbatch;
    if (a.microbatch != b.microbatch || a.kind == TaskKind::Wgrad)
      return false;
    if (b.kind == TaskKind::Forward)
      return a.kind == TaskKind::Forward && a.stage < b.stage;
    if (a.kind == TaskKind::Forward)
      return true;
    return a.stage > b.stage ||
           (a.stage == b.stage && b.kind == TaskKind::Wgrad);
  }

  void extend(int64_t held) {
    if (tooMany)
      return;
    if (order.size() == tasks.size()) {
      all.push_back(order);
      tooMany = all.size() > most;
      return;
    }
    for (size_t t = 0; t < tasks.size(); ++t) {
      int64_t change =
          problem.stages[tasks[t].stage].memory[size_t(tasks[t].kind)];
      bool isNext = !used[t] && (change <= 0 || held + change <= limit);
      for (size_t u = 0; isNext && u < tasks.size(); ++u)
        isNext = used[u] || u == t || !precedes(tasks[u], tasks[t]);
      if (!isNext)
        continue;
      used[t] = true;
      order.push_back(tasks[t]);
      extend(held + change);
      order.pop_back();
      used[t] = false;
    }
  }

  const PipelineProblem &problem;
  bool anyMicrobatch;
  size_t most;
  int64_t limit = kNone;
  std::vector<PipelineTask> tasks;
  std::vector<bool> used;
  Order order;
};

/// The least makespan over all orders of all placements, kNone if there is no
/// order; nullopt if there are too many to try.
class BruteForce {
public:
  explicit BruteForce(const PipelineProblem &problem, bool anyMicrobatch)
      : problem(problem), anyMicrobatch(anyMicrobatch) {}

  std::optional<int64_t> run() {
    std::vector<PipelinePlacement> placements = {PipelinePlacement::Blocked};
    if (problem.chunks() > 1)
      placements = {PipelinePlacement::Blocked, PipelinePlacement::Interleaved};
    if (problem.chunks() == 2)
      placements.push_back(PipelinePlacement::Vee);
    for (PipelinePlacement placement : placements)
      if (!tryPlacement(placeStages(problem, placement)))
        return std::nullopt;
    return best;
  }

private:
  bool tryPlacement(std::vector<int> processorOf) {
    constexpr size_t kMost = 100000;
    std::vector<std::vector<Order>> orders;
    size_t product = 1;
    for (int q = 0; q < problem.processors; ++q) {
      ProcessorOrders own(problem, processorOf, q, anyMicrobatch, kMost);
      if (own.tooMany || (product *= own.all.size()) > kMost)
        return false;
      orders.push_back(std::move(own.all));
    }
    PipelineOrder order;
    order.processorOf = std::move(processorOf);
    order.order.resize(problem.processors);
    for (size_t code = 0; code < product; ++code) {
      size_t rest = code;
      for (int q = 0; q < problem.processors; ++q) {
        order.order[q] = orders[q][rest % orders[q].size()];
        rest /= orders[q].size();
      }
      llvm::Expected<PipelineTimes> times = timePipeline(problem, order);
      if (times)
        best = std::min(best, times->makespan);
      else // processors that wait for each other
        llvm::consumeError(times.takeError());
    }
    return true;
  }

  const PipelineProblem &problem;
  bool anyMicrobatch;
  int64_t best = kNone;
};

/// Small; costs of 0, memory changes of all signs, limits that may be too low.
PipelineProblem smallPipeline(std::minstd_rand &random, int microbatches) {
  PipelineProblem problem;
  problem.processors = 1 + int(random() % 3);
  problem.microbatches = 1 + int(random() % microbatches);
  int chunks = problem.processors < 3 && random() % 3 == 0 ? 2 : 1;
  int64_t most = random() % 2 == 0 ? 3 : 12;
  problem.transferCycles = random() % 3 == 0 ? 0 : int64_t(random() % most);
  bool plain = random() % 2 == 0;
  for (int s = 0; s < problem.processors * chunks; ++s) {
    PipelineStage &stage = problem.stages.emplace_back();
    for (int64_t &cycles : stage.cycles) {
      cycles = random() % most;
      cycles += random() % 4 != 0;
    }
    int64_t held = 1 + int64_t(random() % 4), change = 0, kept = 0;
    if (!plain) {
      held = random() % 6;
      held -= random() % 6 == 0;
      change = int64_t(random() % 9) - 4;
      kept = random() % 4 == 0;
    }
    stage.memory = {held, change, kept - held - change};
  }
  if (random() % 5 != 0)
    for (int q = 0; q < problem.processors; ++q)
      problem.memoryLimit.push_back(1 + int64_t(random() % 9) * chunks);
  return problem;
}

/// The makespan that `ilp` proves; kNone if it says that there is none.
int64_t provedMakespan(const PipelineProblem &problem) {
  llvm::Expected<PipelineSolution> solution =
      schedulePipeline("ilp", problem, {});
  if (!solution) {
    EXPECT_THAT(llvm::toString(solution.takeError()),
                testing::HasSubstr("no schedule works"));
    return kNone;
  }
  llvm::Expected<PipelineTimes> times = timePipeline(problem, solution->order);
  if (!times) {
    ADD_FAILURE() << llvm::toString(times.takeError());
    return 0;
  }
  EXPECT_TRUE(solution->optimal);
  EXPECT_EQ(solution->bound, times->makespan);
  EXPECT_TRUE(fitsMemory(problem, *times));
  return times->makespan;
}

std::string text(const PipelineProblem &problem) {
  std::string text = std::to_string(problem.processors) + " processors, " +
                     std::to_string(problem.microbatches) +
                     " microbatches, transfer " +
                     std::to_string(problem.transferCycles) + "; stages";
  for (const PipelineStage &stage : problem.stages) {
    text += " (";
    for (int64_t cycles : stage.cycles)
      text += " " + std::to_string(cycles);
    text += " |";
    for (int64_t memory : stage.memory)
      text += " " + std::to_string(memory);
    text += " )";
  }
  text += "; limits";
  for (int64_t limit : problem.memoryLimit)
    text += " " + std::to_string(limit);
  return text;
}

/// How far the best heuristic that fits is above the optimum; none if none
/// fits.
std::optional<double> heuristicGap(const PipelineProblem &problem,
                                   int64_t optimum) {
  std::optional<int64_t> best = bestPublished(problem);
  if (!best || optimum == 0)
    return std::nullopt;
  EXPECT_GE(*best, optimum) << text(problem);
  return double(*best) / double(optimum) - 1;
}

TEST(PipelineExactTest, AgreesWithEnumeration) {
  std::minstd_rand random(11);
  int compared = 0, feasible = 0, withGap = 0;
  double gaps = 0;
  while (compared < 200) {
    PipelineProblem problem = smallPipeline(random, 3);
    std::optional<int64_t> expected =
        BruteForce(problem, /*anyMicrobatch=*/false).run();
    if (!expected)
      continue;
    ++compared;
    EXPECT_EQ(provedMakespan(problem), *expected) << text(problem);
    if (*expected == kNone)
      continue;
    ++feasible;
    if (feasible % 10 != 0) // the published searches take their time
      continue;
    if (std::optional<double> gap = heuristicGap(problem, *expected)) {
      ++withGap;
      gaps += *gap;
    }
  }
  EXPECT_GT(feasible, compared / 2);
  EXPECT_LT(feasible, compared);
  ASSERT_GT(withGap, 0);
  std::printf("%d problems, %d with a schedule; of every tenth, on %d a "
              "published one fits, on average %.1f %% above the optimum\n",
              compared, feasible, withGap, 100 * gaps / withGap);
}

TEST(PipelineExactTest, NeedsNoOtherOrderOfTheMicrobatches) {
  std::minstd_rand random(5);
  for (int compared = 0; compared < 60;) {
    PipelineProblem problem = smallPipeline(random, 2);
    std::optional<int64_t> expected =
        BruteForce(problem, /*anyMicrobatch=*/true).run();
    if (!expected)
      continue;
    ++compared;
    EXPECT_EQ(provedMakespan(problem), *expected) << text(problem);
  }
}

struct Known {
  int processors, microbatches;
  double limit; ///< 0: none
  int64_t makespan;
};

TEST(PipelineExactTest, ProvesKnownOptima) {
  for (const Known &known :
       {Known{3, 4, 2, 17}, Known{4, 4, 3, 18}, Known{4, 4, 2, 21},
        Known{4, 4, 4, 15}, Known{4, 8, 2, 41}, Known{4, 8, 3, 31},
        Known{4, 8, 4, 27}, Known{4, 8, 0, 27}, Known{1, 5, 1, 15}}) {
    PipelineProblem problem =
        uniformPipeline(known.processors, known.microbatches, {1, 1, 1});
    if (known.limit > 0)
      problem = withLimit(problem, known.limit);
    EXPECT_EQ(provedMakespan(problem), known.makespan) << text(problem);
  }
}

TEST(PipelineExactTest, CountsInCycles) {
  PipelineProblem problem = uniformPipeline(4, 8, {10, 10, 10});
  EXPECT_EQ(provedMakespan(withLimit(problem, 2)), 410);
  EXPECT_EQ(provedMakespan(withLimit(problem, 4)), 270);
}

TEST(PipelineExactTest, ProvesPublishedCosts) {
  // GPT 1.5B, as measured by the authors of zero bubble pipelines (Qi et al.).
  PipelineProblem problem = uniformPipeline(4, 8, {18522, 18086, 9337});
  problem.transferCycles = 601;
  int64_t last = provedMakespan(problem);
  for (double limit : {4, 3, 2}) {
    int64_t makespan = provedMakespan(withLimit(problem, limit));
    EXPECT_GE(makespan, last);
    last = makespan;
  }
}

TEST(PipelineExactTest, ChoosesAmongPlacements) {
  // The work of a processor and the way to processor 1: one chunk, where with
  // neighbouring stages on one processor it is two.
  EXPECT_EQ(provedMakespan(uniformPipeline(2, 4, {10, 10, 10}, 2)), 125);
  EXPECT_EQ(provedMakespan(uniformPipeline(2, 4, {10, 10, 10})), 130);
}

TEST(PipelineExactTest, NamesTheLeastLimit) {
  PipelineProblem problem = uniformPipeline(3, 4, {1, 1, 1});
  problem.stages[1].memory = {250, 50, -300};
  problem = withLimit(problem, 2);
  for (const char *name : {"ilp", "auto"})
    EXPECT_EQ(scheduleError(name, problem),
              std::string(name) +
                  ": processor 1 may hold 2, but with stage 1 no schedule "
                  "works below a limit of 3");
  problem.memoryLimit[1] = 300;
  provedMakespan(problem);
}

} // namespace
