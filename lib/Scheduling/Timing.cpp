//===- Timing.cpp - start times from an arrangement -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Timing.h"
#include "LinkTable.h"
#include "takt/Machine/LinkQueue.h"
#include "llvm/ADT/STLExtras.h"
#include <map>
#include <queue>

using namespace takt;

static int64_t ceilDiv(int64_t a, int64_t b) {
  return a >= 0 ? (a + b - 1) / b : -(-a / b);
}

/// The processors besides its own to which a value goes, in order of its uses.
static llvm::SmallVector<int, 4> destinations(const Value &value,
                                              llvm::ArrayRef<int> processorOf) {
  llvm::SmallVector<int, 4> result;
  for (const Use &use : value.uses) {
    int to = processorOf[use.task];
    if (to != processorOf[value.producer] && !llvm::is_contained(result, to))
      result.push_back(to);
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Periodic schedules
//===----------------------------------------------------------------------===//

Timing::Timing(const Machine &machine, const TaskGraph &graph)
    : machine(machine), graph(graph), inputs(graph.tasks.size()),
      outputs(graph.tasks.size()), valuesOf(graph.tasks.size()),
      linksAreFree(machine.hasUnlimitedLinks()) {
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    int v = static_cast<int>(index);
    valuesOf[value.producer].push_back(v);
    for (const Use &use : value.uses) {
      if (use.distance > 0)
        continue;
      inputs[use.task].push_back({value.producer, v});
      outputs[value.producer].push_back({use.task, v});
    }
  }
}

/// One computation.
class Timing::Run {
public:
  Run(const Timing &timing, const Arrangement &arrangement)
      : timing(timing), machine(timing.machine), graph(timing.graph),
        a(arrangement), links(arrangement.interval),
        busy(machine.processors()) {}

  std::optional<Times> compute();

private:
  void collectBusy();
  int64_t nextStart(int task, int64_t ready) const;
  int64_t nextGap(int processor, int64_t ready) const;
  bool startEarliest();
  bool placeTransfers(int task);
  void startForwardLate();
  bool computeDelays();
  int64_t arrival(int value, int to) const;

  const Timing &timing;
  const Machine &machine;
  const TaskGraph &graph;
  const Arrangement &a;
  LinkTable links;
  /// By processor: [begin, end) of tasks that last, sorted; the last may reach
  /// into the next interval.
  std::vector<std::vector<std::pair<int64_t, int64_t>>> busy;
  /// By (value, processor): index into times.transfers. Only where links cost.
  std::vector<llvm::SmallVector<std::pair<int, int>, 2>> transferTo;
  Times times;
};

void Timing::Run::collectBusy() {
  for (size_t task = 0; task < graph.tasks.size(); ++task)
    if (a.cycles[task] > 0)
      busy[a.processor[task]].push_back(
          {a.position[task], a.position[task] + a.cycles[task]});
  for (auto &intervals : busy)
    llvm::sort(intervals);
}

/// The next moment from `ready` on at which no task of the processor runs.
int64_t Timing::Run::nextGap(int processor, int64_t ready) const {
  const auto &intervals = busy[processor];
  if (intervals.empty())
    return ready;
  int64_t x = ready % a.interval;
  // The last task that begins before x, or reaches over the interval's end.
  auto it = llvm::partition_point(
      intervals, [&](const auto &interval) { return interval.first < x; });
  if (it != intervals.begin() && std::prev(it)->second > x)
    return ready + std::prev(it)->second - x;
  int64_t over = intervals.back().second - a.interval;
  return x > 0 && over > x    ? ready + over - x
         : x == 0 && over > 0 ? ready + over
                              : ready;
}

int64_t Timing::Run::nextStart(int task, int64_t ready) const {
  int64_t position = a.position[task];
  if (position == Arrangement::kFloating)
    return nextGap(a.processor[task], ready);
  return position +
         std::max<int64_t>(0, ceilDiv(ready - position, a.interval)) *
             a.interval;
}

/// When a value is on a processor.
int64_t Timing::Run::arrival(int value, int to) const {
  int producer = graph.values[value].producer;
  int from = a.processor[producer];
  int64_t end = times.start[producer] + a.cycles[producer];
  if (from == to)
    return end;
  if (timing.linksAreFree)
    return end + machine.transferLatency(from, to);
  for (auto [processor, index] : transferTo[value])
    if (processor == to) {
      const TransferPlacement &t = times.transfers[index];
      return t.start + t.cycles + t.latency;
    }
  return end;
}

bool Timing::Run::placeTransfers(int task) {
  int from = a.processor[task];
  int64_t end = times.start[task] + a.cycles[task];
  for (int index : timing.valuesOf[task]) {
    const Value &value = graph.values[index];
    for (int to : destinations(value, a.processor)) {
      int64_t cycles = machine.transferCycles(from, to, value.bytes);
      std::optional<int64_t> start =
          links.reserve(machine.linksHeld(from, to), end, cycles);
      if (!start)
        return false;
      transferTo[index].push_back(
          {to, static_cast<int>(times.transfers.size())});
      times.transfers.push_back(
          {index, from, to, *start, cycles, machine.transferLatency(from, to)});
    }
  }
  return true;
}

bool Timing::Run::startEarliest() {
  times.start.assign(graph.tasks.size(), 0);
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    int64_t ready = a.notBefore.empty() ? 0 : a.notBefore[task];
    for (const Edge &edge : timing.inputs[task])
      ready = std::max(ready, arrival(edge.value, a.processor[task]));
    times.start[task] = nextStart(task, ready);
    if (!timing.linksAreFree && !placeTransfers(task))
      return false;
  }
  return true;
}

