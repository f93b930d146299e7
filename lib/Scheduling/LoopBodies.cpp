//===- LoopBodies.cpp - the order in which processors issue tasks ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Schedule.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <set>

using namespace takt;

namespace {
/// Puts the tasks of one instant of the period into an order along the
/// dependences among them, which are those that take no time.
class InstantSorter {
public:
  InstantSorter(const Machine &machine, const Schedule &schedule)
      : machine(machine), schedule(schedule),
        valuesOf(schedule.graph.tasks.size()) {
    for (auto [index, value] : llvm::enumerate(schedule.graph.values))
      if (value.producer >= 0 && schedule.tasks[value.producer].cycles == 0)
        valuesOf[value.producer].push_back(static_cast<int>(index));
  }

  void sort(llvm::MutableArrayRef<int> tasks) const;

private:
  template <typename Fn> void forEachInstantUse(int task, Fn fn) const;

  const Machine &machine;
  const Schedule &schedule;
  std::vector<llvm::SmallVector<int, 1>> valuesOf; ///< of tasks of no duration
};
} // namespace

/// Calls fn for the tasks that wait for `task` at its own instant.
template <typename Fn>
void InstantSorter::forEachInstantUse(int task, Fn fn) const {
  const Placement &from = schedule.tasks[task];
  for (int index : valuesOf[task]) {
    const Value &value = schedule.graph.values[index];
    for (const Use &use : value.uses) {
      const Placement &to = schedule.tasks[use.task];
      int64_t latency =
          machine.transferCycles(from.processor, to.processor, value.bytes) +
          machine.transferLatency(from.processor, to.processor);
      int64_t due =
          to.start + distance(schedule, value, use) * schedule.interval;
      if (latency == 0 && due == from.start && use.task != task)
        fn(use.task);
    }
  }
}

void InstantSorter::sort(llvm::MutableArrayRef<int> tasks) const {
  if (tasks.size() < 2)
    return;
  llvm::SmallDenseMap<int, int> waiting; // for look-ups only
  for (int task : tasks)
    waiting[task] = 0;
  for (int task : tasks)
    forEachInstantUse(task, [&](int user) {
      if (auto it = waiting.find(user); it != waiting.end())
        ++it->second;
    });
  // Tasks of some duration come last: nothing of this instant waits for them.
  auto key = [&](int task) {
    return std::pair(schedule.tasks[task].cycles > 0, task);
  };
  std::set<std::pair<bool, int>> ready;
  for (int task : tasks)
    if (waiting[task] == 0)
      ready.insert(key(task));
  std::vector<int> sorted;
  while (!ready.empty()) {
    int task = ready.begin()->second;
    ready.erase(ready.begin());
    sorted.push_back(task);
    forEachInstantUse(task, [&](int user) {
      auto it = waiting.find(user);
      if (it != waiting.end() && --it->second == 0)
        ready.insert(key(user));
    });
  }
  // A circle of tasks without duration is left as it is; verify() rejects it.
  if (sorted.size() == tasks.size())
    llvm::copy(sorted, tasks.begin());
}

std::vector<std::vector<int>> takt::loopBodies(const Machine &machine,
                                               const Schedule &schedule) {
  auto position = [&](int task) {
    return schedule.tasks[task].start % schedule.interval;
  };
  auto order = llvm::to_vector(
      llvm::seq<int>(0, static_cast<int>(schedule.tasks.size())));
  llvm::sort(order, [&](int a, int b) {
    return std::pair(position(a), a) < std::pair(position(b), b);
  });
  InstantSorter sorter(machine, schedule);
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && position(order[end]) == position(order[begin]))
      ++end;
    sorter.sort(llvm::MutableArrayRef<int>(order).slice(begin, end - begin));
  }
  std::vector<std::vector<int>> bodies(machine.processors());
  for (int task : order)
    bodies[schedule.tasks[task].processor].push_back(task);
  return bodies;
}
