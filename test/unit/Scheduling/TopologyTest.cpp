//===- TopologyTest.cpp - schedules on machines of all topologies ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/ProcessorOrder.h"
#include "TestGraphs.h"
#include "TestLinks.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

namespace {

class TopologyTest : public testing::TestWithParam<Topology> {};

/// schedule() verifies; no interval is below the bounds.
TEST_P(TopologyTest, RandomGraphs) {
  std::minstd_rand random(41);
  int64_t several = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance(makeRandomGraph(random, 6), 1 + random() % 8);
    connectRandomly(instance.machine, GetParam(), random);
    if (round % 4 == 0)
      instance.machine.interconnect.bytesPerCycle *= 16;
    llvm::cantFail(instance.machine.connect());
    Problem problem = instance.problem();
    for (const SchedulerInfo &info : schedulers()) {
      bool searches = info.name == "ilp" || info.name == "auto";
      if (searches && round % 10 != 0)
        continue;
      llvm::Expected<Schedule> s = schedule(info.name, problem, {});
      ASSERT_TRUE(bool(s)) << info.name.str() << ": "
                           << llvm::toString(s.takeError());
      EXPECT_GE(s->interval, bounds(problem, *s).best()) << info.name.str();
      several += llvm::any_of(s->transfers, [&](const TransferPlacement &t) {
        return t.cycles > 0 &&
               (GetParam() == Topology::Full || GetParam() == Topology::Bus ||
                instance.machine.route(t.from, t.to).size() > 1);
      });
    }
  }
  EXPECT_GT(several, 10);
}

INSTANTIATE_TEST_SUITE_P(All, TopologyTest,
                         testing::Values(Topology::Full, Topology::Bus,
                                         Topology::Ring, Topology::Mesh,
                                         Topology::Torus, Topology::Tree,
                                         Topology::Custom),
                         [](const auto &info) {
                           return keyword(info.param).str();
                         });

/// Tasks of 8 cycles in pairs, each with a value of 8 bytes from the first one
/// to the second, on a line of four processors with links of a byte a cycle.
struct Pairs {
  explicit Pairs(llvm::ArrayRef<std::pair<int, int>> places) : instance({}, 4) {
    TaskGraph &graph = instance.graph;
    graph.layers.resize(1);
    graph.layers[0].name = "l";
    Interconnect &links = instance.machine.interconnect;
    links.topology = Topology::Mesh;
    links.bytesPerCycle = 1;
    links.dimensions = {{4, std::nullopt, std::nullopt}};
    llvm::cantFail(instance.machine.connect());
    for (auto [from, to] : places) {
      int task = static_cast<int>(graph.tasks.size());
      for (int processor : {from, to}) {
        Task &added = graph.tasks.emplace_back();
        added.name = "t" + std::to_string(graph.tasks.size());
        added.cycles = 8;
        int64_t start = 40 * (graph.tasks.size() % 2 == 0);
        schedule.tasks.push_back({processor, start, 8});
      }
      Value &value = graph.values.emplace_back();
      value.name = "v" + std::to_string(graph.values.size());
      value.producer = task;
      value.bytes = 8;
      value.uses.push_back({task + 1});
      schedule.transfers.push_back(
          {static_cast<int>(graph.values.size()) - 1, from, to, 8, 8, 0});
    }
    schedule.graph = graph;
    schedule.stage = {0};
    schedule.delay = {0};
    schedule.interval = 64;
  }

  std::string check() const {
    return llvm::toString(verify(instance.problem(), schedule));
  }

  Instance instance;
  Schedule schedule;
};

TEST(LinkContentionTest, RoutesThatShareALinkMustNotOverlap) {
  Pairs pairs({{0, 3}, {1, 2}});
  EXPECT_EQ(pairs.check(),
            "schedule '': the transfer of 'v1' from processor 0 to 3 at 8 and "
            "the transfer of 'v2' from processor 1 to 2 at 8 overlap on the "
            "link from processor 1 to processor 2 modulo the interval of 64");
  pairs.schedule.transfers[1].start = 15;
  EXPECT_THAT(pairs.check(), HasSubstr("overlap on the link"));
  pairs.schedule.transfers[1].start = 16;
  EXPECT_EQ(pairs.check(), "");
}

