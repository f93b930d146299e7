//===- Memory.h - what processors hold --------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_MEMORY_H
#define TAKT_LIB_SCHEDULING_MEMORY_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// What one processor holds at the fullest moment of an interval.
struct MemoryUse {
  int processor = 0;
  int64_t bytes = 0;
  int64_t limit = 0; ///< the processor's memory; 0: unlimited
  /// Bytes beyond the limit, or of all if there is none.
  int64_t excess() const { return bytes - limit; }
};

/// Of the processor that exceeds its memory by most, or comes closest to it.
MemoryUse tightestMemory(const Problem &problem, const Schedule &schedule);

/// Fails if a processor holds more than its memory: names the processor, the
/// time and the largest owners.
llvm::Error checkMemoryFits(const Problem &problem, const Schedule &schedule);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_MEMORY_H
