//===- RetimingTest.cpp - stages, registers and delays --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Retiming.h"
#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;

namespace {

TaskGraph chainOf(int layers) {
  return makeChain(std::vector<LayerSpec>(layers, product(2, 2, 2)));
}

Retiming retimed(const TaskGraph &graph, llvm::ArrayRef<int> stage) {
  llvm::Expected<Retiming> result = retimeStages(graph, stage);
  if (result)
    return std::move(*result);
  ADD_FAILURE() << llvm::toString(result.takeError());
  return {};
}

/// The retimed distance of the edge between two tasks; -1 if there is none.
int distanceOf(const TaskGraph &graph, const Retiming &retiming,
               const std::string &from, const std::string &to) {
  for (auto [value, distances] :
       llvm::zip_equal(graph.values, retiming.distance))
    if (value.producer >= 0 && graph.tasks[value.producer].name == from)
      for (auto [use, distance] : llvm::zip_equal(value.uses, distances))
        if (graph.tasks[use.task].name == to)
          return distance;
  return -1;
}

TEST(SolveDifferencesTest, AgreesWithEnumeration) {
  std::minstd_rand random(7);
  constexpr int kVariables = 4, kRange = 7;
  int solvable = 0;
  for (int round = 0; round < 300; ++round) {
    std::vector<DifferenceConstraint> constraints;
    for (int i = 0; i < 6; ++i)
      constraints.push_back({int(random() % kVariables),
                             int(random() % kVariables),
                             int64_t(random() % 5) - 2});
    // The least solution is at most the sum of all positive constants.
    std::vector<int64_t> least;
    for (int code = 0; code < kRange * kRange * kRange * kRange; ++code) {
      std::vector<int64_t> x;
      for (int rest = code, v = 0; v < kVariables; ++v, rest /= kRange)
        x.push_back(rest % kRange);
      if (llvm::any_of(constraints, [&](const auto &c) {
            return x[c.to] - x[c.from] < c.least;
          }))
        continue;
      if (least.empty())
        least = x;
      for (auto [l, value] : llvm::zip_equal(least, x))
        l = std::min(l, value);
    }
    auto solution = solveDifferences(kVariables, constraints);
    EXPECT_EQ(solution.has_value(), !least.empty());
    if (solution) {
      EXPECT_EQ(*solution, least);
      ++solvable;
    }
  }
  EXPECT_GT(solvable, 50);
  EXPECT_LT(solvable, 290);
}

/// The table of DESIGN.md and docs/scheduling.md, edge by edge.
TEST(RetimingTest, ChainFollowsTheTableOfEdges) {
  for (auto stage : {std::vector<int>{0, 0, 0, 0},
                     {0, 1, 2, 3},
                     {0, 0, 1, 2},
                     {0, 1, 1, 2},
                     {0, 0, 0, 1}}) {
    TaskGraph graph = chainOf(4);
    Retiming r = retimed(graph, stage);
    int n = stage.back() + 1;
    for (int l = 0; l < 4; ++l) {
      int behind = n - 1 - stage[l];
      std::string name = "l" + std::to_string(l);
      EXPECT_EQ(r.delay[l], 2 * behind);
      EXPECT_EQ(r.lag[graph.find(name + ".F")], stage[l]);
      EXPECT_EQ(r.lag[graph.find(name + ".U")], stage[l]);
      EXPECT_EQ(r.lag[graph.find(name + ".W")], 2 * n - 2 - stage[l]);
      EXPECT_EQ(distanceOf(graph, r, name + ".U", name + ".F"), 1);
      EXPECT_EQ(distanceOf(graph, r, name + ".W", name + ".U"), 0);
      if (l == 0)
        continue;
      std::string previous = "l" + std::to_string(l - 1);
      int border = stage[l] - stage[l - 1];
      EXPECT_EQ(distanceOf(graph, r, previous + ".F", name + ".F"), border);
      EXPECT_EQ(distanceOf(graph, r, name + ".D", previous + ".W"), border);
      if (l > 1) {
        EXPECT_EQ(distanceOf(graph, r, name + ".D", previous + ".D"), border);
      }
      EXPECT_EQ(distanceOf(graph, r, previous + ".F", name + ".W"),
                2 * behind + border);
      EXPECT_EQ(distanceOf(graph, r, name + ".U", name + ".D"), 1 + 2 * behind);
      EXPECT_EQ(weightStash(graph, r, l), 1 + 2 * behind);
      EXPECT_EQ(activationStash(graph, r, l - 1), 2 * behind + border);
    }
  }
}

/// A smaller delay on any layer makes some edge negative.
TEST(RetimingTest, DelaysAreLeast) {
  TaskGraph graph = chainOf(4);
  Retiming r = retimed(graph, {0, 1, 1, 2});
  for (int layer : {0, 1, 2}) {
    // Registers of the loop over this layer's F, W and U must cover 2·S + 1.
    int lagOfLoop = r.lag[graph.find("l" + std::to_string(layer) + ".W")] -
                    r.lag[graph.find("l" + std::to_string(layer) + ".U")];
    EXPECT_EQ(lagOfLoop, r.delay[layer]);
  }
}

TEST(RetimingTest, SkipsNeedCutsets) {
  std::vector<LayerSpec> layers(4, product(2, 2, 2));
  layers[0].name = "a";
  layers[1].name = "b";
  layers[1].reads = {0};
  layers[2].name = "c";
  layers[2].reads = {0};
  layers[3].name = "d";
  layers[3].reads = {1, 2};
  TaskGraph graph = makeTrainingGraph(layers);
  Retiming r = retimed(graph, {0, 0, 1, 1});
  EXPECT_EQ(distanceOf(graph, r, "a.F", "b.F"), 0);
  EXPECT_EQ(distanceOf(graph, r, "a.F", "c.F"), 1);
  llvm::Expected<Retiming> bad = retimeStages(graph, {1, 0, 1, 1});
  ASSERT_FALSE(bool(bad));
  EXPECT_EQ(llvm::toString(bad.takeError()),
            "'a.F' is in stage 1 and 'b.F', which needs its value 'a.y', in "
            "stage 0: stages are not bordered by cutsets");
  // b.D adds what c.D gives, so the backward tasks order b and c.
  bad = retimeStages(graph, {0, 1, 0, 1});
  ASSERT_FALSE(bool(bad));
  EXPECT_EQ(llvm::toString(bad.takeError()),
            "'c.D' is in stage 0 and 'b.D', which needs its value 'a.dy from "
            "c', in stage 1: stages are not bordered by cutsets");
  llvm::Expected<Retiming> gap = retimeStages(graph, {0, 0, 0, 2});
  ASSERT_FALSE(bool(gap));
  EXPECT_EQ(llvm::toString(gap.takeError()), "no layer is in stage 1 of 3");
}

/// Sums over every simple cycle, before and after.
class CycleSums {
public:
  CycleSums(const TaskGraph &graph, const Retiming &retiming) {
    edges.resize(graph.tasks.size());
    for (auto [value, distances] :
         llvm::zip_equal(graph.values, retiming.distance))
      if (value.producer >= 0)
        for (auto [use, after] : llvm::zip_equal(value.uses, distances))
          edges[value.producer].push_back(
              {use.task, registersBefore(graph, retiming.delay, value, use),
               after});
  }

