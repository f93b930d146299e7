//===- ModuloTable.h - the modulo reservation table -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_MODULOTABLE_H
#define TAKT_LIB_SCHEDULING_MODULOTABLE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>
#include <optional>
#include <vector>

namespace takt {

/// Who has one resource when, modulo an interval (Rau 1994). Unlike LinkTable,
/// what is reserved can be given back. A reservation without duration takes no
/// time, but may not lie within another one.
class ModuloTable {
public:
  struct Entry {
    int64_t position, cycles; ///< position in [0, interval)
    int owner;
  };

  explicit ModuloTable(int64_t interval) : interval(interval) {}

  /// Whether [start, start + cycles) is free in every interval.
  bool isFree(int64_t start, int64_t cycles) const;
  /// The earliest free time from `ready` on; nullopt if there is no gap of that
  /// size.
  std::optional<int64_t> earliest(int64_t ready, int64_t cycles) const;
  /// Owners of what is in the way.
  llvm::SmallVector<int, 4> conflicts(int64_t start, int64_t cycles) const;
  /// Where something of that length would touch a neighbour or `ready`: the
  /// free starts in [ready, ready + interval), earliest first.
  llvm::SmallVector<int64_t, 8> tightStarts(int64_t ready,
                                            int64_t cycles) const;
  /// The lengths of the free times between reservations.
  void appendGaps(llvm::SmallVectorImpl<int64_t> &gaps) const;

  void reserve(int64_t start, int64_t cycles, int owner);
  void release(int owner);
  int64_t load() const { return reserved; }
  llvm::ArrayRef<Entry> entries() const { return table; }

private:
  bool overlaps(const Entry &entry, int64_t position, int64_t cycles) const;
  int64_t modulo(int64_t time) const {
    int64_t rest = time % interval;
    return rest < 0 ? rest + interval : rest;
  }

  int64_t interval;
  int64_t reserved = 0;
  std::vector<Entry> table; ///< by position, those without duration first
};

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_MODULOTABLE_H
