//===- Rebalance.cpp - leaving the chain for balance ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rebalance.h"
#include "Cuts.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

namespace {

/// Where a unit of the family is, and what it costs there.
struct Place {
  int processor = 0;
  int64_t cycles = 0; ///< there
  /// Of a cut D: the other part (with the join), and the cut.
  int second = -1;
  int64_t secondCycles = 0;
  CutAxis axis = CutAxis::Channel;
  int64_t at = 0;
};

class Rebalancer {
public:
  Rebalancer(const ChainFamily &family, const Assignment &from,
             int64_t interval);

  std::optional<Assignment> run();

private:
  using Change = llvm::SmallVector<std::pair<int, Place>, 2>; ///< unit, place
  /// Excess over the interval, then the sum of squared loads.
  using Score = std::pair<int64_t, double>;

  void read(const Assignment &from);
  Place whole(int unit, int processor) const;
  std::optional<Place> divided(int unit, int first, int second) const;
  void add(int unit, const Place &place, int sign);
  Score scoreWith(const Change &change);
  void consider(Change change);
  void considerMoves(int unit);
  void considerSwaps(int unit);
  void considerCuts(int unit);
  bool step();
  Score score() const;
  Assignment result() const;

  const ChainFamily &family;
  int64_t interval;
  std::vector<const ChainFamily::Unit *> units;
  std::vector<Place> places;
  std::vector<int64_t> load;
  std::optional<Change> bestChange;
  Score bestScore;
};
} // namespace

Rebalancer::Rebalancer(const ChainFamily &family, const Assignment &from,
                       int64_t interval)
    : family(family), interval(interval),
      load(family.problem.machine->processors(), 0) {
  for (const ChainFamily::LayerUnits &layer : family.layers)
    for (const ChainFamily::Unit &unit : layer.units)
      units.push_back(&unit);
  places.resize(units.size());
  read(from);
}

Place Rebalancer::whole(int unit, int processor) const {
  Place place;
  place.processor = processor;
  place.cycles =
      units[unit]->cycles[family.classAt(processor, ChainFamily::Side::Front)];
  return place;
}

/// A D whose first part fills `first` up to the interval.
std::optional<Place> Rebalancer::divided(int unit, int first,
                                         int second) const {
  auto classOf = [&](int p) {
    return family.classAt(p, ChainFamily::Side::Front);
  };
  int64_t room = interval - load[first];
  const Place &now = places[unit];
  if (now.processor == first)
    room += now.cycles;
  if (now.second == first)
    room += now.secondCycles;
  if (room <= 0)
    return std::nullopt;
  auto fit = family.fit(*units[unit], room, classOf(first), classOf(second),
                        /*joinWithFirst=*/false);
  if (!fit)
    return std::nullopt;
  return Place{first, fit->first, second, fit->second, fit->axis, fit->at};
}

/// The places of an assignment.
void Rebalancer::read(const Assignment &from) {
  std::vector<const Cut *> cutOf(family.problem.graph->tasks.size());
  for (const Cut &cut : from.cuts)
    cutOf[cut.task] = &cut;
  // Parts of a task follow each other.
  std::vector<int> indexOf(cutOf.size(), -1);
  std::vector<int64_t> cyclesOf(cutOf.size(), 0);
  for (auto [index, task] : llvm::enumerate(from.graph.tasks)) {
    if (indexOf[task.uncut] < 0)
      indexOf[task.uncut] = static_cast<int>(index);
    cyclesOf[task.uncut] += from.cycles[index];
  }
  for (auto [unit, members] : llvm::enumerate(units)) {
    int task = members->tasks[0];
    int index = indexOf[task];
    places[unit] = whole(static_cast<int>(unit), from.processor[index]);
    if (const Cut *cut = cutOf[task]) {
      places[unit].cycles = from.cycles[index];
      places[unit].second = from.processor[index + 1];
      places[unit].secondCycles = cyclesOf[task] - from.cycles[index];
      places[unit].axis = cut->axis;
      places[unit].at = cut->at[0];
    }
    add(static_cast<int>(unit), places[unit], 1);
  }
}

