//===- NetworkPipelineTest.cpp - synchronous pipelines of networks --------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestGraphs.h"
#include "TestLinks.h"
#include "takt/Scheduling/Pipeline.h"
#include "gmock/gmock.h"

using namespace takt;
using namespace takt::test;

namespace {
/// A step in microbatches: F, D and W of each, W adding to what the microbatch
/// before accumulated, one update.
class Divider {
public:
  Divider(const TaskGraph &whole, int count) : whole(whole), count(count) {}

  TaskGraph run() {
    graph.name = whole.name;
    graph.layers = whole.layers;
    at.assign(count, std::vector<int>(whole.tasks.size(), -1));
    for (int m = 0; m < count; ++m)
      addTasks(m, /*updates=*/false);
    addTasks(count - 1, /*updates=*/true);
    for (const Value &value : whole.values)
      addValues(value);
    return std::move(graph);
  }

private:
  bool isUpdate(int task) const {
    return whole.tasks[task].kind == TaskKind::Update;
  }

  void addTasks(int m, bool updates) {
    for (size_t old = 0; old < whole.tasks.size(); ++old) {
      if (isUpdate(int(old)) != updates)
        continue;
      Task task = whole.tasks[old];
      if (!updates)
        task.name += ".m" + std::to_string(m);
      task.microbatch = m;
      task.cuts.clear();
      // With the first microbatch's: wgrads, and what is with one of them.
      if (task.colocated >= 0)
        task.colocated = at[0][task.colocated];
      else if (task.kind == TaskKind::Wgrad && m > 0)
        task.colocated = at[0][old];
      at[m][old] = int(graph.tasks.size());
      if (updates)
        for (std::vector<int> &each : at)
          each[old] = at[m][old];
      graph.tasks.push_back(std::move(task));
    }
  }

  void addValues(const Value &value) {
    bool once = value.producer < 0 || isUpdate(value.producer);
    for (int m = 0; m < (once ? 1 : count); ++m) {
      Value copy = value;
      copy.name += once ? "" : ".m" + std::to_string(m);
      copy.producer = value.producer < 0 ? -1 : at[m][value.producer];
      copy.uses.clear();
      for (const Use &use : value.uses)
        addUses(use, value, once, m, copy);
      graph.values.push_back(std::move(copy));
    }
  }

  void addUses(Use use, const Value &value, bool once, int m, Value &copy) {
    auto add = [&](int task, int distance) {
      Use added = use;
      added.task = task;
      added.distance = distance;
      copy.uses.push_back(added);
    };
    if (once && !isUpdate(use.task)) {
      for (int each = 0; each < count; ++each)
        add(at[each][use.task], use.distance);
    } else if (once || m == count - 1) {
      add(at[once || use.distance == 0 ? m : 0][use.task], use.distance);
    } else if (isUpdate(use.task)) { // the gradient so far
      add(at[m + 1][value.producer], 0);
    } else {
      add(at[use.distance == 0 ? m : m + 1][use.task], 0);
    }
  }

  const TaskGraph &whole;
  int count;
  TaskGraph graph;
  std::vector<std::vector<int>> at; ///< by microbatch and the whole's task
};

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
  llvm::Expected<Schedule> found = schedule(name, instance.problem(), {});
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
    Instance instance(Divider(makeRandomGraph(random, 8), microbatches).run(),
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

/// Stage 0 of n takes back the last microbatch of a step n - 1 microbatches
/// into the next: with n - 1 above their number one update behind is too few.
TEST(PipeDream2bwTest, RandomNetworksUnderOneDelay) {
  std::minstd_rand random(22);
  for (int round = 0; round < 100; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int processors = 1 + int(random() % 5),
        microbatches = 1 + int(random() % 8);
    TaskGraph whole = makeRandomGraph(random, 8);
    Instance instance(Divider(whole, microbatches).run(), processors);
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
      if (value.kind == ValueClass::Weight)
        EXPECT_LE(versions(s, value), 2) << value.name;
  }
}

TEST(PipeDream2bwTest, EvenChainsHaveNoBubble) {
  // A layer of 24 cycles a stage, the first of 16; 4 microbatches a step.
  for (int stages = 2; stages <= 5; ++stages) {
    std::vector<LayerSpec> layers(stages, product(2, 2, 2));
    Instance instance(Divider(makeChain(layers), 4).run(), stages);
    Schedule s = scheduleOf("pipedream-2bw", instance.problem());
    EXPECT_EQ(s.stages, stages);
    EXPECT_EQ(s.interval, 4 * 24);
  }
  // Six stages would need a second update behind.
  Instance instance(
      Divider(makeChain(std::vector<LayerSpec>(6, product(2, 2, 2))), 4).run(),
      6);
  EXPECT_EQ(scheduleOf("pipedream-2bw", instance.problem()).stages, 5);
}

TEST(NetworkPipelineTest, DelayedSchedulesTakeWholeMinibatches) {
  Instance instance(Divider(makeChain({product(2, 2, 2)}), 2).run(), 1);
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
  Instance instance(Divider(makeChain(layers), 8).run(), 4);
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
