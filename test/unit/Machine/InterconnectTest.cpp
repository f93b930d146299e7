//===- InterconnectTest.cpp - links and routes ----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Routes are compared with a breadth-first search over neighbours that are
// computed here, from the definition of each topology.
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/LinkQueue.h"
#include "takt/Machine/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <map>
#include <random>
#include <set>

using namespace takt;
using testing::ElementsAre;
using testing::IsEmpty;

namespace {

using Ends = std::pair<int64_t, int64_t>;

Machine machineOf(int64_t processors, Interconnect interconnect) {
  Machine machine = llvm::cantFail(Machine::uniform(processors));
  machine.interconnect = std::move(interconnect);
  llvm::cantFail(machine.connect());
  return machine;
}

Interconnect linksOf(Topology topology, llvm::ArrayRef<int64_t> sizes = {},
                     int64_t bytesPerCycle = 8, int64_t latencyCycles = 5) {
  Interconnect result;
  result.topology = topology;
  result.bytesPerCycle = bytesPerCycle;
  result.latencyCycles = latencyCycles;
  for (int64_t size : sizes)
    result.dimensions.push_back({size, std::nullopt, std::nullopt});
  return result;
}

int64_t numberIn(llvm::StringRef name) {
  int64_t number = -1;
  name.drop_while([](char c) { return !llvm::isDigit(c); })
      .getAsInteger(10, number);
  return number;
}

Ends endsOf(const Machine &machine, int64_t link) {
  std::string name = machine.linkName(link);
  auto [from, to] = llvm::StringRef(name).split(" to ");
  return {numberIn(from), numberIn(to)};
}

/// The nodes on a route, both ends included; empty if links do not join.
std::vector<int64_t> nodesOn(const Machine &machine, int64_t from, int64_t to) {
  std::vector<int64_t> nodes = {from};
  for (int64_t link : machine.route(from, to)) {
    EXPECT_GE(link, 0);
    EXPECT_LT(link, machine.links());
    Ends ends = endsOf(machine, link);
    if (ends.first != nodes.back())
      return {};
    nodes.push_back(ends.second);
  }
  return nodes;
}

/// Links by their ends, from the definition of a mesh or torus.
std::set<Ends> gridLinks(llvm::ArrayRef<int64_t> sizes, bool wraps) {
  int64_t count = 1;
  for (int64_t size : sizes)
    count *= size;
  std::set<Ends> result;
  for (int64_t node = 0; node < count; ++node) {
    int64_t stride = 1;
    for (int64_t size : sizes) {
      int64_t at = node / stride % size;
      for (int64_t to : {at - 1, at + 1}) {
        if (wraps)
          to = (to + size) % size;
        if (to >= 0 && to < size && to != at)
          result.insert({node, node + (to - at) * stride});
      }
      stride *= size;
    }
  }
  return result;
}

std::set<Ends> treeLinks(llvm::ArrayRef<int64_t> sizes) {
  int64_t nodes = 1;
  for (int64_t size : sizes)
    nodes *= size;
  std::set<Ends> result;
  int64_t first = 0;
  for (int64_t size : sizes) {
    for (int64_t i = 0; i < nodes; ++i) {
      result.insert({first + i, first + nodes + i / size});
      result.insert({first + nodes + i / size, first + i});
    }
    first += nodes;
    nodes /= size;
  }
  return result;
}

std::map<int64_t, int64_t> distancesFrom(int64_t from,
                                         const std::set<Ends> &links) {
  std::map<int64_t, int64_t> distance = {{from, 0}};
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [a, b] : links)
      if (distance.count(a) &&
          (!distance.count(b) || distance[b] > distance[a] + 1)) {
        distance[b] = distance[a] + 1;
        changed = true;
      }
  }
  return distance;
}

