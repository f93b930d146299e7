//===- ScheduleTest.cpp - all schedulers, and what verify() finds ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/DelaySearch.h"
#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <numeric>
#include <set>

using namespace takt;
using namespace takt::test;
using testing::HasSubstr;

namespace {

std::string messageOf(llvm::Error error) {
  return error ? llvm::toString(std::move(error)) : std::string();
}

//===----------------------------------------------------------------------===//
// Schedulers
//===----------------------------------------------------------------------===//

/// schedule() verifies; here it must also succeed, and be within the bounds.
void expectLegal(const Instance &instance, llvm::StringRef name) {
  Problem problem = instance.problem();
  ScheduleOptions options;
  // A proof may take a second; whatever was found by then is to be legal.
  if (name == "ilp" || name == "auto")
    options.timeLimitSeconds = 0.05;
  llvm::Expected<Schedule> s = schedule(name, problem, options);
  ASSERT_TRUE(bool(s)) << name.str() << ": " << llvm::toString(s.takeError());
  EXPECT_GE(s->interval, bounds(problem, *s).best()) << name.str();
  EXPECT_EQ(s->scheduler, name);
}

TEST(SchedulersTest, RandomGraphsOnUniformMachines) {
  std::minstd_rand random(11);
  for (int round = 0; round < 150; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 7, 1, 5);
    for (const SchedulerInfo &info : schedulers())
      expectLegal(instance, info.name);
  }
}

TEST(SchedulersTest, RandomGraphsWithSlowLinks) {
  std::minstd_rand random(12);
  for (int round = 0; round < 150; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 6, 1, 4);
    instance.machine.interconnect.topology =
        random() % 2 ? Topology::Bus : Topology::Full;
    instance.machine.interconnect.bytesPerCycle = 1 + random() % 8;
    instance.machine.interconnect.latencyCycles = random() % 50;
    for (const SchedulerInfo &info : schedulers())
      expectLegal(instance, info.name);
  }
}

TEST(SchedulersTest, RandomGraphsOnMixedMachinesWithVectorUnits) {
  std::minstd_rand random(13);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    TaskGraph graph = makeRandomGraph(random, 6);
    for (Task &task : graph.tasks)
      if (random() % 2)
        task.work.push_back({task.kind, {}, int64_t(random() % 40)});
    Instance instance(std::move(graph), 1);
    for (int c = 0; c < 3; ++c) {
      ProcessorClass on = instance.machine.classes[0];
      on.name = "class" + std::to_string(c);
      on.macsPerCycle = 1 + random() % 3;
      on.vectorLanes = random() % 3;
      instance.machine.classes.push_back(on);
    }
    for (const SchedulerInfo &info : schedulers())
      expectLegal(instance, info.name);
  }
}

/// Nothing takes any time: the schedules must still be in an order.
TEST(SchedulersTest, TasksWithoutDuration) {
  std::minstd_rand random(14);
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    TaskGraph graph = makeRandomGraph(random, 6);
    for (Task &task : graph.tasks)
      if (random() % 3 || round < 10) {
        task.work.clear();
        task.cuts.clear();
      }
    Instance instance(std::move(graph), 3);
    for (const SchedulerInfo &info : schedulers())
      expectLegal(instance, info.name);
  }
}

TEST(SchedulersTest, ForwardOnlyGraphs) {
  TaskGraph whole = makeChain(std::vector<LayerSpec>(6, product(4, 4, 4)));
  TaskGraph graph;
  graph.name = "forward";
  graph.layers = whole.layers;
  graph.tasks.assign(whole.tasks.begin(), whole.tasks.begin() + 6);
  for (Value value : whole.values) {
    llvm::erase_if(value.uses, [](const Use &use) { return use.task >= 6; });
    if (value.producer < 6 && !value.uses.empty())
      graph.values.push_back(value);
  }
  Instance instance(std::move(graph), 3);
  for (const SchedulerInfo &info : schedulers())
    expectLegal(instance, info.name);
  EXPECT_EQ(scheduleOf("layerpipe", instance.problem()).interval, 128);
}

