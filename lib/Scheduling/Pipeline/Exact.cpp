//===- Exact.cpp - least makespan, with its proof -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the literature states as an integer program (Qi et al., ICLR 2024,
// appendix G) is solved by dynamic programming here: microbatches are alike, so
// there are few partial schedules that differ in what they leave to do.
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Solver.h"

using namespace takt;

/// About a minute.
static constexpr int64_t kExactEffort = 2'000'000'000;

PipelineResult takt::scheduleExactly(const PipelineProblem &problem,
                                     const PipelineOptions &options) {
  return searchOrders(problem, options, kExactEffort);
}