/// All routes are shortest paths over the links given.
void expectShortest(const Machine &machine, const std::set<Ends> &links) {
  for (int64_t from = 0; from < machine.processors(); ++from) {
    std::map<int64_t, int64_t> distance = distancesFrom(from, links);
    for (int64_t to = 0; to < machine.processors(); ++to) {
      std::vector<int64_t> nodes = nodesOn(machine, from, to);
      ASSERT_FALSE(nodes.empty());
      EXPECT_EQ(nodes.back(), to);
      EXPECT_EQ(int64_t(nodes.size()) - 1, distance.at(to));
      for (size_t i = 1; i < nodes.size(); ++i)
        EXPECT_TRUE(links.count({nodes[i - 1], nodes[i]}));
    }
  }
}

TEST(InterconnectTest, GridRoutesAreShortestPaths) {
  for (std::vector<int64_t> sizes : std::vector<std::vector<int64_t>>{
           {1}, {2}, {5}, {6}, {2, 2}, {3, 4}, {4, 3}, {1, 5}, {2, 3, 4}}) {
    int64_t count = 1;
    for (int64_t size : sizes)
      count *= size;
    expectShortest(machineOf(count, linksOf(Topology::Mesh, sizes)),
                   gridLinks(sizes, /*wraps=*/false));
    expectShortest(machineOf(count, linksOf(Topology::Torus, sizes)),
                   gridLinks(sizes, /*wraps=*/true));
    if (sizes.size() == 1)
      expectShortest(machineOf(count, linksOf(Topology::Ring)),
                     gridLinks(sizes, /*wraps=*/true));
  }
}

TEST(InterconnectTest, TreeRoutesGoUpAndDown) {
  for (std::vector<int64_t> sizes : std::vector<std::vector<int64_t>>{
           {1}, {4}, {2, 2, 2}, {3, 2}, {2, 3}, {1, 4}, {4, 1, 2}}) {
    int64_t count = 1;
    for (int64_t size : sizes)
      count *= size;
    expectShortest(machineOf(count, linksOf(Topology::Tree, sizes)),
                   treeLinks(sizes));
  }
  Machine machine = machineOf(6, linksOf(Topology::Tree, {3, 2}));
  EXPECT_THAT(nodesOn(machine, 1, 2), ElementsAre(1, 6, 2));
  EXPECT_THAT(nodesOn(machine, 1, 5), ElementsAre(1, 6, 8, 7, 5));
  EXPECT_EQ(machine.linkName(machine.route(1, 5)[1]),
            "the link from switch 6 to switch 8");
}

TEST(InterconnectTest, CustomRoutesAreShortestPaths) {
  std::minstd_rand random(3);
  for (int i = 0; i < 60; ++i) {
    int64_t count = 2 + random() % 9;
    Interconnect interconnect = linksOf(Topology::Custom);
    std::set<Ends> links;
    auto add = [&](int64_t from, int64_t to, bool oneWay) {
      if (from == to || links.count({from, to}) ||
          (!oneWay && links.count({to, from})))
        return;
      links.insert({from, to});
      if (!oneWay)
        links.insert({to, from});
      interconnect.links.push_back(
          {from, to, std::nullopt, std::nullopt, oneWay});
    };
    // A one-way circle joins all.
    for (int64_t p = 0; p < count; ++p)
      add(p, (p + 1) % count, /*oneWay=*/true);
    for (int64_t more = random() % (2 * count); more > 0; --more) {
      int64_t from = random() % count, to = random() % count;
      add(from, to, random() % 2);
    }
    expectShortest(machineOf(count, interconnect), links);
  }
}

