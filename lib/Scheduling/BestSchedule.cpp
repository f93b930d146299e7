//===- BestSchedule.cpp - the best that a search has found ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BestSchedule.h"
#include "Memory.h"
#include "WeightVersions.h"

using namespace takt;

Merits takt::merits(const Problem &problem, const Schedule &schedule) {
  if (schedule.weights != WeightVersions::Stash && schedule.lead.empty()) {
    // As it will be.
    Schedule current = schedule;
    readCurrentWeights(current);
    return merits(problem, current);
  }
  MemoryUse memory = tightestMemory(problem, schedule);
  return {memory.limit > 0 ? std::max<int64_t>(0, memory.excess()) : 0,
          schedule.weights == WeightVersions::Stash ? 0
                                                    : surplusCopies(schedule),
          schedule.interval,
          totalStaleness(schedule),
          memory.bytes,
          metrics(problem, schedule).communicationBytes};
}

void BestSchedule::consider(Schedule schedule) {
  ++considered;
  Merits others = merits(problem, schedule);
  if (best && !isBetter(others, bestMerits))
    return;
  best = std::move(schedule);
  bestMerits = others;
}

llvm::Error BestSchedule::lacksMemory() const {
  return llvm::createStringError(
      "no schedule fits the memory; of " + llvm::Twine(considered) +
      " tried, the one that lacks least: " +
      llvm::toString(checkMemoryFits(problem, *best)));
}

llvm::Error takt::checkStages(llvm::StringRef scheduler, const Problem &problem,
                              const ScheduleOptions &options) {
  auto layers = static_cast<int>(problem.graph->layers.size());
  if (options.stages >= 0 && options.stages <= layers)
    return llvm::Error::success();
  return llvm::createStringError("schedule '" + scheduler + "' with " +
                                 llvm::Twine(options.stages) + " stages of " +
                                 llvm::Twine(layers) + " layers");
}
