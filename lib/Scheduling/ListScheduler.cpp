//===- ListScheduler.cpp - a complete scheduler to start reading with -----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PartialStep.h"
#include "Schedulers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace takt;

/// One iteration at a time on current weights. Tasks in the order of their
/// longest remaining path, each where it is done first, transfers included. A
/// heuristic (Graham 1969). Where that does not pay, one processor.
llvm::Expected<Schedule> takt::runList(const Problem &problem,
                                       const ScheduleOptions &options) {
  const std::vector<Task> &tasks = problem.graph->tasks;
  // A path's start has more ahead of it than anything behind: along a
  // dependence the priority never grows, and ties keep the order of tasks.
  std::vector<int64_t> priority = remainingPath(problem);
  auto order = llvm::to_vector(llvm::seq<int>(0, tasks.size()));
  llvm::sort(order, [&](int a, int b) {
    return std::pair(-priority[a], a) < std::pair(-priority[b], b);
  });

  PartialStep step(problem);
  for (int task : order) {
    if (int with = tasks[task].colocated; with >= 0) {
      step.place(task, step.processorOf(with));
      continue;
    }
    std::pair<int64_t, int> best(std::numeric_limits<int64_t>::max(), 0);
    for (int p = 0; p < problem.machine->processors(); ++p)
      best = std::min(best, {step.doneOn(task, p), p});
    step.place(task, best.second);
  }
  Schedule schedule = step.finish(order);
  llvm::Expected<Schedule> sequential = runSequential(problem, options);
  if (sequential && sequential->interval < schedule.interval)
    return sequential;
  llvm::consumeError(sequential.takeError());
  return schedule;
}
