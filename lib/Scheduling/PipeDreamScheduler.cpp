//===- PipeDreamScheduler.cpp - a straight 1F1B pipeline ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narayanan et al., "PipeDream", SOSP 2019, without replication: a stage of
// layers on each processor, which alternates between the forward tasks of one
// minibatch and all backward tasks of another.
//
//===----------------------------------------------------------------------===//

#include "PipeDream.h"
#include "Schedulers.h"

using namespace takt;

llvm::Expected<Schedule> takt::runPipeDream(const Problem &problem,
                                            const ScheduleOptions &options) {
  if (std::optional<Schedule> schedule =
          bestPipeline(problem, Deadline(options.timeLimitSeconds)))
    return std::move(*schedule);
  // A single stage has no transfers.
  return runSequential(problem, options);
}
