//===- Assignment.cpp - cuts and processors -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Assignment.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace takt;

/// The processors besides the producer's that use a value.
static llvm::SmallVector<int, 4> receivers(const Value &value,
                                           llvm::ArrayRef<int> processor) {
  llvm::SmallVector<int, 4> result;
  if (value.producer < 0)
    return result;
  for (const Use &use : value.uses) {
    int to = processor[use.task];
    if (to != processor[value.producer] && !llvm::is_contained(result, to))
      result.push_back(to);
  }
  return result;
}

static int64_t bytesOf(const Value &value, llvm::ArrayRef<int> processor) {
  return value.bytes * static_cast<int64_t>(receivers(value, processor).size());
}

int64_t Assignment::bytes() const {
  int64_t total = 0;
  for (const Value &value : graph.values)
    total += bytesOf(value, processor);
  return total;
}

int64_t Assignment::leastInterval(const Machine &machine) const {
  std::vector<int64_t> load(machine.processors(), 0);
  std::map<int64_t, int64_t> link;
  for (auto [p, c] : llvm::zip_equal(processor, cycles))
    load[p] += c;
  int64_t most = std::max<int64_t>(1, *llvm::max_element(load));
  for (const Value &value : graph.values)
    for (int to : receivers(value, processor)) {
      int from = processor[value.producer];
      int64_t cycles = machine.transferCycles(from, to, value.bytes);
      for (int64_t held : machine.linksHeld(from, to))
        most = std::max(most, link[held] += cycles);
    }
  return most;
}

void takt::computeCycles(const Problem &problem, Assignment &assignment) {
  assignment.cycles.clear();
  for (auto [task, p] :
       llvm::zip_equal(assignment.graph.tasks, assignment.processor))
    assignment.cycles.push_back(
        *taskCycles(*problem.cost, task, problem.machine->processorClass(p)));
}

void takt::place(const Problem &problem, Assignment &assignment,
                 llvm::function_ref<int(int task, int part)> processorOf) {
  assignment.graph = llvm::cantFail(applyCuts(*problem.graph, assignment.cuts));
  assignment.processor.clear();
  for (const Task &task : assignment.graph.tasks)
    assignment.processor.push_back(processorOf(task.uncut, task.part));
  computeCycles(problem, assignment);
}

//===----------------------------------------------------------------------===//
// Slices
//===----------------------------------------------------------------------===//

static bool isWithin(const Problem &problem, const Assignment &assignment,
                     int64_t limit) {
  std::vector<int64_t> load(problem.machine->processors(), 0);
  for (auto [p, c] : llvm::zip_equal(assignment.processor, assignment.cycles))
    load[p] += c;
  return *llvm::max_element(load) <= limit;
}

/// Tries both ways for each part of each cut in two, and for all parts together
/// of other cuts.
static void chooseSlices(const Problem &problem, int64_t limit,
                         const Deadline &deadline, Assignment &assignment) {
  std::map<std::pair<int, int>, int> processors; // by uncut task and part
  for (auto [task, p] :
       llvm::zip_equal(assignment.graph.tasks, assignment.processor))
    processors[{task.uncut, task.part}] = p;
  auto processorOf = [&](int task, int part) {
    auto it = processors.find({task, part});
    // A join that nobody needed so far: with the last part, the one before it.
    return it != processors.end()
               ? it->second
               : std::prev(processors.lower_bound({task + 1, kWhole}))->second;
  };
  int64_t bytes = assignment.bytes();
  for (size_t index = 0; index < assignment.cuts.size(); ++index)
    for (int part : {0, 1}) {
      if (deadline.isOver())
        return;
      Assignment other = assignment;
      Cut &cut = other.cuts[index];
      cut.sliceAtProducer.resize(cut.parts(), false);
      if (cut.parts() == 2)
        cut.sliceAtProducer[part] = !cut.sliceAtProducer[part];
      else if (part == 0)
        for (bool &slices : cut.sliceAtProducer)
          slices = !slices;
      else
        continue;
      place(problem, other, processorOf);
      int64_t otherBytes = other.bytes();
      if (otherBytes < bytes && isWithin(problem, other, limit)) {
        assignment = std::move(other);
        bytes = otherBytes;
      }
    }
}

//===----------------------------------------------------------------------===//
// Moves
//===----------------------------------------------------------------------===//

namespace {
/// Tasks that stay together, and the values that they touch.
struct Unit {
  llvm::SmallVector<int, 2> tasks;
  llvm::SmallVector<int, 8> values;
  llvm::SmallVector<int, 8> neighbours; ///< units that share a value
};

class MoveSearch {
public:
  MoveSearch(const Problem &problem, int64_t limit, const Deadline &deadline,
             Assignment &assignment);

  void run();

private:
  bool improve(int unit);
  bool trySwaps(int unit, int to, int64_t gain);
  int64_t bytesAround(const Unit &unit) const;
  void move(const Unit &unit, int to);
  int64_t cyclesOn(const Unit &unit, int processor) const;
  int processorOf(const Unit &unit) const {
    return assignment.processor[unit.tasks[0]];
  }

  /// Partners tried for each swap.
  static constexpr int kMaxPartners = 16;
  static constexpr int kMaxPasses = 8;

  const Problem &problem;
  int64_t limit;
  const Deadline &deadline;
  Assignment &assignment;
  std::vector<Unit> units;
  std::vector<int64_t> load;
  std::vector<std::vector<int>> unitsOn; ///< by processor, sorted
};
} // namespace

