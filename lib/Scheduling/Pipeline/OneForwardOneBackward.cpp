//===- OneForwardOneBackward.cpp - 1F1B -----------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// PipeDream-flush: Narayanan et al., "Memory-Efficient Pipeline-Parallel DNN
// Training", ICML 2021. Processor s first computes as many forwards as there
// are processors behind it, then one forward and one backward in turn, then the
// backwards that are left.
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Units.h"

using namespace takt;

PipelineResult
takt::scheduleOneForwardOneBackward(const PipelineProblem &problem,
                                    const PipelineOptions &) {
  PlacedPipeline placed = placeMerged(problem);
  std::vector<std::vector<PipelineTask>> order(problem.processors);
  for (int q = 0; q < problem.processors; ++q) {
    int warmUp = problem.processors - 1 - q;
    for (int i = 0; i < problem.microbatches + warmUp; ++i) {
      if (i < problem.microbatches)
        order[q].push_back({TaskKind::Forward, q, i});
      if (i < warmUp)
        continue;
      order[q].push_back({TaskKind::Dgrad, q, i - warmUp});
      order[q].push_back({TaskKind::Wgrad, q, i - warmUp});
    }
  }
  return expandUnits(placed, order, /*fullBackward=*/true);
}