TEST(LinkContentionTest, OtherLinksAndDirectionsAreFree) {
  EXPECT_EQ(Pairs({{0, 3}, {2, 1}}).check(), "");
  EXPECT_EQ(Pairs({{0, 1}, {2, 3}}).check(), "");
}

//===----------------------------------------------------------------------===//
// The order of processors
//===----------------------------------------------------------------------===//

std::vector<int> orderOn(int64_t processors, Interconnect links) {
  Instance instance(makeChain({product(2, 2, 2), product(2, 2, 2)}),
                    processors);
  instance.machine.interconnect = std::move(links);
  llvm::cantFail(instance.machine.connect());
  return processorOrder(instance.problem());
}

Interconnect linksOf(Topology topology, llvm::ArrayRef<int64_t> sizes) {
  Interconnect links;
  links.topology = topology;
  links.bytesPerCycle = 4;
  links.latencyCycles = 3;
  for (int64_t size : sizes)
    links.dimensions.push_back({size, std::nullopt, std::nullopt});
  return links;
}

TEST(ProcessorOrderTest, MeshesAreCrossedTurningAtEachRow) {
  EXPECT_THAT(orderOn(6, linksOf(Topology::Mesh, {3, 2})),
              ElementsAre(0, 1, 2, 5, 4, 3));
  EXPECT_THAT(orderOn(8, linksOf(Topology::Torus, {2, 2, 2})),
              ElementsAre(0, 1, 3, 2, 6, 7, 5, 4));
}

TEST(ProcessorOrderTest, RingsAndEqualLinksKeepTheirNumbers) {
  EXPECT_THAT(orderOn(4, linksOf(Topology::Ring, {})), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(orderOn(3, linksOf(Topology::Full, {})), ElementsAre(0, 1, 2));
  EXPECT_THAT(orderOn(3, linksOf(Topology::Bus, {})), ElementsAre(0, 1, 2));
}

TEST(ProcessorOrderTest, SlowLinksAreLeftOut) {
  Interconnect ring = linksOf(Topology::Ring, {});
  ring.links = {{1, 2, 1, 100}};
  EXPECT_THAT(orderOn(4, ring), ElementsAre(1, 0, 3, 2));
}

TEST(ProcessorOrderTest, ListedLinksAreFollowed) {
  Interconnect line = linksOf(Topology::Custom, {});
  for (auto [from, to] : {std::pair(3, 1), {1, 4}, {4, 0}, {0, 2}})
    line.links.push_back({from, to, std::nullopt, std::nullopt});
  EXPECT_THAT(orderOn(5, line), ElementsAre(2, 0, 4, 1, 3));
}

TEST(ProcessorOrderTest, ClassesStayWhereTheyAre) {
  Instance instance(makeChain({product(2, 2, 2), product(2, 2, 2)}), 4);
  ProcessorClass fast = instance.machine.classes[0];
  fast.name = "fast";
  fast.macsPerCycle = 2;
  fast.count = 2;
  instance.machine.classes.push_back(fast);
  instance.machine.interconnect = linksOf(Topology::Mesh, {3, 2});
  llvm::cantFail(instance.machine.connect());
  std::vector<int> order = processorOrder(instance.problem());
  for (int p = 0; p < 6; ++p)
    EXPECT_EQ(order[p] < 4, p < 4);
  EXPECT_THAT(order, UnorderedElementsAre(0, 1, 2, 3, 4, 5));
}

/// A pipeline of equal stages keeps to neighbours.
TEST(ProcessorOrderTest, PipelinesStepFromNeighbourToNeighbour) {
  std::vector<LayerSpec> layers(8, product(8, 8, 8));
  Instance instance(makeChain(layers), 8);
  instance.machine.interconnect = linksOf(Topology::Mesh, {4, 2});
  instance.machine.interconnect.bytesPerCycle = 64;
  llvm::cantFail(instance.machine.connect());
  Schedule s = scheduleOf("pipedream", instance.problem());
  EXPECT_GT(s.stages, 4);
  ASSERT_FALSE(s.transfers.empty());
  for (const TransferPlacement &t : s.transfers)
    EXPECT_EQ(instance.machine.route(t.from, t.to).size(), 1u);
}

} // namespace
