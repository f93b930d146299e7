//===- SynchronizationSites.h - who signals, sends, waits ----- -*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_SYNCHRONIZATIONSITES_H
#define TAKT_LIB_TARGET_SYNCHRONIZATIONSITES_H

#include "takt/Target/Program.h"
#include <optional>

namespace takt {

/// Touches instance j of something in trip j + `trip`, at `pc`.
struct Touch {
  int64_t trip = 0;
  size_t pc = 0;

  auto key() const { return std::pair(trip, pc); }
};

/// A wait of minibatch m until a semaphore has been written for minibatch
/// m - count; a receive has count 0.
struct Wait {
  size_t pc;
  int64_t stage, count;
};

/// Where each semaphore is written and waited on, and which transfers come to
/// each processor; of a program whose structure is sound. Linear to build.
class SynchronizationSites {
public:
  explicit SynchronizationSites(const Program &program);

  /// On the semaphore's waiter, in the order of its body.
  llvm::ArrayRef<Wait> waitsOn(uint32_t semaphore) const {
    return waits[semaphore];
  }
  std::optional<Touch> signalOf(uint32_t semaphore) const {
    return signals[semaphore];
  }
  std::optional<Touch> sendOf(uint32_t transfer) const {
    return sends[transfer];
  }
  /// When what a transfer brings is surely there: its earliest wait.
  std::optional<Touch> arrivalOf(uint32_t transfer) const;
  llvm::ArrayRef<uint32_t> incoming(size_t processor) const {
    return transfersTo[processor];
  }
  /// The value that a ring of this value carries: a parameter's reads name
  /// another value than its update.
  uint32_t ringValue(uint32_t value) const { return carriers[value]; }
  /// The same for all versions of a part of a tensor that an iteration updates
  /// several times; kNoPart of other values.
  uint32_t part(uint32_t value) const { return parts[value]; }
  static constexpr uint32_t kNoPart = UINT32_MAX;

private:
  void addInstruction(const Instruction &instruction, size_t pc);
  void addWait(uint32_t semaphore, const Instruction &instruction, size_t pc);

  const Program &program;
  std::vector<llvm::SmallVector<Wait, 1>> waits;           ///< by semaphore
  std::vector<std::optional<Touch>> signals;               ///< by semaphore
  std::vector<std::optional<Touch>> sends;                 ///< by transfer
  std::vector<llvm::SmallVector<uint32_t, 8>> transfersTo; ///< by processor
  std::vector<uint32_t> carriers, parts;                   ///< by value
};

} // namespace takt

#endif // TAKT_LIB_TARGET_SYNCHRONIZATIONSITES_H
