//===- Machine.cpp - the array of processors ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/Machine.h"
#include "LinkNetwork.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using namespace takt;

int64_t Machine::processors() const {
  int64_t total = 0;
  for (const ProcessorClass &c : classes)
    total += c.count;
  return total;
}

const ProcessorClass &Machine::processorClass(int64_t p) const {
  for (const ProcessorClass &c : classes) {
    if (p < c.count)
      return c;
    p -= c.count;
  }
  return classes.back();
}

bool Machine::isUniform() const { return classes.size() == 1; }

//===----------------------------------------------------------------------===//
// The interconnect
//===----------------------------------------------------------------------===//

llvm::Error Machine::connect() {
  network.reset();
  nodes.clear();
  bool isBus = interconnect.topology == Topology::Bus;
  if (isBus && !interconnect.links.empty())
    return llvm::createStringError("a bus has no links to list");
  if (isBus && !interconnect.dimensions.empty())
    return llvm::createStringError("topology 'bus' has no dimensions");
  if (isBus || (interconnect.topology == Topology::Full &&
                interconnect.links.empty() && interconnect.dimensions.empty()))
    return llvm::Error::success();
  auto built = LinkNetwork::build(interconnect, processors());
  if (!built)
    return built.takeError();
  network = std::move(*built);
  return llvm::Error::success();
}

int64_t Machine::transferCycles(int64_t from, int64_t to, int64_t bytes) const {
  if (from == to || bytes <= 0)
    return 0;
  int64_t rate = network ? network->bytesPerCycle(numberOf(from), numberOf(to))
                         : interconnect.bytesPerCycle;
  return rate == 0 ? 0
                   : llvm::divideCeil(static_cast<uint64_t>(bytes),
                                      static_cast<uint64_t>(rate));
}

int64_t Machine::transferLatency(int64_t from, int64_t to) const {
  if (network)
    return network->latencyCycles(numberOf(from), numberOf(to));
  return from == to ? 0 : interconnect.latencyCycles;
}

Machine::Route Machine::route(int64_t from, int64_t to) const {
  if (network)
    return network->route(numberOf(from), numberOf(to));
  if (from == to)
    return {};
  if (interconnect.topology == Topology::Bus)
    return {0};
  return {from * processors() + to};
}

Machine::Route Machine::linksHeld(int64_t from, int64_t to) const {
  Route links = route(from, to);
  auto isUnlimited = [&](int64_t link) {
    return network->rate(link).bytesPerCycle == 0;
  };
  if (network && !llvm::all_of(links, isUnlimited))
    llvm::erase_if(links, isUnlimited);
  return links;
}

int64_t Machine::links() const {
  if (network)
    return network->links();
  if (interconnect.topology == Topology::Bus)
    return 1;
  return processors() * processors();
}

std::string Machine::linkName(int64_t link) const {
  if (network)
    return network->linkName(link);
  if (interconnect.topology == Topology::Bus)
    return "the bus";
  return "the link from processor " + std::to_string(link / processors()) +
         " to processor " + std::to_string(link % processors());
}

bool Machine::hasUnlimitedLinks() const {
  return network ? network->hasUnlimitedLinks()
                 : interconnect.bytesPerCycle == 0;
}

bool Machine::hasFreeTransfers() const {
  return network ? network->hasFreeTransfers()
                 : interconnect.bytesPerCycle == 0 &&
                       interconnect.latencyCycles == 0;
}

bool Machine::hasEqualLinks() const { return !network; }

Machine Machine::renumbered(llvm::ArrayRef<int> order) const {
  Machine result = *this;
  if (!network)
    return result;
  result.nodes.clear();
  for (int processor : order)
    result.nodes.push_back(static_cast<int>(numberOf(processor)));
  return result;
}
