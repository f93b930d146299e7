//===- MemoryPlan.cpp - static addresses of one processor -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/MemoryPlan.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <queue>

using namespace llvm;
using namespace takt;

char MemoryShortage::ID = 0;

namespace {
/// Memory of one region in which buffers come and go.
class Arena {
public:
  uint64_t allocate(uint64_t size) {
    auto best = gaps.end();
    for (auto gap = gaps.begin(); gap != gaps.end(); ++gap)
      if (gap->second >= size &&
          (best == gaps.end() || gap->second < best->second))
        best = gap;
    if (best == gaps.end())
      return grow(size);
    auto [offset, room] = *best;
    gaps.erase(best);
    if (room > size)
      gaps.emplace(offset + size, room - size);
    return offset;
  }

  void release(uint64_t offset, uint64_t size) {
    auto gap = gaps.emplace(offset, size).first;
    if (auto next = std::next(gap);
        next != gaps.end() && gap->first + gap->second == next->first) {
      gap->second += next->second;
      gaps.erase(next);
    }
    if (gap == gaps.begin())
      return;
    auto before = std::prev(gap);
    if (before->first + before->second == gap->first) {
      before->second += gap->second;
      gaps.erase(gap);
    }
  }

  uint64_t size() const { return end; }

private:
  /// At the end; a gap there is used up first.
  uint64_t grow(uint64_t size) {
    uint64_t offset = end;
    if (!gaps.empty()) {
      auto last = std::prev(gaps.end());
      if (last->first + last->second == end) {
        offset = last->first;
        gaps.erase(last);
      }
    }
    end = offset + size;
    return offset;
  }

  std::map<uint64_t, uint64_t> gaps; ///< size by offset
  uint64_t end = 0;
};
} // namespace

std::map<RegionClass, uint64_t>
takt::planMemory(MutableArrayRef<PlannedBuffer> buffers) {
  std::map<RegionClass, Arena> arenas;
  std::vector<size_t> shortLived;
  for (auto [index, buffer] : enumerate(buffers)) {
    buffer.slotStride =
        alignTo(std::max<uint64_t>(buffer.bytes, 1), kBufferAlignment);
    if (buffer.isPermanent())
      buffer.offset =
          arenas[buffer.kind].allocate(buffer.slotStride * buffer.slots);
    else
      shortLived.push_back(index);
  }
  stable_sort(shortLived, [&](size_t a, size_t b) {
    return buffers[a].first < buffers[b].first;
  });
  using Death = std::pair<int64_t, size_t>;
  std::priority_queue<Death, std::vector<Death>, std::greater<>> alive;
  // Those whose place another one takes over give nothing back.
  std::vector<bool> isReplaced(buffers.size());
  for (const PlannedBuffer &buffer : buffers)
    if (buffer.replaces >= 0)
      isReplaced[buffer.replaces] = true;
  for (size_t index : shortLived) {
    PlannedBuffer &buffer = buffers[index];
    while (!alive.empty() && alive.top().first < buffer.first) {
      PlannedBuffer &dead = buffers[alive.top().second];
      arenas[dead.kind].release(dead.offset, dead.slotStride * dead.slots);
      alive.pop();
    }
    buffer.offset =
        buffer.replaces >= 0
            ? buffers[buffer.replaces].offset
            : arenas[buffer.kind].allocate(buffer.slotStride * buffer.slots);
    if (!isReplaced[index])
      alive.emplace(buffer.last, index);
  }
  std::map<RegionClass, uint64_t> sizes;
  for (auto &[kind, arena] : arenas)
    sizes[kind] = arena.size();
  return sizes;
}