  /// Number of simple cycles; all must have kept their sum.
  int check() {
    for (root = 0; root < static_cast<int>(edges.size()); ++root) {
      onPath.assign(edges.size(), false);
      walk(root, 0, 0);
    }
    return cycles;
  }

private:
  struct Edge {
    int to, before, after;
  };

  void walk(int task, int before, int after) {
    onPath[task] = true;
    for (const Edge &edge : edges[task]) {
      if (edge.to == root) {
        EXPECT_EQ(before + edge.before, after + edge.after);
        EXPECT_GT(before + edge.before, 0);
        ++cycles;
      } else if (edge.to > root && !onPath[edge.to]) {
        walk(edge.to, before + edge.before, after + edge.after);
      }
    }
    onPath[task] = false;
  }

  std::vector<std::vector<Edge>> edges;
  std::vector<bool> onPath;
  int root = 0, cycles = 0;
};

TEST(RetimingTest, RandomGraphsKeepAllLoops) {
  std::minstd_rand random(3);
  int cycles = 0;
  for (int round = 0; round < 100; ++round) {
    TaskGraph graph = makeRandomGraph(random, 4);
    std::vector<int> stage;
    for (size_t l = 0; l < graph.layers.size(); ++l)
      stage.push_back(l == 0 ? 0 : stage.back() + int(random() % 2));
    Retiming r = retimed(graph, stage);
    for (size_t l = 0; l < stage.size(); ++l)
      EXPECT_EQ(r.delay[l], 2 * (stage.back() - stage[l]));
    cycles += CycleSums(graph, r).check();
  }
  EXPECT_GT(cycles, 1000);
}

TEST(RetimingTest, CheckFindsBrokenRetimings) {
  TaskGraph graph = chainOf(3);
  Retiming good = retimed(graph, {0, 1, 2});
  int caught = 0;
  for (size_t value = 0; value < good.distance.size(); ++value)
    for (size_t use = 0; use < good.distance[value].size(); ++use)
      for (int change : {-1, 1}) {
        // Uses of the network's input are no edges.
        if (graph.values[value].producer < 0)
          continue;
        Retiming bad = good;
        bad.distance[value][use] += change;
        llvm::Error error = checkRetiming(graph, bad);
        EXPECT_TRUE(bool(error)) << graph.values[value].name;
        caught += bool(error);
        llvm::consumeError(std::move(error));
      }
  EXPECT_GT(caught, 40);
}

} // namespace
