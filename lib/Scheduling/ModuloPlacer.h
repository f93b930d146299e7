//===- ModuloPlacer.h - iterative modulo scheduling -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_MODULOPLACER_H
#define TAKT_LIB_SCHEDULING_MODULOPLACER_H

#include "Deadline.h"
#include "takt/Scheduling/Schedule.h"

namespace takt {

/// What decides between processors that could all take a task.
enum class PlacementRule : uint8_t {
  Earliest, ///< where it starts first, then few bytes
  FewBytes  ///< where few bytes have to be sent, then where it starts first
};

struct PlacementRequest {
  int64_t interval = 1;
  std::vector<int> delay; ///< by layer: of the updates, a hard limit
  /// By task: the processor it must be on; empty: free for all.
  std::vector<int> processor;
  PlacementRule rule = PlacementRule::Earliest;
  const Deadline *deadline = nullptr;
};

/// Iterative modulo scheduling (Rau, MICRO-27, 1994) on processors with links:
/// tasks by the longest path to the end of their iteration, each at the first
/// time at which a processor has room in every interval and what it reads has
/// arrived, under a reservation of the links in between. Where there is no
/// time, it takes one by force, and what is in the way, or is now too early for
/// its inputs, is placed again. Of the times it prefers those that leave gaps
/// into which the tasks yet to come fit.
///
/// nullopt if the effort is spent, which grows with the number of tasks, or the
/// loops of the graph do not fit into the interval.
std::optional<Schedule> placeModulo(const Problem &problem,
                                    const TaskGraph &graph,
                                    const PlacementRequest &request);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_MODULOPLACER_H
