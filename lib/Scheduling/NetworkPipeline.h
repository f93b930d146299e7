//===- NetworkPipeline.h - synchronous pipelines of networks ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_NETWORKPIPELINE_H
#define TAKT_LIB_SCHEDULING_NETWORKPIPELINE_H

#include "takt/Scheduling/Pipeline.h"
#include "takt/Scheduling/Schedule.h"

namespace takt {

/// Whether an update needs in the same iteration what another layer's makes, as
/// the factor by which all gradients are clipped: then none begins before the
/// last wgrad.
bool areUpdatesCoupled(const TaskGraph &graph);

/// The schedule that a pipeline scheduler gives a network whose step is divided
/// into microbatches (Task::microbatch): layers are partitioned into balanced
/// stages, the stages stated as a pipeline problem, and the order that is found
/// is followed with the network's own tasks and transfers. Updates come right
/// after the last wgrad of their stage or, where they are coupled, of all
/// stages of their processor.
///
/// The pipeline problem's memory is near to the network's: where a schedule
/// does not fit that, the problem is stated again with other limits. What
/// adapts to the memory, but finds nothing, gives the best of the published
/// schedules.
///
/// Fails if the scheduler does. The result may need more memory than there is.
llvm::Expected<Schedule> runNetworkPipeline(const PipelineScheduler &scheduler,
                                            const Problem &problem,
                                            const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_NETWORKPIPELINE_H
