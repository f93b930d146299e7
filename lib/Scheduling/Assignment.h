//===- Assignment.h - cuts and processors -----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The first half of a layerpipe schedule: what is cut, and which processor each
// task is on. When is for the second half, DelaySearch.h.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_ASSIGNMENT_H
#define TAKT_LIB_SCHEDULING_ASSIGNMENT_H

#include "Deadline.h"
#include "takt/Scheduling/Schedule.h"

namespace takt {

struct Assignment {
  std::vector<Cut> cuts;
  TaskGraph graph;            ///< after the cuts
  std::vector<int> processor; ///< by task of `graph`
  std::vector<int64_t> cycles;

  /// Cycles of the busiest processor or link.
  int64_t leastInterval(const Machine &machine) const;
  /// Bytes that cross between processors per minibatch.
  int64_t bytes() const;
};

/// Fills graph, processors and cycles from the cuts. `processorOf` says where a
/// part (kWhole: the join) of a task of the uncut graph is, or all of it.
void place(const Problem &problem, Assignment &assignment,
           llvm::function_ref<int(int task, int part)> processorOf);

/// Fills the cycles from the processors.
void computeCycles(const Problem &problem, Assignment &assignment);

/// Moves tasks, and pairs of tasks, between processors as long as fewer bytes
/// cross and none is busy for more than `limit` cycles. Local search: no
/// optimum is promised.
void moveTasks(const Problem &problem, int64_t limit, const Deadline &deadline,
               Assignment &assignment);

/// Chooses where operands of cut tasks are sliced, and moves tasks.
void improveTraffic(const Problem &problem, int64_t limit,
                    const Deadline &deadline, Assignment &assignment);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_ASSIGNMENT_H
