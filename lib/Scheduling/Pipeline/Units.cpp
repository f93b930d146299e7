//===- Units.cpp - what a schedule orders on each processor ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Units.h"
#include "llvm/ADT/Twine.h"
#include <limits>

using namespace llvm;
using namespace takt;

namespace {
/// Stages [first, end) in the order in which a unit goes through them.
std::vector<int> stagesOf(const PipelineUnit &unit, TaskKind kind) {
  std::vector<int> stages;
  for (int stage = unit.firstStage; stage < unit.endStage; ++stage)
    stages.push_back(stage);
  if (kind != TaskKind::Forward)
    std::reverse(stages.begin(), stages.end());
  return stages;
}

MemoryChange changeOf(const PipelineStage &stage, TaskKind kind) {
  int64_t change = stage.memory[size_t(kind)];
  return {std::max<int64_t>(change, 0), change};
}

PipelineUnit makeUnit(const PipelineProblem &problem, int processor,
                      int firstStage, int endStage) {
  PipelineUnit unit;
  unit.processor = processor;
  unit.firstStage = firstStage;
  unit.endStage = endStage;
  for (TaskKind kind : {TaskKind::Forward, TaskKind::Dgrad, TaskKind::Wgrad})
    for (int s : stagesOf(unit, kind)) {
      const PipelineStage &stage = problem.stages[s];
      unit.cycles[size_t(kind)] += stage.cycles[size_t(kind)];
      MemoryChange &memory = unit.memory[size_t(kind)];
      memory = memory.then(changeOf(stage, kind));
    }
  return unit;
}

PlacedPipeline place(const PipelineProblem &problem,
                     PipelinePlacement placement, int stagesPerUnit) {
  PlacedPipeline placed{problem, placeStages(problem, placement), {}, {}};
  placed.unitsOf.resize(problem.processors);
  for (int stage = 0; stage < int(problem.stages.size());
       stage += stagesPerUnit) {
    int processor = placed.processorOf[stage];
    placed.unitsOf[processor].push_back(int(placed.units.size()));
    placed.units.push_back(
        makeUnit(problem, processor, stage, stage + stagesPerUnit));
  }
  return placed;
}
} // namespace

int64_t PlacedPipeline::memoryLimit(int processor) const {
  return problem.memoryLimit.empty() ? std::numeric_limits<int64_t>::max()
                                     : problem.memoryLimit[processor];
}

PlacedPipeline takt::placeMerged(const PipelineProblem &problem) {
  return place(problem, PipelinePlacement::Blocked, problem.chunks());
}

PlacedPipeline takt::placeChunks(const PipelineProblem &problem,
                                 PipelinePlacement placement) {
  return place(problem, placement, 1);
}

PipelineSolution takt::expandUnits(const PlacedPipeline &placed,
                                   ArrayRef<std::vector<PipelineTask>> order,
                                   bool fullBackward) {
  PipelineSolution solution;
  solution.order.processorOf = placed.processorOf;
  solution.order.fullBackward = fullBackward;
  solution.bound = makespanBound(placed.problem, placed.processorOf);
  for (const auto &unitTasks : order) {
    auto &tasks = solution.order.order.emplace_back();
    for (const PipelineTask &task : unitTasks) {
      if (fullBackward && task.kind == TaskKind::Wgrad)
        continue; // came with its D
      for (int stage : stagesOf(placed.units[task.stage], task.kind)) {
        tasks.push_back({task.kind, stage, task.microbatch});
        if (fullBackward && task.kind == TaskKind::Dgrad)
          tasks.push_back({TaskKind::Wgrad, stage, task.microbatch});
      }
    }
  }
  return solution;
}

Error takt::needTwoChunks(const PipelineProblem &problem) {
  if (problem.chunks() == 2)
    return Error::success();
  return createStringError("%d stages a processor, expected two: one on the "
                           "way down and one on the way back",
                           problem.chunks());
}

std::string takt::memoryText(const PipelineProblem &problem, int64_t memory) {
  std::string text = (Twine(memory < 0 ? "-" : "") +
                      Twine(std::abs(memory) / problem.memoryScale))
                         .str();
  int64_t rest = std::abs(memory) % problem.memoryScale;
  if (rest == 0)
    return text;
  text += '.';
  for (int64_t place = problem.memoryScale / 10; rest > 0; place /= 10) {
    text += char('0' + rest / place);
    rest %= place;
  }
  return text;
}

Error takt::memoryError(const PipelineProblem &problem, int processor,
                        int64_t least) {
  return createStringError("processor " + Twine(processor) + " may hold " +
                           memoryText(problem, problem.memoryLimit[processor]) +
                           ", but this schedule works only from a limit of " +
                           memoryText(problem, least));
}
