//===- LinkTable.cpp - reservations of links ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinkTable.h"
#include <algorithm>

using namespace takt;

/// Moves the start to the end of what is in the way on a link, once through
/// its reservations. True if something was.
bool LinkTable::moveOn(int64_t link, int64_t cycles, int64_t &start) const {
  auto table = busy.find(link);
  if (table == busy.end())
    return false;
  bool moved = false;
  for (const Busy &b : table->second)
    for (int64_t shift : {int64_t(0), interval}) {
      int64_t position = start % interval;
      if (position < b.end + shift && b.begin + shift < position + cycles) {
        start += b.end + shift - position;
        moved = true;
      }
    }
  return moved;
}

std::optional<int64_t> LinkTable::reserve(llvm::ArrayRef<int64_t> links,
                                          int64_t ready, int64_t cycles) {
  if (cycles == 0)
    return ready;
  if (cycles > interval)
    return std::nullopt;
  // Back at the first position there is no gap.
  int64_t start = ready;
  for (bool moved = true; moved;) {
    moved = false;
    for (int64_t link : links)
      moved |= moveOn(link, cycles, start);
    if (start - ready >= interval)
      return std::nullopt;
  }
  int64_t position = start % interval;
  int64_t end = position + cycles;
  for (int64_t link : links) {
    std::vector<Busy> &table = busy[link];
    table.push_back({position, std::min(end, interval)});
    if (end > interval)
      table.push_back({0, end - interval});
  }
  return start;
}