TEST(SchedulersTest, TwoLayersAsWorkedOutByHand) {
  // Two layers of 8 MACs a task; the first has no dgrad.
  Instance instance(makeChain({product(2, 2, 2), product(2, 2, 2)}), 2);
  Problem problem = instance.problem();
  EXPECT_EQ(scheduleOf("sequential", problem).interval, 40);
  // Only the wgrads run beside the chain F F D W.
  EXPECT_EQ(scheduleOf("list", problem).interval, 32);
  EXPECT_EQ(scheduleOf("pipedream", problem).interval, 24);
  EXPECT_EQ(scheduleOf("layerpipe", problem).interval, 20);
}

TEST(SchedulersTest, StalenessIsThatOfTheStages) {
  std::vector<LayerSpec> layers(12, product(8, 8, 8));
  for (int processors = 1; processors <= 8; ++processors) {
    Instance instance(makeChain(layers), processors);
    Schedule layerpipe = scheduleOf("layerpipe", instance.problem());
    std::set<int> delays(layerpipe.delay.begin(), layerpipe.delay.end());
    std::set<int> expected;
    for (int s = 0; s < layerpipe.stages; ++s)
      expected.insert(2 * s);
    EXPECT_EQ(delays, expected);
    EXPECT_LE(layerpipe.stages, processors / 2 + 2);

    Schedule pipedream = scheduleOf("pipedream", instance.problem());
    EXPECT_LE(pipedream.stages, processors);
    for (size_t l = 0; l < layers.size(); ++l)
      EXPECT_EQ(pipedream.delay[l], pipedream.stages - 1 - pipedream.stage[l]);
    for (llvm::StringRef name : {"sequential", "list"})
      EXPECT_THAT(scheduleOf(name, instance.problem()).delay, testing::Each(0));
  }
}

/// Without stash: as fast, no staler than twice the stages behind, and with
/// less memory wherever a version was kept.
TEST(SchedulersTest, CurrentWeightsNeedNoStash) {
  std::minstd_rand random(23);
  int smaller = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance(makeRandomGraph(random, 9), 2 + random() % 4);
    for (llvm::StringRef name : {"pipedream", "layerpipe"}) {
      ScheduleOptions options;
      Schedule stash = scheduleOf(name, instance.problem(), options);
      options.weights = WeightVersions::Latest;
      Schedule latest = scheduleOf(name, instance.problem(), options);
      EXPECT_EQ(latest.interval, stash.interval);
      for (auto [layer, delay] : llvm::enumerate(latest.delay)) {
        EXPECT_LE(delay, stash.delay[layer]);
      }
      auto total = [&](const Schedule &schedule) {
        auto bytes = peakMemory(instance.problem(), schedule);
        return std::accumulate(bytes.begin(), bytes.end(), int64_t(0));
      };
      EXPECT_LE(total(latest), total(stash));
      smaller += total(latest) < total(stash);
    }
  }
  EXPECT_GT(smaller, 50);
}

TEST(SchedulersTest, AskedForStages) {
  Instance instance(makeChain(std::vector<LayerSpec>(6, product(8, 8, 8))), 3);
  for (int stages = 1; stages <= 6; ++stages) {
    ScheduleOptions options;
    options.stages = stages;
    Schedule s = scheduleOf("layerpipe", instance.problem(), options);
    EXPECT_EQ(s.stages, stages);
    EXPECT_EQ(s.delay[0], 2 * (stages - 1));
  }
  ScheduleOptions tooMany;
  tooMany.stages = 7;
  llvm::Expected<Schedule> s =
      schedule("layerpipe", instance.problem(), tooMany);
  ASSERT_FALSE(bool(s));
  EXPECT_EQ(llvm::toString(s.takeError()),
            "schedule 'layerpipe' with 7 stages of 6 layers");
}