TEST(InterconnectTest, TiesHaveTheDocumentedRoute) {
  Machine ring = machineOf(4, linksOf(Topology::Ring));
  EXPECT_THAT(nodesOn(ring, 0, 2), ElementsAre(0, 1, 2));
  EXPECT_THAT(nodesOn(ring, 3, 1), ElementsAre(3, 0, 1));
  EXPECT_THAT(nodesOn(ring, 0, 3), ElementsAre(0, 3));
  Machine mesh = machineOf(6, linksOf(Topology::Mesh, {3, 2}));
  EXPECT_THAT(nodesOn(mesh, 0, 5), ElementsAre(0, 1, 2, 5));
  EXPECT_THAT(nodesOn(mesh, 5, 0), ElementsAre(5, 4, 3, 0));
  Interconnect diamond = linksOf(Topology::Custom);
  for (Ends ends : {Ends{3, 2}, Ends{0, 2}, Ends{0, 1}, Ends{1, 3}})
    diamond.links.push_back(
        {ends.first, ends.second, std::nullopt, std::nullopt});
  EXPECT_THAT(nodesOn(machineOf(4, diamond), 0, 3), ElementsAre(0, 1, 3));
}

TEST(InterconnectTest, TheSlowestLinkAndAllLatenciesCount) {
  Interconnect interconnect = linksOf(Topology::Mesh, {4, 2});
  interconnect.dimensions[1].bytesPerCycle = 4;
  interconnect.dimensions[1].latencyCycles = 20;
  interconnect.links = {{1, 2, 2, 100, /*oneWay=*/true}, {5, 6, 0, 1}};
  Machine machine = machineOf(8, interconnect);
  EXPECT_EQ(machine.transferCycles(0, 1, 17), 3);
  EXPECT_EQ(machine.transferLatency(0, 1), 5);
  EXPECT_EQ(machine.transferCycles(0, 5, 17), 5);
  EXPECT_EQ(machine.transferLatency(0, 5), 25);
  EXPECT_EQ(machine.transferCycles(0, 3, 17), 9);
  EXPECT_EQ(machine.transferLatency(0, 3), 110);
  EXPECT_EQ(machine.transferCycles(3, 0, 17), 3);
  EXPECT_EQ(machine.transferLatency(3, 0), 15);
  EXPECT_EQ(machine.transferCycles(5, 6, 17), 0);
  EXPECT_EQ(machine.transferLatency(6, 5), 1);
  EXPECT_EQ(machine.transferCycles(2, 2, 17), 0);
  EXPECT_EQ(machine.transferLatency(2, 2), 0);
  EXPECT_THAT(machine.route(2, 2), IsEmpty());
}

TEST(InterconnectTest, UnlimitedLinksAreNotHeld) {
  Interconnect interconnect = linksOf(Topology::Ring);
  interconnect.links = {{1, 2, 0, 0}};
  Machine machine = machineOf(6, interconnect);
  Machine::Route all = machine.route(0, 3), held = machine.linksHeld(0, 3);
  EXPECT_THAT(held, ElementsAre(all[0], all[2]));
  EXPECT_FALSE(machine.hasUnlimitedLinks());
  EXPECT_FALSE(machine.hasFreeTransfers());
  machine = machineOf(6, linksOf(Topology::Ring, {}, 0, 3));
  EXPECT_TRUE(machine.hasUnlimitedLinks());
  EXPECT_FALSE(machine.hasFreeTransfers());
  machine = machineOf(6, linksOf(Topology::Ring, {}, 0, 0));
  EXPECT_TRUE(machine.hasFreeTransfers());
}

TEST(InterconnectTest, ListedLinksOfFullMachinesOverride) {
  Interconnect interconnect = linksOf(Topology::Full);
  interconnect.links = {{0, 2, 1, 50}};
  Machine machine = machineOf(3, interconnect);
  EXPECT_EQ(machine.transferCycles(0, 2, 16), 16);
  EXPECT_EQ(machine.transferLatency(2, 0), 50);
  EXPECT_EQ(machine.transferCycles(1, 2, 16), 2);
  EXPECT_EQ(machine.transferLatency(1, 2), 5);
}

