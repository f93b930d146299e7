//===- BalancedAssignments.cpp - tasks to processors, evenly --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BalancedAssignments.h"
#include "Rebalance.h"
#include "SampleShares.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

int64_t takt::undelayedLoop(const Problem &problem) {
  int last = static_cast<int>(problem.graph->layers.size()) - 1;
  int64_t least = 0;
  for (const ProcessorClass &on : problem.machine->classes) {
    int64_t cycles = 0;
    bool updates = false;
    for (const Task &task : problem.graph->tasks)
      if (task.layer == last && task.kind != TaskKind::Dgrad) {
        cycles += *taskCycles(*problem.cost, task, on);
        updates |= task.kind == TaskKind::Update;
      }
    if (updates)
      least = least ? std::min(least, cycles) : cycles;
  }
  return least;
}

int64_t takt::undelayedLoop(const Assignment &assignment) {
  const TaskGraph &graph = assignment.graph;
  int last = static_cast<int>(graph.layers.size()) - 1;
  std::vector<int64_t> ready(graph.tasks.size(), 0), end(graph.tasks.size(), 0);
  std::vector<llvm::SmallVector<int, 4>> readers(graph.tasks.size());
  for (const Value &value : graph.values)
    if (value.producer >= 0)
      for (const Use &use : value.uses)
        if (use.distance == 0)
          readers[value.producer].push_back(use.task);
  int64_t longest = 0;
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    if (task.layer != last)
      continue;
    end[index] = ready[index] + assignment.cycles[index];
    if (task.kind == TaskKind::Update)
      longest = std::max(longest, end[index]);
    for (int reader : readers[index])
      ready[reader] = std::max(ready[reader], end[index]);
  }
  return longest;
}

int64_t takt::relaxed(int64_t interval, int tolerance) {
  return interval + interval / 1000 * tolerance +
         interval % 1000 * tolerance / 1000;
}

Assignment takt::wholeLayers(const Problem &problem,
                             const StagePartition &partition) {
  Assignment assignment;
  place(problem, assignment, [&](int task, int) {
    return partition
        .processor[partition.stage[problem.graph->tasks[task].layer]];
  });
  return assignment;
}

int64_t BalancedAssignments::evenShare() const {
  int64_t work = 0;
  for (const auto &layer : family.layers)
    for (const auto &unit : layer.units)
      work += *llvm::min_element(unit.cycles);
  int64_t count = family.processors();
  return (work + count - 1) / count;
}

int64_t BalancedAssignments::lowerBound() const {
  int64_t largest = undelayedLoop(problem);
  for (const auto &layer : family.layers)
    for (const auto &unit : layer.units)
      if (!unit.divisible)
        largest = std::max(largest, *llvm::min_element(unit.cycles));
  return std::max(evenShare(), largest);
}

void BalancedAssignments::findLeast() {
  least = std::max(std::min(family.leastInterval(), partition.largest),
                   undelayedLoop(problem));
  if (isFarFromBound())
    leaveChain(assignChain(family, least));
  leastNearChain = least;
  if (isFarFromBound())
    leaveChain(spread());
  std::optional<Assignment> shared = shareLayers();
  if (shared && isFarFromBound())
    leaveChain(std::move(shared));
}

int BalancedAssignments::chainTolerance() const {
  // Tasks may all be free: then there is no interval to be a share of.
  double interval = static_cast<double>(std::max<int64_t>(least, 1));
  double excess = static_cast<double>(leastNearChain - least) / interval;
  return static_cast<int>(1000.0 * excess) + 1;
}

/// Looks for a shorter interval where layers are shared out by samples.
std::optional<Assignment> BalancedAssignments::shareLayers() {
  std::optional<Assignment> best;
  constexpr int kSteps = 8;
  int64_t low = evenShare();
  for (int step = 0;
       step < kSteps && least - low > low / 500 && !deadline.isOver(); ++step) {
    int64_t middle = low + (least - low) / 2;
    if (std::optional<Assignment> found =
            shareSamples(problem, family.processors(), middle)) {
      least = middle;
      best = std::move(found);
    } else {
      low = middle;
    }
  }
  return best;
}

