//===- StagePartition.cpp - layers to a straight pipeline -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StagePartition.h"
#include "LayerGraph.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"
#include <map>
#include <optional>

using namespace takt;

namespace {

/// The down-sets of the layer graph, smaller ones first, and how one layer
/// leads from one to the next.
struct DownSets {
  struct Step {
    int layer, to;
  };
  std::vector<llvm::SmallVector<Step, 2>> steps;
  /// Bytes that cross between a down-set's layers and the rest.
  std::vector<int64_t> crossing;

  size_t size() const { return steps.size(); }
};

/// Enumerates down-sets breadth first.
class DownSetBuilder {
public:
  DownSetBuilder(const TaskGraph &graph)
      : layers(graph), count(graph.layers.size()), spans(count) {
    collectSpans(graph);
  }

  /// All of them; nullopt if there are more than `limit`.
  std::optional<DownSets> all(size_t limit) { return build(limit, false); }
  /// The prefixes of the order of layers.
  DownSets prefixes() { return *build(count + 1, true); }

private:
  /// A value and the layers that make or use it.
  struct Span {
    int64_t bytes;
    std::vector<int> layers;
  };

  void collectSpans(const TaskGraph &graph);
  std::optional<DownSets> build(size_t limit, bool prefixesOnly);
  int64_t crossingWith(const llvm::BitVector &inside, int layer) const;
  bool isReady(const llvm::BitVector &inside, int layer) const;

  LayerGraph layers;
  size_t count;
  std::vector<Span> allSpans;
  std::vector<std::vector<int>> spans; ///< by layer
};

void DownSetBuilder::collectSpans(const TaskGraph &graph) {
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    std::vector<int> touched = {graph.tasks[value.producer].layer};
    for (const Use &use : value.uses)
      touched.push_back(graph.tasks[use.task].layer);
    llvm::sort(touched);
    touched.erase(llvm::unique(touched), touched.end());
    if (touched.size() < 2)
      continue;
    for (int layer : touched)
      spans[layer].push_back(static_cast<int>(allSpans.size()));
    allSpans.push_back({value.bytes, std::move(touched)});
  }
}

/// By how much the crossing bytes change when `layer` joins.
int64_t DownSetBuilder::crossingWith(const llvm::BitVector &inside,
                                     int layer) const {
  int64_t change = 0;
  for (int index : spans[layer]) {
    const Span &span = allSpans[index];
    auto within =
        llvm::count_if(span.layers, [&](int l) { return inside.test(l); });
    if (within == 0)
      change += span.bytes;
    if (within + 1 == static_cast<int64_t>(span.layers.size()))
      change -= span.bytes;
  }
  return change;
}

bool DownSetBuilder::isReady(const llvm::BitVector &inside, int layer) const {
  return llvm::all_of(layers.predecessors[layer],
                      [&](int l) { return inside.test(l); });
}

std::optional<DownSets> DownSetBuilder::build(size_t limit, bool prefixesOnly) {
  struct Open {
    llvm::BitVector inside;
    llvm::SmallVector<int, 4> ready; ///< sorted
  };
  DownSets result;
  // Only down-sets of the size at hand and the next are kept as sets.
  std::vector<Open> level(1);
  level[0].inside.resize(count);
  for (size_t layer = 0; layer < count; ++layer)
    if (layers.predecessors[layer].empty())
      level[0].ready.push_back(static_cast<int>(layer));
  result.steps.emplace_back();
  result.crossing.push_back(0);
  size_t firstOfLevel = 0;
  for (size_t size = 0; size < count; ++size) {
    std::vector<Open> next;
    std::map<std::vector<uintptr_t>, int> known;
    size_t firstOfNext = result.size();
    for (auto [offset, open] : llvm::enumerate(level)) {
      for (int layer : open.ready) {
        if (prefixesOnly && layer != static_cast<int>(size))
          continue;
        llvm::BitVector grown = open.inside;
        grown.set(layer);
        auto words = grown.getData();
        auto [it, isNew] = known.try_emplace(
            std::vector<uintptr_t>(words.begin(), words.end()),
            static_cast<int>(result.size()));
        result.steps[firstOfLevel + offset].push_back({layer, it->second});
        if (!isNew)
          continue;
        if (result.size() == limit)
          return std::nullopt;
        Open opened;
        for (int other : open.ready)
          if (other != layer)
            opened.ready.push_back(other);
        for (int follower : layers.successors[layer])
          if (isReady(grown, follower))
            opened.ready.push_back(follower);
        llvm::sort(opened.ready);
        result.steps.emplace_back();
        result.crossing.push_back(result.crossing[firstOfLevel + offset] +
                                  crossingWith(open.inside, layer));
        opened.inside = std::move(grown);
        next.push_back(std::move(opened));
      }
    }
    level = std::move(next);
    firstOfLevel = firstOfNext;
  }
  return result;
}

/// A way to put the layers of a down-set on processors.
struct Label {
  int processor; ///< of the last stage
  int64_t load;  ///< of the last stage
  int64_t bytes;
  int stages;
  int previous, layer; ///< the label before, and the layer it lacked

  bool dominates(const Label &o) const {
    return std::pair(processor, load) <= std::pair(o.processor, o.load) &&
           bytes <= o.bytes && stages <= o.stages;
  }
};

