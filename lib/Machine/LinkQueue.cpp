//===- LinkQueue.cpp - links in the course of time ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/LinkQueue.h"

using namespace takt;

/// The first time from `ready` on at which nobody holds the link for so long.
uint64_t LinkQueue::nextTurn(const Turns &turns, uint64_t ready,
                             uint64_t cycles) {
  for (auto [begin, end] : turns)
    if (begin < ready + cycles && ready < end)
      ready = end;
  return ready;
}

uint64_t LinkQueue::take(llvm::ArrayRef<int64_t> links, uint64_t ready,
                         uint64_t cycles) {
  for (int64_t link : links) {
    Turns &turns = turnsOf[link];
    while (!turns.empty() && turns.begin()->second <= ready)
      turns.erase(turns.begin());
  }
  uint64_t start = ready;
  for (bool moved = true; moved;) {
    moved = false;
    for (int64_t link : links) {
      uint64_t turn = nextTurn(turnsOf[link], start, cycles);
      moved |= turn > start;
      start = turn;
    }
  }
  for (int64_t link : links)
    turnsOf[link][start] = start + cycles;
  return start;
}
