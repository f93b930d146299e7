//===- LowerMemoryPlanTest.cpp - buffers that live at once never meet -----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/MemoryPlan.h"
#include "gtest/gtest.h"
#include <random>

using namespace takt;

static PlannedBuffer shortLived(uint64_t bytes, int64_t first, int64_t last) {
  PlannedBuffer buffer{RegionClass::Scratch, bytes};
  buffer.first = first;
  buffer.last = last;
  return buffer;
}

static uint64_t end(const PlannedBuffer &buffer) {
  return buffer.offset + buffer.slots * buffer.slotStride;
}

static bool liveAtOnce(const PlannedBuffer &a, const PlannedBuffer &b) {
  return a.isPermanent() || b.isPermanent() ||
         (a.first <= b.last && b.first <= a.last);
}

TEST(LowerMemoryPlan, LiveBuffersAreDisjointAlignedAndInside) {
  std::mt19937 random(1);
  for (int run = 0; run < 300; ++run) {
    std::vector<PlannedBuffer> buffers(1 + random() % 40);
    for (PlannedBuffer &buffer : buffers) {
      buffer.kind = random() % 2 ? RegionClass::Scratch : RegionClass::Gradient;
      buffer.bytes = random() % 1000;
      buffer.slots = 1 + random() % 3;
      if (random() % 3 == 0)
        continue;
      buffer.first = random() % 50;
      buffer.last = buffer.first + random() % 20;
    }
    std::map<RegionClass, uint64_t> sizes = planMemory(buffers);
    for (const PlannedBuffer &a : buffers) {
      EXPECT_EQ(a.offset % kBufferAlignment, 0u);
      EXPECT_EQ(a.slotStride % kBufferAlignment, 0u);
      EXPECT_GE(a.slotStride, a.bytes);
      EXPECT_LE(end(a), sizes[a.kind]);
      for (const PlannedBuffer &b : buffers)
        if (&a != &b && a.kind == b.kind && liveAtOnce(a, b)) {
          EXPECT_TRUE(end(a) <= b.offset || end(b) <= a.offset);
        }
    }
  }
}

TEST(LowerMemoryPlan, SharesAddressesOneAfterTheOther) {
  std::vector<PlannedBuffer> buffers = {
      shortLived(128, 0, 3), shortLived(128, 4, 6), shortLived(64, 4, 6),
      shortLived(128, 7, 9)};
  EXPECT_EQ(planMemory(buffers)[RegionClass::Scratch], 192u);
  EXPECT_EQ(buffers[0].offset, buffers[1].offset);
}

TEST(LowerMemoryPlan, OperandAndResultOfOneKernelDoNotShare) {
  std::vector<PlannedBuffer> buffers = {shortLived(64, 0, 3),
                                        shortLived(64, 3, 5)};
  EXPECT_EQ(planMemory(buffers)[RegionClass::Scratch], 128u);
}

TEST(LowerMemoryPlan, ResultsReplaceOperands) {
  // A chain of three in one place, which is free only behind the last of them.
  std::vector<PlannedBuffer> buffers = {
      shortLived(64, 0, 3), shortLived(64, 3, 5), shortLived(64, 5, 7),
      shortLived(64, 6, 9), shortLived(64, 8, 9)};
  buffers[1].replaces = 0;
  buffers[2].replaces = 1;
  EXPECT_EQ(planMemory(buffers)[RegionClass::Scratch], 128u);
  EXPECT_EQ(buffers[1].offset, buffers[0].offset);
  EXPECT_EQ(buffers[2].offset, buffers[0].offset);
  EXPECT_NE(buffers[3].offset, buffers[0].offset);
  EXPECT_EQ(buffers[4].offset, buffers[0].offset);
}

TEST(LowerMemoryPlan, ChainNeedsTwoBuffers) {
  // A long chain in which each kernel reads what the one before it wrote.
  std::vector<PlannedBuffer> buffers;
  for (int64_t i = 0; i < 20000; ++i)
    buffers.push_back(shortLived(256, i, i + 1));
  EXPECT_EQ(planMemory(buffers)[RegionClass::Scratch], 512u);
}

TEST(LowerMemoryPlan, FillsTheSmallestGapThatFits) {
  std::vector<PlannedBuffer> buffers = {
      shortLived(256, 0, 1), shortLived(64, 0, 9), shortLived(128, 0, 1),
      shortLived(64, 0, 9), shortLived(128, 2, 9)};
  EXPECT_EQ(planMemory(buffers)[RegionClass::Scratch], 512u);
  EXPECT_EQ(buffers[4].offset, buffers[2].offset);
}
