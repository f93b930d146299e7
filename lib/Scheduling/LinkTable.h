//===- LinkTable.h - reservations of links ----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_LINKTABLE_H
#define TAKT_LIB_SCHEDULING_LINKTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

namespace takt {

/// When each link is busy, modulo an interval.
class LinkTable {
public:
  explicit LinkTable(int64_t interval) : interval(interval) {}

  /// Reserves `cycles` of the links, together, at the earliest time from
  /// `ready` on at which all are free, and returns that time; nullopt if the
  /// interval has no such gap. Transfers of no cycles need no reservation.
  std::optional<int64_t> reserve(llvm::ArrayRef<int64_t> links, int64_t ready,
                                 int64_t cycles);

private:
  bool moveOn(int64_t link, int64_t cycles, int64_t &start) const;

  struct Busy {
    int64_t begin, end; ///< within [0, interval]
  };

  int64_t interval;
  std::map<int64_t, std::vector<Busy>> busy; ///< by link
};

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_LINKTABLE_H
