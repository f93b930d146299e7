//===- ModuloTest.cpp - modulo scheduling and its parts -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/DelayStages.h"
#include "../../../lib/Scheduling/ModuloPlacer.h"
#include "../../../lib/Scheduling/ModuloTable.h"
#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <numeric>

using namespace takt;
using namespace takt::test;

namespace {

//===----------------------------------------------------------------------===//
// The reservation table
//===----------------------------------------------------------------------===//

/// The same table, cycle by cycle.
class TableOracle {
public:
  explicit TableOracle(int64_t interval)
      : interval(interval), taken(interval, -1) {}

  bool isFree(int64_t start, int64_t cycles) const {
    for (int64_t c = 0; c < cycles; ++c)
      if (taken[(start + c) % interval] >= 0)
        return false;
    return cycles <= interval;
  }
  std::optional<int64_t> earliest(int64_t ready, int64_t cycles) const {
    for (int64_t start = ready; start < ready + interval; ++start)
      if (isFree(start, cycles))
        return start;
    return std::nullopt;
  }
  void reserve(int64_t start, int64_t cycles, int owner) {
    for (int64_t c = 0; c < cycles; ++c)
      taken[(start + c) % interval] = owner;
  }
  void release(int owner) { llvm::replace(taken, owner, -1); }
  std::vector<int> conflicts(int64_t start, int64_t cycles) const {
    std::vector<int> owners;
    for (int64_t c = 0; c < cycles; ++c)
      if (int owner = taken[(start + c) % interval]; owner >= 0)
        owners.push_back(owner);
    llvm::sort(owners);
    owners.erase(llvm::unique(owners), owners.end());
    return owners;
  }

private:
  int64_t interval;
  std::vector<int> taken;
};

TEST(ModuloTableTest, EqualsATableOfCycles) {
  std::minstd_rand random(41);
  int found = 0, full = 0;
  for (int round = 0; round < 500; ++round) {
    int64_t interval = 10 + random() % 30;
    ModuloTable table(interval);
    TableOracle oracle(interval);
    for (int owner = 0; owner < 30; ++owner) {
      int64_t ready = random() % 100, cycles = 1 + random() % 9;
      ASSERT_EQ(table.isFree(ready, cycles), oracle.isFree(ready, cycles));
      auto conflicts = table.conflicts(ready, cycles);
      llvm::sort(conflicts);
      ASSERT_EQ(std::vector<int>(conflicts.begin(), conflicts.end()),
                oracle.conflicts(ready, cycles));
      std::optional<int64_t> start = table.earliest(ready, cycles);
      ASSERT_EQ(start, oracle.earliest(ready, cycles));
      for (int64_t tight : table.tightStarts(ready, cycles))
        ASSERT_TRUE(oracle.isFree(tight, cycles));
      ++(start ? found : full);
      if (start) {
        table.reserve(*start, cycles, owner);
        oracle.reserve(*start, cycles, owner);
      }
      if (random() % 3 == 0) {
        int other = random() % (owner + 1);
        table.release(other);
        oracle.release(other);
      }
    }
  }
  EXPECT_GT(found, 1000);
  EXPECT_GT(full, 1000);
}

TEST(ModuloTableTest, WhatTakesNoTimeIsNotWithinAnother) {
  ModuloTable table(10);
  table.reserve(8, 4, 0); // [8, 12): over the end
  EXPECT_TRUE(table.isFree(8, 0));
  EXPECT_FALSE(table.isFree(10, 0));
  EXPECT_TRUE(table.isFree(12, 0));
  table.reserve(5, 0, 1);
  EXPECT_FALSE(table.isFree(4, 2));
  EXPECT_TRUE(table.isFree(5, 3));
  EXPECT_EQ(table.earliest(4, 2), 5);
  EXPECT_EQ(table.load(), 4);
}

//===----------------------------------------------------------------------===//
// Stages
//===----------------------------------------------------------------------===//

/// Whether any stages give each layer the delay that it needs, and the least
/// sum of delays.
class StagesOracle {
public:
  StagesOracle(const TaskGraph &graph, llvm::ArrayRef<int> needed)
      : graph(graph), needed(needed), stage(graph.layers.size()) {
    search(0);
  }

  std::optional<int> leastSum;

private:
  void search(size_t layer) {
    if (layer == stage.size())
      return judge();
    for (stage[layer] = 0; stage[layer] < static_cast<int>(stage.size());
         ++stage[layer])
      search(layer + 1);
  }