MoveSearch::MoveSearch(const Problem &problem, int64_t limit,
                       const Deadline &deadline, Assignment &assignment)
    : problem(problem), limit(limit), deadline(deadline),
      assignment(assignment), load(problem.machine->processors(), 0),
      unitsOn(problem.machine->processors()) {
  const TaskGraph &graph = assignment.graph;
  std::vector<int> unitOf(graph.tasks.size());
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    if (task.colocated < 0) {
      unitOf[index] = static_cast<int>(units.size());
      units.emplace_back();
    } else {
      unitOf[index] = unitOf[task.colocated];
    }
    units[unitOf[index]].tasks.push_back(static_cast<int>(index));
    load[assignment.processor[index]] += assignment.cycles[index];
  }
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    llvm::SmallVector<int, 8> touched = {unitOf[value.producer]};
    for (const Use &use : value.uses)
      touched.push_back(unitOf[use.task]);
    llvm::sort(touched);
    touched.erase(llvm::unique(touched), touched.end());
    for (int unit : touched) {
      units[unit].values.push_back(static_cast<int>(index));
      for (int other : touched)
        if (other != unit && !llvm::is_contained(units[unit].neighbours, other))
          units[unit].neighbours.push_back(other);
    }
  }
  for (auto [index, unit] : llvm::enumerate(units))
    unitsOn[processorOf(unit)].push_back(static_cast<int>(index));
}

int64_t MoveSearch::bytesAround(const Unit &unit) const {
  int64_t bytes = 0;
  for (int value : unit.values)
    bytes += bytesOf(assignment.graph.values[value], assignment.processor);
  return bytes;
}

int64_t MoveSearch::cyclesOn(const Unit &unit, int processor) const {
  const Machine &machine = *problem.machine;
  int64_t cycles = 0;
  for (int task : unit.tasks)
    cycles += machine.isUniform()
                  ? assignment.cycles[task]
                  : *taskCycles(*problem.cost, assignment.graph.tasks[task],
                                machine.processorClass(processor));
  return cycles;
}

void MoveSearch::move(const Unit &unit, int to) {
  for (int task : unit.tasks) {
    load[assignment.processor[task]] -= assignment.cycles[task];
    assignment.processor[task] = to;
    if (!problem.machine->isUniform())
      assignment.cycles[task] =
          *taskCycles(*problem.cost, assignment.graph.tasks[task],
                      problem.machine->processorClass(to));
    load[to] += assignment.cycles[task];
  }
}

/// Moves `unit` to `to` and another one back, if that gains something.
bool MoveSearch::trySwaps(int index, int to, int64_t gain) {
  Unit &unit = units[index];
  int from = processorOf(unit);
  int tried = 0;
  for (int other : unitsOn[to]) {
    Unit &partner = units[other];
    if (load[to] + cyclesOn(unit, to) - cyclesOn(partner, to) > limit ||
        load[from] - cyclesOn(unit, from) + cyclesOn(partner, from) > limit)
      continue;
    if (++tried > kMaxPartners)
      return false;
    move(unit, to);
    // What the partner loses counts after the first move.
    int64_t between = bytesAround(partner);
    move(partner, from);
    int64_t loss = bytesAround(partner) - between;
    if (loss < gain) {
      llvm::erase(unitsOn[to], other);
      llvm::erase(unitsOn[from], index);
      unitsOn[to].push_back(index);
      unitsOn[from].push_back(other);
      llvm::sort(unitsOn[to]);
      llvm::sort(unitsOn[from]);
      return true;
    }
    move(partner, to);
    move(unit, from);
  }
  return false;
}

/// The best move of a unit to a processor of its neighbours.
bool MoveSearch::improve(int index) {
  Unit &unit = units[index];
  int from = processorOf(unit);
  int64_t before = bytesAround(unit);
  if (before == 0)
    return false;
  llvm::SmallVector<int, 8> targets;
  for (int neighbour : unit.neighbours)
    if (int p = processorOf(units[neighbour]);
        p != from && !llvm::is_contained(targets, p))
      targets.push_back(p);
  llvm::sort(targets);
  int best = -1;
  int64_t most = 0;
  llvm::SmallVector<std::pair<int64_t, int>, 4> crowded; // gain, processor
  for (int to : targets) {
    bool fits = load[to] + cyclesOn(unit, to) <= limit;
    move(unit, to);
    int64_t gain = before - bytesAround(unit);
    move(unit, from);
    if (gain > 0 && !fits)
      crowded.push_back({gain, to});
    else if (gain > most)
      std::tie(most, best) = std::pair(gain, to);
  }
  if (best >= 0) {
    move(unit, best);
    llvm::erase(unitsOn[from], index);
    unitsOn[best].insert(llvm::upper_bound(unitsOn[best], index), index);
    return true;
  }
  llvm::sort(crowded, std::greater<>());
  for (auto [gain, to] : crowded)
    if (trySwaps(index, to, gain))
      return true;
  return false;
}

void MoveSearch::run() {
  bool changed = true;
  for (int pass = 0; changed && pass < kMaxPasses; ++pass) {
    changed = false;
    for (size_t unit = 0; unit < units.size() && !deadline.isOver(); ++unit)
      changed |= improve(static_cast<int>(unit));
  }
}

void takt::moveTasks(const Problem &problem, int64_t limit,
                     const Deadline &deadline, Assignment &assignment) {
  MoveSearch(problem, limit, deadline, assignment).run();
}

void takt::improveTraffic(const Problem &problem, int64_t limit,
                          const Deadline &deadline, Assignment &assignment) {
  chooseSlices(problem, limit, deadline, assignment);
  moveTasks(problem, limit, deadline, assignment);
  chooseSlices(problem, limit, deadline, assignment);
}
