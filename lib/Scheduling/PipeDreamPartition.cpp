//===- PipeDreamPartition.cpp - stages when transfers take time -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DownSets.h"
#include "LayerGraph.h"
#include "PipeDream.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

//===----------------------------------------------------------------------===//
// Dynamic programming over cutsets
//===----------------------------------------------------------------------===//

namespace {
/// A way to put the layers outside of a down-set on the last processors.
struct Label {
  int used;       ///< processors, with the foremost stage's
  int64_t load;   ///< of the foremost stage
  int64_t ready;  ///< see stageLateness, of the foremost stage
  int64_t onBus;  ///< cycles of all transfers, if they share a bus
  int next = -1;  ///< the label before this one's layer
  int layer = -1; ///< placed last

  bool dominates(const Label &o) const {
    return used <= o.used && load <= o.load && ready <= o.ready &&
           onBus <= o.onBus;
  }
};

/// Partitions from the last stage to the first. A stage's deadline is known
/// from the stages behind it: the number of intervals it has grows by one from
/// stage to stage, and what its round trip takes by its load and the transfers
/// over its border. So one number, its lateness, stands for all of them.
class BackwardPartitioner {
public:
  explicit BackwardPartitioner(const Problem &problem)
      : machine(*problem.machine), sets(collectDownSets(problem, kMaxSets)),
        cycles(layerCycles(problem)), before(sets.size()) {
    for (size_t set = 0; set < sets.size(); ++set)
      for (auto [layer, to] : sets.steps[set])
        before[to].push_back({layer, static_cast<int>(set)});
  }

  /// Of the least interval at which the cutsets' transfers allow one.
  std::optional<StagePartition> run(int64_t low, int64_t high,
                                    const Deadline &deadline);

private:
  static constexpr size_t kMaxSets = 2500;
  static constexpr size_t kMaxLabels = 16;

  struct Step {
    int layer, to;
  };

  int processorAt(int used) const {
    return static_cast<int>(machine.processors()) - used;
  }
  int64_t cyclesOn(int used, int layer) const {
    return cycles[classOf(machine, processorAt(used))][layer];
  }
  bool isFeasible(int64_t interval);
  void extend(int set, int64_t interval);
  std::optional<Label> open(const Label &label, int set,
                            int64_t interval) const;
  void insert(int set, const Label &label);
  StagePartition partitionOf(int label) const;

  const Machine &machine;
  DownSets sets;
  std::vector<std::vector<int64_t>> cycles; ///< by class and layer
  std::vector<llvm::SmallVector<Step, 2>> before;
  std::vector<Label> labels;
  std::vector<llvm::SmallVector<int, 16>> labelsOf; ///< by down-set
};
} // namespace

/// The label with a new, empty stage in front of it.
std::optional<Label> BackwardPartitioner::open(const Label &label, int set,
                                               int64_t interval) const {
  const Crossing &crossing = sets.crossing[set];
  int64_t late = stageLateness(label.ready, label.load, interval);
  if (late > 0 || label.used == machine.processors())
    return std::nullopt;
  Label next = label;
  ++next.used;
  next.load = 0;
  int front = processorAt(next.used), back = processorAt(label.used);
  int64_t forward = crossing.forwardCycles, backward = crossing.backwardCycles;
  if (!machine.hasEqualLinks()) {
    forward = machine.transferCycles(front, back, crossing.forwardBytes);
    backward = machine.transferCycles(back, front, crossing.backwardBytes);
  }
  if (machine.interconnect.topology == Topology::Bus) {
    next.onBus += forward + backward;
    if (next.onBus > interval)
      return std::nullopt;
  } else if (std::max(forward, backward) > interval) {
    return std::nullopt;
  }
  int64_t hops = forward + backward;
  if (crossing.forwardValues > 0)
    hops += machine.transferLatency(front, back);
  if (crossing.backwardValues > 0)
    hops += machine.transferLatency(back, front);
  // A gradient alone is under way while the rest of its layer is done.
  if (crossing.backwardValues == 1)
    hops = std::max<int64_t>(0, hops - crossing.tailCycles);
  next.ready = late + hops;
  return next;
}

void BackwardPartitioner::insert(int set, const Label &label) {
  auto &known = labelsOf[set];
  if (llvm::any_of(known, [&](int i) { return labels[i].dominates(label); }))
    return;
  llvm::erase_if(known, [&](int i) { return label.dominates(labels[i]); });
  auto key = [](const Label &l) { return std::tie(l.used, l.load, l.ready); };
  auto at = llvm::partition_point(
      known, [&](int i) { return key(labels[i]) <= key(label); });
  if (known.size() == kMaxLabels) {
    if (at == known.end())
      return;
    known.pop_back();
  }
  known.insert(at, static_cast<int>(labels.size()));
  labels.push_back(label);
}

