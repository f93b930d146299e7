//===- PipeDreamReplicatedTest.cpp - replicated stages --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/PipeDreamReplicatedPlan.h"
#include "TestGraphs.h"
#include "takt/Scheduling/Replication.h"
#include "gmock/gmock.h"
#include <functional>
#include <set>

using namespace takt;
using namespace takt::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {
//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

constexpr double kNever = std::numeric_limits<double>::infinity();

/// A stage's sums, from the tasks and values themselves.
struct Sums {
  double cycles = 0, gradients = 0;
};

Sums sumsOf(const Instance &instance, const std::set<int> &layers) {
  Sums sums;
  const TaskGraph &graph = instance.graph;
  for (const Task &task : graph.tasks)
    if (layers.count(task.layer))
      sums.cycles += double(*taskCycles(*instance.cost, task,
                                        instance.machine.processorClass(0)));
  for (const Value &value : graph.values)
    if (value.kind == ValueClass::WeightGradient &&
        layers.count(graph.tasks[value.producer].layer))
      sums.gradients += double(value.bytes);
  return sums;
}

/// Bytes of what is made on one side of a border and used on the other.
double crossing(const TaskGraph &graph, const std::set<int> &before) {
  double bytes = 0;
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    bool inside = before.count(graph.tasks[value.producer].layer);
    for (const Use &use : value.uses)
      if (bool(before.count(graph.tasks[use.task].layer)) != inside) {
        bytes += double(value.bytes);
        break;
      }
  }
  return bytes;
}

/// One level's time of a stage, as the header states it.
double stageTime(const ReplicationModel &model, size_t level, double compute,
                 double gradients, double border, int m) {
  double size = 1;
  for (size_t k = 0; k < level; ++k)
    size *= double(model.levels[k].count);
  double bandwidth = model.levels[level].bytesPerCycle, exchange = 0, cross = 0;
  if (bandwidth > 0) {
    exchange = 4.0 * (m - 1) * gradients / (m * bandwidth * size);
    cross = model.borders ? border / (m * bandwidth) : 0;
  }
  double both = model.form == SynchronizationForm::Sum
                    ? compute + exchange
                    : std::max(compute, exchange);
  return std::max(both / m, cross);
}

/// Least over all partitions into cutsets and all counts, by trying them.
double bruteForce(const Instance &instance, const ReplicationModel &model) {
  const TaskGraph &graph = instance.graph;
  int layers = int(graph.layers.size());
  std::vector<std::pair<int, int>> order; // F before F
  for (const Value &value : graph.values)
    for (const Use &use : value.uses)
      if (value.producer >= 0 && use.distance == 0) {
        const Task &from = graph.tasks[value.producer],
                   &to = graph.tasks[use.task];
        bool forward = from.kind == TaskKind::Forward;
        if (forward == (to.kind == TaskKind::Forward))
          order.push_back(forward ? std::pair(from.layer, to.layer)
                                  : std::pair(to.layer, from.layer));
      }
  auto processors = int(model.levels[0].count);
  double best = kNever;
  // Stages of a partition, one after the other, with all counts.
  std::function<void(std::set<int>, int, double)> extend =
      [&](std::set<int> before, int left, double time) {
        if (int(before.size()) == layers) {
          best = std::min(best, time);
          return;
        }
        for (int mask = 1; mask < 1 << layers; ++mask) {
          std::set<int> stage, after = before;
          for (int l = 0; l < layers; ++l)
            if (mask >> l & 1)
              stage.insert(l);
          after.insert(stage.begin(), stage.end());
          if (after.size() != before.size() + stage.size() ||
              llvm::any_of(order, [&](auto edge) {
                return after.count(edge.second) && !after.count(edge.first);
              }))
            continue;
          Sums sums = sumsOf(instance, stage);
          double border =
              std::max(crossing(graph, before), crossing(graph, after));
          for (int m = 1; m <= left; ++m)
            extend(after, left - m,
                   std::max(time, stageTime(model, 0, sums.cycles,
                                            sums.gradients, border, m)));
        }
      };
  extend({}, processors, 0);
  return best;
}