  void judge() {
    int last = *llvm::max_element(stage);
    for (int s = 0; s <= last; ++s)
      if (!llvm::is_contained(stage, s))
        return;
    for (const Value &value : graph.values)
      for (const Use &use : value.uses)
        if (value.producer >= 0 && use.distance == 0 &&
            graph.tasks[value.producer].kind == TaskKind::Forward &&
            graph.tasks[use.task].kind == TaskKind::Forward &&
            stage[graph.tasks[value.producer].layer] >
                stage[graph.tasks[use.task].layer])
          return;
    auto count = static_cast<int>(stage.size());
    if (llvm::all_of(needed, [](int need) { return need <= 1; }))
      leastSum = std::min(leastSum.value_or(count), count);
    for (int factor : {1, 2}) {
      int sum = 0;
      bool suffices = true;
      for (auto [s, need] : llvm::zip_equal(stage, needed)) {
        suffices &= factor * (last - s) >= need;
        sum += factor * (last - s);
      }
      if (suffices)
        leastSum = std::min(leastSum.value_or(sum), sum);
    }
  }

  const TaskGraph &graph;
  llvm::ArrayRef<int> needed;
  std::vector<int> stage;
};

TEST(DelayStagesTest, AreFoundWhereThereAreAny) {
  std::minstd_rand random(42);
  int some = 0, none = 0, least = 0;
  for (int round = 0; round < 400; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    TaskGraph graph = makeRandomGraph(random, 5);
    std::vector<int> needed;
    for (size_t l = 0; l < graph.layers.size(); ++l)
      needed.push_back(random() % (2 * graph.layers.size() - l));
    std::optional<DelayStages> found = stagesFor(graph, needed);
    StagesOracle oracle(graph, needed);
    ASSERT_EQ(found.has_value(), oracle.leastSum.has_value());
    ++(found ? some : none);
    if (!found)
      continue;
    int sum = std::accumulate(found->delay.begin(), found->delay.end(), 0);
    EXPECT_GE(sum, *oracle.leastSum);
    least += sum == *oracle.leastSum;
    std::vector<std::vector<int>> largest = largestDelays(graph);
    for (size_t l = 0; l < needed.size(); ++l) {
      EXPECT_GE(found->delay[l], needed[l]);
      EXPECT_LE(found->delay[l], std::max(largest[0][l], largest[1][l]));
    }
  }
  EXPECT_GT(some, 60);
  EXPECT_GT(none, 100);
  EXPECT_GT(least, some * 9 / 10);
}

TEST(DelayStagesTest, AsManyAsAskedFor) {
  TaskGraph graph = makeChain(std::vector<LayerSpec>(4, product(2, 2, 2)));
  std::vector<int> needed = {2, 1, 0, 0};
  EXPECT_EQ(stagesFor(graph, needed)->delay, (std::vector<int>{2, 1, 0, 0}));
  EXPECT_EQ(stagesFor(graph, needed, 4)->delay, (std::vector<int>{3, 2, 1, 0}));
  EXPECT_FALSE(stagesFor(graph, needed, 1));
  EXPECT_FALSE(stagesFor(graph, needed, 5));
  // The last layer is the last stage's; one update behind everywhere is legal.
  EXPECT_EQ(stagesFor(graph, {1, 1, 1, 1})->delay,
            (std::vector<int>{1, 1, 1, 1}));
  EXPECT_FALSE(stagesFor(graph, {2, 1, 1, 1}));
}

/// In every order of layers, one of those named has too few behind it.
TEST(DelayStagesTest, NameTheLayersInTheWay) {
  std::minstd_rand random(45);
  int conflicts = 0;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    TaskGraph graph = makeRandomGraph(random, 5);
    auto count = static_cast<int>(graph.layers.size());
    std::vector<int> needed;
    for (int l = 0; l < count; ++l)
      needed.push_back(random() % (2 * count));
    if (stagesFor(graph, needed))
      continue;
    ++conflicts;
    StagesConflict conflict = stagesConflict(graph, needed);
    ASSERT_FALSE(conflict.layers.empty());
    for (int layer : conflict.layers)
      EXPECT_GT(needed[layer], 2 * conflict.behind);
    std::vector<int> order(count);
    std::iota(order.begin(), order.end(), 0);
    do {
      std::vector<int> place(count);
      for (int i = 0; i < count; ++i)
        place[order[i]] = i;
      bool isOrder = true, isNamed = false;
      for (const Value &value : graph.values)
        for (const Use &use : value.uses)
          if (value.producer >= 0 && use.distance == 0 &&
              graph.tasks[value.producer].kind == TaskKind::Forward &&
              graph.tasks[use.task].kind == TaskKind::Forward)
            isOrder &= place[graph.tasks[value.producer].layer] <=
                       place[graph.tasks[use.task].layer];
      for (int layer : conflict.layers)
        isNamed |= count - 1 - place[layer] <= conflict.behind;
      EXPECT_TRUE(!isOrder || isNamed);
    } while (std::next_permutation(order.begin(), order.end()));
  }
  EXPECT_GT(conflicts, 100);
}

