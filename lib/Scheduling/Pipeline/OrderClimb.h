//===- OrderClimb.h - a pipeline order improved move by move ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_ORDERCLIMB_H
#define TAKT_LIB_SCHEDULING_PIPELINE_ORDERCLIMB_H

#include "ListRule.h"

namespace takt {

/// Moves tasks that hold up the last one to earlier places on their processor,
/// or what is before them to later ones, by threshold accepting (Dueck and
/// Scheuer, Journal of Computational Physics 1990): a worse order is accepted
/// up to a threshold that goes to 0. `steps` is the effort: so many tasks are
/// timed. Memory limits hold throughout.
BuiltPipeline climbOrders(const PipelineFrame &frame, BuiltPipeline start,
                          int64_t steps, uint64_t seed);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_ORDERCLIMB_H
