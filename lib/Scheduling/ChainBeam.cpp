//===- ChainBeam.cpp - few bytes between the chain's processors -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Lays the chain of ChainFamily along the processors layer by layer, with
// several partial assignments at a time: of those that can still be completed,
// the ones that move the fewest bytes so far.
//
//===----------------------------------------------------------------------===//

#include "ChainFamily.h"
#include "Cuts.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

namespace {

using Signature = std::tuple<llvm::SmallVector<int, 3>, int, CutAxis, int, int>;

/// Where one layer's tasks are, and the layers before.
struct Node {
  int parent = -1;
  int processor = 0;               ///< the last one that is in use
  int64_t load = 0;                ///< of that
  int64_t bytes = 0;               ///< that cross between the layers so far
  llvm::SmallVector<int, 3> where; ///< by unit; of a cut D its first part
  int cutUnit = -1;
  CutAxis axis = CutAxis::Channel;
  int64_t at = 0;
  int second = 0, join = 0; ///< processors of the second part and the join

  /// What later layers can see of it.
  Signature signature() const { return {where, cutUnit, axis, second, join}; }
  auto seen() const { return std::tie(where, cutUnit, axis, second, join); }
  int home(int unit) const { return unit == cutUnit ? join : where[unit]; }
};

/// A use of a value by a unit of a layer.
struct Consumer {
  int layer, unit;
  Reader reader;
};

struct ValueInfo {
  int64_t bytes;
  ValueClass kind;
  int layer, unit;                 ///< of the producer
  std::vector<Consumer> consumers; ///< by layer
};

/// Bytes to a processor.
using Arrivals = llvm::SmallVector<std::pair<int, int64_t>, 8>;

class ChainBeam {
public:
  ChainBeam(const ChainFamily &family, int64_t interval)
      : family(family), problem(family.problem), interval(interval),
        suffixes(family.suffixes(interval)), touching(family.layers.size()),
        width(beamWidth(family.layers.size())) {
    collectValues();
  }

  std::optional<Assignment> run();

private:
  /// Wide for small networks, and a bounded total for long ones.
  static size_t beamWidth(size_t layers) {
    return std::clamp<size_t>(16000 / std::max<size_t>(1, layers), 6, 96);
  }

  /// Numbers of processors in use at the same layer that are followed at full
  /// width.
  static constexpr size_t kMaxGroups = 4;

  void collectValues();
  void expand(int parent, int layer, std::vector<Node> &children) const;
  void placeNext(int layer, llvm::ArrayRef<int> order, size_t position,
                 Node &partial, std::vector<Node> &children) const;
  void placeCut(int layer, llvm::ArrayRef<int> order, size_t position,
                Node &partial, int first, std::vector<Node> &children) const;
  bool canComplete(int layer, const Node &node) const;
  int64_t addedBytes(int layer, const Node &node) const;
  void addArrivals(const ValueInfo &value, const Consumer &consumer,
                   const Node &node, Arrivals &arrivals) const;
  void keepBest(std::vector<Node> &candidates) const;
  Assignment assignmentOf(int last) const;

  const ChainFamily &family;
  const Problem &problem;
  int64_t interval;
  std::vector<std::optional<ChainFamily::Reached>> suffixes;
  std::vector<ValueInfo> values;
  std::vector<std::vector<int>> touching; ///< values by layer
  size_t width;
  std::vector<Node> nodes;
};
} // namespace

void ChainBeam::collectValues() {
  const TaskGraph &graph = *problem.graph;
  std::vector<std::pair<int, int>> placeOf(graph.tasks.size());
  for (auto [layer, units] : llvm::enumerate(family.layers))
    for (auto [unit, members] : llvm::enumerate(units.units))
      for (int task : members.tasks)
        placeOf[task] = {static_cast<int>(layer), static_cast<int>(unit)};
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    ValueInfo info{value.bytes,
                   value.kind,
                   placeOf[value.producer].first,
                   placeOf[value.producer].second,
                   {}};
    for (const Use &use : value.uses) {
      auto [layer, unit] = placeOf[use.task];
      bool cuttable = family.layers[layer].units[unit].cuttable;
      info.consumers.push_back(
          {layer, unit, cuttable ? readerOf(graph, value, use) : Reader::Both});
    }
    llvm::sort(info.consumers, [](const Consumer &a, const Consumer &b) {
      return std::pair(a.layer, a.unit) < std::pair(b.layer, b.unit);
    });
    llvm::SmallVector<int, 4> touched = {info.layer};
    for (const Consumer &consumer : info.consumers)
      if (!llvm::is_contained(touched, consumer.layer))
        touched.push_back(consumer.layer);
    for (int layer : touched)
      touching[layer].push_back(static_cast<int>(values.size()));
    values.push_back(std::move(info));
  }
}

