//===- PipelineBeam.h - a beam of partial schedules -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_PIPELINEBEAM_H
#define TAKT_LIB_SCHEDULING_PIPELINE_PIPELINEBEAM_H

#include "ListRule.h"

namespace takt {

/// What makes one partial schedule better than another of as many tasks: the
/// least of `bound` times the bound of its makespan, plus the mean over the
/// processors of `work` times the earliest end of each, plus `path` times the
/// earliest end of its last dgrad.
struct BeamRule {
  int width = 1;
  int64_t bound = 1, work = 1, path = 0;
  /// Of each unit the most microbatches between their forward and their dgrad.
  std::vector<int> warmUp;
};

/// Goes from the schedules of n tasks to those of n + 1, keeping the `width`
/// best. Each is continued as Giffler and Thompson enumerate active schedules
/// (Operations Research 1960): on the processor that can end a task first, by
/// every task that can begin before that end. Needs a frame whose memory
/// suffices.
BuiltPipeline buildByBeam(const PipelineFrame &frame, const BeamRule &rule);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_PIPELINEBEAM_H
