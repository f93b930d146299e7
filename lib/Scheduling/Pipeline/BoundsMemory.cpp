//===- BoundsMemory.cpp - the least memory of a pipeline ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Solver.h"
#include "Units.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;
using namespace takt;

std::vector<std::vector<int>>
takt::allPlacements(const PipelineProblem &problem) {
  std::vector<std::vector<int>> all = {
      placeStages(problem, PipelinePlacement::Blocked),
      placeStages(problem, PipelinePlacement::Interleaved)};
  if (problem.chunks() == 2)
    all.push_back(placeStages(problem, PipelinePlacement::Vee));
  // With one chunk, or one processor, they are the same.
  std::vector<std::vector<int>> distinct;
  for (std::vector<int> &placement : all)
    if (!is_contained(distinct, placement))
      distinct.push_back(std::move(placement));
  return distinct;
}

PipelineOrder takt::oneByOne(const PipelineProblem &problem,
                             ArrayRef<int> processorOf) {
  PipelineOrder order;
  order.processorOf.assign(processorOf.begin(), processorOf.end());
  order.order.resize(problem.processors);
  int stages = int(problem.stages.size());
  for (int i = 0; i < problem.microbatches; ++i) {
    for (int s = 0; s < stages; ++s)
      order.order[processorOf[s]].push_back({TaskKind::Forward, s, i});
    for (int s = stages - 1; s >= 0; --s) {
      order.order[processorOf[s]].push_back({TaskKind::Dgrad, s, i});
      order.order[processorOf[s]].push_back({TaskKind::Wgrad, s, i});
    }
  }
  return order;
}

namespace {
struct Shortage {
  int processor = -1;
  int stage = 0;
  int64_t least = 0;
};
} // namespace

/// Whether no order of the stage's tasks holds less than one microbatch after
/// the other: a W never allocates, and of a microbatch that has begun no less
/// is held than when it is over. So when the last microbatch is at its peak the
/// others hold no less than they do there.
static bool isLeastOneByOne(const PipelineStage &stage) {
  int64_t net = stage.memory[0] + stage.memory[1] + stage.memory[2];
  return stage.memory[2] <= 0 && net >= 0 && net <= stage.memory[0];
}

/// The processor that lacks most, if one does for certain.
static std::optional<Shortage> shortageOf(const PipelineProblem &problem,
                                          ArrayRef<int> processorOf) {
  if (problem.memoryLimit.empty())
    return std::nullopt;
  Expected<PipelineTimes> times =
      timePipeline(problem, oneByOne(problem, processorOf));
  if (!times) {
    consumeError(times.takeError());
    return std::nullopt;
  }
  std::optional<Shortage> worst;
  for (int q = 0; q < problem.processors; ++q) {
    int64_t least = times->peakMemory[q];
    int stage = -1;
    bool certain = true;
    for (int s = 0; s < int(problem.stages.size()); ++s) {
      if (processorOf[s] != q)
        continue;
      certain &= isLeastOneByOne(problem.stages[s]);
      if (stage < 0 ||
          problem.stages[s].memory[0] > problem.stages[stage].memory[0])
        stage = s;
    }
    if (certain && least > problem.memoryLimit[q] &&
        (!worst || least > worst->least))
      worst = Shortage{q, stage, least};
  }
  return worst;
}

Error takt::checkLeastMemory(const PipelineProblem &problem,
                             ArrayRef<std::vector<int>> placements) {
  std::optional<Shortage> least; // of the placement that needs least
  for (const std::vector<int> &processorOf : placements) {
    std::optional<Shortage> shortage = shortageOf(problem, processorOf);
    if (!shortage)
      return Error::success();
    if (!least || shortage->least < least->least)
      least = shortage;
  }
  if (!least)
    return Error::success();
  return createStringError(
      "processor " + Twine(least->processor) + " may hold " +
      memoryText(problem, problem.memoryLimit[least->processor]) +
      ", but with stage " + Twine(least->stage) +
      " no schedule works below a limit of " +
      memoryText(problem, least->least));
}
