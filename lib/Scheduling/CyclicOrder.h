//===- CyclicOrder.h - intervals and starts of cyclic orders ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pipeline without flush is an order that every processor repeats. How fast
// it repeats, and when everything starts, follows from the dependences.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_CYCLICORDER_H
#define TAKT_LIB_SCHEDULING_CYCLICORDER_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// A task in a processor's order. In the order's pass i it is that of iteration
/// i + ahead.
struct OrderedTask {
  int task;
  int ahead = 0;
};

/// What every processor does in each pass, all tasks once. An entry's processor
/// is its index.
using CyclicOrder = std::vector<std::vector<OrderedTask>>;

/// The periodic schedule of that order, `delay` for each layer, at the least
/// interval that dependences and links allow: exact where links are free,
/// within 0.2 % of what the first come, first served order on the links allows
/// elsewhere. Stages are left for the caller.
/// nullopt if the order waits for itself around a cycle, or no interval below
/// `limit` is found.
std::optional<Schedule>
scheduleCyclicOrder(const Problem &problem, const TaskGraph &graph,
                    const CyclicOrder &order, llvm::ArrayRef<int> delay,
                    int64_t limit = std::numeric_limits<int64_t>::max());

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_CYCLICORDER_H
