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

#include "Deadline.h"
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
  std::optional<Schedule> straight = bestPipeline(problem, deadline);
  ScheduleOptions rest = options;
  if (deadline.isSet())
    rest.timeLimitSeconds = deadline.secondsLeft();
  if (std::optional<Schedule> schedule = bestReplicatedPipeline(
          problem, rest, /*tolerance=*/0, std::move(straight)))
    return std::move(*schedule);
  return runSequential(problem, options);
}
