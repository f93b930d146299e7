//===- Timing.h - start times from an arrangement ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What all schedulers end with: tasks have processors and an order, and need
// start times and transfers that keep every dependence.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_TIMING_H
#define TAKT_LIB_SCHEDULING_TIMING_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// A processor for each task, and the position in the interval at which it
/// starts. Tasks without duration may float: they start when they are ready,
/// at the next moment at which their processor is between two tasks.
struct Arrangement {
  static constexpr int64_t kFloating = -1;

  int64_t interval = 1;
  std::vector<int> processor;
  std::vector<int64_t> cycles;
  std::vector<int64_t> position;
  /// Starts that no task is to be before; empty: none.
  std::vector<int64_t> notBefore;
};

struct Times {
  std::vector<int64_t> start; ///< by task
  std::vector<TransferPlacement> transfers;
  /// By layer: delay that its updates need at the least.
  std::vector<int> delay;
};

/// Computes times over one task graph again and again. Near-linear in the
/// graph, since tasks are in the order of their dependences.
class Timing {
public:
  Timing(const Machine &machine, const TaskGraph &graph);

  /// Earliest starts at the given positions, forward tasks then as late as
  /// their readers allow. Returns nullopt if transfers do not fit their links,
  /// or the dependences of distance 1 without a delay do not hold.
  std::optional<Times> compute(const Arrangement &arrangement) const;

private:
  class Run;
  struct Edge {
    int task, value;
  };

  const Machine &machine;
  const TaskGraph &graph;
  /// Dependences of distance 0, by consumer and by producer.
  std::vector<llvm::SmallVector<Edge, 4>> inputs, outputs;
  std::vector<llvm::SmallVector<int, 2>> valuesOf; ///< by producer
  bool linksAreFree;
};

/// The schedule of an arrangement with its times; stages and delays are left
/// for the caller.
Schedule toSchedule(const Machine &machine, const TaskGraph &graph,
                    const Arrangement &arrangement, const Times &times);
/// The same into a schedule that has the graph already.
void fillSchedule(const Machine &machine, const Arrangement &arrangement,
                  const Times &times, Schedule &schedule);

/// Start times of one synchronous iteration: tasks in `order`, each on its
/// processor as soon as its inputs are there and the one before it is done.
/// Fills tasks' starts, the transfers and the interval, which is the makespan
/// up to the last arrival; one stage, no delay.
void timeSynchronously(const Machine &machine, llvm::ArrayRef<int> order,
                       Schedule &schedule);

/// A schedule without times: the graph, its layers in one stage without delay.
Schedule emptySchedule(const TaskGraph &graph);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_TIMING_H
