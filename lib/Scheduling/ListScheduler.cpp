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

/// Cycles of all tasks, each on the class that is fastest at it.
static int64_t leastWork(const Problem &problem) {
  int64_t cycles = 0;
  for (const Task &task : problem.graph->tasks) {
    int64_t least = std::numeric_limits<int64_t>::max();
    for (const ProcessorClass &on : problem.machine->classes)
      least = std::min(least, *taskCycles(*problem.cost, task, on));
    cycles += least;
  }
  return cycles;
}

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
    step.place(task, step.bestFor(task));
  }
  Schedule schedule = step.finish(order);
  // One processor may be faster only where it has less to do than that.
  if (leastWork(problem) >= schedule.interval)
    return std::move(schedule);
  llvm::Expected<Schedule> sequential = runSequential(problem, options);
  if (sequential && sequential->interval < schedule.interval)
    return sequential;
  llvm::consumeError(sequential.takeError());
  return schedule;
}