TEST(SchedulersTest, LayerPipeIsNeverBehindPipeDream) {
  std::minstd_rand random(15);
  int better = 0;
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 8, 2, 5);
    Problem problem = instance.problem();
    Schedule layerpipe = scheduleOf("layerpipe", problem);
    Schedule pipedream = scheduleOf("pipedream", problem);
    EXPECT_LE(layerpipe.interval, pipedream.interval);
    better += layerpipe.interval < pipedream.interval;
  }
  EXPECT_GT(better, 50);
}

TEST(SchedulersTest, NoneIsSlowerThanOneProcessor) {
  std::minstd_rand random(16);
  int parallel = 0, alone = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 7, 2, 5);
    Interconnect &links = instance.machine.interconnect;
    links.topology = random() % 2 ? Topology::Full : Topology::Bus;
    links.bytesPerCycle = 1 + random() % 16;
    links.latencyCycles = random() % 40;
    int64_t sequential = scheduleOf("sequential", instance.problem()).interval;
    for (llvm::StringRef name : {"list", "pipedream", "layerpipe"}) {
      Schedule s = scheduleOf(name, instance.problem());
      EXPECT_LE(s.interval, sequential) << name.str();
      (s.transfers.empty() ? alone : parallel) += name == "list";
    }
  }
  EXPECT_GT(parallel, 8);
  EXPECT_GT(alone, 8);
}

/// Free links leave list both processors; a slow one keeps the two tasks that
/// share much together.
TEST(SchedulersTest, ListKeepsTogetherWhatLinksWouldDelay) {
  Instance instance(makeChain({product(8, 8, 8), product(8, 8, 8)}), 2);
  Schedule apart = scheduleOf("list", instance.problem());
  // F0 F1 D1 in a row, then W0 beside W1: 5 tasks' time is 4.
  EXPECT_EQ(apart.interval, 4 * 512);
  // The 256 bytes that W1 reads or W0 reads take 512 cycles: no gain is left.
  instance.machine.interconnect.bytesPerCycle = 1;
  instance.machine.interconnect.latencyCycles = 256;
  Schedule together = scheduleOf("list", instance.problem());
  EXPECT_EQ(together.interval, 5 * 512);
  EXPECT_TRUE(together.transfers.empty());
}

TEST(SchedulersTest, SameInputSameSchedule) {
  std::minstd_rand random(16);
  Instance instance(makeRandomGraph(random, 12), 4);
  for (const SchedulerInfo &info : schedulers()) {
    Schedule a = scheduleOf(info.name, instance.problem());
    Schedule b = scheduleOf(info.name, instance.problem());
    for (auto [x, y] : llvm::zip_equal(a.tasks, b.tasks))
      EXPECT_EQ(std::pair(x.processor, x.start),
                std::pair(y.processor, y.start));
  }
}

TEST(SchedulersTest, UnknownNameIsAnError) {
  Instance instance(makeChain({product(2, 2, 2)}), 1);
  llvm::Expected<Schedule> s = schedule("fastest", instance.problem(), {});
  ASSERT_FALSE(bool(s));
  std::string message = llvm::toString(s.takeError());
  llvm::StringRef names = message;
  EXPECT_TRUE(names.consume_front("unknown schedule 'fastest', expected one of "
                                  "sequential, "))
      << message;
  for (const SchedulerInfo &info : schedulers())
    EXPECT_TRUE(llvm::StringRef(message).contains(info.name)) << message;
}

//===----------------------------------------------------------------------===//
// verify()
//===----------------------------------------------------------------------===//

class VerifyTest : public testing::Test {
protected:
  VerifyTest()
      : instance(makeChain({product(4, 4, 4), product(5, 5, 4),
                            product(5, 6, 5), product(5, 3, 6)}),
                 3) {
    instance.machine.interconnect.bytesPerCycle = 64;
    good = scheduleOf("layerpipe", instance.problem());
  }

  std::string problemOf(const Schedule &s) const {
    return messageOf(verify(instance.problem(), s));
  }

  Instance instance;
  Schedule good;
};

TEST_F(VerifyTest, AcceptsWhatIsRight) {
  EXPECT_EQ(problemOf(good), "");
  EXPECT_FALSE(good.cuts.empty());
  EXPECT_FALSE(good.transfers.empty());
}

