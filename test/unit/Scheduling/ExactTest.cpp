//===- ExactTest.cpp - ilp against enumeration ----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <map>
#include <set>

using namespace takt;
using namespace takt::test;

namespace {

//===----------------------------------------------------------------------===//
// Enumeration
//===----------------------------------------------------------------------===//

/// Whether integers exist with k[to] >= k[from] + least for all edges.
class Trips {
public:
  struct Edge {
    int from, to;
    int64_t least;
  };

  static bool exist(llvm::ArrayRef<Edge> edges, size_t count) {
    std::vector<int64_t> k(count, 0);
    for (size_t pass = 0; pass <= count; ++pass) {
      bool changed = false;
      for (const Edge &edge : edges)
        if (k[edge.from] + edge.least > k[edge.to]) {
          k[edge.to] = k[edge.from] + edge.least;
          changed = true;
        }
      if (!changed)
        return true;
    }
    return false;
  }
};

/// The least interval, by trying every processor for every task, every position
/// in the interval for every task and transfer, and every legal delay.
class IntervalOracle {
public:
  explicit IntervalOracle(const Instance &instance)
      : instance(instance), graph(instance.graph),
        processor(graph.tasks.size(), 0) {
    collectDelays();
    for (interval = 1; !assign(0); ++interval)
      ;
  }

  int64_t interval;

private:
  struct Activity {
    int64_t cycles;
    int resource; ///< processors, then links
    std::vector<int64_t> at;
  };
  struct Dependence {
    int from, to;
    int64_t least;
    int distance, layer; ///< layer: whose delay comes on top, or -1
  };

  /// 2·S of every order of layers, each a stage, and 1 everywhere. Delays S and
  /// fewer stages leave less time.
  void collectDelays() {
    std::vector<int> order(graph.layers.size());
    for (size_t l = 0; l < order.size(); ++l)
      order[l] = static_cast<int>(l);
    do {
      std::vector<int> place(order.size()), delay(order.size());
      for (size_t i = 0; i < order.size(); ++i)
        place[order[i]] = static_cast<int>(i);
      bool isOrder = true;
      for (const Value &value : graph.values)
        for (const Use &use : value.uses)
          if (value.producer >= 0 && use.distance == 0 &&
              graph.tasks[value.producer].kind == TaskKind::Forward &&
              graph.tasks[use.task].kind == TaskKind::Forward)
            isOrder &= place[graph.tasks[value.producer].layer] <=
                       place[graph.tasks[use.task].layer];
      for (size_t l = 0; l < order.size(); ++l)
        delay[l] = 2 * static_cast<int>(order.size() - 1 - place[l]);
      if (isOrder)
        delays.push_back(delay);
    } while (std::next_permutation(order.begin(), order.end()));
    delays.push_back(std::vector<int>(order.size(), 1));
  }

  bool assign(size_t task) {
    if (task == graph.tasks.size())
      return schedule();
    if (int with = graph.tasks[task].colocated; with >= 0) {
      processor[task] = processor[with];
      return assign(task + 1);
    }
    for (processor[task] = 0; processor[task] < instance.machine.processors();
         ++processor[task])
      if (assign(task + 1))
        return true;
    return false;
  }

  bool schedule() {
    const Machine &machine = instance.machine;
    activities.clear();
    dependences.clear();
    std::map<std::pair<int, int>, int> links;
    for (size_t t = 0; t < graph.tasks.size(); ++t)
      activities.push_back({*graph.tasks[t].cycles, processor[t], {}});
    for (const Value &value : graph.values) {
      if (value.producer < 0)
        continue;
      std::map<int, std::pair<int, int64_t>> arrival; // activity, time after it
      int from = processor[value.producer];
      arrival[from] = {value.producer, *graph.tasks[value.producer].cycles};
      for (const Use &use : value.uses) {
        int to = processor[use.task];
        if (!arrival.count(to)) {
          int64_t cycles = machine.transferCycles(from, to, value.bytes);
          int64_t latency = machine.transferLatency(from, to);
          arrival[to] = {value.producer, arrival[from].second + latency};
          if (cycles > 0) {
            bool isBus = machine.interconnect.topology == Topology::Bus;
            int link =
                isBus
                    ? 0
                    : links.try_emplace({from, to}, links.size()).first->second;
            int transfer = static_cast<int>(activities.size());
            dependences.push_back(
                {value.producer, transfer, arrival[from].second, 0, -1});
            activities.push_back(
                {cycles, static_cast<int>(machine.processors()) + link, {}});
            arrival[to] = {transfer, cycles + latency};
          }
        }
        dependences.push_back(
            {arrival[to].first, use.task, arrival[to].second, use.distance,
             use.delayed ? graph.tasks[value.producer].layer : -1});
      }
    }
    // Too much for the interval on some resource?
    std::map<int, int64_t> load;
    for (const Activity &activity : activities)
      if ((load[activity.resource] += activity.cycles) > interval)
        return false;
    for (const std::vector<int> &delay : delays) {
      position.assign(1, 0); // the first task: positions are relative
      if (place(delay))
        return true;
    }
    return false;
  }