void Rebalancer::add(int unit, const Place &place, int sign) {
  load[place.processor] += sign * place.cycles;
  if (place.second >= 0)
    load[place.second] += sign * place.secondCycles;
}

Rebalancer::Score Rebalancer::score() const {
  Score score{0, 0};
  for (int64_t l : load) {
    score.first += std::max<int64_t>(0, l - interval);
    score.second += static_cast<double>(l) * static_cast<double>(l);
  }
  return score;
}

Rebalancer::Score Rebalancer::scoreWith(const Change &change) {
  for (auto &[unit, place] : change)
    add(unit, places[unit], -1);
  for (auto &[unit, place] : change)
    add(unit, place, 1);
  Score result = score();
  for (auto &[unit, place] : change)
    add(unit, place, -1);
  for (auto &[unit, place] : change)
    add(unit, places[unit], 1);
  return result;
}

void Rebalancer::consider(Change change) {
  Score score = scoreWith(change);
  if (score < bestScore) {
    bestScore = score;
    bestChange = std::move(change);
  }
}

void Rebalancer::considerMoves(int unit) {
  for (int p = 0; p < family.processors(); ++p)
    if (p != places[unit].processor || places[unit].second >= 0)
      consider({{unit, whole(unit, p)}});
}

void Rebalancer::considerSwaps(int unit) {
  for (int other = 0; other < static_cast<int>(units.size()); ++other)
    if (places[unit].second < 0 && places[other].second < 0 &&
        places[other].processor != places[unit].processor)
      consider({{unit, whole(unit, places[other].processor)},
                {other, whole(other, places[unit].processor)}});
}

void Rebalancer::considerCuts(int unit) {
  if (!units[unit]->cuttable)
    return;
  int at[] = {places[unit].processor, places[unit].second};
  for (int p : at)
    for (int q = 0; q < family.processors(); ++q) {
      if (p < 0 || p == q)
        continue;
      if (std::optional<Place> place = divided(unit, p, q))
        consider({{unit, *place}});
      if (std::optional<Place> place = divided(unit, q, p))
        consider({{unit, *place}});
    }
}

/// The best change of something on the busiest processor.
bool Rebalancer::step() {
  int busiest = static_cast<int>(llvm::max_element(load) - load.begin());
  bestScore = score();
  bestChange.reset();
  for (int unit = 0; unit < static_cast<int>(units.size()); ++unit) {
    if (places[unit].processor != busiest && places[unit].second != busiest)
      continue;
    considerMoves(unit);
    considerSwaps(unit);
    considerCuts(unit);
  }
  if (!bestChange)
    return false;
  for (auto &[unit, place] : *bestChange) {
    add(unit, places[unit], -1);
    places[unit] = place;
    add(unit, place, 1);
  }
  return true;
}

Assignment Rebalancer::result() const {
  const TaskGraph &graph = *family.problem.graph;
  Assignment assignment;
  std::vector<const Place *> placeOf(graph.tasks.size());
  for (auto [unit, place] : llvm::zip_equal(units, places)) {
    for (int task : unit->tasks)
      placeOf[task] = &place;
    if (place.second >= 0)
      assignment.cuts.push_back({unit->tasks[0], place.axis, {place.at}, {}});
  }
  llvm::sort(assignment.cuts,
             [](const Cut &a, const Cut &b) { return a.task < b.task; });
  place(family.problem, assignment, [&](int task, int part) {
    const Place &at = *placeOf[task];
    return at.second < 0 || part == 0 ? at.processor : at.second;
  });
  return assignment;
}

std::optional<Assignment> Rebalancer::run() {
  // Far more than instances of this size take.
  constexpr int kMaxSteps = 200;
  for (int i = 0; i < kMaxSteps && score().first > 0; ++i)
    if (!step())
      return std::nullopt;
  if (score().first > 0)
    return std::nullopt;
  return result();
}

std::optional<Assignment> takt::rebalance(const ChainFamily &family,
                                          const Assignment &from,
                                          int64_t interval) {
  return Rebalancer(family, from, interval).run();
}
