//===- OracleTest.cpp - algorithms against enumeration --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/ChainFamily.h"
#include "../../../lib/Scheduling/Cuts.h"
#include "../../../lib/Scheduling/LinkTable.h"
#include "../../../lib/Scheduling/PipeDream.h"
#include "../../../lib/Scheduling/StagePartition.h"
#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;

namespace {

//===----------------------------------------------------------------------===//
// The straight partition
//===----------------------------------------------------------------------===//

/// All assignments of layers to stages in which stages do not decrease along
/// the dependences of layers.
class PartitionOracle {
public:
  explicit PartitionOracle(const Instance &instance)
      : problem(instance.problem()), graph(instance.graph),
        stages(instance.machine.processors()), stage(graph.layers.size()),
        cycles(stages, std::vector<int64_t>(graph.layers.size(), 0)) {
    for (auto [processor, ofLayer] : llvm::enumerate(cycles))
      for (const Task &task : graph.tasks)
        ofLayer[task.layer] += *taskCycles(
            *instance.cost, task, instance.machine.processorClass(processor));
    search(0);
  }

  int64_t largest = std::numeric_limits<int64_t>::max();
  int64_t bytes = 0; ///< over borders, least among the best
  /// The least interval of a 1F1B schedule.
  int64_t interval = std::numeric_limits<int64_t>::max();

  /// Each value counts at each border between used stages that it spans.
  int64_t borderBytes(llvm::ArrayRef<int> stage) const {
    int64_t total = 0;
    for (int border = 1; border < stages; ++border) {
      if (!llvm::is_contained(stage, border))
        continue;
      bool isFirst = llvm::none_of(stage, [&](int s) { return s < border; });
      for (const Value &value : graph.values) {
        if (value.producer < 0 || isFirst)
          continue;
        bool below = stage[graph.tasks[value.producer].layer] < border;
        total +=
            value.bytes * llvm::any_of(value.uses, [&](const Use &use) {
              return (stage[graph.tasks[use.task].layer] < border) != below;
            });
      }
    }
    return total;
  }

private:
  void search(size_t layer) {
    if (layer == stage.size())
      return judge();
    for (stage[layer] = 0; stage[layer] < stages; ++stage[layer])
      search(layer + 1);
  }

  bool isMonotone() const {
    for (const Value &value : graph.values)
      for (const Use &use : value.uses) {
        if (value.producer < 0 || use.distance > 0)
          continue;
        const Task &from = graph.tasks[value.producer];
        const Task &to = graph.tasks[use.task];
        bool f = from.kind == TaskKind::Forward;
        bool t = to.kind == TaskKind::Forward;
        if ((f && t && stage[from.layer] > stage[to.layer]) ||
            (!f && !t && stage[from.layer] < stage[to.layer]))
          return false;
      }
    return true;
  }

  void judge() {
    if (!isMonotone())
      return;
    std::vector<int64_t> load(stages, 0);
    for (auto [layer, s] : llvm::enumerate(stage))
      load[s] += cycles[s][layer];
    int64_t most = *llvm::max_element(load);
    int64_t crossing = borderBytes(stage);
    if (std::pair(most, crossing) < std::pair(largest, bytes) ||
        most < largest) {
      largest = most;
      bytes = crossing;
    }
    schedule();
  }

  void schedule() {
    StagePartition partition;
    for (int s = 0; s < stages; ++s)
      if (llvm::is_contained(stage, s))
        partition.processor.push_back(s);
    for (int s : stage)
      partition.stage.push_back(llvm::find(partition.processor, s) -
                                partition.processor.begin());
    if (std::optional<Schedule> s = schedulePipeline(problem, partition))
      interval = std::min(interval, s->interval);
  }