ReplicationModel randomModel(std::minstd_rand &random,
                             std::vector<BandwidthLevel> levels) {
  ReplicationModel model;
  model.form =
      random() % 2 ? SynchronizationForm::Sum : SynchronizationForm::Max;
  model.borders = random() % 2;
  model.levels = std::move(levels);
  model.allowed.assign(8, true);
  return model;
}

/// All layers once, no processor twice, and the stages take what is planned.
void expectWhole(const Instance &instance, const ReplicationModel &model,
                 const ReplicationPlan &plan) {
  std::set<int> before, processors;
  double largest = 0;
  for (const ReplicatedStage &stage : plan.stages) {
    std::set<int> layers(stage.layers.begin(), stage.layers.end());
    std::set<int> after = before;
    after.insert(layers.begin(), layers.end());
    EXPECT_EQ(after.size(), before.size() + layers.size());
    for (int processor : stage.processors)
      EXPECT_TRUE(processors.insert(processor).second) << processor;
    Sums sums = sumsOf(instance, layers);
    double border = std::max(crossing(instance.graph, before),
                             crossing(instance.graph, after));
    if (model.levels.size() == 1)
      largest =
          std::max(largest, stageTime(model, 0, sums.cycles, sums.gradients,
                                      border, int(stage.processors.size())));
    before = after;
  }
  EXPECT_EQ(before.size(), instance.graph.layers.size());
  if (!processors.empty()) {
    EXPECT_LT(*processors.rbegin(), instance.machine.processors());
  }
  if (model.levels.size() == 1) {
    EXPECT_NEAR(plan.time, largest, 1e-9 * largest);
  }
}

TEST(ReplicationPlanTest, RandomNetworksAgainstAllPlans) {
  std::minstd_rand random(41);
  int shared = 0;
  for (int round = 0; round < 80; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    int processors = 1 + int(random() % 4);
    Instance instance(makeRandomGraph(random, 5), processors);
    ReplicationModel model = randomModel(
        random, {{processors, double(random() % 3) * (1 + random() % 40) / 4}});
    ReplicationPlan plan = planReplication(instance.problem(), model, 2000);
    double best = bruteForce(instance, model);
    EXPECT_NEAR(plan.time, best, 1e-9 * best);
    expectWhole(instance, model, plan);
    shared += llvm::any_of(plan.stages, [](const ReplicatedStage &stage) {
      return stage.processors.size() > 1;
    });
  }
  EXPECT_GT(shared, 20);
  EXPECT_LT(shared, 70);
}

/// Down-sets of one size that differ in their work: a stage may end at each.
TEST(ReplicationPlanTest, BranchesAgainstAllPlans) {
  std::minstd_rand random(44);
  for (int round = 0; round < 40; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<LayerSpec> layers;
    for (int l = 0; l < 5; ++l) {
      LayerSpec layer =
          product(1 + random() % 20, 1 + random() % 9, 1 + random() % 9);
      layer.name = "l" + std::to_string(l);
      layers.push_back(layer);
    }
    // Two ways from the first to the last, one of them with two layers.
    layers[1].reads = layers[2].reads = {0};
    layers[3].reads = {2};
    layers[4].reads = {1, 3};
    int processors = 2 + int(random() % 3);
    Instance instance(makeTrainingGraph(layers), processors);
    ReplicationModel model = randomModel(
        random, {{processors, double(random() % 3) * (1 + random() % 40) / 4}});
    ReplicationPlan plan = planReplication(instance.problem(), model, 2000);
    double best = bruteForce(instance, model);
    EXPECT_NEAR(plan.time, best, 1e-9 * best);
    expectWhole(instance, model, plan);
  }
}