TEST_F(VerifyTest, FindsAnotherGraph) {
  Schedule bad = good;
  bad.cuts.clear();
  EXPECT_THAT(problemOf(bad), HasSubstr("but its cuts of the problem give"));
  bad = good;
  bad.graph.values[0].bytes += 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("is not the problem's value"));
  bad = good;
  bad.graph.tasks[1].work[0].gemm.m += 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("is not the problem's task"));
}

TEST_F(VerifyTest, FindsMissingTasksAndProcessors) {
  Schedule bad = good;
  bad.tasks.pop_back();
  EXPECT_THAT(problemOf(bad), HasSubstr("the schedule places"));
  bad = good;
  bad.tasks[0].processor = 3;
  EXPECT_THAT(problemOf(bad), HasSubstr("is on processor 3 of 3"));
  bad = good;
  bad.tasks[0].start = -1;
  EXPECT_THAT(problemOf(bad), HasSubstr("starts at -1"));
  bad = good;
  bad.interval = 0;
  EXPECT_THAT(problemOf(bad), HasSubstr("the interval is 0"));
}

TEST_F(VerifyTest, FindsWrongCycles) {
  Schedule bad = good;
  bad.tasks[0].cycles -= 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("but cost model 'macs' says 64"));
}

TEST_F(VerifyTest, FindsAnUpdateAwayFromItsWgrad) {
  for (size_t t = 0; t < good.tasks.size(); ++t)
    if (good.graph.tasks[t].kind == TaskKind::Update) {
      Schedule bad = good;
      bad.tasks[t].processor = (bad.tasks[t].processor + 1) % 3;
      EXPECT_THAT(problemOf(bad), HasSubstr("is not with"));
    }
}

TEST_F(VerifyTest, FindsWrongStagesAndDelays) {
  Schedule bad = good;
  bad.delay[0] += 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("layer 'l0' has delay"));
  bad = good;
  std::reverse(bad.stage.begin(), bad.stage.end());
  EXPECT_THAT(problemOf(bad), HasSubstr("stages are not cutsets"));
  bad = good;
  bad.stages += 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("no layer is in stage"));
  bad = good;
  bad.semantics = Semantics::Synchronous;
  EXPECT_THAT(problemOf(bad), HasSubstr("synchronous semantics 0 is expected"));
}

TEST_F(VerifyTest, FindsWrongWeightVersions) {
  Schedule current = scheduleOf("layerpipe2", instance.problem());
  EXPECT_EQ(current.weights, WeightVersions::Average);
  EXPECT_EQ(problemOf(current), "");
  auto weight = llvm::max_element(current.lead) - current.lead.begin();
  ASSERT_GT(current.lead[weight], 0);
  int layer = current.graph.tasks[current.graph.values[weight].producer].layer;
  Schedule bad = current;
  bad.lead[weight] = bad.delay[layer] + 2;
  EXPECT_THAT(problemOf(bad), HasSubstr("expected 0 to " +
                                        std::to_string(bad.delay[layer] + 1)));
  bad = current;
  bad.lead.pop_back();
  EXPECT_THAT(problemOf(bad), HasSubstr("the schedule has leads of"));
  bad = current;
  bad.weights = WeightVersions::Stash;
  EXPECT_THAT(problemOf(bad),
              HasSubstr("with all versions kept 0 is expected"));
  bad = current;
  bad.delay[layer] = 2 * bad.stages;
  EXPECT_THAT(problemOf(bad), HasSubstr("twice the stages behind its own"));
  // What is newer than that is not there yet.
  bad = current;
  bad.delay[layer] -= 1;
  bad.lead[weight] -= 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("at distance"));
  bad = scheduleOf("list", instance.problem());
  bad.weights = WeightVersions::Latest;
  EXPECT_THAT(problemOf(bad), HasSubstr("there is nothing to keep"));
}

