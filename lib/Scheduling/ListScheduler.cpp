//===- ListScheduler.cpp - a complete scheduler to start reading with -----===//
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

/// Cycles on the longest path from the start of each task to the end.
static std::vector<int64_t> remainingPath(const Problem &problem) {
  const TaskGraph &graph = *problem.graph;
  std::vector<std::vector<int>> readers(graph.tasks.size());
  for (const Value &value : graph.values)
    for (const Use &use : value.uses)
      if (value.producer >= 0 && use.distance == 0)
        readers[value.producer].push_back(use.task);
  for (auto [task, t] : llvm::enumerate(graph.tasks))
    if (t.colocated >= 0)
      readers[t.colocated].push_back(static_cast<int>(task));
  std::vector<int64_t> path(graph.tasks.size(), 0);
  for (int t = static_cast<int>(path.size()) - 1; t >= 0; --t) {
    for (int reader : readers[t])
      path[t] = std::max(path[t], path[reader]);
    path[t] += *taskCycles(*problem.cost, graph.tasks[t],
                           problem.machine->processorClass(0));
  }
  return path;
}

/// One iteration at a time on current weights. Tasks in the order of their
/// longest remaining path, each where it ends first; links are assumed to be
/// free when a processor is chosen. A heuristic (Graham 1969).
llvm::Expected<Schedule> takt::runList(const Problem &problem,
                                       const ScheduleOptions &) {
  const TaskGraph &graph = *problem.graph;
  const Machine &machine = *problem.machine;
  // A path's start has more ahead of it than anything behind: along a
  // dependence the priority never grows, and ties keep the order of tasks.
  std::vector<int64_t> priority = remainingPath(problem);
  auto order =
      llvm::to_vector(llvm::seq<int>(0, static_cast<int>(graph.tasks.size())));
  llvm::sort(order, [&](int a, int b) {
    return std::pair(-priority[a], a) < std::pair(-priority[b], b);
  });
  std::vector<std::vector<const Value *>> inputs(graph.tasks.size());
  for (const Value &value : graph.values)
    for (const Use &use : value.uses)
      if (value.producer >= 0 && use.distance == 0)
        inputs[use.task].push_back(&value);

  Schedule schedule = emptySchedule(graph);
  std::vector<int64_t> free(machine.processors(), 0);
  for (int task : order) {
    int64_t best = std::numeric_limits<int64_t>::max();
    int with = graph.tasks[task].colocated;
    for (int p = 0; p < machine.processors(); ++p) {
      if (with >= 0 && p != schedule.tasks[with].processor)
        continue;
      int64_t start = free[p];
      for (const Value *value : inputs[task]) {
        const Placement &from = schedule.tasks[value->producer];
        start = std::max(
            start, from.start + from.cycles +
                       machine.transferCycles(from.processor, p, value->bytes) +
                       machine.transferLatency(from.processor, p));
      }
      int64_t cycles = *taskCycles(*problem.cost, graph.tasks[task],
                                   machine.processorClass(p));
      if (start + cycles < best) {
        best = start + cycles;
        schedule.tasks[task] = {p, start, cycles};
      }
    }
    free[schedule.tasks[task].processor] = best;
  }
  timeSynchronously(machine, order, schedule);
  return schedule;
}