/// The recurrence as it is written, over the prefixes of a chain.
class NaiveRecurrence {
public:
  NaiveRecurrence(const Instance &instance, const ReplicationModel &model)
      : instance(instance), model(model) {}

  double a(int level, int i, int j) const {
    if (level < 0)
      return sumsOf(instance, range(i, j)).cycles;
    return best(level, i, j, int(model.levels[level].count));
  }

private:
  static std::set<int> range(int i, int j) {
    std::set<int> layers;
    for (int l = i; l < j; ++l)
      layers.insert(l);
    return layers;
  }
  double t(int level, int i, int j, int m) const {
    double border = std::max(crossing(instance.graph, range(0, i)),
                             crossing(instance.graph, range(0, j)));
    return stageTime(model, level, a(level - 1, i, j),
                     sumsOf(instance, range(i, j)).gradients, border, m);
  }
  double best(int level, int i, int j, int m) const {
    double least = kNever;
    for (int used = 1; used <= m; ++used)
      least = std::min(least, t(level, i, j, used));
    for (int h = i + 1; h < j; ++h)
      for (int last = 1; last < m; ++last)
        least = std::min(
            least, std::max(best(level, i, h, m - last), t(level, h, j, last)));
    return least;
  }

  const Instance &instance;
  const ReplicationModel &model;
};

TEST(ReplicationPlanTest, ChainsOverLevelsOfBandwidth) {
  std::minstd_rand random(42);
  for (int round = 0; round < 25; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    std::vector<LayerSpec> layers;
    for (int l = 0, n = 2 + int(random() % 3); l < n; ++l)
      layers.push_back(
          product(1 + random() % 9, 1 + random() % 9, 1 + random() % 9));
    std::vector<BandwidthLevel> levels = {
        {1 + int64_t(random() % 3), 1 + double(random() % 40)},
        {1 + int64_t(random() % 3), 0.25 + double(random() % 8)}};
    Instance instance(makeChain(layers), levels[0].count * levels[1].count);
    ReplicationModel model = randomModel(random, levels);
    ReplicationPlan plan = planReplication(instance.problem(), model, 2000);
    double expected = NaiveRecurrence(instance, model)
                          .a(1, 0, int(instance.graph.layers.size()));
    EXPECT_NEAR(plan.time, expected, 1e-9 * expected);
    expectWhole(instance, model, plan);
  }
}

//===----------------------------------------------------------------------===//
// Graphs of several minibatches
//===----------------------------------------------------------------------===//

const Value &valueOf(const TaskGraph &graph, llvm::StringRef name) {
  for (const Value &value : graph.values)
    if (value.name == name)
      return value;
  ADD_FAILURE() << "no value " << name.str();
  return graph.values.front();
}

/// "TASK+DISTANCE" of each use.
std::vector<std::string> usesOf(const TaskGraph &graph, llvm::StringRef name) {
  std::vector<std::string> uses;
  for (const Use &use : valueOf(graph, name).uses)
    uses.push_back(graph.tasks[use.task].name + "+" +
                   std::to_string(use.distance));
  return uses;
}