void BackwardPartitioner::extend(int set, int64_t interval) {
  for (int index : llvm::to_vector<16>(labelsOf[set]))
    for (auto [layer, to] : before[set]) {
      Label label = labels[index];
      label.next = index;
      label.layer = layer;
      label.load += cyclesOn(label.used, layer);
      if (label.load <= interval)
        insert(to, label);
      if (labels[index].load == 0)
        continue;
      std::optional<Label> next = open(labels[index], set, interval);
      if (!next)
        continue;
      next->next = index;
      next->layer = layer;
      next->load = cyclesOn(next->used, layer);
      if (next->load <= interval)
        insert(to, *next);
    }
}

bool BackwardPartitioner::isFeasible(int64_t interval) {
  labels.clear();
  labelsOf.assign(sets.size(), {});
  insert(static_cast<int>(sets.size()) - 1, Label{1, 0, 0, 0});
  for (size_t set = sets.size(); set-- > 1;)
    extend(static_cast<int>(set), interval);
  return llvm::any_of(labelsOf[0], [&](int i) {
    return stageLateness(labels[i].ready, labels[i].load, interval) <= 0;
  });
}

StagePartition BackwardPartitioner::partitionOf(int label) const {
  StagePartition result;
  result.stage.assign(cycles[0].size(), 0);
  // Like processors are used from the first one on.
  bool fromFirst = machine.isUniform() && machine.hasEqualLinks();
  int used = 0;
  for (int i = label; labels[i].next >= 0; i = labels[i].next) {
    auto stages = static_cast<int>(result.processor.size());
    if (labels[i].used != used) {
      used = labels[i].used;
      result.processor.push_back(fromFirst ? stages : processorAt(used));
      ++stages;
    }
    result.stage[labels[i].layer] = stages - 1;
  }
  return result;
}

std::optional<StagePartition>
BackwardPartitioner::run(int64_t low, int64_t high, const Deadline &deadline) {
  std::optional<StagePartition> best;
  while (low < high && !deadline.isOver()) {
    int64_t middle = low + (high - low) / 2;
    if (!isFeasible(middle)) {
      low = middle + 1;
      continue;
    }
    high = middle;
    for (int i : labelsOf[0])
      if (stageLateness(labels[i].ready, labels[i].load, middle) <= 0) {
        best = partitionOf(i);
        break;
      }
  }
  return best;
}

//===----------------------------------------------------------------------===//
// Enumeration and local search
//===----------------------------------------------------------------------===//

/// A partition from the processor of each layer; stages are processors in use.
static StagePartition fromProcessors(llvm::ArrayRef<int> processor) {
  StagePartition result;
  result.processor.assign(processor.begin(), processor.end());
  llvm::sort(result.processor);
  result.processor.erase(llvm::unique(result.processor),
                         result.processor.end());
  for (int p : processor)
    result.stage.push_back(static_cast<int>(
        llvm::lower_bound(result.processor, p) - result.processor.begin()));
  return result;
}

namespace {
class PipelineSearch {
public:
  PipelineSearch(const Problem &problem, const Deadline &deadline)
      : problem(problem), deadline(deadline), layers(*problem.graph),
        cycles(layerCycles(problem)), load(problem.machine->processors(), 0),
        processor(cycles[0].size()) {}

  void consider(const StagePartition &partition);
  /// Considers all partitions; false, having considered none, if there are more
  /// than `limit`.
  bool enumerate(size_t limit);
  /// Moves layers over borders of the best partition while that helps.
  void improve();

  std::optional<Schedule> best;

private:
  int64_t limit() const {
    return best ? best->interval + 1 : std::numeric_limits<int64_t>::max();
  }
  template <typename Visit>
  bool visitFrom(size_t layer, size_t &budget, Visit visit);
  bool tryMove(int layer, int to);
  std::pair<int, int> range(int layer, llvm::ArrayRef<int> stage) const;

  const Problem &problem;
  const Deadline &deadline;
  LayerGraph layers;
  std::vector<std::vector<int64_t>> cycles; ///< by class and layer
  std::vector<int64_t> load;                ///< of layers placed
  std::vector<int> processor;               ///< by layer placed
  StagePartition bestPartition;
  int64_t bestBytes = 0;
};
} // namespace

void PipelineSearch::consider(const StagePartition &partition) {
  if (best && deadline.isOver())
    return;
  std::optional<Schedule> schedule =
      schedulePipeline(problem, partition, limit());
  if (!schedule)
    return;
  int64_t bytes = metrics(problem, *schedule).communicationBytes;
  if (best && std::pair(best->interval, bestBytes) <=
                  std::pair(schedule->interval, bytes))
    return;
  best = std::move(schedule);
  bestPartition = partition;
  bestBytes = bytes;
}

