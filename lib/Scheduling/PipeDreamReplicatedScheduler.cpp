//===- PipeDreamReplicatedScheduler.cpp - replicated 1F1B stages ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narayanan et al., "PipeDream", SOSP 2019, with replication: stages that
// several processors share, minibatches in turn, each of them 1F1B; replicas
// exchange gradients and weights once in a round (Replication.h).
//
//===----------------------------------------------------------------------===//

#include "PipeDream.h"
#include "ReplicatedPipelines.h"
#include "Schedulers.h"

using namespace takt;

llvm::Expected<Schedule>
takt::runPipeDreamReplicated(const Problem &problem,
                             const ScheduleOptions &options) {
  if (llvm::Error error = checkBandwidthLevels(problem, options))
    return error;
  Deadline deadline(options.timeLimitSeconds);
  if (std::optional<Schedule> schedule =
          bestReplicatedPipeline(problem, options, /*tolerance=*/0, deadline,
                                 bestPipeline(problem, deadline)))
    return std::move(*schedule);
  return runSequential(problem, options);
}