TEST(ReplicationTest, TwoReplicasAndOne) {
  TaskGraph chain = makeChain({product(2, 2, 2), product(2, 2, 2)});
  TaskGraph graph = llvm::cantFail(replicate(chain, {2, 1}, {1, 0}));
  EXPECT_EQ(llvm::toString(graph.check()), "");
  EXPECT_EQ(graph.minibatches, 2);
  // F, F, D, W, W of each; one update of the second layer each, of the first
  // one of both in two shards.
  EXPECT_EQ(graph.tasks.size(), 2u * 5 + 2 + 2);
  std::string first = chain.layers[0].name, second = chain.layers[1].name;
  const Task &shard = graph.tasks[graph.find(first + ".U.m1.s1")];
  EXPECT_EQ(graph.tasks[shard.colocated].name, first + ".W.m1");
  EXPECT_EQ(
      graph.tasks[graph.tasks[graph.find(first + ".U.m1.s0")].colocated].name,
      first + ".W.m0");
  // Each wgrad's halves go to both shards, each shard to both replicas: those
  // of the round after the next, for one update is skipped.
  int64_t bytes = chain.layers[0].parameterBytes;
  for (const Value &value : chain.values) {
    const std::string &name = value.name;
    if (value.producer < 0 || chain.tasks[value.producer].layer != 0)
      continue;
    if (value.kind == ValueClass::WeightGradient) {
      EXPECT_THAT(usesOf(graph, name + ".m0.s1"),
                  ElementsAre(first + ".U.m1.s1+0"));
      EXPECT_EQ(valueOf(graph, name + ".m0.s1").bytes, bytes / 2);
    } else if (value.kind == ValueClass::Weight) {
      EXPECT_THAT(usesOf(graph, name + ".m1.s0"),
                  ElementsAre(first + ".F.m0+2", first + ".F.m1+2",
                              first + ".U.m1.s0+1"));
      EXPECT_EQ(nameBeforeReplication(name + ".m1.s0"), name);
    }
  }
  // The other one's update of the first minibatch is for the second, that of
  // the second for the next time's first.
  for (const Value &value : chain.values)
    if (value.kind == ValueClass::Weight &&
        chain.tasks[value.producer].layer == 1) {
      EXPECT_THAT(usesOf(graph, value.name + ".m0"),
                  ElementsAre(second + ".F.m1+0", second + ".D.m1+0",
                              second + ".U.m1+0"));
      EXPECT_THAT(usesOf(graph, value.name + ".m1"),
                  ElementsAre(second + ".F.m0+1", second + ".D.m0+1",
                              second + ".U.m0+1"));
    }
}

TEST(ReplicationTest, RefusesWhatItCannotDivide) {
  TaskGraph chain = makeChain({product(2, 2, 2), product(2, 2, 2)});
  auto messageOf = [](llvm::Expected<TaskGraph> graph) {
    return graph ? std::string() : llvm::toString(graph.takeError());
  };
  EXPECT_EQ(messageOf(replicate(chain, {2}, {0, 0})),
            "replicas of 1 and delays of 2 of 2 layers");
  EXPECT_THAT(messageOf(replicate(chain, {0, 1}, {0, 0})),
              HasSubstr("has 0 replicas and delay 0, expected 1 to 4096"));
  EXPECT_THAT(messageOf(replicate(chain, {4095, 4096}, {0, 0})),
              HasSubstr("repeat after more than 65536 minibatches"));
  TaskGraph twice = llvm::cantFail(replicate(chain, {2, 2}, {0, 0}));
  EXPECT_THAT(messageOf(replicate(twice, {2, 2}, {0, 0})),
              HasSubstr("single minibatches are replicated, found several"));
  TaskGraph tied = chain;
  for (Value &value : tied.values)
    if (value.kind == ValueClass::Weight &&
        tied.tasks[value.producer].layer == 1)
      value.uses.push_back({tied.find(tied.layers[0].name + ".U"), 1});
  EXPECT_THAT(messageOf(replicate(tied, {2, 1}, {0, 0})),
              HasSubstr("which replicas of one layer divide"));
}

/// Whoever reads a weight reads the version of its minibatch's round in the
/// layer that updates it, and its delay.
TEST(ReplicationTest, OtherLayersReadTheRoundsOfTheUpdate) {
  TaskGraph tied = makeChain({product(2, 2, 2), product(2, 2, 2)});
  std::string first = tied.layers[0].name, weight;
  for (Value &value : tied.values)
    if (value.kind == ValueClass::Weight &&
        tied.tasks[value.producer].layer == 1) {
      value.uses.push_back({tied.find(first + ".F"), 1, true});
      weight = value.name;
    }
  TaskGraph graph = llvm::cantFail(replicate(tied, {1, 2}, {0, 1}));
  EXPECT_EQ(llvm::toString(graph.check()), "");
  EXPECT_THAT(usesOf(graph, weight + ".m1.s0"),
              testing::IsSupersetOf({first + ".F.m0+2", first + ".F.m1+2"}));
}

