//===- CyclicOrder.cpp - intervals and starts of cyclic orders ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Starts x are the least with x(v) >= x(u) + cycles(u) + hop - distance·T over
// the dependences and over what follows each other on a processor. They exist
// if no cycle has more cycles than distance·T: a cycle that does gives the next
// T.
//
//===----------------------------------------------------------------------===//

#include "CyclicOrder.h"
#include "Timing.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace takt;

namespace {
class OrderTimer {
public:
  OrderTimer(const Problem &problem, const TaskGraph &graph,
             const CyclicOrder &order, llvm::ArrayRef<int> delay)
      : machine(*problem.machine), graph(graph), delay(delay) {
    place(problem, order);
    collectEdges(order);
    sortTasks();
    least = leastInterval(order);
  }

  std::optional<Schedule> run(int64_t limit);

private:
  /// From start to start.
  struct Edge {
    int from, to;
    int64_t cycles;
    int64_t distance;
  };

  void place(const Problem &problem, const CyclicOrder &order);
  void collectEdges(const CyclicOrder &order);
  void sortTasks();
  int64_t leastInterval(const CyclicOrder &order) const;
  bool settle(int64_t limit);
  std::optional<int> findCycle() const;
  bool growBeyond(int inCycle);
  bool keepsTransfers(Times &times) const;
  int64_t distanceOf(const Value &value, const Use &use) const {
    return use.distance +
           (use.delayed ? delay[graph.tasks[value.producer].layer] : 0);
  }
  std::optional<Schedule> at(int64_t interval);

  const Machine &machine;
  const TaskGraph &graph;
  llvm::ArrayRef<int> delay;
  Arrangement arrangement;
  std::vector<Edge> edges;
  std::vector<std::pair<int, int>> edgesOf; ///< by task: [begin, end) of edges
  std::vector<int> sequence; ///< tasks, along what is within an iteration
  int64_t least = 1;
  int64_t settledAt = 0; ///< interval that the starts are of
  std::vector<int64_t> start;
  std::vector<int> via; ///< by task: the edge that its start comes from, or -1
};
} // namespace

void OrderTimer::place(const Problem &problem, const CyclicOrder &order) {
  arrangement.processor.resize(graph.tasks.size());
  arrangement.cycles.resize(graph.tasks.size());
  for (auto [processor, sequence] : llvm::enumerate(order))
    for (const OrderedTask &entry : sequence) {
      arrangement.processor[entry.task] = static_cast<int>(processor);
      arrangement.cycles[entry.task] =
          *taskCycles(*problem.cost, graph.tasks[entry.task],
                      machine.processorClass(processor));
    }
}

void OrderTimer::collectEdges(const CyclicOrder &order) {
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    int from = arrangement.processor[value.producer];
    for (const Use &use : value.uses) {
      int to = arrangement.processor[use.task];
      int64_t hop = from == to ? 0
                               : machine.transferCycles(from, to, value.bytes) +
                                     machine.transferLatency(from, to);
      edges.push_back({value.producer, use.task,
                       arrangement.cycles[value.producer] + hop,
                       distanceOf(value, use)});
    }
  }
  for (const auto &sequence : order)
    for (auto [index, entry] : llvm::enumerate(sequence)) {
      bool isLast = index + 1 == sequence.size();
      const OrderedTask &next = sequence[isLast ? 0 : index + 1];
      edges.push_back({entry.task, next.task, arrangement.cycles[entry.task],
                       next.ahead - entry.ahead + isLast});
    }
  llvm::stable_sort(
      edges, [](const Edge &a, const Edge &b) { return a.from < b.from; });
  edgesOf.assign(graph.tasks.size(), {0, 0});
  for (auto [index, edge] : llvm::enumerate(edges)) {
    auto &[begin, end] = edgesOf[edge.from];
    if (begin == end)
      begin = static_cast<int>(index);
    end = static_cast<int>(index) + 1;
  }
}

/// In this order one round settles all that is within an iteration.
void OrderTimer::sortTasks() {
  std::vector<int> waitsFor(graph.tasks.size(), 0);
  for (const Edge &edge : edges)
    waitsFor[edge.to] += edge.distance == 0;
  for (auto [task, count] : llvm::enumerate(waitsFor))
    if (count == 0)
      sequence.push_back(static_cast<int>(task));
  for (size_t next = 0; next < sequence.size(); ++next) {
    auto [begin, end] = edgesOf[sequence[next]];
    for (int index = begin; index < end; ++index)
      if (edges[index].distance == 0 && --waitsFor[edges[index].to] == 0)
        sequence.push_back(edges[index].to);
  }
  // What is left waits for itself: no interval will do.
  for (auto [task, count] : llvm::enumerate(waitsFor))
    if (count > 0)
      sequence.push_back(static_cast<int>(task));
}

/// The most that a processor or a link has to do.
int64_t OrderTimer::leastInterval(const CyclicOrder &order) const {
  int64_t most = 1;
  for (const auto &sequence : order) {
    int64_t load = 0;
    for (const OrderedTask &entry : sequence)
      load += arrangement.cycles[entry.task];
    most = std::max(most, load);
  }
  std::map<int64_t, int64_t> busy;
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    int from = arrangement.processor[value.producer];
    llvm::SmallVector<int, 4> seen = {from};
    for (const Use &use : value.uses)
      if (int to = arrangement.processor[use.task];
          !llvm::is_contained(seen, to)) {
        seen.push_back(to);
        int64_t cycles = machine.transferCycles(from, to, value.bytes);
        for (int64_t link : machine.linksHeld(from, to))
          most = std::max(most, busy[link] += cycles);
      }
  }
  return most;
}

