//===- SearchStates.h - search over partial pipeline orders -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Layer by layer: a layer holds partial schedules with the same number of tasks
// placed. Each is continued in the way of Giffler and Thompson (1960), which
// meets a best completion of every partial schedule: of all tasks that can be
// placed, take the one that would end first; on its processor some task starts
// before that end, or the first-ending one could be put into the gap.
//
// What a partial schedule leaves to do is known by how far each row is, when
// each processor is free and when the inputs on their way arrive. So of two
// that are equally far and where one is nowhere later, the other can go
// (dynamic programming in the sense of Gromicho et al. 2012). Layers that
// nothing else was taken from prove what they do not find.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_PIPELINE_SEARCHSTATES_H
#define TAKT_SCHEDULING_PIPELINE_SEARCHSTATES_H

#include "BoundsRows.h"
#include <chrono>
#include <limits>

namespace takt {

using PipelineDeadline = std::optional<std::chrono::steady_clock::time_point>;

/// What a search may use up; counted down by searches that share it.
struct SearchBudget {
  /// Of tasks looked at in bounds, some 10^7 a second and more.
  int64_t effort = std::numeric_limits<int64_t>::max();
  PipelineDeadline deadline;

  bool isOver() const {
    return effort <= 0 ||
           (deadline && std::chrono::steady_clock::now() >= *deadline);
  }
};

struct StateSearchOptions {
  int64_t target = 0; ///< look for makespans up to this, in units of the rows
  size_t width = 0;   ///< partial schedules that a layer may keep
  uint64_t seed = 0;  ///< chooses among equals where a layer is full
  /// Bound partial schedules by one-machine relaxations; else by the work and
  /// the tails alone, in constant time.
  bool strongBounds = true;
};

struct StateSearchResult {
  bool complete = false; ///< nothing was dropped: what was not found is not
  bool stopped = false;  ///< the budget was over
  std::optional<std::vector<int>> placed; ///< rows of the tasks, as placed
  int64_t makespan = 0;                   ///< of `placed`
  /// Of a complete search that found nothing: a lower bound, above the target;
  /// the largest value if there is no schedule at all.
  int64_t bound = std::numeric_limits<int64_t>::max();
};

/// Whether the counts and times of the problem have room in the search's own.
bool canSearchStates(const PipelineRows &rows);

/// Searches for a schedule of at most the target within the memory limits. The
/// rows must have closures for strong bounds; see `canSearchStates`.
StateSearchResult searchStates(const PipelineRows &rows,
                               const StateSearchOptions &options,
                               SearchBudget &budget);

/// The most partial schedules that a layer can keep within a few hundred
/// megabytes, given what is remembered of each for all layers.
size_t greatestSearchWidth(const PipelineRows &rows);

} // namespace takt

#endif // TAKT_SCHEDULING_PIPELINE_SEARCHSTATES_H
