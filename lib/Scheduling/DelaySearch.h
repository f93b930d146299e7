//===- DelaySearch.h - orders with few stages -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The second half of a layerpipe schedule: in which order each processor runs
// its tasks within an interval, and how many stages the delays that follow from
// it need.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_DELAYSEARCH_H
#define TAKT_LIB_SCHEDULING_DELAYSEARCH_H

#include "Assignment.h"
#include "Deadline.h"
#include "Timing.h"

namespace takt {

/// What a search is asked for.
struct DelayRequest {
  int64_t interval = 0;
  int stages = 0; ///< exactly that many; 0: few
  uint64_t seed = 0;
  const Deadline *deadline = nullptr;
  /// Without a stash orders are also sought that keep few copies of weights.
  WeightVersions weights = WeightVersions::Stash;
};

/// Searches orders, and offsets of the processors' orders to each other, under
/// which the delays 2·S(l) suffice with few stages; then among those with
/// little memory. Local search from several orders, with a number of steps that
/// shrinks with the size of the graph.
///
/// Returns the schedule of the assignment, complete but for its cuts; nullopt
/// if no order was found: then a larger interval is needed.
std::optional<Schedule> searchDelays(const Problem &problem,
                                     const Assignment &assignment,
                                     const DelayRequest &request);

/// The same without a search: tasks in their order, wgrads and updates last,
/// each at the first time from which its processor is free in every interval.
/// Idle time may lie anywhere, so that a long interval needs few delays.
std::optional<Schedule> scheduleWithGaps(const Problem &problem,
                                         const Assignment &assignment,
                                         const DelayRequest &request);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_DELAYSEARCH_H
