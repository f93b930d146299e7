//===- StepRings.h - where a step's values live -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The loop bodies of a schedule, and the rings in which each processor keeps
// the values that it makes or receives.
//
// Instance j of a value is what minibatch j produces. An access to it happens
// in trip j + `trip`, at place `place` of the loop body: the order of two
// accesses, and the number of instances alive between them, follow from these
// two numbers, whatever the times are.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_STEPRINGS_H
#define TAKT_TARGET_STEPRINGS_H

#include "takt/Target/StepExecutions.h"
#include "llvm/ADT/SmallVector.h"
#include <map>
#include <tuple>

namespace takt {

/// When an instance is touched: trip after its minibatch's number, place of the
/// task in the loop body, kernel.
struct Access {
  int64_t trip = 0;
  int64_t place = 0;
  int64_t kernel = 0;

  auto key() const { return std::tuple(trip, place, kernel); }
  bool operator<(const Access &o) const { return key() < o.key(); }
};

/// A ring of a value on one processor: where it is made (the home), or where it
/// arrives.
struct Ring {
  int processor = 0;
  bool isHome = false;
  bool isRead = false;
  Access written;             ///< of a home
  Access firstRead, lastRead; ///< where isRead
  int64_t firstReadStart = 0; ///< where isRead, of minibatch 0
  int64_t lastReadEnd = 0;    ///< of minibatch 0
  int64_t farthestRead = 0;   ///< largest distance of a read
  uint32_t slots = 1;

  /// The receiver returns a credit for every instance that it is done with. The
  /// first ones are for instances before minibatch 0, the initial weights: so
  /// many as could be overwritten while somebody reads them.
  uint32_t creditsBefore() const {
    return static_cast<uint32_t>(std::min<int64_t>(slots, farthestRead));
  }
  /// Stage of the signal that returns the credit of instance m - creditsBefore.
  int64_t creditStage() const { return lastRead.trip - creditsBefore(); }
  /// The sender of instance m waits for the credit of the one that was in its
  /// slot: `b` of the wait.
  uint32_t creditCount() const { return slots - creditsBefore(); }
};

/// Whether a kernel may write a result where it reads the operand of which it
/// is the next version (Runtime/Kernels.h).
bool updatesInPlace(KernelId id);

/// Bodies and rings of a step under a schedule with a positive interval; n log
/// n in its size.
class StepRings {
public:
  StepRings(const StepExecutions &step, const Problem &problem,
            const Schedule &schedule);

  int processorOf(int task) const { return schedule.tasks[task].processor; }
  /// Pipeline stage of a task's instructions.
  int64_t stageOf(int task) const {
    return schedule.tasks[task].start / interval;
  }
  /// Task that produces the value; it has one.
  int producerOf(int value) const {
    return step.kernels[step.values[value].kernel].task;
  }
  /// The ring of a value on a processor that makes or reads it.
  const Ring &ringOn(int value, int processor) const;
  /// When the transfer of a value to a processor occupies its link, and how
  /// long it travels behind that.
  TransferPlacement transferOf(int value, int to) const;
  /// Size of one slot.
  int64_t bytesOf(int value) const;

  std::vector<std::vector<int>> bodies;    ///< tasks by processor, in order
  std::vector<std::vector<int>> kernelsOf; ///< by task, in order
  /// By value, the home first where the value has one.
  std::vector<llvm::SmallVector<Ring, 1>> rings;

private:
  Access access(int kernel, int distance) const;
  Ring &addRing(int value, int processor);
  void orderBodies(const Machine &machine);
  void addReads();
  void addRead(Ring &ring, int kernel, int distance);
  uint32_t homeSlots(int value, const Ring &home) const;
  uint32_t arrivalSlots(int value, const Ring &ring) const;

  const StepExecutions &step;
  const Problem &problem;
  const Schedule &schedule;
  int64_t interval;
  std::vector<int64_t> place; ///< of a task in its body
  std::map<std::pair<llvm::StringRef, int>, const TransferPlacement *>
      transferTimes; ///< by value's name and destination
};

} // namespace takt

#endif // TAKT_TARGET_STEPRINGS_H