/// Whether the layers behind `layer` fit behind the node.
bool ChainBeam::canComplete(int layer, const Node &node) const {
  const auto &rest = suffixes[layer + 1];
  if (!rest)
    return false;
  int first = family.processors() - 1 - rest->used;
  return node.processor < first ||
         (node.processor == first && node.load + rest->load <= interval);
}

/// A D across the border between `first` and the next processor, with a first
/// part that fills `first`.
void ChainBeam::placeCut(int layer, llvm::ArrayRef<int> order, size_t position,
                         Node &partial, int first,
                         std::vector<Node> &children) const {
  const auto &unit = family.layers[layer].units[order[position]];
  int64_t load = first == partial.processor ? partial.load : 0;
  if (first + 1 >= family.processors() || load >= interval)
    return;
  std::optional<ChainFamily::Fit> fit = family.fit(
      unit, interval - load, family.classAt(first, ChainFamily::Side::Front),
      family.classAt(first + 1, ChainFamily::Side::Front),
      /*joinWithFirst=*/false);
  if (!fit || fit->second > interval)
    return;
  for (int join : {first + 1, first}) {
    Node next = partial;
    next.where[order[position]] = first;
    next.cutUnit = order[position];
    next.axis = fit->axis;
    next.at = fit->at;
    next.second = first + 1;
    next.join = join;
    next.processor = first + 1;
    next.load = fit->second;
    placeNext(layer, order, position + 1, next, children);
  }
}

/// All ways to go on behind `partial`, which has the units of `order` before
/// `position`.
void ChainBeam::placeNext(int layer, llvm::ArrayRef<int> order, size_t position,
                          Node &partial, std::vector<Node> &children) const {
  if (position == order.size()) {
    if (canComplete(layer, partial) &&
        llvm::none_of(children, [&](const Node &other) {
          return other.load == partial.load && other.seen() == partial.seen();
        }))
      children.push_back(partial);
    return;
  }
  const auto &unit = family.layers[layer].units[order[position]];
  auto cycles = [&](int p) {
    return unit.cycles[family.classAt(p, ChainFamily::Side::Front)];
  };
  for (int p : {partial.processor, partial.processor + 1}) {
    int64_t load = p == partial.processor ? partial.load : 0;
    bool empty = p == partial.processor && partial.load == 0;
    if (p >= family.processors())
      continue;
    if (load + cycles(p) <= interval) {
      Node next = partial;
      next.where[order[position]] = p;
      next.processor = p;
      next.load = load + cycles(p);
      placeNext(layer, order, position + 1, next, children);
      if (empty)
        break; // the next processor is as good as this one
    } else if (unit.cuttable) {
      placeCut(layer, order, position, partial, p, children);
    }
  }
}

void ChainBeam::expand(int parent, int layer,
                       std::vector<Node> &children) const {
  Node partial;
  partial.parent = parent;
  if (parent >= 0) {
    partial.processor = nodes[parent].processor;
    partial.load = nodes[parent].load;
  }
  partial.where.assign(family.layers[layer].units.size(), 0);
  for (const auto &order : family.layers[layer].orders)
    placeNext(layer, order, 0, partial, children);
}

/// The processors to which a consumer's layer needs a value, and how much of
/// it: a part of a cut D may get by with a share.
void ChainBeam::addArrivals(const ValueInfo &value, const Consumer &consumer,
                            const Node &node, Arrivals &arrivals) const {
  auto add = [&](int processor, int64_t bytes) {
    for (auto &[known, most] : arrivals)
      if (known == processor) {
        most = std::max(most, bytes);
        return;
      }
    arrivals.push_back({processor, bytes});
  };
  if (node.cutUnit != consumer.unit) {
    add(node.where[consumer.unit], value.bytes);
    return;
  }
  int index = family.layers[consumer.layer].units[consumer.unit].tasks[0];
  const Task &task = problem.graph->tasks[index];
  if (!dividesAll(task, node.axis)) {
    if (consumer.reader != Reader::Product)
      add(node.join, value.bytes);
    if (consumer.reader == Reader::Fused)
      return;
  }
  Cut cut{index, node.axis, {node.at}, {}};
  bool sliced = isSliced(value.kind, task, node.axis);
  int64_t extent = cutExtent(task, node.axis);
  add(node.where[consumer.unit],
      sliced ? share(value.bytes, extent, cut, 0) : value.bytes);
  add(node.second, sliced ? share(value.bytes, extent, cut, 1) : value.bytes);
}