TEST(InterconnectTest, RenumberedMachinesKeepTheirLinks) {
  Machine machine = machineOf(4, linksOf(Topology::Ring));
  Machine other = machine.renumbered({2, 0, 3, 1});
  std::vector<int> order = {2, 0, 3, 1};
  for (int a = 0; a < 4; ++a) {
    EXPECT_EQ(other.numberOf(a), order[a]);
    for (int b = 0; b < 4; ++b)
      EXPECT_EQ(other.route(a, b), machine.route(order[a], order[b]));
  }
}

TEST(InterconnectTest, CanonicalTextRoundTrips) {
  Interconnect interconnect = linksOf(Topology::Tree, {2, 2});
  interconnect.dimensions[1].latencyCycles = 70;
  interconnect.links = {{4, 6, 100, std::nullopt, true}};
  Machine machine = machineOf(4, interconnect);
  std::string text = machine.canonicalText();
  llvm::Expected<Machine> again = Machine::parse({text, "again"});
  ASSERT_TRUE(bool(again)) << llvm::toString(again.takeError()) << text;
  EXPECT_EQ(again->canonicalText(), text);
  EXPECT_EQ(again->transferLatency(0, 3), 5 + 70 + 70 + 5);
  EXPECT_EQ(again->route(0, 3), machine.route(0, 3));
}

TEST(LinkQueueTest, EachGetsTheFirstTimeThatIsFree) {
  std::minstd_rand random(5);
  int filled = 0;
  for (int round = 0; round < 300; ++round) {
    LinkQueue queue;
    std::vector<std::vector<bool>> taken(3, std::vector<bool>(1000, false));
    uint64_t ready = 0, last = 0;
    for (int i = 0; i < 12; ++i) {
      ready += random() % 4;
      uint64_t cycles = 1 + random() % 9;
      std::vector<int64_t> links;
      for (int64_t link : {1, 2, 0})
        if (random() % 2)
          links.push_back(link);
      auto isFree = [&](uint64_t start) {
        return llvm::all_of(links, [&](int64_t link) {
          auto begin = taken[link].begin() + start;
          return std::find(begin, begin + cycles, true) == begin + cycles;
        });
      };
      uint64_t expected = ready;
      while (!isFree(expected))
        ++expected;
      uint64_t start = queue.take(links, ready, cycles);
      ASSERT_EQ(start, expected);
      for (int64_t link : links)
        std::fill_n(taken[link].begin() + start, cycles, true);
      filled += start < last;
      last = start;
    }
  }
  // Some go ahead of one that waits.
  EXPECT_GT(filled, 100);
}

TEST(InterconnectTest, ShortForms) {
  auto read = [](llvm::StringRef text, std::optional<int64_t> processors) {
    Interconnect links = llvm::cantFail(parseInterconnect(text, processors));
    return machineOf(*processors, std::move(links));
  };
  Machine ring = read("ring,bytes_per_cycle=16,latency_cycles=7", 5);
  EXPECT_EQ(ring.processors(), 5);
  EXPECT_EQ(ring.transferCycles(0, 2, 33), 3);
  EXPECT_EQ(ring.transferLatency(0, 2), 14);
  EXPECT_EQ(read("mesh:4x2", std::nullopt).processors(), 8);
  EXPECT_EQ(read("tree:2x2x3", 12).route(0, 11).size(), 6u);
  EXPECT_EQ(read("full", std::nullopt).processors(), 1);
  EXPECT_EQ(read("tree", 6).route(0, 5).size(), 2u);
  // The nearest to a square: 4 x 3, and 7 x 1.
  EXPECT_EQ(read("mesh", 12).route(0, 11).size(), 5u);
  EXPECT_EQ(read("torus", 7).route(0, 6).size(), 1u);
}

/// The message about an interconnect of four processors.
std::string errorOf(llvm::StringRef interconnect) {
  std::string text = "takt-machine: 1\nprocessors:\n  - class: a\n    count: "
                     "4\ninterconnect:\n" +
                     interconnect.str();
  llvm::Expected<Machine> machine = Machine::parse({text, "m.yaml"});
  if (machine) {
    ADD_FAILURE() << "accepted:\n" << text;
    return {};
  }
  return llvm::toString(machine.takeError());
}