  bool overlaps(int a, int b) const {
    const Activity &x = activities[a], &y = activities[b];
    if (x.resource != y.resource)
      return false;
    int64_t after = (position[b] - position[a] + interval) % interval;
    if (after == 0)
      return x.cycles > 0 && y.cycles > 0;
    return after < x.cycles || interval - after < y.cycles;
  }

  /// Whether the dependences among what is placed leave trips.
  bool isConsistent(const std::vector<int> &delay) const {
    std::vector<Trips::Edge> edges;
    int placed = static_cast<int>(position.size());
    for (const Dependence &d : dependences) {
      if (d.from >= placed || d.to >= placed)
        continue;
      int64_t late = position[d.from] + d.least - position[d.to];
      int64_t trips =
          late > 0 ? (late + interval - 1) / interval : -(-late / interval);
      edges.push_back(
          {d.from, d.to,
           trips - d.distance - (d.layer >= 0 ? delay[d.layer] : 0)});
    }
    return Trips::exist(edges, position.size());
  }

  bool place(const std::vector<int> &delay) {
    int last = static_cast<int>(position.size()) - 1;
    for (int other = 0; other < last; ++other)
      if (overlaps(other, last))
        return false;
    if (!isConsistent(delay))
      return false;
    if (position.size() == activities.size())
      return true;
    position.push_back(0);
    for (int64_t at = 0; at < interval; ++at) {
      position.back() = at;
      if (place(delay))
        return true;
    }
    position.pop_back();
    return false;
  }