/// Whether something is left to gain outside the chain.
bool BalancedAssignments::isFarFromBound() const {
  // Networks of more units balance well enough: their tasks are small.
  constexpr size_t kMaxTasks = 600;
  int64_t low = lowerBound();
  return problem.graph->tasks.size() <= kMaxTasks && least - low > low / 1000;
}

/// Looks for a shorter interval without the restrictions of the chain.
void BalancedAssignments::leaveChain(std::optional<Assignment> start) {
  constexpr int kSteps = 8;
  int64_t low = lowerBound();
  if (!start)
    start = wholeLayers(problem, partition);
  bool isBetter = false;
  for (int step = 0;
       step < kSteps && least - low > low / 1000 && !deadline.isOver();
       ++step) {
    int64_t middle = low + (least - low) / 2;
    std::optional<Assignment> found;
    for (RebalanceCuts cuts : {RebalanceCuts::Dgrads, RebalanceCuts::All}) {
      found = rebalance(family, *start, middle, cuts);
      if (found && undelayedLoop(*found) <= middle)
        break;
      found.reset();
    }
    if (found) {
      start = std::move(found);
      isBetter = true;
      least = middle;
    } else {
      low = middle;
    }
  }
  if (isBetter)
    balanced.push_back(std::move(*start));
}

/// Every unit where it ends first, the longest first (Graham 1969), but behind
/// all that cannot be cut those that fill what room is left.
Assignment BalancedAssignments::spread() const {
  std::vector<const ChainFamily::Unit *> units;
  for (const ChainFamily::LayerUnits &layer : family.layers)
    for (const ChainFamily::Unit &unit : layer.units)
      units.push_back(&unit);
  auto rank = [](const ChainFamily::Unit *unit) {
    return std::pair(unit->cuttable, -*llvm::min_element(unit->cycles));
  };
  llvm::stable_sort(
      units, [&](const auto *a, const auto *b) { return rank(a) < rank(b); });
  std::vector<int> processorOf(problem.graph->tasks.size());
  std::vector<int64_t> load(family.processors(), 0);
  for (const ChainFamily::Unit *unit : units) {
    auto loadWith = [&](int processor) {
      return load[processor] +
             unit->cycles[family.classAt(processor, ChainFamily::Side::Front)];
    };
    int best = 0;
    for (int processor = 1; processor < family.processors(); ++processor)
      if (loadWith(processor) < loadWith(best))
        best = processor;
    load[best] = loadWith(best);
    for (int task : unit->tasks)
      processorOf[task] = best;
  }
  Assignment assignment;
  place(problem, assignment, [&](int task, int) { return processorOf[task]; });
  return assignment;
}

std::vector<Assignment> BalancedAssignments::candidates(int tolerance) const {
  int64_t limit = relaxed(least, tolerance);
  std::vector<Assignment> candidates;
  if (std::optional<Assignment> chain = assignChain(family, limit))
    candidates.push_back(std::move(*chain));
  for (const Assignment &other : balanced)
    if (other.leastInterval(*problem.machine) <= limit)
      candidates.push_back(other);
  if (partition.largest <= limit)
    candidates.push_back(wholeLayers(problem, partition));
  for (Assignment &candidate : candidates)
    improveTraffic(problem, limit, deadline, candidate);
  if (std::optional<Assignment> shared =
          shareSamples(problem, family.processors(), limit)) {
    moveTasks(problem, limit, deadline, *shared);
    candidates.push_back(std::move(*shared));
  }
  llvm::erase_if(candidates, [&](const Assignment &candidate) {
    return undelayedLoop(candidate) > limit;
  });
  if (candidates.empty()) {
    candidates.push_back(wholeLayers(problem, partition));
    improveTraffic(problem, std::max(limit, partition.largest), deadline,
                   candidates.back());
  }
  llvm::stable_sort(candidates, [](const Assignment &a, const Assignment &b) {
    return a.bytes() < b.bytes();
  });
  return candidates;
}
