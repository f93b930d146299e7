//===- LayerPipeReplicatedTest.cpp - LayerPipe or replicas ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"

using namespace takt;
using namespace takt::test;

namespace {
/// Per minibatch.
double intervalOf(const Schedule &schedule) {
  return double(schedule.interval) / schedule.graph.minibatches;
}

int64_t bytesOf(const Problem &problem, const Schedule &schedule) {
  return metrics(problem, schedule).communicationBytes;
}

int64_t mostMemory(const Problem &problem, const Schedule &schedule) {
  return *llvm::max_element(peakMemory(problem, schedule));
}

TEST(LayerPipeReplicatedTest, IsNeverBehindTheTwoThatItIsMadeOf) {
  std::minstd_rand random(47);
  int replicated = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance(makeRandomGraph(random, 6), 1 + random() % 5);
    instance.machine.interconnect.bytesPerCycle = random() % 3 * 8;
    Problem problem = instance.problem();
    Schedule replicas = scheduleOf("pipedream-replicated", problem);
    Schedule both = scheduleOf("layerpipe-replicated", problem);
    EXPECT_LE(intervalOf(both), intervalOf(scheduleOf("layerpipe", problem)));
    EXPECT_LE(intervalOf(both), intervalOf(replicas));
    if (intervalOf(both) == intervalOf(replicas)) {
      EXPECT_LE(bytesOf(problem, both), bytesOf(problem, replicas));
    }
    replicated += !both.replicas.empty();
  }
  EXPECT_GT(replicated, 10);
}

/// A bus, which the exchange of large weights keeps busy: PipeDream replicates
/// the other layers, and LayerPipe, which divides tasks, is ahead of that.
TEST(LayerPipeReplicatedTest, LeavesReplicasWhereExchangeIsDear) {
  std::vector<LayerSpec> layers(6, product(1200, 10, 10));
  layers.push_back(product(1, 450, 450));
  Instance instance(makeChain(layers), 4);
  instance.machine.interconnect.topology = Topology::Bus;
  instance.machine.interconnect.bytesPerCycle = 1;
  Schedule replicas = scheduleOf("pipedream-replicated", instance.problem());
  Schedule both = scheduleOf("layerpipe-replicated", instance.problem());
  EXPECT_FALSE(replicas.replicas.empty());
  EXPECT_TRUE(both.replicas.empty());
  EXPECT_LT(intervalOf(both), intervalOf(replicas));
}

/// Whole networks on all processors where links are free; with leave to take
/// longer, fewer bytes.
TEST(LayerPipeReplicatedTest, TradesIntervalForBytes) {
  std::vector<LayerSpec> layers(6, product(1200, 10, 10));
  layers.push_back(product(1, 450, 450));
  Instance instance(makeChain(layers), 4);
  Problem problem = instance.problem();
  Schedule fastest = scheduleOf("layerpipe-replicated", problem);
  ScheduleOptions options;
  options.intervalTolerance = 300;
  Schedule slower = scheduleOf("layerpipe-replicated", problem, options);
  EXPECT_LE(intervalOf(slower), intervalOf(fastest) * 1.3);
  EXPECT_LT(bytesOf(problem, slower), bytesOf(problem, fastest) / 2);
}

/// Replicas need whole weights, and LayerPipe's schedule does not.
TEST(LayerPipeReplicatedTest, FitsWhereReplicasDoNot) {
  Instance instance(makeChain(std::vector<LayerSpec>(8, product(4, 40, 40))),
                    4);
  Problem problem = instance.problem();
  Schedule replicas = scheduleOf("pipedream-replicated", problem);
  ASSERT_FALSE(replicas.replicas.empty());
  Schedule single = scheduleOf("layerpipe", problem);
  instance.machine.classes[0].memoryBytes = mostMemory(problem, single);
  ASSERT_LT(instance.machine.classes[0].memoryBytes,
            mostMemory(problem, replicas));
  Schedule both = scheduleOf("layerpipe-replicated", problem);
  EXPECT_LE(intervalOf(both), intervalOf(single));
}
} // namespace