TEST_F(VerifyTest, FindsWrongTransfers) {
  Schedule bad = good;
  bad.transfers.pop_back();
  EXPECT_THAT(problemOf(bad), HasSubstr("does not get from"));
  bad = good;
  bad.transfers.push_back(bad.transfers[0]);
  EXPECT_THAT(problemOf(bad), HasSubstr("second transfer of"));
  bad = good;
  bad.transfers[0].cycles += 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("but the machine says"));
  bad = good;
  bad.transfers[0].start -= 10000;
  EXPECT_THAT(problemOf(bad), HasSubstr("before the end of"));
  bad = good;
  std::swap(bad.transfers[0].from, bad.transfers[0].to);
  EXPECT_THAT(problemOf(bad), HasSubstr("does not leave the processor"));
}

/// Any other start breaks a dependence, an exclusive processor or the order.
TEST_F(VerifyTest, FindsShiftedTasks) {
  int found = 0;
  for (size_t t = 0; t < good.tasks.size(); ++t)
    for (int64_t shift : {int64_t(-7), int64_t(7), -good.interval}) {
      if (good.tasks[t].cycles == 0 || good.tasks[t].start + shift < 0)
        continue;
      Schedule bad = good;
      bad.tasks[t].start += shift;
      found += !problemOf(bad).empty();
    }
  EXPECT_GT(found, static_cast<int>(good.tasks.size()));
}

TEST_F(VerifyTest, NamesBothSidesOfAnOverlap) {
  Instance two(makeChain({product(2, 2, 2), product(2, 2, 2)}), 1);
  Schedule s = scheduleOf("sequential", two.problem());
  s.tasks[two.graph.find("l1.W")].start = 20;
  EXPECT_EQ(messageOf(verify(two.problem(), s)),
            "schedule 'sequential': 'l1.D' [16, 24) on processor 0 and 'l1.W' "
            "[20, 28) on processor 0 overlap on processor 0 modulo the "
            "interval of 40");
}

TEST_F(VerifyTest, NamesBothSidesOfALateValue) {
  Instance two(makeChain({product(2, 2, 2), product(2, 2, 2)}), 2);
  Schedule s = scheduleOf("sequential", two.problem());
  std::swap(s.tasks[0].start, s.tasks[1].start);
  EXPECT_EQ(messageOf(verify(two.problem(), s)),
            "schedule 'sequential': 'l1.F' [0, 8) on processor 0 needs 'l0.y' "
            "of 'l0.F' [8, 16) on processor 0, at distance 0 with interval 40");
}

//===----------------------------------------------------------------------===//
// check()
//===----------------------------------------------------------------------===//

TEST(CheckTest, FindsProblemsWithoutAnswer) {
  Instance instance(makeChain({product(2, 2, 2)}), 1);
  instance.graph.tasks[0].work[0].gemm.m = int64_t(1) << 62;
  EXPECT_THAT(messageOf(check(instance.problem())),
              HasSubstr("cost model 'macs' has no answer for task 'l0.F'"));
  instance.graph.tasks[0].work[0].gemm = {int64_t(1) << 59, 1, 1, 1};
  EXPECT_THAT(messageOf(check(instance.problem())),
              HasSubstr("more in all than can be scheduled"));
}

