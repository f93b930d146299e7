//===- LayerPipeReplicatedScheduler.cpp - LayerPipe or replicas -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where an update for several minibatches is welcome, layers may have replicas.
// LayerPipe's own schedule has none, and is one of those compared.
//
//===----------------------------------------------------------------------===//

#include "ReplicatedPipelines.h"
#include "Schedulers.h"

using namespace takt;

llvm::Expected<Schedule>
takt::runLayerPipeReplicated(const Problem &problem,
                             const ScheduleOptions &options) {
  if (llvm::Error error = checkBandwidthLevels(problem, options))
    return error;
  Deadline deadline(options.timeLimitSeconds);
  ScheduleOptions half = options;
  if (half.timeLimitSeconds)
    *half.timeLimitSeconds /= 2;
  // Memory may suffice for replicas only, or without them only.
  llvm::Expected<Schedule> single = runLayerPipe(problem, half);
  std::optional<Schedule> first;
  std::string reason;
  if (single)
    first = std::move(*single);
  else
    reason = llvm::toString(single.takeError());
  std::optional<Schedule> best = bestReplicatedPipeline(
      problem, options, std::max(0, options.intervalTolerance), deadline,
      std::move(first));
  if (best)
    return std::move(*best);
  return llvm::createStringError(reason);
}
