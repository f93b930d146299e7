//===- ModuloTable.cpp - the modulo reservation table ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModuloTable.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

bool ModuloTable::overlaps(const Entry &entry, int64_t position,
                           int64_t cycles) const {
  int64_t after = modulo(entry.position - position);
  if (after == 0)
    return cycles > 0 && entry.cycles > 0;
  return after < cycles || interval - after < entry.cycles;
}

llvm::SmallVector<int, 4> ModuloTable::conflicts(int64_t start,
                                                 int64_t cycles) const {
  llvm::SmallVector<int, 4> owners;
  for (const Entry &entry : table)
    if (overlaps(entry, modulo(start), cycles))
      owners.push_back(entry.owner);
  return owners;
}

bool ModuloTable::isFree(int64_t start, int64_t cycles) const {
  if (reserved + cycles > interval)
    return false;
  if (table.empty())
    return true;
  int64_t position = modulo(start);
  // Reservations do not overlap, so what is in the way is the last one that
  // begins before, or among those that begin within.
  auto next = llvm::partition_point(
      table, [&](const Entry &entry) { return entry.position < position; });
  const Entry &before = next == table.begin() ? table.back() : *std::prev(next);
  if (overlaps(before, position, cycles))
    return false;
  for (size_t i = 0; i < table.size(); ++i) {
    const Entry &entry =
        table[(next - table.begin() + i) % static_cast<int64_t>(table.size())];
    if (modulo(entry.position - position) >= cycles && i > 0)
      return true;
    if (overlaps(entry, position, cycles))
      return false;
  }
  return true;
}

std::optional<int64_t> ModuloTable::earliest(int64_t ready,
                                             int64_t cycles) const {
  if (isFree(ready, cycles))
    return ready;
  llvm::SmallVector<int64_t, 8> starts = tightStarts(ready, cycles);
  if (starts.empty())
    return std::nullopt;
  return starts.front();
}

llvm::SmallVector<int64_t, 8> ModuloTable::tightStarts(int64_t ready,
                                                       int64_t cycles) const {
  llvm::SmallVector<int64_t, 8> starts;
  if (reserved + cycles > interval)
    return starts;
  auto consider = [&](int64_t position) {
    int64_t start = ready + modulo(position - ready);
    if (isFree(start, cycles))
      starts.push_back(start);
  };
  consider(ready);
  for (const Entry &entry : table) {
    consider(entry.position + entry.cycles);
    consider(entry.position - cycles);
  }
  llvm::sort(starts);
  starts.erase(llvm::unique(starts), starts.end());
  return starts;
}

void ModuloTable::appendGaps(llvm::SmallVectorImpl<int64_t> &gaps) const {
  if (table.empty()) {
    gaps.push_back(interval);
    return;
  }
  for (size_t i = 0; i < table.size(); ++i) {
    const Entry &entry = table[i];
    int64_t next = i + 1 < table.size() ? table[i + 1].position
                                        : table.front().position + interval;
    if (int64_t gap = next - entry.position - entry.cycles; gap > 0)
      gaps.push_back(gap);
  }
}

void ModuloTable::reserve(int64_t start, int64_t cycles, int owner) {
  Entry entry{modulo(start), cycles, owner};
  auto key = [](const Entry &e) { return std::pair(e.position, e.cycles > 0); };
  auto at = llvm::partition_point(
      table, [&](const Entry &e) { return key(e) <= key(entry); });
  table.insert(at, entry);
  reserved += cycles;
}

void ModuloTable::release(int owner) {
  auto at =
      llvm::find_if(table, [&](const Entry &e) { return e.owner == owner; });
  if (at == table.end())
    return;
  reserved -= at->cycles;
  table.erase(at);
}
