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

/// A value, or a layer's constants, in a processor's memory.
struct Holding {
  std::string name;
  int processor;
  int64_t bytes;
  int64_t slots;    ///< instances alive at once
  int64_t complete; ///< time from which all slots are in use

  int64_t total() const { return bytes * slots; }
};

/// Everything that any processor holds, in the order of values and layers.
std::vector<Holding> holdings(const Problem &problem, const Schedule &schedule);

/// Fails if a processor holds more than its memory: names the processor, the
/// time and the largest owners.
llvm::Error checkMemoryFits(const Problem &problem, const Schedule &schedule);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_MEMORY_H