TEST(CheckTest, FindsBadGraphs) {
  auto messageWith = [](llvm::function_ref<void(TaskGraph &)> change) {
    TaskGraph graph = makeChain({product(2, 2, 2), product(2, 2, 2)});
    EXPECT_EQ(messageOf(graph.check()), "");
    change(graph);
    return messageOf(graph.check());
  };
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.tasks[1].name = "l0.F"; }),
            "two tasks are named 'l0.F'");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.tasks[1].layer = 2; }),
            "task 'l1.F' is of layer 2 of 2");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.tasks[4].colocated = -1; }),
            "update 'l1.U' is not colocated with a wgrad");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.tasks[4].colocated = 2; }),
            "update 'l1.U' is colocated with 'l1.D', which is no wgrad");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.values[0].bytes = -1; }),
            "value 'l0.y' has -1 bytes");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.values[0].rows = -1; }),
            "value 'l0.y' has -1 rows");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.values[0].producer = 9; }),
            "value 'l0.y' is made by task 9 of 7");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.values[0].uses[0].task = 0; }),
            "value 'l0.y' goes from 'l0.F' to 'l0.F', against the order of "
            "tasks");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.tasks[2].cuts[0].extent = 1; }),
            "task 'l1.D' has a cut along an axis of extent 1, expected 2 to 2");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.tasks[2].cuts[0].extent = 3; }),
            "task 'l1.D' has a cut along an axis of extent 3, expected 2 to 2");
  EXPECT_EQ(messageWith([](TaskGraph &g) { g.tasks[0].work[0].bytesOut = -1; }),
            "task 'l0.F' has negative work");
  EXPECT_EQ(messageWith([](TaskGraph &g) {
              g.tasks[0].work[0].bytesIn = 8;
              g.tasks[0].work[0].rowBytesIn = 9;
            }),
            "task 'l0.F' reads 9 bytes of rows of 8");
  EXPECT_EQ(messageWith([](TaskGraph &g) {
              g.tasks[4].cuts.push_back({CutAxis::Batch, 2});
            }),
            "task 'l1.U' has cuts, expected work that starts with a matrix "
            "product and no update");
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

TEST(MemoryTest, SequentialHoldsEachValueOnce) {
  Instance instance(makeChain({product(2, 2, 2), product(2, 2, 2)}), 2);
  Schedule s = scheduleOf("sequential", instance.problem());
  // Input 64; y, dy, dy of the loss, two weights and their gradients: 16 each.
  EXPECT_EQ(peakMemory(instance.problem(), s),
            (std::vector<int64_t>{64 + 7 * 16, 0}));
}

TEST(MemoryTest, StashesCount) {
  Instance instance(makeChain(std::vector<LayerSpec>(8, product(4, 4, 4))), 4);
  auto total = [&](llvm::StringRef name) {
    Schedule s = scheduleOf(name, instance.problem());
    int64_t sum = 0;
    for (int64_t bytes : peakMemory(instance.problem(), s))
      sum += bytes;
    return sum;
  };
  EXPECT_GT(total("pipedream"), total("sequential"));
  EXPECT_GT(total("layerpipe"), total("sequential"));
}

TEST(MemoryTest, TooLittleMemoryNamesTheOwners) {
  Instance instance(makeChain({product(2, 2, 2), product(2, 2, 2)}), 1);
  instance.machine.classes[0].memoryBytes = 100;
  llvm::Expected<Schedule> s = schedule("sequential", instance.problem(), {});
  ASSERT_FALSE(bool(s));
  EXPECT_EQ(llvm::toString(s.takeError()),
            "schedule 'sequential': processor 0 holds 176 bytes at cycle 24 of "
            "the interval, but its memory has 100 (class 'systolic'); the "
            "largest owners are input (64 bytes x 1), l0.dw (16 bytes x 1), "
            "l0.dy (16 bytes x 1)");
  instance.machine.classes[0].memoryBytes = 15;
  s = schedule("sequential", instance.problem(), {});
  ASSERT_FALSE(bool(s));
  EXPECT_EQ(llvm::toString(s.takeError()),
            "task 'l0.F' needs 16 bytes of weights and state at hand, but the "
            "largest memory of a processor has 15");
}

/// Between what an unlimited layerpipe takes and what is impossible there are
/// limits that it can meet only by another assignment or fewer stages.
TEST(MemoryTest, LayerPipeGivesWayToALimit) {
  Instance instance(makeChain(std::vector<LayerSpec>(10, product(6, 6, 6))), 4);
  Schedule free = scheduleOf("layerpipe", instance.problem());
  int64_t most = *llvm::max_element(peakMemory(instance.problem(), free));
  instance.machine.classes[0].memoryBytes = most - 1;
  Schedule limited = scheduleOf("layerpipe", instance.problem());
  EXPECT_LT(*llvm::max_element(peakMemory(instance.problem(), limited)), most);
  EXPECT_GE(limited.interval, free.interval);
}