/// All ways to put the layers from `layer` on, by processor, behind those
/// placed, that are not worse than the best schedule by their loads alone.
/// Stops, and returns false, when `visit` does or `budget` is used up.
template <typename Visit>
bool PipelineSearch::visitFrom(size_t layer, size_t &budget, Visit visit) {
  if (budget-- == 0)
    return false;
  if (layer == processor.size())
    return visit(fromProcessors(processor));
  int first = 0;
  for (int before : layers.predecessors[layer])
    first = std::max(first, processor[before]);
  // Like processors are used without gaps, so no more than there are layers.
  int64_t last = problem.machine->processors();
  if (problem.machine->isUniform())
    last = std::min<int64_t>(last, processor.size());
  for (int p = first; p < last; ++p) {
    int64_t more = cycles[classOf(*problem.machine, p)][layer];
    if (load[p] + more >= limit())
      continue;
    load[p] += more;
    processor[layer] = p;
    bool goesOn = visitFrom(layer + 1, budget, visit);
    load[p] -= more;
    if (!goesOn)
      return false;
  }
  return true;
}

bool PipelineSearch::enumerate(size_t limit) {
  // A graph has no fewer partitions than a chain, which has one for each choice
  // of borders; long ones take longer to time.
  constexpr size_t kWork = 100000;
  size_t borders = processor.size() - 1;
  limit = std::min(limit, kWork / processor.size());
  if (problem.machine->processors() > 1 &&
      (borders > limit || (problem.machine->processors() > 2 &&
                           borders * (borders - 1) / 2 > limit)))
    return false;
  // Placements on the way to a partition, those that leave a gap included.
  constexpr size_t kBudgetPerPartition = 50;
  size_t budget = kBudgetPerPartition * limit;
  std::vector<StagePartition> all;
  bool gaps = !problem.machine->isUniform();
  bool complete = visitFrom(0, budget, [&](StagePartition partition) {
    if (gaps || partition.processor.back() + 1 ==
                    static_cast<int>(partition.processor.size()))
      all.push_back(std::move(partition));
    return all.size() <= limit;
  });
  if (!complete)
    return false;
  for (const StagePartition &partition : all)
    consider(partition);
  return true;
}

/// The stages that a layer may be in, the others where they are.
std::pair<int, int> PipelineSearch::range(int layer,
                                          llvm::ArrayRef<int> stage) const {
  int low = 0, high = static_cast<int>(bestPartition.processor.size()) - 1;
  for (int before : layers.predecessors[layer])
    low = std::max(low, stage[before]);
  for (int after : layers.successors[layer])
    high = std::min(high, stage[after]);
  return {low, high};
}

bool PipelineSearch::tryMove(int layer, int to) {
  std::vector<int> on;
  for (int stage : bestPartition.stage)
    on.push_back(bestPartition.processor[stage]);
  on[layer] = bestPartition.processor[to];
  auto before = std::pair(best->interval, bestBytes);
  consider(fromProcessors(on));
  return std::pair(best->interval, bestBytes) < before;
}

void PipelineSearch::improve() {
  // Layers timed, over all attempts: seconds at the most.
  constexpr int64_t kWork = 100000;
  int64_t count = static_cast<int64_t>(processor.size());
  int64_t left = kWork / count;
  for (bool improved = true; improved;) {
    improved = false;
    for (int layer = 0; layer < count; ++layer) {
      auto [low, high] = range(layer, bestPartition.stage);
      int at = bestPartition.stage[layer];
      for (int to : {at - 1, at + 1})
        if (to >= low && to <= high && left-- > 0 && !deadline.isOver() &&
            tryMove(layer, to)) {
          improved = true;
          break;
        }
    }
  }
}

std::optional<Schedule> takt::bestPipeline(const Problem &problem,
                                           const Deadline &deadline,
                                           size_t maxEnumerated) {
  StagePartition balanced = partitionStages(problem);
  if (problem.machine->hasFreeTransfers())
    return schedulePipeline(problem, balanced);
  PipelineSearch search(problem, deadline);
  // One stage, on the fastest processor, has no transfers.
  int first = 0;
  for (const ProcessorClass &on : problem.machine->classes) {
    search.consider(
        fromProcessors(std::vector<int>(problem.graph->layers.size(), first)));
    first += static_cast<int>(on.count);
  }
  search.consider(balanced);
  if (search.best && !search.enumerate(maxEnumerated)) {
    if (std::optional<StagePartition> found = BackwardPartitioner(problem).run(
            balanced.largest, search.best->interval, deadline))
      search.consider(*found);
    search.improve();
  }
  return std::move(search.best);
}
