//===- DelayStages.h - stages for the delays that times need ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_DELAYSTAGES_H
#define TAKT_LIB_SCHEDULING_DELAYSTAGES_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// What verify() wants of stages and delays.
struct DelayStages {
  int stages = 1;
  std::vector<int> stage; ///< by layer
  std::vector<int> delay; ///< by layer: S, 2·S or 1, for all alike
};

/// Delays the updates of every layer that start times ask for: the least with
/// which each use of distance 1 is in time. nullopt if one that is not delayed
/// comes too late.
std::optional<std::vector<int>> neededDelays(const Schedule &schedule);

/// Stages, bordered by cutsets, under which each layer has at least the delay
/// it needs, with the least sum of delays that a greedy choice gives: delays
/// 2·S, or S, or 1 everywhere where that is less in sum. With `stages` > 0
/// exactly so many.
///
/// nullopt if and only if there are none: layers are ordered by what they and
/// those that read them need, and S falls by at most one from one to the next;
/// every other order leaves some layer fewer layers behind it than it needs.
std::optional<DelayStages>
stagesFor(const TaskGraph &graph, llvm::ArrayRef<int> needed, int stages = 0);

/// Gives a schedule the stages and delays that its start times need, as
/// stagesFor finds them. False if there are none.
bool assignStages(Schedule &schedule, int stages = 0);

/// Why there are none, for delays S or 2·S: `behind` layers can be the last
/// ones with what they need behind each, and those of `layers`, all of whose
/// readers are among them, need more than `behind` stages.
struct StagesConflict {
  int behind;
  std::vector<int> layers;
};
StagesConflict stagesConflict(const TaskGraph &graph,
                              llvm::ArrayRef<int> needed);

/// Delays that between them are nowhere exceeded: 2·S if all layers but those
/// on the longest path to it are behind a layer, each a stage, at most 2·S of
/// the first of `stages` stages where that is above 0; and 1 everywhere. For a
/// chain stages give the former.
std::vector<std::vector<int>> largestDelays(const TaskGraph &graph,
                                            int stages = 0);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_DELAYSTAGES_H