/// A later F shortens stashes and the loop through its layer's update. Its
/// transfers move with it, by whole intervals.
void Timing::Run::startForwardLate() {
  for (int task = static_cast<int>(graph.tasks.size()) - 1; task >= 0; --task) {
    if (graph.tasks[task].kind != TaskKind::Forward ||
        timing.outputs[task].empty() ||
        a.position[task] == Arrangement::kFloating)
      continue;
    int64_t slack = std::numeric_limits<int64_t>::max();
    for (const Edge &edge : timing.outputs[task])
      slack = std::min(slack, times.start[edge.task] -
                                  arrival(edge.value, a.processor[edge.task]));
    int64_t shift = slack / a.interval * a.interval;
    times.start[task] += shift;
    if (timing.linksAreFree)
      continue;
    for (int value : timing.valuesOf[task])
      for (auto [processor, index] : transferTo[value])
        times.transfers[index].start += shift;
  }
}

/// The delays under which the uses of distance 1 are in time.
bool Timing::Run::computeDelays() {
  times.delay.assign(graph.layers.size(), 0);
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    int layer = graph.tasks[value.producer].layer;
    for (const Use &use : value.uses) {
      if (use.distance == 0)
        continue;
      int64_t late = arrival(static_cast<int>(index), a.processor[use.task]) -
                     times.start[use.task];
      int64_t delay = ceilDiv(late, a.interval) - use.distance;
      if (delay > 0 && !use.delayed)
        return false;
      times.delay[layer] =
          std::max<int>(times.delay[layer], static_cast<int>(delay));
    }
  }
  return true;
}

std::optional<Times> Timing::Run::compute() {
  collectBusy();
  if (!timing.linksAreFree)
    transferTo.resize(graph.values.size());
  if (!startEarliest())
    return std::nullopt;
  startForwardLate();
  if (!computeDelays())
    return std::nullopt;
  return std::move(times);
}

std::optional<Times> Timing::compute(const Arrangement &arrangement) const {
  return Run(*this, arrangement).compute();
}

void takt::fillSchedule(const Machine &machine, const Arrangement &arrangement,
                        const Times &times, Schedule &schedule) {
  schedule.interval = arrangement.interval;
  for (auto [task, placement] : llvm::enumerate(schedule.tasks))
    placement = {arrangement.processor[task], times.start[task],
                 arrangement.cycles[task]};
  schedule.transfers = times.transfers;
  if (!machine.hasUnlimitedLinks())
    return;
  // Links without a limit were not reserved: all leave at once.
  for (auto [index, value] : llvm::enumerate(schedule.graph.values)) {
    if (value.producer < 0)
      continue;
    const Placement &from = schedule.tasks[value.producer];
    for (int to : destinations(value, arrangement.processor))
      schedule.transfers.push_back(
          {static_cast<int>(index), from.processor, to,
           from.start + from.cycles, 0,
           machine.transferLatency(from.processor, to)});
  }
}

Schedule takt::toSchedule(const Machine &machine, const TaskGraph &graph,
                          const Arrangement &arrangement, const Times &times) {
  Schedule schedule = emptySchedule(graph);
  fillSchedule(machine, arrangement, times, schedule);
  return schedule;
}

