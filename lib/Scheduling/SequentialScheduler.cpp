//===- SequentialScheduler.cpp - plain training ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Schedulers.h"
#include "Timing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace takt;

/// Everything on one processor, the first of those that are fastest at it.
llvm::Expected<Schedule> takt::runSequential(const Problem &problem,
                                             const ScheduleOptions &) {
  const Machine &machine = *problem.machine;
  const TaskGraph &graph = *problem.graph;
  Schedule best;
  int first = 0; // processor of the class
  for (const ProcessorClass &on : machine.classes) {
    Schedule schedule = emptySchedule(graph);
    for (auto [task, placement] : llvm::zip_equal(graph.tasks, schedule.tasks))
      placement = {first, 0, *taskCycles(*problem.cost, task, on)};
    auto order = llvm::to_vector(
        llvm::seq<int>(0, static_cast<int>(graph.tasks.size())));
    timeSynchronously(machine, order, schedule);
    if (best.tasks.empty() || schedule.interval < best.interval)
      best = std::move(schedule);
    first += static_cast<int>(on.count);
  }
  return best;
}
