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
PipelineResult scheduleInterleaved(const PipelineProblem &,
                                   const PipelineOptions &);
PipelineResult scheduleZeroBubbleH1(const PipelineProblem &,
                                    const PipelineOptions &);
PipelineResult scheduleZeroBubbleH2(const PipelineProblem &,
                                    const PipelineOptions &);
PipelineResult scheduleZeroBubbleV(const PipelineProblem &,
                                   const PipelineOptions &);
PipelineResult scheduleVHalf(const PipelineProblem &, const PipelineOptions &);
PipelineResult scheduleVMin(const PipelineProblem &, const PipelineOptions &);
PipelineResult scheduleDualPipeV(const PipelineProblem &,
                                 const PipelineOptions &);
PipelineResult scheduleZeroBubbleAuto(const PipelineProblem &,
                                      const PipelineOptions &);

/// The exact one, and the best within a few seconds: see Solver.h.
PipelineResult scheduleExactly(const PipelineProblem &,
                               const PipelineOptions &);
PipelineResult scheduleBest(const PipelineProblem &, const PipelineOptions &);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_SCHEDULES_H
