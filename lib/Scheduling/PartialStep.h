//===- PartialStep.h - one step while it is being placed --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PARTIALSTEP_H
#define TAKT_LIB_SCHEDULING_PARTIALSTEP_H

#include "takt/Scheduling/Schedule.h"
#include "llvm/ADT/DenseMap.h"

namespace takt {

/// A synchronous step whose tasks are placed one after the other, each behind
/// those that it reads from. Values are sent when their first reader on a
/// processor is placed there.
class PartialStep {
public:
  explicit PartialStep(const Problem &problem);

  /// When a task would be done on a processor: its inputs there, the processor
  /// free, and what it updates back with the tasks, placed already, that read
  /// it in the next iteration.
  int64_t doneOn(int task, int processor);
  /// Where it would be done first; of several processors, on the first.
  int bestFor(int task);
  void place(int task, int processor);
  int processorOf(int task) const { return schedule.tasks[task].processor; }

  /// The schedule of all tasks with their transfers, each processor's tasks in
  /// `order`.
  Schedule finish(llvm::ArrayRef<int> order);

private:
  struct NextReader {
    const Value *value;
    int task;
  };
  enum class Sending { Tentative, Settled };

  int64_t arrival(const Value &value, int to, Sending sending);
  int64_t startOn(int task, int processor, Sending sending);
  int64_t cyclesOn(int task, int processor) const;

  const Problem &problem;
  const Machine &machine;
  Schedule schedule;
  std::vector<bool> isPlaced;
  std::vector<std::vector<const Value *>> inputs;   ///< by task
  std::vector<std::vector<NextReader>> nextReaders; ///< with colocated tasks'
  std::vector<int64_t> processorFree;
  llvm::DenseMap<int64_t, int64_t> linkFree;
  /// By destination.
  llvm::DenseMap<std::pair<const Value *, int>, int64_t> arrived;
};

/// Cycles on the longest path from the start of each task to the end of the
/// step, on processors of the first class and without transfers.
std::vector<int64_t> remainingPath(const Problem &problem);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PARTIALSTEP_H
