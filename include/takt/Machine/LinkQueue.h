//===- LinkQueue.h - links in the course of time ----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_MACHINE_LINKQUEUE_H
#define TAKT_MACHINE_LINKQUEUE_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <map>

namespace takt {

/// Who holds the links when, as time goes on. First come, first served: each
/// transfer gets the first time at which all its links are free for as long as
/// it takes. So one that waits for one link leaves the others to transfers that
/// are done before its turn (known as conservative backfilling).
class LinkQueue {
public:
  /// The time, from `ready` on, at which a transfer gets its links, for
  /// `cycles` > 0. Calls come in the order of `ready`.
  uint64_t take(llvm::ArrayRef<int64_t> links, uint64_t ready, uint64_t cycles);

private:
  using Turns = std::map<uint64_t, uint64_t>; ///< ends by beginnings

  static uint64_t nextTurn(const Turns &turns, uint64_t ready, uint64_t cycles);

  std::map<int64_t, Turns> turnsOf; ///< by link; those that are over may lack
};

} // namespace takt

#endif // TAKT_MACHINE_LINKQUEUE_H
