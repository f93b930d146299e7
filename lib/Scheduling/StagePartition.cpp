//===- StagePartition.cpp - layers to a straight pipeline -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StagePartition.h"
#include "DownSets.h"
#include "LayerGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallBitVector.h"
#include <optional>

using namespace takt;

namespace {

/// A way to put the layers of a down-set on processors.
struct Label {
  int processor; ///< of the last stage
  int64_t load;  ///< of the last stage
  int64_t bytes;
  int stages;
  int previous, layer; ///< the label before, and the layer it lacked
};

class Partitioner {
public:
  /// `cycles`: of each layer, by class of processor.
  Partitioner(const Problem &problem, DownSets sets,
              std::vector<std::vector<int64_t>> cycles)
      : machine(*problem.machine), sets(std::move(sets)),
        cycles(std::move(cycles)) {}

  StagePartition run();

private:
  using Reached = std::pair<int, int64_t>; ///< processor, load

  bool isFeasible(int64_t largest) const;
  std::optional<Reached> add(Reached at, int layer, int64_t largest) const;
  bool dominates(int set, const Label &a, const Label &b) const;
  void extend(int set, int64_t largest);
  void openStage(int set, int from, DownSets::Step step, int64_t largest);
  void insert(int set, const Label &label);
  int64_t cyclesOn(int processor, int layer) const {
    return cycles[classOf(machine, processor)][layer];
  }

  /// Labels kept over all down-sets; bounds time and memory.
  static constexpr size_t kMaxLabels = 1 << 18;

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

/// Whether whatever follows b may follow a at no more bytes and stages: a's
/// last stage imitates b's where it is on an equal processor and has no more
/// load; elsewhere a leaves it here, which costs a border, and idles up to b's
/// processor.
bool Partitioner::dominates(int set, const Label &a, const Label &b) const {
  if (a.processor > b.processor || a.bytes > b.bytes || a.stages > b.stages)
    return false;
  bool isEqual = classOf(machine, a.processor) == classOf(machine, b.processor);
  if (isEqual && a.load <= b.load)
    return true;
  return a.processor < b.processor &&
         a.bytes + sets.crossing[set].bytes <= b.bytes && a.stages < b.stages;
}

/// Keeps the labels that nothing dominates, and of those the first by fewest
/// processors and least load: with them the least largest stage.
void Partitioner::insert(int set, const Label &label) {
  auto &known = labelsOf[set];
  if (llvm::any_of(known,
                   [&](int i) { return dominates(set, labels[i], label); }))
    return;
  llvm::erase_if(known,
                 [&](int i) { return dominates(set, label, labels[i]); });
  int index = static_cast<int>(labels.size());
  labels.push_back(label);
  auto key = [&](int i) {
    return std::pair(labels[i].processor, labels[i].load);
  };
  auto at =
      llvm::partition_point(known, [&](int i) { return key(i) <= key(index); });
  known.insert(at, index);
  if (known.size() > std::max<size_t>(kMaxLabels / sets.size(), 24))
    known.pop_back();
}

/// Puts the step's layer into a new stage: on the next processor of each class,
/// for the classes differ in what they take for the layers that follow.
void Partitioner::openStage(int set, int from, DownSets::Step step,
                            int64_t largest) {
  Label label = labels[from];
  bool isFirst = label.previous < 0;
  label.bytes += isFirst ? 0 : sets.crossing[set].bytes;
  label.stages += isFirst ? 0 : 1;
  label.previous = from;
  label.layer = step.layer;
  llvm::SmallBitVector seen(cycles.size());
  int processor = isFirst ? 0 : label.processor + 1;
  for (; processor < machine.processors() && !seen.all(); ++processor) {
    int64_t load = cyclesOn(processor, step.layer);
    if (seen.test(classOf(machine, processor)) || load > largest)
      continue;
    seen.set(classOf(machine, processor));
    label.processor = processor;
    label.load = load;
    insert(step.to, label);
  }
}

void Partitioner::extend(int set, int64_t largest) {
  for (int index : llvm::to_vector<8>(labelsOf[set]))
    for (DownSets::Step step : sets.steps[set]) {
      Label label = labels[index];
      if (label.previous >= 0) {
        label.load += cyclesOn(label.processor, step.layer);
        label.previous = index;
        label.layer = step.layer;
        if (label.load <= largest)
          insert(step.to, label);
      }
      openStage(set, index, step, largest);
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
  return Partitioner(problem, collectDownSets(problem, maxDownSets),
                     layerCycles(problem))
      .run();
}

StagePartition takt::partitionByMemory(const Problem &problem,
                                       size_t maxDownSets) {
  const TaskGraph &graph = *problem.graph;
  std::vector<int64_t> bytes;
  for (const Layer &layer : graph.layers)
    bytes.push_back(layer.parameterBytes + layer.optimizerBytes);
  for (const Value &value : graph.values)
    if (value.producer >= 0)
      bytes[graph.tasks[value.producer].layer] += value.bytes;
  std::vector<std::vector<int64_t>> ofClasses(problem.machine->classes.size(),
                                              bytes);
  return Partitioner(problem, collectDownSets(problem, maxDownSets),
                     std::move(ofClasses))
      .run();
}
