//===- PipeDream.h - the 1F1B schedule of a partition -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPEDREAM_H
#define TAKT_LIB_SCHEDULING_PIPEDREAM_H

#include "Deadline.h"
#include "StagePartition.h"
#include <optional>

namespace takt {

/// How far a stage's updates are behind their deadline (negative: before it)
/// when its blocks last `load` cycles, and the first moment at which its
/// backward block may begin is `ready` cycles after the earliest one with which
/// the delay S suffices. The backward block must lie between two forward blocks
/// of its processor. Source: docs/scheduling.md, pipedream.
int64_t stageLateness(int64_t ready, int64_t load, int64_t interval);

/// One-forward-one-backward over the stages of a partition, at the least
/// interval that its transfers allow; delay S(l) for every layer. nullopt if
/// there is none below `limit`.
std::optional<Schedule>
schedulePipeline(const Problem &problem, const StagePartition &partition,
                 int64_t limit = std::numeric_limits<int64_t>::max());

/// The partition with the shortest 1F1B schedule, among those the one with the
/// fewest bytes over links. Where links are free that is partitionStages().
/// Where they take time: exact for at most `maxEnumerated` partitions, beyond
/// that dynamic programming over cutsets, with the transfers of all that
/// crosses a cutset in each stage's deadline, and local search from there.
/// Ends with the best found at the deadline. nullopt if not even one stage
/// does.
std::optional<Schedule> bestPipeline(const Problem &problem,
                                     const Deadline &deadline,
                                     size_t maxEnumerated = 2000);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPEDREAM_H
