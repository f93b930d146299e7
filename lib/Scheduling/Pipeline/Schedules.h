//===- Schedules.h - the published schedules --------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_SCHEDULES_H
#define TAKT_LIB_SCHEDULING_PIPELINE_SCHEDULES_H

#include "takt/Scheduling/Pipeline.h"

namespace takt {

using PipelineResult = llvm::Expected<PipelineSolution>;

PipelineResult scheduleGpipe(const PipelineProblem &, const PipelineOptions &);
PipelineResult scheduleOneForwardOneBackward(const PipelineProblem &,
                                             const PipelineOptions &);

/// The exact one, and the best within a few seconds: see Solver.h.
PipelineResult scheduleExactly(const PipelineProblem &,
                               const PipelineOptions &);
PipelineResult scheduleBest(const PipelineProblem &, const PipelineOptions &);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_SCHEDULES_H
