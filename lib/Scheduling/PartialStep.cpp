//===- PartialStep.cpp - one step while it is being placed ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PartialStep.h"
#include "Timing.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

PartialStep::PartialStep(const Problem &problem)
    : problem(problem), machine(*problem.machine),
      schedule(emptySchedule(*problem.graph)),
      isPlaced(problem.graph->tasks.size(), false), inputs(isPlaced.size()),
      nextReaders(isPlaced.size()), processorFree(machine.processors(), 0) {
  for (const Value &value : problem.graph->values)
    for (const Use &use : value.uses) {
      if (value.producer < 0)
        continue;
      int home = problem.graph->tasks[value.producer].colocated;
      if (use.distance == 0)
        inputs[use.task].push_back(&value);
      else
        nextReaders[home < 0 ? value.producer : home].push_back(
            {&value, use.task});
    }
}

/// When a value is on a processor; settled, it then takes its link.
int64_t PartialStep::arrival(const Value &value, int to, Sending sending) {
  const Placement &from = schedule.tasks[value.producer];
  int64_t end = from.start + from.cycles;
  if (from.processor == to)
    return end;
  if (auto it = arrived.find({&value, to}); it != arrived.end())
    return it->second;
  Machine::Route links = machine.linksHeld(from.processor, to);
  int64_t sent = end;
  for (int64_t link : links)
    sent = std::max(sent, linkFree.lookup(link));
  sent += machine.transferCycles(from.processor, to, value.bytes);
  int64_t arrives = sent + machine.transferLatency(from.processor, to);
  if (sending == Sending::Settled) {
    for (int64_t link : links)
      linkFree[link] = sent;
    arrived[{&value, to}] = arrives;
  }
  return arrives;
}

int64_t PartialStep::startOn(int task, int processor, Sending sending) {
  int64_t start = processorFree[processor];
  for (const Value *value : inputs[task])
    start = std::max(start, arrival(*value, processor, sending));
  return start;
}

int64_t PartialStep::cyclesOn(int task, int processor) const {
  return *taskCycles(*problem.cost, problem.graph->tasks[task],
                     machine.processorClass(processor));
}

int64_t PartialStep::doneOn(int task, int processor) {
  int64_t back = 0;
  for (auto [value, reader] : nextReaders[task]) {
    int to = processorOf(reader);
    if (isPlaced[reader])
      back =
          std::max(back, machine.transferCycles(processor, to, value->bytes) +
                             machine.transferLatency(processor, to));
  }
  return startOn(task, processor, Sending::Tentative) +
         cyclesOn(task, processor) + back;
}

int PartialStep::bestFor(int task) {
  int64_t ready = 0;
  llvm::SmallVector<int, 4> near = {0};
  for (const Value *value : inputs[task]) {
    const Placement &from = schedule.tasks[value->producer];
    ready = std::max(ready, from.start + from.cycles);
    if (!llvm::is_contained(near, from.processor))
      near.push_back(from.processor);
  }
  llvm::SmallVector<int64_t, 4> cyclesOf; // by class
  for (const ProcessorClass &on : machine.classes)
    cyclesOf.push_back(
        *taskCycles(*problem.cost, problem.graph->tasks[task], on));
  std::pair<int64_t, int> best(std::numeric_limits<int64_t>::max(), 0);
  // Most processors are ruled out by what is near, without their transfers.
  auto consider = [&](int processor) {
    int64_t least =
        std::max(ready, processorFree[processor]) +
        cyclesOf[&machine.processorClass(processor) - machine.classes.data()];
    if (std::pair(least, processor) < best)
      best = std::min(best, {doneOn(task, processor), processor});
  };
  llvm::for_each(near, consider);
  for (int processor = 0; processor < machine.processors(); ++processor)
    consider(processor);
  return best.second;
}

void PartialStep::place(int task, int processor) {
  int64_t start = startOn(task, processor, Sending::Settled);
  schedule.tasks[task] = {processor, start, cyclesOn(task, processor)};
  processorFree[processor] = start + schedule.tasks[task].cycles;
  isPlaced[task] = true;
}

Schedule PartialStep::finish(llvm::ArrayRef<int> order) {
  timeSynchronously(machine, order, schedule);
  return std::move(schedule);
}

std::vector<int64_t> takt::remainingPath(const Problem &problem) {
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
