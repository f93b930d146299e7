//===- PipelineGraph.h - pipelines as task graphs ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A pipeline problem is a task graph with stated durations and memory, on a
// machine of ideal links with a latency. So one verification, one text, one
// report and one picture serve both.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_PIPELINEGRAPH_H
#define TAKT_SCHEDULING_PIPELINEGRAPH_H

#include "takt/Scheduling/Pipeline.h"
#include "takt/Scheduling/Schedule.h"

namespace takt {

/// A layer for each stage ("stage0"), a task for each stage, kind and
/// microbatch ("stage0.F.m1"), in sequential order: per microbatch F of all
/// stages, then D and W back. All tasks of a stage are colocated.
TaskGraph pipelineGraph(const PipelineProblem &problem);

/// The processors with their memory limits in 1/memoryScale of the problem's
/// unit, and `transferCycles` as the latency of every link.
Machine pipelineMachine(const PipelineProblem &problem);

/// The schedule of `graph`, which is pipelineGraph(problem), that an order and
/// its times state. The interval is the makespan.
Schedule pipelineSchedule(const PipelineProblem &problem,
                          const TaskGraph &graph, const PipelineOrder &order,
                          const PipelineTimes &times);

} // namespace takt

#endif // TAKT_SCHEDULING_PIPELINEGRAPH_H
