//===- MemoryPlan.h - static addresses of one processor ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_MEMORYPLAN_H
#define TAKT_TARGET_MEMORYPLAN_H

#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"
#include <map>

namespace takt {

/// A ring of buffers in one processor's memory.
struct PlannedBuffer {
  RegionClass kind;
  uint64_t bytes = 0; ///< of one slot
  uint32_t slots = 1;
  /// Positions in the loop body between which a short-lived buffer holds
  /// something, both included; a permanent one (first < 0) always does.
  int64_t first = -1, last = -1;
  /// Index of a short-lived buffer of the same class and size that holds
  /// something up to this one's first position, where this one may take over
  /// its place; -1: none. No other one takes that over.
  int64_t replaces = -1;
  // Chosen by the plan:
  uint64_t offset = 0, slotStride = 0;

  bool isPermanent() const { return first < 0; }
};

/// Every buffer and slot starts at a multiple of this.
constexpr uint64_t kBufferAlignment = 64;

/// Gives every buffer an offset within the region of its class and returns the
/// regions' sizes. Permanent buffers lie one behind the other; short-lived ones
/// share addresses when their lifetimes do not meet: in the order of the body,
/// each where the buffer was that it replaces, else into the smallest gap that
/// holds it, the first of equals. n log n but for the search among gaps.
std::map<RegionClass, uint64_t>
planMemory(llvm::MutableArrayRef<PlannedBuffer> buffers);

/// A program that needs more memory than a processor has.
class MemoryShortage : public llvm::ErrorInfo<MemoryShortage> {
public:
  MemoryShortage(std::string message, int processor, int64_t needed,
                 int64_t limit)
      : processor(processor), needed(needed), limit(limit), text(message) {}

  void log(llvm::raw_ostream &os) const override { os << text; }
  std::error_code convertToErrorCode() const override {
    return llvm::inconvertibleErrorCode();
  }

  int processor;
  int64_t needed, limit; ///< bytes
  static char ID;

private:
  std::string text;
};

} // namespace takt

#endif // TAKT_TARGET_MEMORYPLAN_H