//===----------------------------------------------------------------------===//
// Placing
//===----------------------------------------------------------------------===//

/// A loop of three times 8 cycles over one iteration does not fit into less;
/// another iteration on the loop, and it does.
TEST(ModuloPlacerTest, KeepsTheDistancesOfLoops) {
  Instance instance(makeChain({product(2, 2, 2), product(2, 2, 2)}), 5);
  Problem problem = instance.problem();
  Deadline none{std::nullopt};
  auto isPlaced = [&](int64_t interval, std::vector<int> delay) {
    PlacementRequest request;
    request.interval = interval;
    request.delay = std::move(delay);
    request.deadline = &none;
    return placeModulo(problem, instance.graph, request).has_value();
  };
  // F0 F1 D1 W0 and F1 W1.
  EXPECT_TRUE(isPlaced(32, {0, 0}));
  EXPECT_FALSE(isPlaced(31, {0, 0}));
  EXPECT_TRUE(isPlaced(16, {1, 0}));
  EXPECT_FALSE(isPlaced(15, {1, 0}));
  EXPECT_FALSE(isPlaced(15, {9, 0}));
  EXPECT_TRUE(isPlaced(8, {9, 9}));
  EXPECT_FALSE(isPlaced(7, {9, 9}));
}

TEST(ModuloPlacerTest, GivesWayUntilAllFits) {
  std::minstd_rand random(43);
  Deadline none{std::nullopt};
  int placed = 0, rounds = 100;
  for (int round = 0; round < rounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance(makeRandomGraph(random, 5), 2 + random() % 3);
    instance.machine.interconnect.bytesPerCycle = 16;
    Problem problem = instance.problem();
    Schedule sequential = scheduleOf("sequential", problem);
    PlacementRequest request;
    request.interval = sequential.interval * 2 / 3;
    request.delay = largestDelays(instance.graph).front();
    request.deadline = &none;
    std::optional<Schedule> s = placeModulo(problem, instance.graph, request);
    if (!s)
      continue;
    std::optional<std::vector<int>> needed = neededDelays(*s);
    ASSERT_TRUE(needed);
    for (auto [need, most] : llvm::zip_equal(*needed, request.delay))
      EXPECT_LE(need, most);
    std::optional<DelayStages> stages = stagesFor(instance.graph, *needed);
    ASSERT_TRUE(stages);
    s->stages = stages->stages;
    s->stage = stages->stage;
    s->delay = stages->delay;
    llvm::Error error = verify(problem, *s);
    EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
    ++placed;
  }
  EXPECT_GT(placed, rounds / 2);
}

//===----------------------------------------------------------------------===//
// The scheduler
//===----------------------------------------------------------------------===//

/// Free to place any task anywhere, it should gain on the chain's schedules
/// where links are slow or memory is short, and seldom lose.
TEST(ModuloTest, GainsOnTheChainFamily) {
  std::minstd_rand random(44);
  int better = 0, worse = 0;
  double ratio = 0;
  constexpr int kRounds = 80;
  for (int round = 0; round < kRounds; ++round) {
    Instance instance(makeRandomGraph(random, 6), 2 + random() % 4);
    if (round % 2) {
      instance.machine.interconnect.topology =
          random() % 2 ? Topology::Bus : Topology::Full;
      instance.machine.interconnect.bytesPerCycle = 1 + random() % 8;
      instance.machine.interconnect.latencyCycles = random() % 50;
    }
    Schedule modulo = scheduleOf("modulo", instance.problem());
    Schedule chain = scheduleOf("layerpipe", instance.problem());
    better += modulo.interval < chain.interval;
    worse += modulo.interval > chain.interval;
    ratio += double(modulo.interval) / double(chain.interval) / kRounds;
  }
  EXPECT_GT(better, kRounds / 5);
  EXPECT_LE(worse, kRounds / 20);
  EXPECT_LT(ratio, 0.98);
}

/// One layer is the last stage, whose updates have no delay, unless all have.
TEST(ModuloTest, DelaysTheOnlyLayer) {
  Instance instance(makeChain({product(2, 2, 2)}), 2);
  Schedule s = scheduleOf("modulo", instance.problem());
  EXPECT_EQ(s.interval, 8);
  EXPECT_EQ(s.delay, std::vector<int>{1});
}

} // namespace
