//===- TestPipelines.cpp - pipeline problems for tests --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestPipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace llvm;
using namespace takt;

PipelineProblem
takt::test::uniformPipeline(int processors, int microbatches,
                            std::array<int64_t, kPipelineKinds> cycles,
                            int chunks) {
  PipelineProblem problem;
  problem.processors = processors;
  problem.microbatches = microbatches;
  problem.memoryScale = 100;
  PipelineStage stage;
  for (auto [whole, part] : zip_equal(cycles, stage.cycles))
    part = whole / chunks;
  stage.memory = {100 / chunks, 0, -100 / chunks};
  problem.stages.assign(size_t(processors) * chunks, stage);
  return problem;
}

PipelineProblem takt::test::withLimit(PipelineProblem problem, double limit) {
  problem.memoryLimit.assign(problem.processors,
                             std::llround(limit * problem.memoryScale));
  return problem;
}

PipelineProblem takt::test::randomPipeline(std::minstd_rand &random,
                                           int chunks) {
  PipelineProblem problem;
  problem.processors = 1 + int(random() % 5);
  problem.microbatches = 1 + int(random() % 12);
  problem.transferCycles = random() % 6;
  for (int s = 0; s < problem.processors * chunks; ++s) {
    PipelineStage &stage = problem.stages.emplace_back();
    for (int64_t &cycles : stage.cycles)
      cycles = random() % 12;
    int64_t held = random() % 9, change = int64_t(random() % 9) - 4;
    stage.memory = {held, change, -held - change};
  }
  return problem;
}

takt::test::ScheduledPipeline
takt::test::schedule(StringRef name, const PipelineProblem &problem) {
  ScheduledPipeline scheduled;
  Expected<PipelineSolution> solution = schedulePipeline(name, problem, {});
  if (!solution) {
    ADD_FAILURE() << toString(solution.takeError());
    return scheduled;
  }
  scheduled.solution = std::move(*solution);
  Expected<PipelineTimes> times =
      timePipeline(problem, scheduled.solution.order);
  if (!times) {
    ADD_FAILURE() << toString(times.takeError());
    return scheduled;
  }
  scheduled.times = std::move(*times);
  for (int64_t peak : scheduled.times.peakMemory)
    scheduled.peak =
        std::max(scheduled.peak, double(peak) / double(problem.memoryScale));
  return scheduled;
}

std::string takt::test::scheduleError(StringRef name,
                                      const PipelineProblem &problem) {
  Expected<PipelineSolution> solution = schedulePipeline(name, problem, {});
  if (!solution)
    return toString(solution.takeError());
  ADD_FAILURE() << name.str() << " found a schedule";
  return {};
}

namespace {
struct Interval {
  int64_t start, end, memory;
};

/// Memory over time: rises at starts, falls at ends; at one instant what ends
/// comes first.
int64_t peakOf(ArrayRef<Interval> intervals) {
  std::vector<std::pair<int64_t, int64_t>> changes;
  for (const Interval &each : intervals)
    changes.emplace_back(each.memory > 0 ? each.start : each.end, each.memory);
  llvm::sort(changes);
  int64_t held = 0, peak = 0;
  for (auto [time, change] : changes)
    peak = std::max(peak, held += change);
  return peak;
}

void checkProcessor(std::vector<Interval> intervals, int64_t limit) {
  EXPECT_LE(peakOf(intervals), limit);
  llvm::sort(intervals, [](const Interval &a, const Interval &b) {
    return std::pair(a.start, a.end) < std::pair(b.start, b.end);
  });
  for (size_t i = 1; i < intervals.size(); ++i)
    ASSERT_LE(intervals[i - 1].end, intervals[i].start);
}
} // namespace

void takt::test::checkPipeline(const PipelineProblem &problem,
                               const ScheduledPipeline &scheduled) {
  ArrayRef<int> processorOf = scheduled.solution.order.processorOf;
  ASSERT_EQ(processorOf.size(), problem.stages.size());
  int stages = int(problem.stages.size()), m = problem.microbatches;
  auto start = [&](int kind, int stage, int i) {
    return scheduled.times.start[kind][stage * m + i];
  };
  auto end = [&](int kind, int stage, int i) {
    return start(kind, stage, i) + problem.stages[stage].cycles[kind];
  };
  std::vector<std::vector<Interval>> intervals(problem.processors);
  for (int s = 0; s < stages; ++s)
    for (int i = 0; i < m; ++i) {
      for (int kind = 0; kind < kPipelineKinds; ++kind)
        intervals[processorOf[s]].push_back({start(kind, s, i), end(kind, s, i),
                                             problem.stages[s].memory[kind]});
      EXPECT_GE(start(1, s, i), end(0, s, i));
      EXPECT_GE(start(2, s, i), end(1, s, i));
      if (s + 1 == stages)
        continue;
      int64_t transfer =
          processorOf[s] == processorOf[s + 1] ? 0 : problem.transferCycles;
      EXPECT_GE(start(0, s + 1, i), end(0, s, i) + transfer);
      EXPECT_GE(start(1, s, i), end(1, s + 1, i) + transfer);
    }
  for (int q = 0; q < problem.processors; ++q)
    checkProcessor(std::move(intervals[q]), problem.memoryLimit.empty()
                                                ? INT64_MAX
                                                : problem.memoryLimit[q]);
}

std::string takt::test::drawPipeline(const PipelineProblem &problem,
                                     const ScheduledPipeline &scheduled,
                                     int64_t cyclesPerColumn) {
  std::string picture;
  for (const auto &tasks : scheduled.solution.order.order) {
    std::string line;
    for (const PipelineTask &task : tasks) {
      size_t kind = size_t(task.kind);
      int64_t start =
          scheduled.times
              .start[kind][task.stage * problem.microbatches + task.microbatch];
      int64_t end = start + problem.stages[task.stage].cycles[kind];
      char drawn = letter(task.kind)[0];
      line.resize(start / cyclesPerColumn, '.');
      line.resize(end / cyclesPerColumn, task.stage < problem.processors
                                             ? drawn
                                             : llvm::toLower(drawn));
    }
    picture += line + '\n';
  }
  return picture;
}

std::optional<int64_t>
takt::test::bestPublished(const PipelineProblem &problem) {
  std::optional<int64_t> best;
  for (const PipelineScheduler &scheduler : pipelineSchedulers()) {
    if (scheduler.name == "ilp" || scheduler.name == "auto")
      continue;
    Expected<PipelineSolution> solution =
        schedulePipeline(scheduler.name, problem, {});
    if (!solution) {
      consumeError(solution.takeError());
      continue;
    }
    int64_t makespan =
        cantFail(timePipeline(problem, solution->order)).makespan;
    best = best ? std::min(*best, makespan) : makespan;
  }
  return best;
}