/// Bytes that cross because `node`'s layer is placed: between it and the layers
/// before, and within it.
int64_t ChainBeam::addedBytes(int layer, const Node &node) const {
  // How far back the values of long skips are followed, in layers.
  constexpr int kMaxDistance = 64;
  auto nodeOf = [&](int other) -> const Node * {
    const Node *at = &node;
    for (int l = layer; l > other; --l)
      at = &nodes[at->parent];
    return at;
  };
  int64_t added = 0;
  for (int index : touching[layer]) {
    const ValueInfo &value = values[index];
    if (value.layer > layer || layer - value.layer > kMaxDistance)
      continue;
    int from = nodeOf(value.layer)->home(value.unit);
    auto crossing = [&](const Arrivals &arrivals) {
      int64_t bytes = 0;
      for (auto [processor, amount] : arrivals)
        bytes += processor == from ? 0 : amount;
      return bytes;
    };
    Arrivals arrivals;
    for (const Consumer &consumer : value.consumers)
      if (consumer.layer < layer && layer - consumer.layer <= kMaxDistance)
        addArrivals(value, consumer, *nodeOf(consumer.layer), arrivals);
    if (value.layer < layer)
      added -= crossing(arrivals);
    for (const Consumer &consumer : value.consumers)
      if (consumer.layer == layer)
        addArrivals(value, consumer, node, arrivals);
    added += crossing(arrivals);
  }
  if (node.cutUnit >= 0) {
    int task = family.layers[layer].units[node.cutUnit].tasks[0];
    Cut cut{task, node.axis, {node.at}, {}};
    int part = node.join == node.second ? 0 : 1;
    added += partBytes(problem.graph->tasks[task], cut, part);
  }
  return added;
}

/// Of candidates that look the same to later layers those that nothing
/// dominates; then, for each number of processors in use, those of least bytes.
void ChainBeam::keepBest(std::vector<Node> &candidates) const {
  llvm::sort(candidates, [](const Node &a, const Node &b) {
    auto first = [](const Node &n) {
      return std::tie(n.bytes, n.processor, n.load, n.parent);
    };
    return first(a) != first(b) ? first(a) < first(b) : a.seen() < b.seen();
  });
  std::vector<Node> kept;
  std::map<int, size_t> keptAt; // by processor
  // Of those kept, by what later layers see, in the order of bytes.
  std::map<Signature, llvm::SmallVector<ChainFamily::Reached, 4>> reached;
  for (Node &candidate : candidates) {
    if (kept.size() >= kMaxGroups * width)
      break;
    if (keptAt[candidate.processor] >= width)
      continue;
    ChainFamily::Reached at{candidate.processor, candidate.load};
    auto &alike = reached[candidate.signature()];
    if (llvm::any_of(alike, [&](const ChainFamily::Reached &other) {
          return !(at < other);
        }))
      continue;
    alike.push_back(at);
    ++keptAt[candidate.processor];
    kept.push_back(std::move(candidate));
  }
  candidates = std::move(kept);
}

std::optional<Assignment> ChainBeam::run() {
  std::vector<int> level = {-1};
  for (int layer = 0; layer < static_cast<int>(family.layers.size()); ++layer) {
    std::vector<Node> candidates;
    for (int parent : level) {
      std::vector<Node> children;
      expand(parent, layer, children);
      int64_t before = parent < 0 ? 0 : nodes[parent].bytes;
      for (Node &child : children) {
        child.bytes = before + addedBytes(layer, child);
        candidates.push_back(std::move(child));
      }
    }
    keepBest(candidates);
    level.clear();
    for (Node &node : candidates) {
      level.push_back(static_cast<int>(nodes.size()));
      nodes.push_back(std::move(node));
    }
    if (level.empty())
      return std::nullopt;
  }
  return assignmentOf(level.front());
}

Assignment ChainBeam::assignmentOf(int last) const {
  const TaskGraph &graph = *problem.graph;
  std::vector<const Node *> nodeOf(family.layers.size());
  for (size_t layer = nodeOf.size(); layer-- > 0; last = nodes[last].parent)
    nodeOf[layer] = &nodes[last];

  std::vector<const Node *> cutBy(graph.tasks.size());
  std::vector<int> home(graph.tasks.size());
  Assignment assignment;
  for (auto [layer, units] : llvm::enumerate(family.layers))
    for (auto [unit, members] : llvm::enumerate(units.units))
      for (int task : members.tasks) {
        const Node &node = *nodeOf[layer];
        home[task] = node.where[unit];
        if (node.cutUnit != static_cast<int>(unit))
          continue;
        cutBy[task] = &node;
        assignment.cuts.push_back({task, node.axis, {node.at}, {}});
      }
  llvm::sort(assignment.cuts,
             [](const Cut &a, const Cut &b) { return a.task < b.task; });
  place(problem, assignment, [&](int task, int part) {
    const Node *node = cutBy[task];
    return !node || part == 0 ? home[task]
           : part == kWhole   ? node->join
                              : node->second;
  });
  return assignment;
}

std::optional<Assignment> takt::assignChain(const ChainFamily &family,
                                            int64_t interval) {
  return ChainBeam(family, interval).run();
}
