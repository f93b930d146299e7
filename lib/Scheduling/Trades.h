//===- Trades.h - asking a scheduler for different trades -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A scheduler minimises the interval first. What it finds on fewer processors,
// with less memory than there is, or with leave to take longer, are schedules
// of the same problem too, with other figures.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_TRADES_H
#define TAKT_LIB_SCHEDULING_TRADES_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// The best by the options' objective, which is not empty, of what the named
/// scheduler makes of different trades. Fails if it does with the problem as it
/// is.
llvm::Expected<Schedule> scheduleByObjective(llvm::StringRef name,
                                             const Problem &problem,
                                             const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_TRADES_H