  Problem problem;
  const TaskGraph &graph;
  int stages;
  std::vector<int> stage;
  std::vector<std::vector<int64_t>> cycles; ///< by processor, layer
};

TEST(PartitionOracleTest, LargestStageIsLeast) {
  std::minstd_rand random(21);
  int several = 0;
  for (int round = 0; round < 1000; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 6, 1, 4);
    if (round % 3 == 0)
      addFastProcessor(instance.machine);
    StagePartition partition = partitionStages(instance.problem());
    PartitionOracle oracle(instance);
    EXPECT_EQ(partition.largest, oracle.largest);
    EXPECT_EQ(oracle.borderBytes(partition.stage), oracle.bytes);
    several += partition.processor.size() > 1;
    Schedule s = scheduleOf("pipedream", instance.problem());
    EXPECT_EQ(s.interval, oracle.largest);
    // A value that spans several borders is sent once to each user, so the
    // schedule may move fewer bytes than the borders count.
    EXPECT_LE(metrics(instance.problem(), s).communicationBytes, oracle.bytes);
  }
  EXPECT_GT(several, 500);
}

/// Links on which a transfer takes about as long as a task.
Interconnect randomLinks(std::minstd_rand &random) {
  Interconnect links;
  links.topology = random() % 3 ? Topology::Full : Topology::Bus;
  links.bytesPerCycle = 2 + random() % 8;
  links.latencyCycles = random() % 20;
  return links;
}

TEST(PartitionOracleTest, IntervalIsLeastOnSlowLinks) {
  std::minstd_rand random(31);
  int others = 0, several = 0;
  for (int round = 0; round < 300; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 6, 2, 4);
    // Some cutsets are wide, others narrow.
    for (Value &value : instance.graph.values)
      value.bytes = value.bytes * (1 + random() % 20) / 4;
    instance.machine.interconnect = randomLinks(random);
    Problem problem = instance.problem();
    Schedule s = scheduleOf("pipedream", problem);
    EXPECT_EQ(s.interval, PartitionOracle(instance).interval);
    std::optional<Schedule> balanced =
        schedulePipeline(problem, partitionStages(problem));
    several += s.stages > 1;
    others += s.stages > 1 && (!balanced || balanced->interval > s.interval);
  }
  EXPECT_GT(several, 150);
  // Links change what is best.
  EXPECT_GT(others, 20);
}

TEST(PartitionOracleTest, DynamicProgrammingIsExactForChainsOnSlowLinks) {
  std::minstd_rand random(32);
  for (int round = 0; round < 150; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<LayerSpec> layers;
    for (int l = 2 + random() % 6; l > 0; --l)
      layers.push_back(randomProduct(random, 8));
    Instance instance(makeChain(layers), 1 + random() % 4);
    instance.machine.interconnect = randomLinks(random);
    instance.machine.interconnect.topology = Topology::Full;
    std::optional<Schedule> s = bestPipeline(
        instance.problem(), Deadline(std::nullopt), /*maxEnumerated=*/0);
    ASSERT_TRUE(s);
    EXPECT_EQ(s->interval, PartitionOracle(instance).interval);
  }
}

TEST(PartitionOracleTest, PrefixesAreUsedWhenDownSetsAreMany) {
  std::minstd_rand random(22);
  for (int round = 0; round < 50; ++round) {
    Instance instance(makeRandomGraph(random, 6), 3);
    EXPECT_GE(partitionStages(instance.problem(), 1).largest,
              partitionStages(instance.problem()).largest);
  }
}

//===----------------------------------------------------------------------===//
// The chain family
//===----------------------------------------------------------------------===//

/// Whether the chain fits into an interval: every order of each layer's tasks,
/// every place to go to the next processor, every cut of a D.
class ChainOracle {
public:
  ChainOracle(const Instance &instance, int64_t interval)
      : instance(instance), interval(interval),
        processors(static_cast<int>(instance.machine.processors())) {
    for (size_t l = 0; l < instance.graph.layers.size(); ++l) {
      std::vector<int> &tasks = layers.emplace_back();
      for (auto [index, task] : llvm::enumerate(instance.graph.tasks))
        if (task.layer == static_cast<int>(l) && task.colocated < 0)
          tasks.push_back(static_cast<int>(index));
    }
  }