class Partitioner {
public:
  Partitioner(const Problem &problem, DownSets sets)
      : machine(*problem.machine), sets(std::move(sets)),
        cycles(layerCycles(problem)) {}

  StagePartition run();

private:
  using Reached = std::pair<int, int64_t>; ///< processor, load

  bool isFeasible(int64_t largest) const;
  std::optional<Reached> add(Reached at, int layer, int64_t largest) const;
  void extend(int set, int64_t largest);
  void insert(int set, const Label &label);
  int64_t cyclesOn(int processor, int layer) const {
    return cycles[classOf(machine, processor)][layer];
  }

  static constexpr size_t kMaxLabels = 24;

  const Machine &machine;
  DownSets sets;
  std::vector<std::vector<int64_t>> cycles;
  std::vector<Label> labels;
  std::vector<llvm::SmallVector<int, 8>> labelsOf; ///< by down-set
};

} // namespace

/// Puts a layer into the last stage, or the next one where it fits.
std::optional<Partitioner::Reached> Partitioner::add(Reached at, int layer,
                                                     int64_t largest) const {
  auto [processor, load] = at;
  if (load + cyclesOn(processor, layer) <= largest)
    return Reached{processor, load + cyclesOn(processor, layer)};
  while (++processor < machine.processors())
    if (cyclesOn(processor, layer) <= largest)
      return Reached{processor, cyclesOn(processor, layer)};
  return std::nullopt;
}

/// Fewest processors, then least load of the last, is the best way to reach a
/// down-set whatever follows: it can imitate all others by idling.
bool Partitioner::isFeasible(int64_t largest) const {
  std::vector<std::optional<Reached>> best(sets.size());
  best[0] = Reached{0, 0};
  for (size_t set = 0; set < sets.size(); ++set) {
    if (!best[set])
      continue;
    for (auto [layer, to] : sets.steps[set]) {
      std::optional<Reached> reached = add(*best[set], layer, largest);
      if (reached && (!best[to] || *reached < *best[to]))
        best[to] = reached;
    }
  }
  return best.back().has_value();
}

/// Keeps the labels that nothing dominates, and of those the kMaxLabels of
/// fewest processors and least load: with them the least largest stage.
void Partitioner::insert(int set, const Label &label) {
  auto &known = labelsOf[set];
  if (llvm::any_of(known, [&](int i) { return labels[i].dominates(label); }))
    return;
  llvm::erase_if(known, [&](int i) { return label.dominates(labels[i]); });
  int index = static_cast<int>(labels.size());
  labels.push_back(label);
  auto key = [&](int i) {
    return std::pair(labels[i].processor, labels[i].load);
  };
  auto at =
      llvm::partition_point(known, [&](int i) { return key(i) <= key(index); });
  known.insert(at, index);
  if (known.size() > kMaxLabels)
    known.erase(std::prev(known.end(), 1));
}

void Partitioner::extend(int set, int64_t largest) {
  for (int index : llvm::to_vector<8>(labelsOf[set]))
    for (auto [layer, to] : sets.steps[set]) {
      Label label = labels[index];
      label.previous = index;
      label.layer = layer;
      int64_t load = label.load + cyclesOn(label.processor, layer);
      if (load <= largest) {
        label.load = load;
        insert(to, label);
      }
      if (labels[index].load == 0 && load <= largest)
        continue;
      std::optional<Reached> next =
          add({label.processor, largest + 1}, layer, largest);
      if (next) {
        std::tie(label.processor, label.load) = *next;
        bool isFirst = labels[index].previous < 0;
        label.bytes = labels[index].bytes + sets.crossing[set];
        label.stages = labels[index].stages + (isFirst ? 0 : 1);
        insert(to, label);
      }
    }
}

StagePartition Partitioner::run() {
  int64_t low = 0, high = 0;
  for (size_t layer = 0; layer < cycles[0].size(); ++layer) {
    int64_t most = 0;
    for (const auto &row : cycles)
      most = std::max(most, row[layer]);
    high += most;
  }
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (isFeasible(middle))
      high = middle;
    else
      low = middle + 1;
  }
  labelsOf.resize(sets.size());
  insert(0, {0, 0, 0, 1, -1, -1});
  for (size_t set = 0; set < sets.size(); ++set)
    extend(static_cast<int>(set), low);

  auto key = [&](int i) {
    return std::pair(labels[i].bytes, labels[i].stages);
  };
  int best = labelsOf.back().front();
  for (int index : labelsOf.back())
    if (key(index) < key(best))
      best = index;
  StagePartition result;
  result.largest = low;
  result.stage.assign(cycles[0].size(), 0);
  std::vector<int> chain;
  for (int i = best; labels[i].previous >= 0; i = labels[i].previous)
    chain.push_back(i);
  for (int i : llvm::reverse(chain)) {
    int processor = labels[i].processor;
    if (result.processor.empty() || result.processor.back() != processor)
      result.processor.push_back(processor);
    result.stage[labels[i].layer] =
        static_cast<int>(result.processor.size()) - 1;
  }
  return result;
}

StagePartition takt::partitionStages(const Problem &problem,
                                     size_t maxDownSets) {
  DownSetBuilder builder(*problem.graph);
  std::optional<DownSets> sets = builder.all(maxDownSets);
  return Partitioner(problem, sets ? std::move(*sets) : builder.prefixes())
      .run();
}
