//===- Rebalance.cpp - leaving the chain for balance ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rebalance.h"
#include "Cuts.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace takt;

namespace {

/// Some of a task, on a processor.
struct Piece {
  int processor = 0;
  int64_t size = 0; ///< indices of the cut's axis; 0: all of the unit
  int64_t cycles = 0;
};

/// Where a unit of the family is. Of one in pieces the join, and what stays
/// with the task, are with the last one.
struct Place {
  llvm::SmallVector<Piece, 2> pieces;
  CutAxis axis = CutAxis::Channel;
  int64_t joinCycles = 0;

  bool isWhole() const { return pieces.size() == 1; }
  int home() const { return pieces.back().processor; }
  bool isOn(int processor) const {
    return llvm::any_of(pieces, [&](const Piece &piece) {
      return piece.processor == processor;
    });
  }
};

class Rebalancer {
public:
  Rebalancer(const ChainFamily &family, const Assignment &from,
             int64_t interval, RebalanceCuts cuts);

  std::optional<Assignment> run();

private:
  using Change = llvm::SmallVector<std::pair<int, Place>, 2>; ///< unit, place
  /// Excess over the interval, then the sum of squared loads.
  using Score = std::pair<int64_t, double>;

  void read(const Assignment &from);
  Place whole(int unit, int processor) const;
  Place inPieces(int unit, CutAxis axis) const;
  int64_t pieceCycles(int unit, CutAxis axis, int64_t size, int processor);
  int64_t largestWithin(int unit, CutAxis axis, int64_t size, int processor,
                        int64_t room);
  void divide(int unit, const Place &place, size_t piece, int to);
  void add(const Place &place, int sign);
  Score scoreWith(const Change &change);
  void consider(Change change);
  void considerMoves(int unit);
  void considerSwaps(int unit);
  void considerCuts(int unit);
  bool step();
  Score score() const;
  Assignment result() const;

  const Task &task(int unit) const {
    return family.problem.graph->tasks[units[unit]->tasks[0]];
  }
  int classAt(int processor) const {
    return family.classAt(processor, ChainFamily::Side::Front);
  }

  const ChainFamily &family;
  int64_t interval;
  RebalanceCuts cuts;
  std::vector<const ChainFamily::Unit *> units;
  std::vector<Place> places;
  std::vector<int64_t> load;
  /// By unit, axis, size and class.
  std::map<std::tuple<int, CutAxis, int64_t, int>, int64_t> known;
  std::optional<Change> bestChange;
  Score bestScore;
};
} // namespace

Rebalancer::Rebalancer(const ChainFamily &family, const Assignment &from,
                       int64_t interval, RebalanceCuts cuts)
    : family(family), interval(interval), cuts(cuts),
      load(family.problem.machine->processors(), 0) {
  for (const ChainFamily::LayerUnits &layer : family.layers)
    for (const ChainFamily::Unit &unit : layer.units)
      units.push_back(&unit);
  places.resize(units.size());
  read(from);
}

Place Rebalancer::whole(int unit, int processor) const {
  Place place;
  place.pieces = {{processor, 0, units[unit]->cycles[classAt(processor)]}};
  return place;
}

/// The place of a unit that is to be cut, without pieces.
Place Rebalancer::inPieces(int unit, CutAxis axis) const {
  const Machine &machine = *family.problem.machine;
  const CostModel &cost = *family.problem.cost;
  Place place;
  place.axis = axis;
  // The join of more pieces takes as long.
  Task join = task(unit);
  join.work = joinWork(task(unit), Cut{0, axis, {1}, {}});
  int home = places[unit].home();
  place.joinCycles = *taskCycles(cost, join, machine.processorClass(home));
  for (int other : llvm::drop_begin(units[unit]->tasks))
    place.joinCycles += *taskCycles(cost, family.problem.graph->tasks[other],
                                    machine.processorClass(home));
  return place;
}

/// Of so many indices.
int64_t Rebalancer::pieceCycles(int unit, CutAxis axis, int64_t size,
                                int processor) {
  auto [it, isNew] =
      known.try_emplace({unit, axis, size, classAt(processor)}, 0);
  if (isNew) {
    Task piece = task(unit);
    piece.work = partWork(piece, Cut{0, axis, {size}, {}}, /*part=*/0);
    it->second = *taskCycles(*family.problem.cost, piece,
                             family.problem.machine->processorClass(processor));
  }
  return it->second;
}

/// The most indices, less than `size`, that fit into `room` cycles.
int64_t Rebalancer::largestWithin(int unit, CutAxis axis, int64_t size,
                                  int processor, int64_t room) {
  int64_t low = 0, high = size - 1;
  while (low < high) {
    int64_t middle = low + (high - low + 1) / 2;
    if (pieceCycles(unit, axis, middle, processor) <= room)
      low = middle;
    else
      high = middle - 1;
  }
  return low;
}

/// The places of an assignment.
void Rebalancer::read(const Assignment &from) {
  std::vector<const Cut *> cutOf(family.problem.graph->tasks.size());
  for (const Cut &cut : from.cuts)
    cutOf[cut.task] = &cut;
  std::vector<llvm::SmallVector<int, 3>> partsOf(cutOf.size());
  for (auto [index, of] : llvm::enumerate(from.graph.tasks))
    partsOf[of.uncut].push_back(static_cast<int>(index));
  for (auto [index, members] : llvm::enumerate(units)) {
    auto unit = static_cast<int>(index);
    int of = members->tasks[0];
    const auto &parts = partsOf[of];
    places[unit] = whole(unit, from.processor[parts.back()]);
    if (const Cut *cut = cutOf[of]) {
      Place place = inPieces(unit, cut->axis);
      int64_t at = 0;
      for (int part = 0; part < cut->parts(); ++part) {
        int64_t end = part + 1 < cut->parts()
                          ? cut->at[part]
                          : cutExtent(task(unit), cut->axis);
        place.pieces.push_back(
            {from.processor[parts[part]], end - at, from.cycles[parts[part]]});
        at = end;
      }
      places[unit] = std::move(place);
    }
    add(places[unit], 1);
  }
}

