//===- DownSets.cpp - where a layer graph can be cut ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DownSets.h"
#include "LayerGraph.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace takt;

namespace {
/// Enumerates down-sets breadth first.
class DownSetBuilder {
public:
  explicit DownSetBuilder(const Problem &problem)
      : layers(*problem.graph), count(problem.graph->layers.size()),
        spans(count) {
    collectSpans(problem);
  }

  /// All of them; nullopt if there are more than `limit`.
  std::optional<DownSets> all(size_t limit) { return build(limit, false); }
  /// The prefixes of the order of layers.
  DownSets prefixes() { return *build(count + 1, true); }

private:
  /// A value and the layers that make or use it.
  struct Span {
    int64_t bytes, cycles, tail;
    bool isForward;
    std::vector<int> layers;
  };

  void collectSpans(const Problem &problem);
  std::optional<DownSets> build(size_t limit, bool prefixesOnly);
  Crossing crossingWith(Crossing crossing, const llvm::BitVector &inside,
                        int layer) const;
  bool isReady(const llvm::BitVector &inside, int layer) const;

  LayerGraph layers;
  size_t count;
  std::vector<Span> allSpans;
  std::vector<std::vector<int>> spans; ///< by layer
};

} // namespace

void DownSetBuilder::collectSpans(const Problem &problem) {
  const TaskGraph &graph = *problem.graph;
  const Machine &machine = *problem.machine;
  // Of each task, the cycles of those behind it in its layer.
  std::vector<int64_t> tail(graph.tasks.size()), behind(count, 0);
  for (size_t task = graph.tasks.size(); task-- > 0;) {
    const Task &t = graph.tasks[task];
    tail[task] = behind[t.layer];
    behind[t.layer] += *taskCycles(*problem.cost, t, machine.classes[0]);
  }
  int neighbour = machine.processors() > 1 ? 1 : 0;
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
    allSpans.push_back({value.bytes,
                        machine.transferCycles(0, neighbour, value.bytes),
                        tail[value.producer],
                        graph.tasks[value.producer].kind == TaskKind::Forward,
                        std::move(touched)});
  }
}

/// What crosses when `layer` has joined.
Crossing DownSetBuilder::crossingWith(Crossing crossing,
                                      const llvm::BitVector &inside,
                                      int layer) const {
  auto add = [&](const Span &span, int sign) {
    crossing.bytes += sign * span.bytes;
    if (span.isForward) {
      crossing.forwardBytes += sign * span.bytes;
      crossing.forwardCycles += sign * span.cycles;
      crossing.forwardValues += sign;
      return;
    }
    crossing.backwardBytes += sign * span.bytes;
    crossing.backwardCycles += sign * span.cycles;
    crossing.backwardValues += sign;
    crossing.tailCycles += sign * span.tail;
  };
  for (int index : spans[layer]) {
    const Span &span = allSpans[index];
    auto within =
        llvm::count_if(span.layers, [&](int l) { return inside.test(l); });
    if (within == 0)
      add(span, 1);
    if (within + 1 == static_cast<int64_t>(span.layers.size()))
      add(span, -1);
  }
  return crossing;
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
  result.crossing.emplace_back();
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
        result.crossing.push_back(crossingWith(
            result.crossing[firstOfLevel + offset], open.inside, layer));
        opened.inside = std::move(grown);
        next.push_back(std::move(opened));
      }
    }
    level = std::move(next);
    firstOfLevel = firstOfNext;
  }
  return result;
}

DownSets takt::collectDownSets(const Problem &problem, size_t limit) {
  DownSetBuilder builder(problem);
  std::optional<DownSets> sets = builder.all(limit);
  return sets ? std::move(*sets) : builder.prefixes();
}