/// A task on a cycle of what starts come from, if there is one.
std::optional<int> OrderTimer::findCycle() const {
  std::vector<int> visit(start.size(), -1);
  for (int root = 0; root < static_cast<int>(start.size()); ++root) {
    int task = root;
    while (visit[task] < 0 && via[task] >= 0) {
      visit[task] = root;
      task = edges[via[task]].from;
    }
    if (visit[task] == root && via[task] >= 0)
      return task;
  }
  return std::nullopt;
}

/// The least interval that the cycle allows; false if none does.
bool OrderTimer::growBeyond(int inCycle) {
  int64_t cycles = 0, distance = 0;
  int task = inCycle;
  do {
    cycles += edges[via[task]].cycles;
    distance += edges[via[task]].distance;
    task = edges[via[task]].from;
  } while (task != inCycle);
  if (distance <= 0)
    return false;
  arrangement.interval =
      std::max(arrangement.interval + 1, (cycles + distance - 1) / distance);
  return true;
}

/// Finds the least interval from arrangement.interval on, and the starts there.
bool OrderTimer::settle(int64_t limit) {
  settledAt = 0;
  while (arrangement.interval < limit) {
    start.assign(graph.tasks.size(), 0);
    via.assign(graph.tasks.size(), -1);
    std::vector<bool> isOpen(graph.tasks.size(), true);
    std::optional<int> cycle;
    for (bool changed = true; changed && !cycle;) {
      changed = false;
      for (int task : sequence) {
        if (!isOpen[task])
          continue;
        isOpen[task] = false;
        auto [begin, end] = edgesOf[task];
        for (int index = begin; index < end; ++index) {
          const Edge &edge = edges[index];
          int64_t next =
              start[task] + edge.cycles - edge.distance * arrangement.interval;
          if (next <= start[edge.to])
            continue;
          start[edge.to] = next;
          via[edge.to] = index;
          isOpen[edge.to] = true;
          changed = true;
        }
      }
      if (changed)
        cycle = findCycle();
    }
    if (!cycle) {
      settledAt = arrangement.interval;
      return true;
    }
    if (!growBeyond(*cycle))
      return false;
  }
  return false;
}

/// Takes over the links' times. Where dependences alone would let a task run an
/// interval earlier than the order does, its transfers are earlier, too.
bool OrderTimer::keepsTransfers(Times &times) const {
  std::vector<llvm::SmallVector<const TransferPlacement *, 2>> transfersOf(
      graph.values.size());
  for (TransferPlacement &t : times.transfers) {
    int producer = graph.values[t.value].producer;
    t.start += start[producer] - times.start[producer];
    transfersOf[t.value].push_back(&t);
  }
  times.start = start;
  for (auto [value, transfers] : llvm::zip_equal(graph.values, transfersOf))
    for (const TransferPlacement *t : transfers)
      for (const Use &use : value.uses)
        if (arrangement.processor[use.task] == t->to &&
            start[use.task] + distanceOf(value, use) * arrangement.interval <
                t->start + t->cycles + t->latency)
          return false;
  return true;
}

/// The schedule at the least interval from this one on that the dependences
/// allow, if the links allow it too.
std::optional<Schedule> OrderTimer::at(int64_t interval) {
  arrangement.interval = interval;
  if (interval != settledAt && !settle(std::numeric_limits<int64_t>::max() / 4))
    return std::nullopt;
  arrangement.position.clear();
  for (int64_t time : start)
    arrangement.position.push_back(time % arrangement.interval);
  std::optional<Times> times = Timing(machine, graph).compute(arrangement);
  if (!times || !keepsTransfers(*times))
    return std::nullopt;
  Schedule schedule = toSchedule(machine, graph, arrangement, *times);
  schedule.semantics = Semantics::Delayed;
  schedule.delay.assign(delay.begin(), delay.end());
  return schedule;
}

std::optional<Schedule> OrderTimer::run(int64_t limit) {
  arrangement.interval = least;
  if (!settle(limit))
    return std::nullopt;
  int64_t low = arrangement.interval;
  if (std::optional<Schedule> schedule = at(low))
    return schedule;
  // Transfers wait for each other: the least interval that has the time,
  // between one that is known to fail and one that is known to do.
  int64_t high = low;
  std::optional<Schedule> best;
  constexpr int kGrowths = 24;
  for (int64_t step = low / 64 + 1, tries = 0; !best && tries < kGrowths;
       ++tries, step *= 2) {
    if (high >= limit - 1)
      return std::nullopt;
    low = high;
    high = std::min(high + step, limit - 1);
    best = at(high);
  }
  while (best && high - low > high / 512 + 1) {
    int64_t middle = low + (high - low) / 2;
    if (std::optional<Schedule> schedule = at(middle)) {
      best = std::move(schedule);
      high = best->interval;
    } else {
      low = middle;
    }
  }
  return best;
}

std::optional<Schedule> takt::scheduleCyclicOrder(const Problem &problem,
                                                  const TaskGraph &graph,
                                                  const CyclicOrder &order,
                                                  llvm::ArrayRef<int> delay,
                                                  int64_t limit) {
  return OrderTimer(problem, graph, order, delay).run(limit);
}