/// Rows are not divided: five of them are one, two and two.
TEST(ReplicationTest, PartsAreWholeRows) {
  TaskGraph chain = makeChain({product(2, 2, 2), product(2, 2, 2)});
  for (Value &value : chain.values)
    if (value.producer >= 0 && (value.kind == ValueClass::WeightGradient ||
                                value.kind == ValueClass::Weight)) {
      value.bytes = 500;
      value.rows = 5;
    }
  TaskGraph graph = llvm::cantFail(replicate(chain, {3, 1}, {0, 0}));
  std::vector<int64_t> bytes;
  for (const Value &value : graph.values)
    if (value.kind == ValueClass::Weight &&
        graph.tasks[value.producer].layer == 0)
      bytes.push_back(value.bytes);
  EXPECT_THAT(bytes, ElementsAre(100, 200, 200));
  for (int64_t rows = 1; rows < 9; ++rows) {
    EXPECT_EQ(rowsOfShard(rows, 0, 4).first, 0);
    EXPECT_EQ(rowsOfShard(rows, 3, 4).second, rows);
    for (int64_t shard = 1; shard < 4; ++shard)
      EXPECT_EQ(rowsOfShard(rows, shard, 4).first,
                rowsOfShard(rows, shard - 1, 4).second);
  }
}

//===----------------------------------------------------------------------===//
// Schedules
//===----------------------------------------------------------------------===//

/// Without transfers nothing beats plain data parallelism.
TEST(PipeDreamReplicatedTest, FreeLinksGiveDataParallelism) {
  for (int processors = 2; processors <= 5; ++processors) {
    Instance instance(makeChain({product(4, 4, 4), product(5, 5, 4),
                                 product(5, 6, 5), product(5, 3, 6)}),
                      processors);
    Schedule s = scheduleOf("pipedream-replicated", instance.problem());
    EXPECT_EQ(s.stages, 1);
    EXPECT_THAT(s.replicas, testing::Each(processors));
    EXPECT_THAT(s.delay, testing::Each(0));
    EXPECT_EQ(s.interval,
              scheduleOf("sequential", instance.problem()).interval);
    EXPECT_EQ(s.graph.minibatches, processors);
    EXPECT_EQ(s.status, SolveStatus::Optimal);
    EXPECT_DOUBLE_EQ(metrics(instance.problem(), s).speedup, processors);
  }
}

/// Small weights and much work first, large weights and little work last: the
/// configuration that the paper finds for VGG-16.
TEST(PipeDreamReplicatedTest, LargeWeightsStayOnOneProcessor) {
  std::vector<LayerSpec> layers(6, product(1200, 10, 10));
  layers.push_back(product(1, 450, 450));
  Instance instance(makeChain(layers), 4);
  instance.machine.interconnect.topology = Topology::Bus;
  instance.machine.interconnect.bytesPerCycle = 1;
  Schedule s = scheduleOf("pipedream-replicated", instance.problem());
  EXPECT_EQ(s.stages, 2);
  EXPECT_EQ(s.replicas.front(), 3);
  EXPECT_EQ(s.replicas.back(), 1);
  // Later processors over replicas, rounded up: at least one update late.
  EXPECT_GE(s.delay.front(), 1);
  Schedule straight = scheduleOf("pipedream", instance.problem());
  EXPECT_LT(s.interval, straight.interval * s.graph.minibatches);
}

