//===- SearchBest.cpp - the best order within a few seconds ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Solver.h"

using namespace takt;

/// A few seconds.
static constexpr int64_t kBestEffort = 120'000'000;

PipelineResult takt::scheduleBest(const PipelineProblem &problem,
                                  const PipelineOptions &options) {
  return searchOrders(problem, options, kBestEffort);
}
