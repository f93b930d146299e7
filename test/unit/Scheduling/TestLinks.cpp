//===- TestLinks.cpp - machines with random links -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestLinks.h"
#include <set>

using namespace takt;
using namespace takt::test;

namespace {
std::optional<int64_t> maybe(std::minstd_rand &random, int64_t below) {
  if (random() % 3)
    return std::nullopt;
  return int64_t(random() % below);
}

/// Up to three random factors of the number of processors.
std::vector<Dimension> randomDimensions(int64_t processors,
                                        std::minstd_rand &random) {
  std::vector<Dimension> result;
  for (int64_t left = processors; left > 1 || result.empty();) {
    std::vector<int64_t> factors;
    for (int64_t factor = result.size() == 2 ? left : 2; factor <= left;
         ++factor)
      if (left % factor == 0)
        factors.push_back(factor);
    int64_t size = factors.empty() ? 1 : factors[random() % factors.size()];
    Dimension dimension;
    dimension.size = size;
    dimension.bytesPerCycle = maybe(random, 9);
    dimension.latencyCycles = maybe(random, 50);
    result.push_back(dimension);
    left /= size;
  }
  return result;
}

/// Every processor has a link to one before it, and there are more.
std::vector<Link> randomLinks(int64_t processors, std::minstd_rand &random) {
  std::vector<Link> result;
  std::set<std::pair<int64_t, int64_t>> known;
  auto add = [&](int64_t from, int64_t to) {
    if (from == to || known.count({from, to}) || known.count({to, from}))
      return;
    known.insert({from, to});
    std::optional<int64_t> bytesPerCycle = maybe(random, 9);
    result.push_back({from, to, bytesPerCycle, maybe(random, 50)});
  };
  for (int64_t p = 1; p < processors; ++p)
    add(p, random() % p);
  for (int64_t more = random() % (processors + 1); more > 0; --more) {
    int64_t from = random() % processors;
    add(from, random() % processors);
  }
  return result;
}
} // namespace

void takt::test::connectRandomly(Machine &machine, Topology topology,
                                 std::minstd_rand &random) {
  int64_t processors = machine.processors();
  Interconnect links;
  links.topology = topology;
  links.bytesPerCycle = 1 + random() % 8;
  links.latencyCycles = random() % 50;
  if (topology == Topology::Mesh || topology == Topology::Torus ||
      topology == Topology::Tree)
    links.dimensions = randomDimensions(processors, random);
  if (topology == Topology::Custom)
    links.links = randomLinks(processors, random);
  if ((topology == Topology::Full || topology == Topology::Ring) &&
      processors > 1 && random() % 2) {
    std::optional<int64_t> bytesPerCycle = maybe(random, 4);
    links.links.push_back(
        {0, 1, bytesPerCycle, maybe(random, 99), random() % 2 == 0});
  }
  machine.interconnect = links;
  llvm::cantFail(machine.connect());
}

void takt::test::connectRandomly(Machine &machine, std::minstd_rand &random) {
  constexpr Topology all[] = {Topology::Full,  Topology::Bus,   Topology::Ring,
                              Topology::Mesh,  Topology::Torus, Topology::Tree,
                              Topology::Custom};
  Topology topology = all[random() % 7];
  connectRandomly(machine, topology, random);
}