void Rebalancer::add(const Place &place, int sign) {
  for (const Piece &piece : place.pieces)
    load[piece.processor] += sign * piece.cycles;
  load[place.home()] += sign * place.joinCycles;
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
    add(places[unit], -1);
  for (auto &[unit, place] : change)
    add(place, 1);
  Score result = score();
  for (auto &[unit, place] : change)
    add(place, -1);
  for (auto &[unit, place] : change)
    add(places[unit], 1);
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
    if (p != places[unit].home() || !places[unit].isWhole())
      consider({{unit, whole(unit, p)}});
}

/// There are many, so places are made only of those that are better.
void Rebalancer::considerSwaps(int unit) {
  if (!places[unit].isWhole())
    return;
  int here = places[unit].home();
  auto cyclesOn = [&](int which, int processor) {
    return units[which]->cycles[classAt(processor)];
  };
  for (int other = 0; other < static_cast<int>(units.size()); ++other) {
    int there = places[other].home();
    if (!places[other].isWhole() || there == here)
      continue;
    int64_t hereBefore = load[here], thereBefore = load[there];
    load[here] += cyclesOn(other, here) - cyclesOn(unit, here);
    load[there] += cyclesOn(unit, there) - cyclesOn(other, there);
    Score swapped = score();
    load[here] = hereBefore;
    load[there] = thereBefore;
    if (swapped < bestScore)
      consider({{unit, whole(unit, there)}, {other, whole(other, here)}});
  }
}

/// Gives `to` as much of a piece as it has room for, or as much as the piece's
/// own processor has no room for.
void Rebalancer::divide(int unit, const Place &place, size_t piece, int to) {
  const Piece now = place.pieces[piece];
  CutAxis axis = place.axis;
  add(places[unit], -1);
  int64_t own = interval - load[now.processor], there = interval - load[to];
  add(places[unit], 1);
  // The join is with one of the two at the most.
  own -= place.home() == now.processor ? place.joinCycles : 0;
  int64_t given = largestWithin(unit, axis, now.size, to, there);
  int64_t kept = largestWithin(unit, axis, now.size, now.processor, own);
  for (int64_t size : {given, now.size - kept}) {
    if (size <= 0 || size >= now.size)
      continue;
    Place divided = place;
    divided.pieces[piece].size = now.size - size;
    divided.pieces[piece].cycles =
        pieceCycles(unit, axis, now.size - size, now.processor);
    divided.pieces.insert(divided.pieces.begin(),
                          {to, size, pieceCycles(unit, axis, size, to)});
    consider({{unit, std::move(divided)}});
  }
}

void Rebalancer::considerCuts(int unit) {
  if (cuts == RebalanceCuts::All ? !units[unit]->divisible
                                 : !units[unit]->cuttable)
    return;
  const Place &place = places[unit];
  for (int to = 0; to < family.processors(); ++to) {
    if (place.isOn(to))
      continue;
    if (!place.isWhole()) {
      for (size_t piece = 0; piece < place.pieces.size(); ++piece)
        divide(unit, place, piece, to);
      continue;
    }
    for (const CutOption &option : task(unit).cuts) {
      Place whole = inPieces(unit, option.axis);
      whole.pieces = {{place.home(), option.extent, 0}};
      divide(unit, whole, 0, to);
    }
  }
}

/// The best change of something on the busiest processor.
bool Rebalancer::step() {
  int busiest = static_cast<int>(llvm::max_element(load) - load.begin());
  bestScore = score();
  bestChange.reset();
  for (int unit = 0; unit < static_cast<int>(units.size()); ++unit) {
    if (!places[unit].isOn(busiest))
      continue;
    considerMoves(unit);
    considerSwaps(unit);
    considerCuts(unit);
  }
  if (!bestChange)
    return false;
  for (auto &[unit, place] : *bestChange) {
    add(places[unit], -1);
    places[unit] = place;
    add(place, 1);
  }
  return true;
}

Assignment Rebalancer::result() const {
  Assignment assignment;
  std::vector<const Place *> placeOf(family.problem.graph->tasks.size());
  for (auto [unit, at] : llvm::zip_equal(units, places)) {
    for (int task : unit->tasks)
      placeOf[task] = &at;
    if (at.isWhole())
      continue;
    Cut cut{unit->tasks[0], at.axis, {}, {}};
    int64_t end = 0;
    for (const Piece &piece : llvm::drop_end(at.pieces))
      cut.at.push_back(end += piece.size);
    // Neighbours that are divided the same way read from each other's parts.
    if (cut.axis == sampleAxis(family.problem.graph->tasks[cut.task].kind))
      cut.sliceAtProducer.assign(cut.parts(), true);
    assignment.cuts.push_back(std::move(cut));
  }
  llvm::sort(assignment.cuts,
             [](const Cut &a, const Cut &b) { return a.task < b.task; });
  place(family.problem, assignment, [&](int task, int part) {
    const Place &at = *placeOf[task];
    return part == kWhole ? at.home() : at.pieces[part].processor;
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
                                          int64_t interval,
                                          RebalanceCuts cuts) {
  return Rebalancer(family, from, interval, cuts).run();
}
