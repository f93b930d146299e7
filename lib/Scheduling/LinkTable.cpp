//===- LinkTable.cpp - reservations of links ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinkTable.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

std::optional<int64_t> LinkTable::reserve(int64_t link, int64_t ready,
                                          int64_t cycles) {
  if (cycles == 0)
    return ready;
  if (cycles > interval)
    return std::nullopt;
  std::vector<Busy> &table = busy[link];
  // Each conflict moves the start to the end of what is in the way; back at the
  // first position there is no gap.
  int64_t start = ready;
  for (bool moved = true; moved;) {
    moved = false;
    for (const Busy &b : table)
      for (int64_t shift : {int64_t(0), interval}) {
        int64_t position = start % interval;
        if (position < b.end + shift && b.begin + shift < position + cycles) {
          start += b.end + shift - position;
          moved = true;
        }
      }
    if (start - ready >= interval)
      return std::nullopt;
  }
  int64_t position = start % interval;
  int64_t end = position + cycles;
  table.push_back({position, std::min(end, interval)});
  if (end > interval)
    table.push_back({0, end - interval});
  return start;
}
