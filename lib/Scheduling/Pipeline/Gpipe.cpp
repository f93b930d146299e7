//===- Gpipe.cpp - all forwards, then all backwards -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Huang et al., "GPipe: Efficient Training of Giant Neural Networks using
// Pipeline Parallelism", NeurIPS 2019.
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Units.h"

using namespace takt;

PipelineResult takt::scheduleGpipe(const PipelineProblem &problem,
                                   const PipelineOptions &) {
  PlacedPipeline placed = placeMerged(problem);
  std::vector<std::vector<PipelineTask>> order(problem.processors);
  for (int q = 0; q < problem.processors; ++q) {
    for (int i = 0; i < problem.microbatches; ++i)
      order[q].push_back({TaskKind::Forward, q, i});
    for (int i = 0; i < problem.microbatches; ++i) {
      order[q].push_back({TaskKind::Dgrad, q, i});
      order[q].push_back({TaskKind::Wgrad, q, i});
    }
  }
  return expandUnits(placed, order, /*fullBackward=*/true);
}