//===----------------------------------------------------------------------===//
// Synchronous schedules
//===----------------------------------------------------------------------===//

Schedule takt::emptySchedule(const TaskGraph &graph) {
  Schedule schedule;
  schedule.graph = graph;
  schedule.tasks.resize(graph.tasks.size());
  schedule.stage.assign(graph.layers.size(), 0);
  schedule.delay.assign(graph.layers.size(), 0);
  schedule.stages = 1;
  return schedule;
}

namespace {
/// One step in time: each processor starts its next task as soon as what it
/// reads is there, and what a task makes takes its links in turn.
class StepTimer {
public:
  StepTimer(const Machine &machine, llvm::ArrayRef<int> order,
            Schedule &schedule)
      : machine(machine), graph(schedule.graph), schedule(schedule),
        queues(machine.processors()), next(machine.processors(), 0),
        free(machine.processors(), 0), isRunning(machine.processors(), false),
        ready(graph.tasks.size(), 0), missing(graph.tasks.size(), 0),
        valuesOf(graph.tasks.size()) {
    for (const Placement &placement : schedule.tasks)
      processor.push_back(placement.processor);
    for (int task : order)
      queues[processor[task]].push_back(task);
    for (auto [index, value] : llvm::enumerate(graph.values)) {
      if (value.producer < 0)
        continue;
      valuesOf[value.producer].push_back(static_cast<int>(index));
      for (const Use &use : value.uses)
        missing[use.task] += use.distance == 0;
    }
  }

  void run() {
    schedule.transfers.clear();
    for (int p = 0; p < static_cast<int>(queues.size()); ++p)
      start(p);
    while (!events.empty()) {
      int p = events.top().second;
      events.pop();
      isRunning[p] = false;
      finish(queues[p][next[p]++]);
      start(p);
    }
    schedule.interval = makespan;
  }

private:
  using Event = std::pair<int64_t, int>; ///< end of a task, processor

  /// Starts an idle processor's next task if all it reads is under way.
  void start(int p) {
    if (isRunning[p] || next[p] == queues[p].size() ||
        missing[queues[p][next[p]]] > 0)
      return;
    Placement &placement = schedule.tasks[queues[p][next[p]]];
    placement.start = std::max(ready[queues[p][next[p]]], free[p]);
    free[p] = placement.start + placement.cycles;
    isRunning[p] = true;
    events.push({free[p], p});
  }

  void finish(int task) {
    const Placement &placement = schedule.tasks[task];
    int64_t end = placement.start + placement.cycles;
    makespan = std::max(makespan, end);
    for (int index : valuesOf[task]) {
      const Value &value = graph.values[index];
      deliver(value, placement.processor, end);
      for (int to : destinations(value, processor)) {
        TransferPlacement t{index, placement.processor, to, end, 0, 0};
        t.cycles = machine.transferCycles(t.from, to, value.bytes);
        t.latency = machine.transferLatency(t.from, to);
        if (t.cycles > 0)
          t.start = links.take(machine.linksHeld(t.from, to), end, t.cycles);
        schedule.transfers.push_back(t);
        deliver(value, to, t.start + t.cycles + t.latency);
      }
    }
  }

  void deliver(const Value &value, int to, int64_t time) {
    makespan = std::max(makespan, time);
    for (const Use &use : value.uses) {
      if (use.distance > 0 || processor[use.task] != to)
        continue;
      ready[use.task] = std::max(ready[use.task], time);
      if (--missing[use.task] == 0)
        start(to);
    }
  }

  const Machine &machine;
  const TaskGraph &graph;
  Schedule &schedule;
  std::vector<int> processor;
  std::vector<std::vector<int>> queues; ///< tasks in order, by processor
  std::vector<size_t> next;             ///< into the queues
  std::vector<int64_t> free;            ///< by processor
  std::vector<bool> isRunning;          ///< by processor
  std::vector<int64_t> ready;           ///< by task
  std::vector<int> missing; ///< by task: uses whose value is not under way
  std::vector<llvm::SmallVector<int, 2>> valuesOf;
  LinkQueue links;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> events;
  int64_t makespan = 1;
};
} // namespace

void takt::timeSynchronously(const Machine &machine, llvm::ArrayRef<int> order,
                             Schedule &schedule) {
  StepTimer(machine, order, schedule).run();
}
