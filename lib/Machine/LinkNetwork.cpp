//===- LinkNetwork.cpp - links and routes ---------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinkNetwork.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

llvm::StringRef takt::keyword(Topology topology) {
  constexpr llvm::StringLiteral names[] = {"full",  "bus",  "ring",  "mesh",
                                           "torus", "tree", "custom"};
  return names[static_cast<size_t>(topology)];
}

//===----------------------------------------------------------------------===//
// Routes
//===----------------------------------------------------------------------===//

Machine::Route LinkNetwork::route(int64_t from, int64_t to) const {
  Machine::Route result;
  while (from != to) {
    Hop hop = next(from, to);
    result.push_back(hop.link);
    from = hop.node;
  }
  return result;
}

LinkNetwork::Rate LinkNetwork::rate(int64_t link) const {
  if (!listedRates.empty())
    if (auto it = listedRates.find(link); it != listedRates.end())
      return it->second;
  return ordinaryRate(link);
}

int64_t LinkNetwork::bytesPerCycle(int64_t from, int64_t to) const {
  int64_t slowest = 0;
  while (from != to) {
    Hop hop = next(from, to);
    int64_t its = rate(hop.link).bytesPerCycle;
    if (its > 0 && (slowest == 0 || its < slowest))
      slowest = its;
    from = hop.node;
  }
  return slowest;
}

int64_t LinkNetwork::latencyCycles(int64_t from, int64_t to) const {
  int64_t sum = 0;
  while (from != to) {
    Hop hop = next(from, to);
    sum += rate(hop.link).latencyCycles;
    from = hop.node;
  }
  return sum;
}

std::string LinkNetwork::nodeName(int64_t node) const {
  return (node < processors ? "processor " : "switch ") + std::to_string(node);
}

std::string LinkNetwork::linkName(int64_t link) const {
  int64_t from = source(link);
  std::string name = "the link from " + nodeName(from);
  for (const Hop &hop : neighbours(from))
    if (hop.link == link)
      return name + " to " + nodeName(hop.node);
  return name;
}

//===----------------------------------------------------------------------===//
// Listed links
//===----------------------------------------------------------------------===//

static std::string describe(int64_t from, int64_t to) {
  return "link from " + std::to_string(from) + " to " + std::to_string(to);
}

Error LinkNetwork::checkNodes(const Link &link) const {
  for (int64_t node : {link.from, link.to})
    if (node < 0 || node >= nodeCount()) {
      std::string last = "processors 0 to " + std::to_string(processors - 1);
      if (nodeCount() > processors)
        last += " and switches " + std::to_string(processors) + " to " +
                std::to_string(nodeCount() - 1);
      return createStringError(describe(link.from, link.to) +
                               ": the machine has " + last);
    }
  if (link.from == link.to)
    return createStringError(describe(link.from, link.to) +
                             ": expected two different ends");
  return Error::success();
}

Error LinkNetwork::setRate(int64_t from, int64_t to, const Link &link) {
  auto out = neighbours(from);
  auto hop = llvm::find_if(out, [&](const Hop &h) { return h.node == to; });
  if (hop == out.end())
    return createStringError(describe(from, to) +
                             ": not a link of the topology");
  Rate ordinary = ordinaryRate(hop->link);
  Rate rate{link.bytesPerCycle.value_or(ordinary.bytesPerCycle),
            link.latencyCycles.value_or(ordinary.latencyCycles)};
  if (!listedRates.try_emplace(hop->link, rate).second)
    return createStringError(describe(from, to) + ": listed twice");
  return Error::success();
}

Error LinkNetwork::addLinks(llvm::ArrayRef<Link> listed) {
  for (const Link &link : listed) {
    if (Error error = checkNodes(link))
      return error;
    if (Error error = setRate(link.from, link.to, link))
      return error;
    if (!link.oneWay)
      if (Error error = setRate(link.to, link.from, link))
        return error;
  }
  return Error::success();
}

/// Finds whether any link has a limit, or takes any time.
void LinkNetwork::summarize() {
  isUnlimited = isFree = true;
  auto add = [&](Rate rate) {
    isUnlimited &= rate.bytesPerCycle == 0;
    isFree &= rate == Rate();
  };
  for (auto [link, rate] : listedRates)
    add(rate);
  for (int64_t node = 0; node < nodeCount() && (isUnlimited || isFree); ++node)
    for (const Hop &hop : neighbours(node))
      add(rate(hop.link));
}

//===----------------------------------------------------------------------===//
// Making one
//===----------------------------------------------------------------------===//

static Error checkDimensions(const Interconnect &interconnect,
                             int64_t processors) {
  constexpr size_t kMaxDimensions = 8;
  std::string name = "topology '" + keyword(interconnect.topology).str() + "'";
  bool has = interconnect.topology == Topology::Mesh ||
             interconnect.topology == Topology::Torus ||
             interconnect.topology == Topology::Tree;
  size_t count = interconnect.dimensions.size();
  if (!has && count > 0)
    return createStringError(name + " has no dimensions");
  if (!has)
    return Error::success();
  if (count < 1 || count > kMaxDimensions)
    return createStringError(name + " with " + Twine(count) +
                             " dimensions, expected 1 to " +
                             Twine(kMaxDimensions));
  int64_t product = 1;
  std::string text;
  for (const Dimension &dimension : interconnect.dimensions) {
    text += (text.empty() ? "" : " x ") + std::to_string(dimension.size);
    // Beyond what there is the product may overflow.
    if (product <= processors)
      product *= dimension.size;
  }
  if (product != processors)
    return createStringError(name + " of " + text +
                             " does not have the machine's " +
                             Twine(processors) + " processors");
  return Error::success();
}

Expected<std::shared_ptr<const LinkNetwork>>
LinkNetwork::build(const Interconnect &interconnect, int64_t processors) {
  // Far more than machines have; to find the routes of a custom one takes
  // processors times links.
  constexpr size_t kMaxLinks = size_t(1) << 16;
  if (interconnect.links.size() > kMaxLinks)
    return createStringError(Twine(interconnect.links.size()) +
                             " links are listed, expected at most " +
                             Twine(kMaxLinks));
  if (Error error = checkDimensions(interconnect, processors))
    return std::move(error);
  auto make = [&] {
    switch (interconnect.topology) {
    case Topology::Ring:
    case Topology::Mesh:
    case Topology::Torus:
      return makeGrid(interconnect, processors);
    case Topology::Tree:
      return makeTree(interconnect, processors);
    case Topology::Custom:
      return makeCustomNetwork(interconnect, processors);
    default:
      return makeFullNetwork(interconnect, processors);
    }
  };
  std::shared_ptr<LinkNetwork> network = make();
  if (Error error = network->addLinks(interconnect.links))
    return std::move(error);
  network->summarize();
  return std::move(network);
}
