//===- Topologies.cpp - the networks of machine files ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One class for each way to find the next hop. All but the custom one do so by
// arithmetic on the numbers of nodes, without tables.
//
//===----------------------------------------------------------------------===//

#include "LinkNetwork.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;
using llvm::createStringError;
using llvm::Error;

//===----------------------------------------------------------------------===//
// Full
//===----------------------------------------------------------------------===//

namespace {
/// Link from · processors + to.
class FullNetwork : public LinkNetwork {
public:
  FullNetwork(const Interconnect &interconnect, int64_t processors)
      : LinkNetwork(interconnect, processors) {}

  int64_t links() const override { return processors * processors; }

private:
  Hop next(int64_t node, int64_t to) const override {
    return {node * processors + to, to};
  }
  llvm::SmallVector<Hop, 8> neighbours(int64_t node) const override {
    llvm::SmallVector<Hop, 8> result;
    for (int64_t to = 0; to < processors; ++to)
      if (to != node)
        result.push_back(next(node, to));
    return result;
  }
  int64_t source(int64_t link) const override { return link / processors; }
};
} // namespace

std::shared_ptr<LinkNetwork>
takt::makeFullNetwork(const Interconnect &interconnect, int64_t processors) {
  return std::make_shared<FullNetwork>(interconnect, processors);
}

//===----------------------------------------------------------------------===//
// Ring, mesh, torus
//===----------------------------------------------------------------------===//

namespace {
/// Routes cross one dimension after the other, the first one first; in a ring
/// the shorter way round, upwards where both are as long. Node n has link
/// 2·(n·D + d) up along dimension d of D, and the next number down.
class Grid : public LinkNetwork {
public:
  Grid(const Interconnect &interconnect, int64_t processors)
      : LinkNetwork(interconnect, processors),
        wraps(interconnect.topology != Topology::Mesh) {
    if (interconnect.topology == Topology::Ring)
      addDimension({processors, std::nullopt, std::nullopt});
    for (const Dimension &dimension : interconnect.dimensions)
      addDimension(dimension);
  }

  int64_t links() const override { return 2 * processors * rank(); }

private:
  struct Axis {
    int64_t size, stride;
    Rate rate;
  };

  int64_t rank() const { return static_cast<int64_t>(axes.size()); }
  void addDimension(const Dimension &dimension) {
    int64_t stride = axes.empty() ? 1 : axes.back().stride * axes.back().size;
    axes.push_back({dimension.size, stride,
                    rateOf(dimension.bytesPerCycle, dimension.latencyCycles)});
  }
  static int64_t position(const Axis &axis, int64_t node) {
    return node / axis.stride % axis.size;
  }

  Hop step(int64_t node, int64_t d, bool up) const {
    const Axis &axis = axes[d];
    int64_t from = position(axis, node);
    int64_t to = (from + (up ? 1 : axis.size - 1)) % axis.size;
    return {2 * (node * rank() + d) + !up, node + (to - from) * axis.stride};
  }

  Hop next(int64_t node, int64_t to) const override {
    int64_t d = 0;
    while (position(axes[d], node) == position(axes[d], to))
      ++d;
    int64_t size = axes[d].size;
    int64_t ahead = position(axes[d], to) - position(axes[d], node);
    if (!wraps)
      return step(node, d, ahead > 0);
    ahead = (ahead + size) % size;
    return step(node, d, ahead <= size - ahead);
  }

  llvm::SmallVector<Hop, 8> neighbours(int64_t node) const override {
    llvm::SmallVector<Hop, 8> result;
    for (int64_t d = 0; d < rank(); ++d) {
      const Axis &axis = axes[d];
      int64_t at = position(axis, node);
      // Round a ring of two, up and down are the same link.
      if (axis.size > 1 && (wraps || at + 1 < axis.size))
        result.push_back(step(node, d, /*up=*/true));
      if (wraps ? axis.size > 2 : at > 0)
        result.push_back(step(node, d, /*up=*/false));
    }
    return result;
  }

  int64_t source(int64_t link) const override { return link / (2 * rank()); }
  Rate ordinaryRate(int64_t link) const override {
    return axes[link / 2 % rank()].rate;
  }

  bool wraps;
  std::vector<Axis> axes;
};
} // namespace

std::shared_ptr<LinkNetwork> takt::makeGrid(const Interconnect &interconnect,
                                            int64_t processors) {
  return std::make_shared<Grid>(interconnect, processors);
}

//===----------------------------------------------------------------------===//
// Tree
//===----------------------------------------------------------------------===//

namespace {
/// Routes go up to the lowest switch above both ends, then down. The node n of
/// a level has link 2·n to its parent and 2·n + 1 from there.
class Tree : public LinkNetwork {
public:
  Tree(const Interconnect &interconnect, int64_t processors)
      : LinkNetwork(interconnect, processors) {
    int64_t first = 0, nodes = processors, leaves = 1;
    for (const Dimension &dimension : interconnect.dimensions) {
      levels.push_back(
          {first, leaves, dimension.size,
           rateOf(dimension.bytesPerCycle, dimension.latencyCycles)});
      first += nodes;
      nodes /= dimension.size;
      leaves *= dimension.size;
    }
    levels.push_back({first, leaves, 1, common});
  }

  int64_t links() const override { return 2 * root(); }

private:
  struct Level {
    int64_t first;    ///< node
    int64_t leaves;   ///< below each node
    int64_t siblings; ///< children of each parent
    Rate rate;        ///< of the links to and from the parents
  };

