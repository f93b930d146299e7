//===- NetworkPipelineTest.cpp - synchronous pipelines of networks --------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestGraphs.h"
#include "TestLinks.h"
#include "TestMicrobatches.h"
#include "takt/Scheduling/Pipeline.h"
#include "gmock/gmock.h"

using namespace takt;
using namespace takt::test;

namespace {
/// Copies of a weight from its update to its last reader, on any processor.
int64_t versions(const Schedule &s, const Value &value) {
  int64_t made = s.tasks[value.producer].start, last = made;
  for (const Use &use : value.uses)
    last = std::max(last, s.tasks[use.task].start + s.tasks[use.task].cycles +
                              distance(s, value, use) * s.interval);
  return (last - made + s.interval - 1) / s.interval;
}

/// Fails but for a refusal that names the schedule's own demand.
void expectLegalOrRefused(const Instance &instance, llvm::StringRef name) {
  // Of one microbatch, `ilp` and `auto` would delay gradients.
  ScheduleOptions options;
  options.semantics = Semantics::Synchronous;
  llvm::Expected<Schedule> found = schedule(name, instance.problem(), options);
  if (!found) {
    EXPECT_THAT(llvm::toString(found.takeError()),
                testing::HasSubstr("microbatches"))
        << name.str();
    return;
  }
  // schedule() has verified it; no step is shorter than its bounds.
  EXPECT_GE(found->interval, bounds(instance.problem(), *found).best())
      << name.str();
  EXPECT_EQ(found->semantics, Semantics::Synchronous);
  EXPECT_THAT(found->delay, testing::Each(0));
}

TEST(NetworkPipelineTest, EveryPipelineOfRandomNetworksIsLegal) {
  std::minstd_rand random(21);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int processors = 1 + int(random() % 4),
        microbatches = 1 + int(random() % 8);
    Instance instance(inMicrobatches(makeRandomGraph(random, 8), microbatches),
                      processors);
    ASSERT_EQ(llvm::toString(check(instance.problem())), "");
    if (round % 5 == 0)
      addFastProcessor(instance.machine);
    if (round % 2)
      connectRandomly(instance.machine, random);
    for (const PipelineScheduler &info : pipelineSchedulers())
      if (info.name != "ilp" && info.name != "auto" && info.name != "zb-auto")
        expectLegalOrRefused(instance, info.name);
    if (round % 10 == 0) // searches
      for (llvm::StringRef name : {"zb-auto", "ilp", "auto"})
        expectLegalOrRefused(instance, name);
  }
}

/// What adapts to the memory refuses no network that a published schedule fits.
TEST(NetworkPipelineTest, WhatAdaptsFitsWherePublishedSchedulesDo) {
  std::minstd_rand random(23);
  int tight = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int processors = 2 + int(random() % 3),
        microbatches = 2 + int(random() % 4);
    Instance instance(inMicrobatches(makeRandomGraph(random, 8), microbatches),
                      processors);
    Problem problem = instance.problem();
    int64_t &memory = instance.machine.classes[0].memoryBytes;
    llvm::Expected<Schedule> published = schedule("zb-h1", problem, {});
    ASSERT_TRUE(bool(published)) << llvm::toString(published.takeError());
    memory = *llvm::max_element(peakMemory(problem, *published));
    published = schedule("zb-h1", problem, {});
    ASSERT_TRUE(bool(published)) << llvm::toString(published.takeError());
    llvm::Expected<Schedule> found = schedule("zb-auto", problem, {});
    ASSERT_TRUE(bool(found)) << llvm::toString(found.takeError());
    EXPECT_LE(*llvm::max_element(peakMemory(problem, *found)), memory);
    tight += found->interval > published->interval;
  }
  EXPECT_LT(tight, 5); // in memory that suits another one
}

/// Stage 0 of n takes back the last microbatch of a step n - 1 microbatches
/// into the next: with n - 1 above their number one update behind is too few.
TEST(PipeDream2bwTest, RandomNetworksUnderOneDelay) {
  std::minstd_rand random(22);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int processors = 1 + int(random() % 5),
        microbatches = 1 + int(random() % 8);
    TaskGraph whole = makeRandomGraph(random, 8);
    Instance instance(inMicrobatches(whole, microbatches), processors);
    Interconnect &links = instance.machine.interconnect;
    if (round % 2) {
      links.topology = random() % 2 ? Topology::Bus : Topology::Full;
      links.bytesPerCycle = 1 + random() % 8;
      links.latencyCycles = random() % 50;
    }
    Schedule s = scheduleOf("pipedream-2bw", instance.problem());
    EXPECT_EQ(s.semantics, Semantics::Delayed);
    EXPECT_THAT(s.delay, testing::Each(s.stages > 1 ? 1 : 0));
    EXPECT_LE(s.stages, std::min(processors, microbatches + 1));
    EXPECT_GE(s.interval, bounds(instance.problem(), s).best());
    EXPECT_LE(s.interval,
              scheduleOf("sequential", instance.problem()).interval);
    for (const Value &value : s.graph.values)
      if (value.kind == ValueClass::Weight) {
        EXPECT_LE(versions(s, value), 2) << value.name;
      }
  }
}

TEST(PipeDream2bwTest, EvenChainsHaveNoBubble) {
  // A layer of 24 cycles a stage, the first of 16; 4 microbatches a step.
  for (int stages = 2; stages <= 5; ++stages) {
    std::vector<LayerSpec> layers(stages, product(2, 2, 2));
    Instance instance(inMicrobatches(makeChain(layers), 4), stages);
    Schedule s = scheduleOf("pipedream-2bw", instance.problem());
    EXPECT_EQ(s.stages, stages);
    EXPECT_EQ(s.interval, 4 * 24);
  }
  // Six stages would need a second update behind.
  Instance instance(
      inMicrobatches(makeChain(std::vector<LayerSpec>(6, product(2, 2, 2))), 4),
      6);
  EXPECT_EQ(scheduleOf("pipedream-2bw", instance.problem()).stages, 5);
}

TEST(NetworkPipelineTest, DelayedSchedulesTakeWholeMinibatches) {
  Instance instance(inMicrobatches(makeChain({product(2, 2, 2)}), 2), 1);
  for (llvm::StringRef name : {"pipedream", "layerpipe"}) {
    llvm::Expected<Schedule> found = schedule(name, instance.problem(), {});
    ASSERT_FALSE(bool(found));
    EXPECT_THAT(llvm::toString(found.takeError()),
                testing::HasSubstr("whole minibatches, found microbatches"));
  }
}

TEST(NetworkPipelineTest, EvenChainsReachThePublishedFigures) {
  // Eight equal layers of 8 cycles a task on 4 processors, 8 microbatches: two
  // layers a stage, the first without a dgrad.
  std::vector<LayerSpec> layers(8, product(2, 2, 2));
  Instance instance(inMicrobatches(makeChain(layers), 8), 4);
  auto interval = [&](llvm::StringRef name) {
    return scheduleOf(name, instance.problem()).interval;
  };
  // One processor: 8 * (3 * 64 - 8).
  EXPECT_EQ(interval("sequential"), 1472);
  // A straight pipeline is bounded by a whole stage's work, (8 + 3) F + D + W.
  EXPECT_LE(interval("1f1b"), 11 * 48);
  EXPECT_LE(interval("zb-h1"), interval("1f1b"));
  EXPECT_LE(interval("zb-h2"), interval("zb-h1"));
}
} // namespace