  const Instance &instance;
  const TaskGraph &graph;
  std::vector<std::vector<int>> delays;
  std::vector<int> processor;
  std::vector<Activity> activities;
  std::vector<Dependence> dependences;
  std::vector<int64_t> position;
};

/// The graph without some tasks, and without what only they make or read.
TaskGraph without(const TaskGraph &graph, const std::set<int> &dropped) {
  TaskGraph result;
  result.name = graph.name;
  result.layers = graph.layers;
  std::vector<int> index(graph.tasks.size(), -1);
  for (size_t t = 0; t < graph.tasks.size(); ++t) {
    if (dropped.count(static_cast<int>(t)))
      continue;
    index[t] = static_cast<int>(result.tasks.size());
    result.tasks.push_back(graph.tasks[t]);
    if (int with = graph.tasks[t].colocated; with >= 0)
      result.tasks.back().colocated = index[with];
  }
  for (Value value : graph.values) {
    if (value.producer >= 0 && index[value.producer] < 0)
      continue;
    if (value.producer >= 0)
      value.producer = index[value.producer];
    llvm::erase_if(value.uses,
                   [&](const Use &use) { return index[use.task] < 0; });
    for (Use &use : value.uses)
      use.task = index[use.task];
    if (!value.uses.empty())
      result.values.push_back(std::move(value));
  }
  return result;
}

/// At most 8 tasks of a few cycles: some layers without weights, now and then
/// only the forward pass.
Instance smallInstance(std::minstd_rand &random) {
  while (true) {
    TaskGraph graph = makeRandomGraph(random, 4);
    std::set<int> dropped;
    bool isForward = random() % 6 == 0;
    for (size_t l = 0; l < graph.layers.size(); ++l) {
      bool hasWeights = random() % 3 > 0;
      for (auto [t, task] : llvm::enumerate(graph.tasks))
        if (task.layer == static_cast<int>(l) &&
            (isForward ? task.kind != TaskKind::Forward
                       : !hasWeights && (task.kind == TaskKind::Wgrad ||
                                         task.kind == TaskKind::Update)))
          dropped.insert(static_cast<int>(t));
    }
    graph = without(graph, dropped);
    if (graph.tasks.size() > 8)
      continue;
    for (Task &task : graph.tasks) {
      task.cuts.clear();
      task.cycles = random() % (task.kind == TaskKind::Update ? 2 : 4);
    }
    return Instance(std::move(graph), 1 + random() % 3);
  }
}

TEST(ExactTest, EqualsEnumeration) {
  std::minstd_rand random(51);
  std::map<std::string, std::pair<double, int>> gaps;
  constexpr int kRounds = 300;
  int delayed = 0, slow = 0, largest = 0;
  for (int round = 0; round < kRounds; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = smallInstance(random);
    largest += instance.graph.tasks.size() == 8;
    Interconnect &links = instance.machine.interconnect;
    if (round % 3 == 1)
      links.latencyCycles = random() % 4;
    // Transfers are enumerated too: few tasks, short transfers.
    if (round % 3 == 2 && instance.graph.tasks.size() < 7) {
      links.topology = random() % 2 ? Topology::Bus : Topology::Full;
      links.bytesPerCycle = 1;
      for (Value &value : instance.graph.values)
        value.bytes = random() % 3;
    }
    Problem problem = instance.problem();
    Schedule s = scheduleOf("ilp", problem);
    IntervalOracle oracle(instance);
    ASSERT_EQ(s.interval, oracle.interval);
    EXPECT_EQ(s.lowerBound, s.interval);
    EXPECT_EQ(s.status, SolveStatus::Optimal);
    delayed += llvm::any_of(s.delay, [](int d) { return d > 0; });
    slow += llvm::any_of(s.transfers, [](auto &t) { return t.cycles > 0; });
    for (const SchedulerInfo &info : schedulers()) {
      if (info.mayReplicate)
        continue; // its interval is of several minibatches
      Schedule other = scheduleOf(info.name, problem);
      EXPECT_GE(other.interval, s.interval) << info.name.str();
      EXPECT_LE(other.lowerBound, s.interval) << info.name.str();
      auto &[sum, worse] = gaps[info.name.str()];
      sum += double(other.interval) / double(s.interval) - 1;
      worse += other.interval > s.interval;
    }
  }
  for (const auto &[name, gap] : gaps)
    printf("%-20s mean gap %5.1f %%, above the optimum %d of %d\n",
           name.c_str(), 100 * gap.first / kRounds, gap.second, kRounds);
  EXPECT_GT(delayed, kRounds / 4);
  EXPECT_GT(slow, 5);
  EXPECT_GT(largest, 5);
}

/// The least over all ways to cut, each enumerated as a graph of its own.
TEST(ExactTest, TriesAllCutsWhereTheyAreFew) {
  std::minstd_rand random(52);
  int rounds = 0, cut = 0;
  while (rounds < 60) {
    TaskGraph graph = makeRandomGraph(random, 2);
    for (Task &task : graph.tasks) {
      task.cuts.clear();
      task.work.resize(std::min<size_t>(task.work.size(), 1));
      if (!task.work.empty())
        task.work[0].gemm = {1 + int64_t(random() % 3), 1, 1, 1};
    }
    int d = graph.find("l1.D");
    if (d < 0)
      continue;
    Gemm &product = graph.tasks[d].work[0].gemm;
    product = {1, 2 + int64_t(random() % 2), 2, 1};
    graph.tasks[d].cuts.push_back({CutAxis::Channel, product.n});
    ++rounds;
    SCOPED_TRACE("round " + std::to_string(rounds));
    Instance instance(graph, 1 + random() % 3);
    Schedule s = scheduleOf("ilp", instance.problem());
    std::optional<int64_t> least;
    std::vector<std::vector<Cut>> ways(1);
    for (int64_t at = 1; at < product.n; ++at)
      for (int slices = 0; slices < 4; ++slices)
        ways.push_back(
            {{d, CutAxis::Channel, {at}, {slices % 2 > 0, slices / 2 > 0}}});
    // Three indices may also be three parts.
    for (int slices = 0; product.n == 3 && slices < 8; ++slices)
      ways.push_back({{d,
                       CutAxis::Channel,
                       {1, 2},
                       {slices % 2 > 0, slices / 2 % 2 > 0, slices / 4 > 0}}});
    for (const std::vector<Cut> &way : ways) {
      TaskGraph parts = llvm::cantFail(applyCuts(graph, way));
      // The enumeration takes stated durations.
      for (Task &task : parts.tasks)
        task.cycles = *taskCycles(*instance.cost, task,
                                  instance.machine.processorClass(0));
      Instance one(std::move(parts), instance.machine.processors());
      int64_t interval = IntervalOracle(one).interval;
      least = std::min(least.value_or(interval), interval);
    }
    EXPECT_EQ(s.interval, *least);
    EXPECT_EQ(s.status, SolveStatus::Optimal);
    cut += !s.cuts.empty();
  }
  EXPECT_GT(cut, 5);
}

/// Never an optimum that is none: above what the bound says, within the memory
/// or the time, the status is feasible.
TEST(ExactTest, SaysOptimalOnlyOfWhatIsProved) {
  std::minstd_rand random(53);
  int optimal = 0, feasible = 0, refused = 0;
  for (int round = 0; round < 60; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance(makeRandomGraph(random, 4), 2 + random() % 2);
    for (Task &task : instance.graph.tasks)
      task.cuts.clear();
    Problem problem = instance.problem();
    Schedule free = scheduleOf("ilp", problem);
    EXPECT_EQ(free.status, SolveStatus::Optimal);
    std::vector<int64_t> held = peakMemory(problem, free);
    instance.machine.classes[0].memoryBytes =
        *llvm::max_element(held) * int64_t(7 + random() % 4) / 10;
    llvm::Expected<Schedule> limited = schedule("ilp", problem, {});
    if (!limited) {
      llvm::consumeError(limited.takeError());
      ++refused;
      continue;
    }
    EXPECT_GE(limited->interval, free.interval);
    EXPECT_LE(limited->lowerBound, free.interval);
    bool isLeast = limited->interval == free.interval;
    EXPECT_EQ(limited->status == SolveStatus::Optimal, isLeast);
    ++(isLeast ? optimal : feasible);
  }
  EXPECT_GT(optimal, 10);
  EXPECT_GT(feasible, 5);
  EXPECT_LT(refused, 40);
}

/// Out of time, what was found is returned with the bound that holds.
TEST(ExactTest, EndsAtTheTimeLimit) {
  std::minstd_rand random(54);
  for (int round = 0; round < 10; ++round) {
    Instance instance(makeRandomGraph(random, 9), 4);
    instance.machine.interconnect.bytesPerCycle = 4;
    Problem problem = instance.problem();
    // Also a time that is over before anything is searched.
    for (double limit : {1e-9, 0.01}) {
      ScheduleOptions hurried;
      hurried.timeLimitSeconds = limit;
      for (llvm::StringRef name : {"ilp", "auto"}) {
        Schedule s = scheduleOf(name, problem, hurried);
        EXPECT_LE(leastBound(problem), s.interval);
        EXPECT_EQ(s.status == SolveStatus::Optimal, s.interval == s.lowerBound)
            << name.str() << ", " << limit << " s";
      }
    }
  }
}

//===----------------------------------------------------------------------===//
// auto
//===----------------------------------------------------------------------===//

TEST(AutoTest, IsNeverBehindAnyOther) {
  std::minstd_rand random(55);
  for (int round = 0; round < 30; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance(makeRandomGraph(random, 5), 1 + random() % 4);
    Problem problem = instance.problem();
    std::optional<int64_t> best[2]; // by semantics
    for (const SchedulerInfo &info : schedulers())
      if (info.semantics && info.name != "ilp" && !info.mayReplicate) {
        int64_t interval = scheduleOf(info.name, problem).interval;
        auto &of = best[info.semantics == Semantics::Delayed];
        of = std::min(of.value_or(interval), interval);
      }
    for (Semantics semantics : {Semantics::Synchronous, Semantics::Delayed}) {
      ScheduleOptions options;
      options.semantics = semantics;
      Schedule s = scheduleOf("auto", problem, options);
      EXPECT_EQ(s.semantics, semantics);
      EXPECT_LE(s.interval, *best[semantics == Semantics::Delayed]);
    }
    EXPECT_LE(scheduleOf("auto", problem).interval,
              std::min(*best[0], *best[1]));
  }
}

} // namespace