  int64_t root() const { return levels.back().first; }
  int64_t nodeCount() const override { return root() + 1; }
  size_t levelOf(int64_t node) const {
    size_t level = 0;
    while (level + 1 < levels.size() && node >= levels[level + 1].first)
      ++level;
    return level;
  }
  int64_t parent(int64_t node) const {
    size_t level = levelOf(node);
    return levels[level + 1].first +
           (node - levels[level].first) / levels[level].siblings;
  }

  Hop next(int64_t node, int64_t to) const override {
    size_t level = levelOf(node);
    if (to / levels[level].leaves != node - levels[level].first)
      return {2 * node, parent(node)};
    const Level &below = levels[level - 1];
    int64_t child = below.first + to / below.leaves;
    return {2 * child + 1, child};
  }

  llvm::SmallVector<Hop, 8> neighbours(int64_t node) const override {
    llvm::SmallVector<Hop, 8> result;
    if (node != root())
      result.push_back({2 * node, parent(node)});
    size_t level = levelOf(node);
    if (level == 0)
      return result;
    const Level &below = levels[level - 1];
    int64_t child = below.first + (node - levels[level].first) * below.siblings;
    for (int64_t i = 0; i < below.siblings; ++i, ++child)
      result.push_back({2 * child + 1, child});
    return result;
  }

  int64_t source(int64_t link) const override {
    return link % 2 == 0 ? link / 2 : parent(link / 2);
  }
  Rate ordinaryRate(int64_t link) const override {
    return levels[levelOf(link / 2)].rate;
  }

  std::vector<Level> levels;
};
} // namespace

std::shared_ptr<LinkNetwork> takt::makeTree(const Interconnect &interconnect,
                                            int64_t processors) {
  return std::make_shared<Tree>(interconnect, processors);
}

//===----------------------------------------------------------------------===//
// Custom
//===----------------------------------------------------------------------===//

namespace {
/// Routes have the fewest links; where several do, each hop goes to the lowest
/// processor from which one goes on. Links are numbered by their ends.
class CustomNetwork : public LinkNetwork {
public:
  CustomNetwork(const Interconnect &interconnect, int64_t processors)
      : LinkNetwork(interconnect, processors), out(processors) {}

  int64_t links() const override {
    return static_cast<int64_t>(sources.size());
  }

private:
  Hop next(int64_t node, int64_t to) const override {
    return out[node][nextOf[to * processors + node]];
  }
  llvm::SmallVector<Hop, 8> neighbours(int64_t node) const override {
    return {out[node].begin(), out[node].end()};
  }
  int64_t source(int64_t link) const override { return sources[link]; }
  Error addLinks(llvm::ArrayRef<Link> listed) override;
  Error findRoutes();
  bool findRoutesTo(int64_t to, llvm::ArrayRef<std::vector<int64_t>> in,
                    std::vector<int64_t> &distance);

  std::vector<std::vector<Hop>> out; ///< by node, sorted by the end's number
  std::vector<int64_t> sources;      ///< by link
  /// By destination and node: which of the node's links to take.
  std::vector<uint16_t> nextOf;
};
} // namespace

Error CustomNetwork::addLinks(llvm::ArrayRef<Link> listed) {
  std::map<std::pair<int64_t, int64_t>, Rate> rates;
  for (const Link &link : listed) {
    if (Error error = checkNodes(link))
      return error;
    Rate rate = rateOf(link.bytesPerCycle, link.latencyCycles);
    bool isNew = rates.try_emplace({link.from, link.to}, rate).second;
    if (isNew && !link.oneWay)
      isNew = rates.try_emplace({link.to, link.from}, rate).second;
    if (!isNew)
      return createStringError("link from " + llvm::Twine(link.from) + " to " +
                               llvm::Twine(link.to) + ": listed twice");
  }
  for (auto [ends, rate] : rates) {
    int64_t link = links();
    out[ends.first].push_back({link, ends.second});
    sources.push_back(ends.first);
    listedRates[link] = rate;
  }
  return findRoutes();
}

/// Fills the next hops of all routes to a processor; false if some other one
/// has none, which `distance` then shows.
bool CustomNetwork::findRoutesTo(int64_t to,
                                 llvm::ArrayRef<std::vector<int64_t>> in,
                                 std::vector<int64_t> &distance) {
  distance.assign(processors, -1);
  distance[to] = 0;
  std::vector<int64_t> found = {to};
  for (size_t i = 0; i < found.size(); ++i)
    for (int64_t node : in[found[i]])
      if (distance[node] < 0) {
        distance[node] = distance[found[i]] + 1;
        found.push_back(node);
      }
  if (static_cast<int64_t>(found.size()) < processors)
    return false;
  for (int64_t node = 0; node < processors; ++node)
    for (auto [index, hop] : llvm::enumerate(out[node]))
      if (distance[hop.node] == distance[node] - 1) {
        nextOf[to * processors + node] = static_cast<uint16_t>(index);
        break;
      }
  return true;
}

Error CustomNetwork::findRoutes() {
  std::vector<std::vector<int64_t>> in(processors);
  for (auto [node, hops] : llvm::enumerate(out))
    for (const Hop &hop : hops)
      in[hop.node].push_back(static_cast<int64_t>(node));
  nextOf.assign(processors * processors, 0);
  std::vector<int64_t> distance;
  for (int64_t to = 0; to < processors; ++to)
    if (!findRoutesTo(to, in, distance))
      return createStringError(
          "no path over the links listed leads from processor " +
          llvm::Twine(llvm::find(distance, -1) - distance.begin()) +
          " to processor " + llvm::Twine(to));
  return Error::success();
}

std::shared_ptr<LinkNetwork>
takt::makeCustomNetwork(const Interconnect &interconnect, int64_t processors) {
  return std::make_shared<CustomNetwork>(interconnect, processors);
}
