//===- ReplicatedPipelines.h - the best replicated pipeline -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_REPLICATEDPIPELINES_H
#define TAKT_LIB_SCHEDULING_REPLICATEDPIPELINES_H

#include "Deadline.h"
#include "takt/Scheduling/Schedule.h"

namespace takt {

/// Fails if the options' bandwidth levels have more processors than the
/// machine.
llvm::Error checkBandwidthLevels(const Problem &problem,
                                 const ScheduleOptions &options);

/// The best schedule of PipeDream's replicated plans
/// (PipeDreamReplicatedPlan.h) and of `first`, a schedule of one minibatch, if
/// there is one: what fits the memory, the shortest interval per minibatch,
/// which may be exceeded by `tolerance` thousandths, then the fewest bytes
/// moved, the least staleness, the least memory. Ends with the best found when
/// the options' time limit is over; nullopt if nothing was.
std::optional<Schedule> bestReplicatedPipeline(const Problem &problem,
                                               const ScheduleOptions &options,
                                               int tolerance,
                                               const Deadline &deadline,
                                               std::optional<Schedule> first);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_REPLICATEDPIPELINES_H