TEST(PipeDreamReplicatedTest, IsNeverBehindPipeDream) {
  std::minstd_rand random(43);
  int shared = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance(makeRandomGraph(random, 6), 1 + random() % 5);
    instance.machine.interconnect.bytesPerCycle = random() % 3 * 8;
    Problem problem = instance.problem();
    Schedule s = scheduleOf("pipedream-replicated", problem);
    EXPECT_LE(s.interval,
              scheduleOf("pipedream", problem).interval * s.graph.minibatches);
    shared += !s.replicas.empty();
    // What a replica holds, and every version of it, is counted.
    std::vector<int64_t> bytes(instance.machine.processors(), 0);
    for (auto [task, place] : llvm::zip_equal(s.graph.tasks, s.tasks))
      if (task.kind == TaskKind::Forward && !s.replicas.empty() &&
          task.microbatch < s.replicas[task.layer])
        bytes[place.processor] += s.graph.layers[task.layer].parameterBytes;
    for (auto [held, least] : llvm::zip_equal(peakMemory(problem, s), bytes))
      EXPECT_GE(held, least);
  }
  EXPECT_GT(shared, 20);
}

TEST(PipeDreamReplicatedTest, PlansWithWhatIsAskedFor) {
  std::vector<LayerSpec> layers(8, product(40, 10, 10));
  Instance instance(makeChain(layers), 4);
  Problem problem = instance.problem();
  ScheduleOptions options;
  // Exchange is out of the question, then cheap.
  options.synchronization = SynchronizationForm::Sum;
  options.bandwidthLevels = {{4, 1e-6}};
  EXPECT_THAT(scheduleOf("pipedream-replicated", problem, options).replicas,
              testing::IsEmpty());
  options.bandwidthLevels = {{2, 1e6}, {2, 1e-6}};
  std::vector<int> replicas =
      scheduleOf("pipedream-replicated", problem, options).replicas;
  EXPECT_THAT(replicas, testing::Each(testing::Le(2)));
  EXPECT_THAT(replicas, testing::Contains(2));
  options.bandwidthLevels = {{2, 1e6}, {3, 1e6}};
  llvm::Expected<Schedule> s =
      schedule("pipedream-replicated", problem, options);
  ASSERT_FALSE(bool(s));
  EXPECT_EQ(llvm::toString(s.takeError()),
            "bandwidth levels have more processors than the machine's 4");
}

//===----------------------------------------------------------------------===//
// verify()
//===----------------------------------------------------------------------===//

TEST(VerifyReplicasTest, FindsWhatIsBroken) {
  std::vector<LayerSpec> layers(3, product(4, 4, 4));
  Instance instance(makeChain(layers), 2);
  Problem problem = instance.problem();
  const Schedule good = scheduleOf("pipedream-replicated", problem);
  ASSERT_EQ(good.replicas.size(), 3u);
  auto problemOf = [&](const Schedule &s) {
    return llvm::toString(verify(problem, s));
  };
  ASSERT_EQ(problemOf(good), "");

  Schedule bad = good;
  bad.replicas[1] = 1;
  EXPECT_THAT(problemOf(bad), HasSubstr("but its cuts of the problem give"));
  bad = good;
  bad.delay[0] = 1; // the graph's distances say 0
  EXPECT_THAT(problemOf(bad), HasSubstr("is not the problem's value"));
  bad = good;
  bad.replicas.clear();
  EXPECT_THAT(problemOf(bad), HasSubstr("but its cuts of the problem give"));
  bad = good;
  for (auto [task, place] : llvm::zip_equal(bad.graph.tasks, bad.tasks))
    if (task.kind == TaskKind::Forward && task.microbatch == 0 &&
        task.layer == 1)
      place.processor = 1 - place.processor;
  EXPECT_THAT(problemOf(bad), HasSubstr("are of replica 0 of stage 0"));
  bad = good;
  for (auto [task, place] : llvm::zip_equal(bad.graph.tasks, bad.tasks))
    place.processor = 0;
  EXPECT_THAT(problemOf(bad), HasSubstr("are both on processor 0"));
  bad = good;
  bad.transfers.pop_back();
  EXPECT_THAT(problemOf(bad), HasSubstr("does not get from"));
}
} // namespace