TEST(InterconnectTest, ErrorsAreLocatedAndSayWhatIsWrong) {
  for (auto [text, message] : std::vector<std::pair<std::string, std::string>>{
           {"  topology: star\n", "m.yaml:6:13: unknown enumerated scalar"},
           {"  topology: ring\n  dimensions: [{size: 4}]\n",
            "m.yaml:6:3: topology 'ring' has no dimensions"},
           {"  topology: bus\n  dimensions: [{size: 4}]\n",
            "m.yaml:6:3: topology 'bus' has no dimensions"},
           {"  dimensions: [{size: 4}]\n",
            "m.yaml:6:3: topology 'full' has no dimensions"},
           {"  topology: bus\n  links: [{from: 0, to: 1}]\n",
            "m.yaml:6:3: a bus has no links to list"},
           {"  topology: mesh\n",
            "m.yaml:6:3: topology 'mesh' with 0 dimensions, expected 1 to 8"},
           {"  topology: mesh\n  dimensions: [{size: 3}, {size: 2}]\n",
            "m.yaml:6:3: topology 'mesh' of 3 x 2 does not have the machine's "
            "4 processors"},
           {"  topology: torus\n  dimensions: [{size: 4096}, {size: 4096}, "
            "{size: 4096}, {size: 4096}, {size: 4096}, {size: 4096}]\n",
            "m.yaml:6:3: topology 'torus' of 4096 x 4096 x 4096 x 4096 x 4096 "
            "x 4096 does not have the machine's 4 processors"},
           {"  topology: tree\n  dimensions: [{size: 0}]\n",
            "m.yaml:7:23: expected an integer from 1 to 4096"},
           {"  topology: tree\n  dimensions: [{size: 2}, {size: 2}]\n"
            "  links: [{from: 0, to: 7}]\n",
            "m.yaml:6:3: link from 0 to 7: the machine has processors 0 to 3 "
            "and switches 4 to 6"},
           {"  topology: ring\n  links: [{from: 0, to: 4}]\n",
            "m.yaml:6:3: link from 0 to 4: the machine has processors 0 to 3"},
           {"  topology: ring\n  links: [{from: 0, to: 2}]\n",
            "m.yaml:6:3: link from 0 to 2: not a link of the topology"},
           {"  topology: ring\n  links: [{from: 0, to: 1}, {from: 1, to: 0}]\n",
            "m.yaml:6:3: link from 1 to 0: listed twice"},
           {"  topology: custom\n  links: [{from: 1, to: 1}]\n",
            "m.yaml:6:3: link from 1 to 1: expected two different ends"},
           {"  topology: custom\n  links: [{from: 0, to: 1}, {from: 1, to: 0, "
            "one_way: true}]\n",
            "m.yaml:6:3: link from 1 to 0: listed twice"},
           {"  topology: custom\n  links: [{from: 0, to: 1}, {from: 2, to: "
            "3}]\n",
            "m.yaml:6:3: no path over the links listed leads from processor 2 "
            "to processor 0"},
           {"  topology: custom\n",
            "m.yaml:6:3: no path over the links listed leads from processor 1 "
            "to processor 0"},
           {"  links: [{from: 0}]\n", "m.yaml:6:12: missing required key 'to'"},
           {"  links: [{from: 0, to: 1, bytes_per_cycle: -1}]\n",
            "m.yaml:6:45: expected an integer from 0 to 1099511627776"}})
    EXPECT_EQ(errorOf(text), message);
  std::string many = "  links:\n";
  for (int i = 0; i <= 1 << 16; ++i)
    many += "    - {from: 0, to: 1}\n";
  EXPECT_EQ(errorOf(many), "m.yaml:6:3: 65537 links are listed, expected at "
                           "most 65536");
}

} // namespace