/// What lies below the need of the fastest schedule still gets one, down to
/// where the refusal says what the best try needs; that much then suffices.
TEST(MemoryTest, LimitsAreMetOrTheNeedIsNamed) {
  std::minstd_rand random(17);
  int met = 0, refused = 0;
  for (int round = 0; round < 10; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 8, 2, 4);
    if (round % 2)
      instance.machine.interconnect.bytesPerCycle = 4;
    Problem problem = instance.problem();
    int64_t &memory = instance.machine.classes[0].memoryBytes;
    while (true) {
      llvm::Expected<Schedule> s = schedule("layerpipe", problem, {});
      if (!s) {
        std::string message = llvm::toString(s.takeError());
        EXPECT_TRUE(llvm::StringRef(message).contains("lacks least") ||
                    llvm::StringRef(message).contains("at hand"))
            << message;
        ++refused;
        break;
      }
      met += memory > 0;
      memory = *llvm::max_element(peakMemory(problem, *s)) - 1;
    }
  }
  EXPECT_GT(met, 15);
  EXPECT_EQ(refused, 10);
}

TEST(MemoryTest, TheFastestScheduleGivesWay) {
  for (int layers : {4, 6, 10, 16}) {
    Instance instance(
        makeChain(std::vector<LayerSpec>(layers, product(6, 6, 6))), 4);
    Problem problem = instance.problem();
    Schedule fastest = scheduleOf("layerpipe", problem);
    instance.machine.classes[0].memoryBytes =
        *llvm::max_element(peakMemory(problem, fastest)) - 1;
    Schedule fitting = scheduleOf("layerpipe", problem);
    EXPECT_LE(*llvm::max_element(peakMemory(problem, fitting)),
              instance.machine.classes[0].memoryBytes);
    // Not by leaving all to one processor.
    EXPECT_LT(fitting.interval, scheduleOf("sequential", problem).interval);
  }
}

/// Bytes alive on each processor at each moment of a steady interval, by
/// writing down every instance.
static std::vector<int64_t> aliveAtOnce(const Schedule &s, int64_t processors) {
  constexpr int kInstances = 30;
  std::vector<int64_t> most(processors, 0);
  for (int64_t p = 0; p < processors; ++p)
    for (int64_t t = kInstances / 2 * s.interval;
         t < (kInstances / 2 + 1) * s.interval; ++t) {
      int64_t bytes = 0;
      for (const Value &value : s.graph.values) {
        if (value.producer < 0 || s.tasks[value.producer].processor != p)
          continue;
        const Placement &from = s.tasks[value.producer];
        int64_t end = from.start + from.cycles;
        for (const Use &use : value.uses)
          if (s.tasks[use.task].processor == p && use.task != value.producer)
            end = std::max(end, s.tasks[use.task].start +
                                    s.tasks[use.task].cycles +
                                    distance(s, value, use) * s.interval);
        for (int i = 0; i < kInstances; ++i)
          bytes += value.bytes * (from.start + i * s.interval <= t &&
                                  t < end + i * s.interval);
      }
      most[p] = std::max(most[p], bytes);
    }
  return most;
}

TEST(MemoryTest, HoldsAtLeastWhatIsAlive) {
  std::minstd_rand random(18);
  for (int round = 0; round < 15; ++round) {
    int64_t m = 1 + random() % 4;
    int64_t n = 1 + random() % 4;
    LayerSpec small = product(m, n, 2);
    Instance instance(makeChain(std::vector<LayerSpec>(4, small)), 2);
    for (llvm::StringRef name : {"sequential", "pipedream", "layerpipe"}) {
      Schedule s = scheduleOf(name, instance.problem());
      std::vector<int64_t> held = peakMemory(instance.problem(), s);
      std::vector<int64_t> alive = aliveAtOnce(s, 2);
      for (int p : {0, 1})
        EXPECT_GE(held[p], alive[p]) << name.str() << " " << p;
    }
  }
}

