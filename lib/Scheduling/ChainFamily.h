//===- ChainFamily.h - tasks laid along the processors ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Assignments of one family: the layers in their order; within a layer its F,
// its D and its W with U in any order; this sequence laid along the processors
// in their order, where a D may lie across the border between two of them.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_CHAINFAMILY_H
#define TAKT_LIB_SCHEDULING_CHAINFAMILY_H

#include "Assignment.h"
#include <map>
#include <optional>
#include <tuple>

namespace takt {

/// The chain's tasks and their costs, and what fits into an interval.
class ChainFamily {
public:
  /// Tasks of a layer that stay on one processor, or a D that may be cut.
  struct Unit {
    llvm::SmallVector<int, 2> tasks;
    bool cuttable = false;
    bool divisible = false; ///< whether its first task, of any kind, may be cut
    std::vector<int64_t> cycles; ///< by class of processor
  };
  struct LayerUnits {
    std::vector<Unit> units;
    std::vector<llvm::SmallVector<int, 3>> orders;
  };
  /// A cut whose first part fits into a given room.
  struct Fit {
    CutAxis axis;
    int64_t at;
    int64_t first, second; ///< cycles of the parts, the join's in one of them
  };
  /// How many processors a prefix (or suffix) of the chain uses, and how much
  /// of the last one.
  struct Reached {
    int used; ///< the last one's number, from the chain's side
    int64_t load;

    bool operator<(const Reached &o) const {
      return std::pair(used, load) < std::pair(o.used, o.load);
    }
  };
  enum class Side { Front, Back };

  /// A chain along the machine's first `processors`.
  ChainFamily(const Problem &problem, int processors);

  const Problem &problem;
  std::vector<LayerUnits> layers;

  int processors() const { return count; }
  /// Class of the n-th processor from a side.
  int classAt(int used, Side side) const;

  /// The least interval into which the chain fits; exact when a larger part of
  /// a D never takes less time. Near-linear.
  int64_t leastInterval() const;

  /// For each layer, what the layers behind it need at the least, counted from
  /// the last processor. Element l is for the layers l, l + 1, …; nullopt where
  /// they do not fit at all.
  std::vector<std::optional<Reached>> suffixes(int64_t interval) const;

  /// The cut of a unit's D with a first part of at most `room` cycles on one
  /// class and the least second part on another; the join is with the first
  /// part or with the second. nullopt if nothing fits.
  std::optional<Fit> fit(const Unit &unit, int64_t room, int firstClass,
                         int secondClass, bool joinWithFirst) const;

private:
  void collectUnits();
  std::optional<Reached> put(const Unit &unit, Reached at, int64_t interval,
                             Side side) const;
  std::optional<Reached> putLayer(int layer, Reached at, int64_t interval,
                                  Side side) const;
  bool isFeasible(int64_t interval) const;
  int64_t partCycles(int task, const Cut &cut, int part, int cls) const;

  int count;
  std::vector<int> classes; ///< by processor of the machine
};

/// The cheapest assignment of the family by bytes that beam search finds at an
/// interval of at least leastInterval(); nullopt if it finds none.
std::optional<Assignment> assignChain(const ChainFamily &family,
                                      int64_t interval);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_CHAINFAMILY_H
