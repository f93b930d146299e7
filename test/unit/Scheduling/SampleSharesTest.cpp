//===- SampleSharesTest.cpp - layers shared out by samples ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/SampleShares.h"
#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;

namespace {

int64_t workOf(const Instance &instance) {
  int64_t work = 0;
  for (const Task &task : instance.graph.tasks)
    work += *taskCycles(*instance.cost, task, instance.machine.classes[0]);
  return work;
}

/// A chain of layers of random width, each with `batch` samples.
Instance randomChain(std::minstd_rand &random, int64_t batch, int processors) {
  std::vector<LayerSpec> layers;
  int64_t width = 1 + random() % 20;
  for (int left = 1 + random() % 6; left > 0; --left) {
    int64_t next = 1 + random() % 20;
    layers.push_back(product(batch, next, width));
    layers.back().divisible = true;
    width = next;
  }
  return Instance(makeChain(layers), processors);
}

TEST(SampleSharesTest, KeepsTheIntervalAndWasteIsSmall) {
  std::minstd_rand random(31);
  for (int round = 0; round < 200; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int processors = 1 + static_cast<int>(random() % 6);
    Instance instance = randomChain(random, 24, processors);
    Problem problem = instance.problem();
    int64_t even = workOf(instance) / processors + 1;
    // One sample of all layers is the most that a processor can have left over.
    int64_t enough = even + workOf(instance) / 24 + 1;
    std::optional<Assignment> found = shareSamples(problem, processors, enough);
    ASSERT_TRUE(found.has_value());
    EXPECT_LE(found->leastInterval(instance.machine), enough);
    EXPECT_FALSE(shareSamples(problem, processors, even - 2).has_value());
    // On one processor nothing crosses.
    std::optional<Assignment> alone =
        shareSamples(problem, processors, workOf(instance));
    ASSERT_TRUE(alone.has_value());
    EXPECT_EQ(alone->bytes(), 0);
    EXPECT_TRUE(alone->cuts.empty());
  }
}

/// The best of all ways to divide all samples of all layers, or whole layers,
/// among two processors in the chain's order.
int64_t leastBytesOfTwo(const Instance &instance, int64_t interval) {
  Problem problem = instance.problem();
  const TaskGraph &graph = instance.graph;
  auto layers = static_cast<int>(graph.layers.size());
  int64_t least = std::numeric_limits<int64_t>::max();
  auto consider = [&](const Assignment &assignment) {
    if (assignment.leastInterval(instance.machine) <= interval)
      least = std::min(least, assignment.bytes());
  };
  for (int border = 0; border <= layers; ++border) {
    Assignment whole;
    place(problem, whole, [&](int task, int) {
      return static_cast<int>(graph.tasks[task].layer >= border);
    });
    consider(whole);
  }
  for (int64_t at = 1; at < 8; ++at) {
    Assignment shared;
    for (auto [index, task] : llvm::enumerate(graph.tasks))
      if (!task.cuts.empty())
        shared.cuts.push_back({static_cast<int>(index),
                               sampleAxis(task.kind),
                               {at},
                               {true, true}});
    for (int home : {0, 1}) {
      place(problem, shared,
            [&](int, int part) { return part == kWhole ? home : part; });
      consider(shared);
    }
  }
  return least;
}

TEST(SampleSharesTest, NoneOfTheSimpleWaysHasFewerBytes) {
  std::minstd_rand random(32);
  int64_t found = 0, simple = 0;
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = randomChain(random, 8, 2);
    int64_t interval = workOf(instance) * (11 + round % 5) / 20;
    int64_t least = leastBytesOfTwo(instance, interval);
    std::optional<Assignment> best =
        shareSamples(instance.problem(), 2, interval);
    if (least == std::numeric_limits<int64_t>::max())
      continue;
    ASSERT_TRUE(best.has_value());
    // What the search adds up is what the assignment moves, but for weights
    // that a share of a layer does not need.
    EXPECT_LE(best->bytes(), least);
    found += best->bytes();
    simple += least;
  }
  EXPECT_LT(found, simple);
}

} // namespace
