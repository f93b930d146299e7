//===- CyclicOrderTest.cpp - intervals of cyclic orders -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/CyclicOrder.h"
#include "TestGraphs.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;

namespace {
/// Whether starts exist at an interval: no cycle is positive, by the longest
/// paths between all pairs.
bool isPossible(const Instance &instance, const CyclicOrder &order,
                llvm::ArrayRef<int> delay, int64_t interval) {
  const TaskGraph &graph = instance.graph;
  size_t n = graph.tasks.size();
  constexpr int64_t kNone = std::numeric_limits<int64_t>::min() / 4;
  std::vector<std::vector<int64_t>> longest(n, std::vector<int64_t>(n, kNone));
  std::vector<int64_t> cycles(n);
  std::vector<size_t> processor(n);
  for (size_t p = 0; p < order.size(); ++p)
    for (const OrderedTask &entry : order[p]) {
      processor[entry.task] = p;
      cycles[entry.task] =
          *taskCycles(*instance.cost, graph.tasks[entry.task],
                      instance.machine.processorClass(int64_t(p)));
    }
  auto follow = [&](int from, int to, int64_t lag) {
    longest[from][to] = std::max(longest[from][to], lag);
  };
  for (const Value &value : graph.values)
    for (const Use &use : value.uses) {
      if (value.producer < 0)
        continue;
      int64_t hop = processor[value.producer] == processor[use.task]
                        ? 0
                        : instance.machine.interconnect.latencyCycles;
      int away = use.distance +
                 (use.delayed ? delay[graph.tasks[value.producer].layer] : 0);
      follow(value.producer, use.task,
             cycles[value.producer] + hop - away * interval);
    }
  for (const auto &sequence : order)
    for (size_t i = 0; i < sequence.size(); ++i) {
      OrderedTask next = sequence[(i + 1) % sequence.size()];
      int away = next.ahead - sequence[i].ahead + (i + 1 == sequence.size());
      follow(sequence[i].task, next.task,
             cycles[sequence[i].task] - away * interval);
    }
  for (size_t via = 0; via < n; ++via)
    for (size_t a = 0; a < n; ++a)
      for (size_t b = 0; b < n; ++b)
        if (longest[a][via] > kNone && longest[via][b] > kNone)
          longest[a][b] =
              std::max(longest[a][b], longest[a][via] + longest[via][b]);
  for (size_t v = 0; v < n; ++v)
    if (longest[v][v] > 0)
      return false;
  return true;
}

/// The graph's order on random processors, forward tasks of some processors an
/// iteration ahead.
CyclicOrder randomOrder(const TaskGraph &graph, int processors,
                        std::minstd_rand &random) {
  CyclicOrder order(processors);
  std::vector<int> home(graph.tasks.size()), ahead(processors);
  for (int &a : ahead)
    a = int(random() % 3);
  for (int task = 0; task < int(graph.tasks.size()); ++task) {
    const Task &of = graph.tasks[task];
    home[task] =
        of.colocated >= 0 ? home[of.colocated] : int(random() % processors);
    auto &sequence = order[home[task]];
    sequence.push_back(
        {task, of.kind == TaskKind::Forward ? ahead[home[task]] : 0});
    if (random() % 8 == 0 && sequence.size() > 1)
      std::swap(sequence.back(), sequence[sequence.size() - 2]);
  }
  return order;
}

TEST(CyclicOrderTest, LeastIntervalOfRandomOrders) {
  std::minstd_rand random(31);
  int found = 0, refused = 0;
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int processors = 1 + int(random() % 3);
    Instance instance(makeRandomGraph(random, 4), processors);
    instance.machine.interconnect.latencyCycles = random() % 20;
    CyclicOrder order = randomOrder(instance.graph, processors, random);
    std::vector<int> delay(instance.graph.layers.size(), int(random() % 3));
    std::optional<Schedule> schedule =
        scheduleCyclicOrder(instance.problem(), instance.graph, order, delay);
    // More than every task and hop after the other does not help.
    int64_t all = 1;
    for (const Task &task : instance.graph.tasks)
      all += 20 + *taskCycles(*instance.cost, task,
                              instance.machine.processorClass(0));
    if (!schedule) {
      EXPECT_FALSE(isPossible(instance, order, delay, all));
      ++refused;
      continue;
    }
    ++found;
    EXPECT_TRUE(isPossible(instance, order, delay, schedule->interval));
    int64_t most = 1;
    for (const auto &sequence : order) {
      int64_t load = 0;
      for (const OrderedTask &entry : sequence)
        load += schedule->tasks[entry.task].cycles;
      most = std::max(most, load);
    }
    // By bisection, for a longer interval is never worse.
    EXPECT_TRUE(schedule->interval == most ||
                !isPossible(instance, order, delay, schedule->interval - 1));
  }
  EXPECT_GT(found, 50);
  EXPECT_GT(refused, 5);
}
} // namespace
