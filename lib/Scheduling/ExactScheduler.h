//===- ExactScheduler.h - the least interval, with its proof ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_EXACTSCHEDULER_H
#define TAKT_LIB_SCHEDULING_EXACTSCHEDULER_H

#include "Deadline.h"
#include "takt/Scheduling/Schedule.h"

namespace takt {

/// The schedule of the least interval, over all processors for each task, all
/// orders, times and delays that verify() accepts, and, where they are few, all
/// cuts. Begins with the best of `start`, verified schedules, and ends at the
/// deadline, or without one after a fixed effort, with the best found. Its
/// lowerBound is proved; where memory is short, it is that without limits.
///
/// Fails if nothing that fits the memory was found.
llvm::Expected<Schedule> searchExactly(const Problem &problem,
                                       const ScheduleOptions &options,
                                       const Deadline &deadline,
                                       std::vector<Schedule> start);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_EXACTSCHEDULER_H
