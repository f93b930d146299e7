//===- BestSchedule.h - the best that a search has found --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_BESTSCHEDULE_H
#define TAKT_LIB_SCHEDULING_BESTSCHEDULE_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// What searches compare schedules by; all better when smaller.
struct Merits {
  int64_t lacking = 0; ///< bytes of memory on the processor that lacks most
  int64_t surplus = 0; ///< without a stash: bytes of weights beyond two copies
  int64_t interval = 0;
  int64_t staleness = 0; ///< delays, summed over the layers
  int64_t memory = 0;    ///< bytes on the processor with the tightest memory
  int64_t bytesMoved = 0;
};
Merits merits(const Problem &problem, const Schedule &schedule);

/// Keeps the first of the best schedules considered.
class BestSchedule {
public:
  using IsBetter = bool (*)(const Merits &, const Merits &);

  BestSchedule(const Problem &problem, IsBetter isBetter)
      : problem(problem), isBetter(isBetter) {}

  void consider(Schedule schedule);

  explicit operator bool() const { return best.has_value(); }
  const Schedule &operator*() const { return *best; }
  Schedule take() { return std::move(*best); }
  const Merits &its() const { return bestMerits; }
  /// Whether there is one that the memory suffices for.
  bool fits() const { return best && bestMerits.lacking == 0; }
  /// Of a search that found none that fits: what the best one lacks.
  llvm::Error lacksMemory() const;

private:
  const Problem &problem;
  IsBetter isBetter;
  int considered = 0;
  std::optional<Schedule> best;
  Merits bestMerits;
};

/// Fails if the options ask for more stages than the problem has layers.
llvm::Error checkStages(llvm::StringRef scheduler, const Problem &problem,
                        const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_BESTSCHEDULE_H
