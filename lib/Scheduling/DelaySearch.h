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
#include "Timing.h"

namespace takt {

struct DelayedSolution {
  Arrangement arrangement;
  Times times;
  std::vector<int> behind; ///< by layer: S, the number of stages behind its own
  int stages = 1;
};

/// Searches orders, and offsets of the processors' orders to each other, under
/// which the delays 2·S(l) suffice with few stages. Local search from several
/// orders, with a number of steps that shrinks with the size of the graph.
///
/// `stages` > 0 asks for exactly that many. Returns nullopt if no order was
/// found: then a larger interval is needed.
std::optional<DelayedSolution> searchDelays(const Machine &machine,
                                            const Assignment &assignment,
                                            int64_t interval, int stages,
                                            uint64_t seed);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_DELAYSEARCH_H