  bool fits() { return place(0, layers[0], 0, 0); }

private:
  int64_t cyclesOf(const Task &task) const {
    return *taskCycles(*instance.cost, task,
                       instance.machine.processorClass(0));
  }

  /// Places what `rest` has of a layer, in any order, behind the load of
  /// processor p.
  bool place(size_t layer, std::vector<int> rest, int p, int64_t load) {
    if (rest.empty())
      return layer + 1 == layers.size() ||
             place(layer + 1, layers[layer + 1], p, load);
    for (size_t i = 0; i < rest.size(); ++i) {
      std::vector<int> others = rest;
      others.erase(others.begin() + i);
      const Task &task = instance.graph.tasks[rest[i]];
      for (int q = p; q < processors; ++q) {
        int64_t at = q == p ? load : 0;
        if (at + cyclesOf(task) <= interval &&
            place(layer, others, q, at + cyclesOf(task)))
          return true;
        if (q + 1 < processors && placeParts(layer, others, rest[i], q, at))
          return true;
      }
    }
    return false;
  }

  bool placeParts(size_t layer, const std::vector<int> &others, int index,
                  int q, int64_t load) {
    const Task &task = instance.graph.tasks[index];
    for (const CutOption &option : task.cuts)
      for (int64_t at = 1; at < option.extent; ++at) {
        Cut cut{index, option.axis, {at}, {}};
        Task part = task;
        part.work = partWork(task, cut, 0);
        if (load + cyclesOf(part) > interval)
          continue;
        part.work = partWork(task, cut, 1);
        if (cyclesOf(part) <= interval &&
            place(layer, others, q + 1, cyclesOf(part)))
          return true;
      }
    return false;
  }

  const Instance &instance;
  int64_t interval;
  int processors;
  std::vector<std::vector<int>> layers;
};

TEST(ChainOracleTest, LeastIntervalIsLeast) {
  std::minstd_rand random(23);
  for (int round = 0; round < 120; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<LayerSpec> layers;
    int count = 1 + random() % 3;
    for (int l = 0; l < count; ++l)
      layers.push_back(randomProduct(random, 6));
    bool systolic = random() % 2;
    Instance instance(makeChain(layers), 2 + random() % 2,
                      systolic ? "systolic" : "macs");
    // A small array, so that folds matter.
    instance.machine.classes[0].arrayRows = 2;
    instance.machine.classes[0].arrayColumns = 2;
    Problem problem = instance.problem();
    ChainFamily family(problem, instance.machine.processors());
    int64_t least = family.leastInterval();
    EXPECT_TRUE(ChainOracle(instance, least).fits());
    EXPECT_FALSE(ChainOracle(instance, least - 1).fits());
    // From the other side the chain fits just as well.
    EXPECT_TRUE(family.suffixes(least)[0].has_value());
    EXPECT_FALSE(family.suffixes(least - 1)[0].has_value());
    EXPECT_TRUE(assignChain(family, least).has_value());
  }
}

TEST(ChainOracleTest, BytesOfTheBeamAreThoseOfTheAssignment) {
  std::minstd_rand random(24);
  for (int round = 0; round < 100; ++round) {
    Instance instance = makeRandomInstance(random, 6, 2, 4);
    Problem problem = instance.problem();
    ChainFamily family(problem, instance.machine.processors());
    int64_t least = family.leastInterval();
    std::optional<Assignment> tight = assignChain(family, least);
    std::optional<Assignment> loose = assignChain(family, 3 * least);
    ASSERT_TRUE(tight && loose);
    EXPECT_LE(loose->bytes(), tight->bytes());
    EXPECT_LE(tight->leastInterval(instance.machine), least);
    int64_t before = tight->bytes();
    improveTraffic(problem, least, Deadline(std::nullopt), *tight);
    EXPECT_LE(tight->bytes(), before);
    EXPECT_LE(tight->leastInterval(instance.machine), least);
  }
}