TEST(MemoryTest, GapsTradeTimeForDelays) {
  Instance instance(makeChain(std::vector<LayerSpec>(8, product(4, 4, 4))), 4);
  Problem problem = instance.problem();
  Assignment assignment;
  assignment.graph = instance.graph;
  for (const Task &task : instance.graph.tasks)
    assignment.processor.push_back(task.layer / 2);
  computeCycles(problem, assignment);
  Deadline none{std::nullopt};
  int64_t work = 0;
  for (int64_t cycles : assignment.cycles)
    work += cycles;
  auto stagesAt = [&](int64_t interval) {
    DelayRequest request{interval, 0, 0, &none};
    std::optional<Schedule> s = scheduleWithGaps(problem, assignment, request);
    return s ? s->stages : 0;
  };
  EXPECT_EQ(stagesAt(work), 1);
  EXPECT_EQ(stagesAt(assignment.leastInterval(instance.machine) - 1), 0);
  EXPECT_GT(stagesAt(2 * work / 5), 1);
}

//===----------------------------------------------------------------------===//
// Time limits
//===----------------------------------------------------------------------===//

TEST(TimeLimitTest, EndsEarlyWithTheBestFound) {
  std::minstd_rand random(19);
  Instance instance(makeLongChain(random, 200), 32, "systolic");
  instance.machine.interconnect.topology = Topology::Bus;
  instance.machine.interconnect.bytesPerCycle = 8;
  ScheduleOptions none, limited;
  limited.timeLimitSeconds = 0;
  Schedule first = scheduleOf("layerpipe", instance.problem(), limited);
  Schedule best = scheduleOf("layerpipe", instance.problem(), none);
  EXPECT_GT(first.interval, best.interval);
}

/// A limit that is not reached changes nothing.
TEST(TimeLimitTest, AnAmpleOneGivesTheSameSchedule) {
  std::minstd_rand random(20);
  for (int round = 0; round < 10; ++round) {
    Instance instance(makeRandomGraph(random, 6), 3);
    instance.machine.interconnect.bytesPerCycle = 8;
    ScheduleOptions ample;
    ample.timeLimitSeconds = 1000;
    for (llvm::StringRef name : {"pipedream", "layerpipe"}) {
      Schedule a = scheduleOf(name, instance.problem());
      Schedule b = scheduleOf(name, instance.problem(), ample);
      EXPECT_LE(b.interval, a.interval);
      if (name == "pipedream") {
        EXPECT_EQ(a.stage, b.stage);
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// Figures
//===----------------------------------------------------------------------===//

TEST(MetricsTest, CountWhatCrosses) {
  Instance instance(makeChain({product(2, 2, 2), product(2, 2, 2)}), 2);
  Schedule s = scheduleOf("pipedream", instance.problem());
  Metrics m = metrics(instance.problem(), s);
  EXPECT_EQ(m.singleProcessorCycles, 40);
  EXPECT_EQ(m.communicationBytes, 32);
  EXPECT_EQ(m.busyCycles, (std::vector<int64_t>{16, 24}));
  EXPECT_DOUBLE_EQ(m.speedup, 40.0 / 24);
  EXPECT_DOUBLE_EQ(m.utilization, 40.0 / 48);
}

TEST(LoopBodiesTest, HoldEachTaskOnceInTheOrderOfPositions) {
  std::minstd_rand random(17);
  for (int round = 0; round < 30; ++round) {
    Instance instance(makeRandomGraph(random, 8), 3);
    Schedule s = scheduleOf("layerpipe", instance.problem());
    std::set<int> seen;
    for (auto [p, body] : llvm::enumerate(loopBodies(instance.machine, s))) {
      int64_t position = 0;
      for (int task : body) {
        EXPECT_TRUE(seen.insert(task).second);
        EXPECT_EQ(s.tasks[task].processor, static_cast<int>(p));
        EXPECT_GE(s.tasks[task].start % s.interval, position);
        position = s.tasks[task].start % s.interval;
      }
    }
    EXPECT_EQ(seen.size(), s.tasks.size());
  }
}

} // namespace
