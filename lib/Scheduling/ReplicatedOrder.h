//===- ReplicatedOrder.h - orders of a plan's replicas ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A plan says which layers each stage has and which processors share it. When
// these do what is said here.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_REPLICATEDORDER_H
#define TAKT_LIB_SCHEDULING_REPLICATEDORDER_H

#include "PipeDreamReplicatedPlan.h"

namespace takt {

/// What each replica of a stage does round after round, a minibatch in each.
struct ReplicatedOrder {
  /// By stage: the rounds by which F leads D and W of the same minibatch.
  std::vector<int> lead;
  /// The rounds by which a shared stage's updates are late. Late ones have what
  /// is exchanged before them while the backward block runs; with
  /// `updatesBeforeBackward`, what is exchanged behind them.
  int lateness = 0;
  bool updatesBeforeBackward = false;

  /// One processor by itself exchanges nothing.
  int latenessOf(const ReplicatedStage &stage) const {
    return stage.processors.size() > 1 ? lateness : 0;
  }
};

/// PipeDream's lead: ceil(processors of later stages / replicas), one less than
/// the minibatches that it has in flight (NOAM of the input stage).
std::vector<int> pipeDreamLead(const ReplicationPlan &plan);

/// By layer: the replicas of its stage.
std::vector<int> replicasOf(const TaskGraph &graph,
                            const ReplicationPlan &plan);

/// The schedule of the plan's stages in that order, at the least interval.
/// nullopt if there is none below `limit`, or layers of two stages share a
/// weight.
std::optional<Schedule> scheduleReplicated(const Problem &problem,
                                           const ReplicationPlan &plan,
                                           const ReplicatedOrder &order,
                                           int64_t limit);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_REPLICATEDORDER_H