//===----------------------------------------------------------------------===//
// Cuts
//===----------------------------------------------------------------------===//

TEST(CutsTest, ConserveWorkAndBytes) {
  std::minstd_rand random(25);
  int checked = 0;
  for (int round = 0; round < 200; ++round) {
    TaskGraph graph = makeRandomGraph(random, 5, /*divisible=*/round % 2 == 0);
    std::vector<Cut> cuts;
    size_t parts = 0;
    for (auto [index, task] : llvm::enumerate(graph.tasks)) {
      if (task.cuts.empty() || random() % 2)
        continue;
      const CutOption &option = task.cuts[random() % task.cuts.size()];
      Cut made{static_cast<int>(index), option.axis, {}, {}};
      for (int64_t at = 1 + random() % (option.extent - 1); at < option.extent;
           at += 1 + random() % 4)
        made.at.push_back(at);
      for (int part = 0; part < made.parts(); ++part)
        made.sliceAtProducer.push_back(random() % 2 == 0);
      parts += made.parts();
      cuts.push_back(std::move(made));
    }
    llvm::Expected<TaskGraph> cut = applyCuts(graph, cuts);
    ASSERT_TRUE(bool(cut));
    EXPECT_FALSE(bool(cut->check()));
    // A join is missing only where nobody needs it.
    EXPECT_LE(cut->tasks.size(), graph.tasks.size() + parts);
    EXPECT_GE(cut->tasks.size(), graph.tasks.size() - cuts.size() + parts);
    auto macs = [](const TaskGraph &g) {
      int64_t total = 0;
      for (const Task &task : g.tasks)
        for (const Work &work : task.work)
          total += *work.gemm.macs();
      return total;
    };
    EXPECT_EQ(macs(*cut), macs(graph));
    for (const Cut &c : cuts) {
      const Task &task = graph.tasks[c.task];
      int64_t bytes = 0;
      for (int part = 0; part < c.parts(); ++part) {
        EXPECT_GE(cut->find(task.name + "." + std::to_string(part)), 0);
        bytes += partBytes(task, c, part);
      }
      if (c.axis != CutAxis::Reduction) {
        EXPECT_EQ(bytes, task.work[0].bytesOut);
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 50);
}

TEST(CutsTest, GiveEachPartWhatItReads) {
  TaskGraph graph = makeChain({product(4, 6, 2), product(4, 8, 6)});
  int d = graph.find("l1.D");
  llvm::Expected<TaskGraph> cut =
      applyCuts(graph, Cut{d, CutAxis::Channel, {2}, {true, false}});
  ASSERT_TRUE(bool(cut));
  std::vector<std::string> lines;
  for (const Value &value : cut->values)
    for (const Use &use : value.uses)
      if (cut->tasks[use.task].layer == 1 &&
          cut->tasks[use.task].kind == TaskKind::Dgrad)
        lines.push_back(value.name + " " + std::to_string(value.bytes) + " " +
                        cut->tasks[use.task].name);
  EXPECT_EQ(lines,
            (std::vector<std::string>{
                "l0.y 96 l1.D.join", "l1.dy 128 l1.D.0", "l1.dy 128 l1.D.1",
                "l1.w 192 l1.D.1", "l1.w.slice0 for l1.D 64 l1.D.0",
                "l1.D.0 32 l1.D.join", "l1.D.1 64 l1.D.join"}));
}

/// Both layers by samples: each part reads from the parts before it, whole or a
/// slice, and only what needs all of a value has it joined.
TEST(CutsTest, SamplesGoFromPartToPart) {
  std::vector<LayerSpec> layers = {product(4, 6, 2), product(4, 8, 6)};
  for (LayerSpec &layer : layers)
    layer.divisible = true;
  TaskGraph graph = makeChain(layers);
  llvm::Expected<TaskGraph> cut = applyCuts(
      graph, {Cut{graph.find("l0.F"), CutAxis::Batch, {2}, {true, true}},
              Cut{graph.find("l1.F"), CutAxis::Batch, {1}, {true, true}},
              Cut{graph.find("l1.W"), CutAxis::Reduction, {2}, {true, true}}});
  ASSERT_TRUE(bool(cut));
  std::vector<std::string> lines;
  for (const Value &value : cut->values)
    for (const Use &use : value.uses)
      if (llvm::StringRef(value.name).starts_with("l0.y") ||
          llvm::StringRef(value.name).starts_with("l1.dw"))
        lines.push_back(value.name + " " + std::to_string(value.bytes) + " " +
                        cut->tasks[value.producer].name + " " +
                        cut->tasks[use.task].name);
  EXPECT_EQ(
      lines,
      (std::vector<std::string>{
          "l0.y 96 l0.F.join l1.D", "l0.y.0 48 l0.F.0 l0.F.join",
          "l0.y.0 48 l0.F.0 l1.W.0", "l0.y.1 48 l0.F.1 l0.F.join",
          "l0.y.1 48 l0.F.1 l1.F.1", "l0.y.1 48 l0.F.1 l1.W.1",
          "l0.y.0.rows0-1 24 l0.F.0 l1.F.0", "l0.y.0.rows1-2 24 l0.F.0 l1.F.1",
          "l1.dw 192 l1.W.join l1.U", "l1.dw.0 192 l1.W.0 l1.W.join",
          "l1.dw.1 192 l1.W.1 l1.W.join"}));
}

TEST(CutsTest, RejectIllegalOnes) {
  TaskGraph graph = makeChain({product(4, 6, 2), product(4, 8, 6)});
  int d = graph.find("l1.D");
  auto messageOf = [&](llvm::ArrayRef<Cut> cuts) {
    llvm::Expected<TaskGraph> cut = applyCuts(graph, cuts);
    return cut ? std::string() : llvm::toString(cut.takeError());
  };
  EXPECT_EQ(messageOf(Cut{d, CutAxis::Channel, {6}, {}}),
            "a cut of task 'l1.D' at 6, expected 1 to 5");
  EXPECT_EQ(messageOf(Cut{d, CutAxis::Channel, {0}, {}}),
            "a cut of task 'l1.D' at 0, expected 1 to 5");
  EXPECT_EQ(messageOf(Cut{0, CutAxis::Channel, {1}, {}}),
            "task 'l0.F' may not be cut along channel");
  EXPECT_EQ(messageOf(Cut{99, CutAxis::Channel, {1}, {}}),
            "a cut of task 99 of 7");
  EXPECT_EQ(messageOf({Cut{d, CutAxis::Channel, {1}, {}},
                       Cut{d, CutAxis::Batch, {1}, {}}}),
            "task 'l1.D' is cut twice");
}

//===----------------------------------------------------------------------===//
// Bounds
//===----------------------------------------------------------------------===//

/// The largest ratio of time to distance over all simple cycles.
class RatioOracle {
public:
  RatioOracle(const Instance &instance, const Schedule &s) {
    const TaskGraph &graph = instance.graph;
    edges.resize(graph.tasks.size());
    for (const Task &task : graph.tasks)
      time.push_back(*taskCycles(*instance.cost, task,
                                 instance.machine.processorClass(0)));
    for (const Value &value : graph.values)
      for (const Use &use : value.uses)
        if (value.producer >= 0)
          edges[value.producer].push_back(
              {use.task,
               use.distance + (use.delayed
                                   ? s.delay[graph.tasks[value.producer].layer]
                                   : 0)});
    for (root = 0; root < static_cast<int>(time.size()); ++root) {
      onPath.assign(time.size(), false);
      walk(root, 0, 0);
    }
  }

  int64_t bound = 0; ///< rounded up

private:
  void walk(int task, int64_t cycles, int64_t distance) {
    onPath[task] = true;
    cycles += time[task];
    for (auto [to, away] : edges[task]) {
      if (to == root)
        bound =
            std::max(bound, (cycles + distance + away - 1) / (distance + away));
      else if (to > root && !onPath[to])
        walk(to, cycles, distance + away);
    }
    onPath[task] = false;
  }

  std::vector<std::vector<std::pair<int, int>>> edges;
  std::vector<int64_t> time;
  std::vector<bool> onPath;
  int root = 0;
};

TEST(BoundsTest, LoopBoundIsTheLargestRatio) {
  std::minstd_rand random(26);
  for (int round = 0; round < 100; ++round) {
    TaskGraph graph = makeRandomGraph(random, 4);
    for (Task &task : graph.tasks)
      task.cuts.clear();
    Instance instance(std::move(graph), 1 + random() % 3);
    for (llvm::StringRef name : {"list", "pipedream", "layerpipe"}) {
      Schedule s = scheduleOf(name, instance.problem());
      EXPECT_EQ(bounds(instance.problem(), s).loop,
                RatioOracle(instance, s).bound);
    }
  }
}

TEST(BoundsTest, LargestTaskIsThatOfTheSmallestPart) {
  Instance instance(makeChain({product(1, 1, 1), product(4, 6, 10)}), 4);
  Schedule s = scheduleOf("sequential", instance.problem());
  EXPECT_EQ(bounds(instance.problem(), s).largestTask, 240);
  // Without F and W of that layer only its D remains; one of its ten output
  // channels is the least part.
  for (llvm::StringRef name : {"l1.F", "l1.W"})
    instance.graph.tasks[instance.graph.find(name)].work.clear();
  s = scheduleOf("sequential", instance.problem());
  Bounds b = bounds(instance.problem(), s);
  EXPECT_EQ(b.largestTask, 24);
  EXPECT_EQ(b.resource, (240 + 2 + 3) / 4);
  EXPECT_EQ(b.best(), b.resource);
}

//===----------------------------------------------------------------------===//
// Links
//===----------------------------------------------------------------------===//

TEST(LinkTableTest, FindsTheFirstGap) {
  std::minstd_rand random(27);
  for (int round = 0; round < 500; ++round) {
    int64_t interval = 10 + random() % 20;
    LinkTable table(interval);
    std::vector<bool> taken[3];
    for (std::vector<bool> &link : taken)
      link.assign(interval, false);
    for (int i = 0; i < 8; ++i) {
      int64_t ready = random() % 100, cycles = 1 + random() % 6;
      std::vector<int64_t> route;
      for (int64_t link : {2, 0, 1})
        if (random() % 2)
          route.push_back(link);
      if (route.empty())
        route = {1};
      std::optional<int64_t> expected;
      for (int64_t t = ready; t < ready + interval && !expected; ++t) {
        bool free = true;
        for (int64_t c = 0; c < cycles; ++c)
          for (int64_t link : route)
            free &= !taken[link][(t + c) % interval];
        if (free)
          expected = t;
      }
      std::optional<int64_t> got = table.reserve(route, ready, cycles);
      ASSERT_EQ(got, expected);
      for (int64_t c = 0; got && c < cycles; ++c)
        for (int64_t link : route)
          taken[link][(*got + c) % interval] = true;
      EXPECT_EQ(table.reserve(route, ready, 0), ready);
    }
  }
}

//===----------------------------------------------------------------------===//
// Size
//===----------------------------------------------------------------------===//

/// Time is measured by the benchmarks; here, that nothing blows up.
TEST(SizeTest, LongChains) {
  std::minstd_rand random(28);
  Instance instance(makeLongChain(random, 2000), 8, "systolic");
  for (const SchedulerInfo &info : schedulers()) {
    Schedule s = scheduleOf(info.name, instance.problem());
    EXPECT_GE(s.interval, bounds(instance.problem(), s).best());
  }
}

} // namespace
