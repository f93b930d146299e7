//===- ChainFamily.cpp - tasks laid along the processors ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ChainFamily.h"
#include "Cuts.h"
#include "LayerGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace takt;

ChainFamily::ChainFamily(const Problem &problem, int processors)
    : problem(problem), layers(problem.graph->layers.size()),
      count(processors) {
  for (int64_t p = 0; p < problem.machine->processors(); ++p)
    classes.push_back(classOf(*problem.machine, p));
  collectUnits();
}

void ChainFamily::collectUnits() {
  // All orders of up to this many units; more are no training layer's.
  constexpr size_t kMaxPermuted = 3;
  const TaskGraph &graph = *problem.graph;
  std::vector<int> unitOf(graph.tasks.size());
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    // A colocated task may be of another layer than the one it is with.
    int home =
        task.colocated >= 0 ? graph.tasks[task.colocated].layer : task.layer;
    std::vector<Unit> &units = layers[home].units;
    if (task.colocated >= 0) {
      unitOf[index] = unitOf[task.colocated];
    } else {
      unitOf[index] = static_cast<int>(units.size());
      units.emplace_back();
      units.back().cycles.assign(problem.machine->classes.size(), 0);
      units.back().divisible = !task.cuts.empty();
      units.back().cuttable =
          task.kind == TaskKind::Dgrad && !task.cuts.empty();
    }
    Unit &unit = units[unitOf[index]];
    unit.cuttable &= task.colocated < 0;
    unit.tasks.push_back(static_cast<int>(index));
    for (auto [total, on] :
         llvm::zip_equal(unit.cycles, problem.machine->classes))
      total += *taskCycles(*problem.cost, task, on);
  }
  for (LayerUnits &layer : layers) {
    auto identity = llvm::to_vector<3>(
        llvm::seq<int>(0, static_cast<int>(layer.units.size())));
    llvm::SmallVector<int, 3> order = identity;
    do
      layer.orders.push_back(order);
    while (layer.units.size() <= kMaxPermuted &&
           std::next_permutation(order.begin(), order.end()));
  }
}

int ChainFamily::classAt(int used, Side side) const {
  return classes[side == Side::Front ? used : count - 1 - used];
}

int64_t ChainFamily::partCycles(int task, const Cut &cut, int part,
                                int cls) const {
  constexpr int64_t kNever = std::numeric_limits<int64_t>::max() / 4;
  const Task &whole = problem.graph->tasks[task];
  int64_t total = 0;
  for (const Work &work :
       part < 2 ? partWork(whole, cut, part) : joinWork(whole, cut)) {
    std::optional<Cost> cost =
        problem.cost->estimate(work, problem.machine->classes[cls]);
    total += cost ? std::min(kNever, cost->total()) : kNever;
  }
  return std::min(kNever, total);
}

std::optional<ChainFamily::Fit> ChainFamily::fit(const Unit &unit, int64_t room,
                                                 int firstClass,
                                                 int secondClass,
                                                 bool joinWithFirst) const {
  constexpr int kJoin = 2;
  int task = unit.tasks[0];
  std::optional<Fit> best;
  for (CutAxis axis : {CutAxis::Channel, CutAxis::Batch, CutAxis::Reduction}) {
    int64_t extent = cutExtent(problem.graph->tasks[task], axis);
    if (extent == 0)
      continue;
    Cut cut{task, axis, {1}, {}};
    int64_t join =
        partCycles(task, cut, kJoin, joinWithFirst ? firstClass : secondClass);
    int64_t firstRoom = joinWithFirst ? room - join : room;
    auto firstCycles = [&](int64_t at) {
      cut.at = {at};
      return partCycles(task, cut, 0, firstClass);
    };
    // The largest first part that fits.
    int64_t low = 0, high = extent - 1;
    while (low < high) {
      int64_t middle = low + (high - low + 1) / 2;
      if (firstCycles(middle) <= firstRoom)
        low = middle;
      else
        high = middle - 1;
    }
    if (low == 0)
      continue;
    Fit found{axis, low, firstCycles(low), 0};
    found.second = partCycles(task, cut, 1, secondClass);
    (joinWithFirst ? found.first : found.second) += join;
    if (!best || found.second < best->second)
      best = found;
  }
  return best;
}

/// Fewest processors, then least load: whatever follows fits behind that if it
/// fits behind anything, since processors may idle.
std::optional<ChainFamily::Reached> ChainFamily::put(const Unit &unit,
                                                     Reached at,
                                                     int64_t interval,
                                                     Side side) const {
  auto cyclesAt = [&](int used) { return unit.cycles[classAt(used, side)]; };
  if (at.load + cyclesAt(at.used) <= interval)
    return Reached{at.used, at.load + cyclesAt(at.used)};
  std::optional<Reached> best;
  for (int from = at.used; from + 1 < count && !best; ++from) {
    int64_t load = from == at.used ? at.load : 0;
    if (cyclesAt(from + 1) <= interval)
      best = Reached{from + 1, cyclesAt(from + 1)};
    if (!unit.cuttable)
      continue;
    std::optional<Fit> cut =
        fit(unit, interval - load, classAt(from, side), classAt(from + 1, side),
            /*joinWithFirst=*/side == Side::Back);
    if (!cut || cut->second > interval)
      continue;
    Reached reached{from + 1, cut->second};
    if (!best || reached < *best)
      best = reached;
  }
  return best;
}

std::optional<ChainFamily::Reached> ChainFamily::putLayer(int layer, Reached at,
                                                          int64_t interval,
                                                          Side side) const {
  int64_t total = at.load;
  for (const Unit &unit : layers[layer].units)
    total += unit.cycles[classAt(at.used, side)];
  if (total <= interval)
    return Reached{at.used, total};
  std::optional<Reached> best;
  for (const auto &order : layers[layer].orders) {
    std::optional<Reached> reached = at;
    for (int unit : order) {
      reached = put(layers[layer].units[unit], *reached, interval, side);
      if (!reached || (best && !(*reached < *best)))
        break;
    }
    if (reached && (!best || *reached < *best))
      best = reached;
  }
  return best;
}

bool ChainFamily::isFeasible(int64_t interval) const {
  std::optional<Reached> reached = Reached{0, 0};
  for (size_t layer = 0; layer < layers.size() && reached; ++layer)
    reached =
        putLayer(static_cast<int>(layer), *reached, interval, Side::Front);
  return reached.has_value();
}

int64_t ChainFamily::leastInterval() const {
  int64_t low = 1, high = 1;
  for (const LayerUnits &layer : layers)
    for (const Unit &unit : layer.units)
      high += *llvm::max_element(unit.cycles);
  while (low < high) {
    int64_t middle = low + (high - low) / 2;
    if (isFeasible(middle))
      high = middle;
    else
      low = middle + 1;
  }
  return low;
}

std::vector<std::optional<ChainFamily::Reached>>
ChainFamily::suffixes(int64_t interval) const {
  std::vector<std::optional<Reached>> result(layers.size() + 1);
  result.back() = Reached{0, 0};
  for (size_t layer = layers.size(); layer-- > 0;)
    if (result[layer + 1])
      result[layer] = putLayer(static_cast<int>(layer), *result[layer + 1],
                               interval, Side::Back);
  return result;
}
