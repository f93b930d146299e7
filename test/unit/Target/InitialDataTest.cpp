//===- InitialDataTest.cpp - pieces that lie elsewhere --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/InitialData.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace takt;

using Bytes = std::vector<uint8_t>;

static Bytes flat(const InitialData &data) {
  Bytes all;
  data.forEach([&](ArrayRef<uint8_t> bytes) { append_range(all, bytes); });
  return all;
}

TEST(InitialData, PiecesAreAlignedAndStayWhereTheyAre) {
  Bytes first = {1, 2, 3}, second = {4, 5};
  InitialData data;
  EXPECT_TRUE(data.empty());
  EXPECT_EQ(data.add(first), 0u);
  EXPECT_EQ(data.add(second), InitialData::kAlignment);
  EXPECT_EQ(data.add(first), 0u);
  EXPECT_EQ(data.size(), InitialData::kAlignment + 2);
  Bytes expected = first;
  expected.resize(InitialData::kAlignment);
  append_range(expected, second);
  EXPECT_EQ(flat(data), expected);
  EXPECT_EQ(data.slice(InitialData::kAlignment, 2)->data(), second.data());
}

TEST(InitialData, SlicesLieInOnePiece) {
  Bytes first = {1, 2, 3}, second = {4, 5};
  InitialData data;
  EXPECT_FALSE(data.slice(0, 1));
  data.add(first);
  data.add(second);
  EXPECT_EQ(*data.slice(1, 2), ArrayRef<uint8_t>(first).drop_front());
  EXPECT_FALSE(data.slice(1, 3));
  EXPECT_FALSE(data.slice(0, InitialData::kAlignment + 1));
  EXPECT_FALSE(data.slice(InitialData::kAlignment - 1, 2));
  EXPECT_FALSE(data.slice(UINT64_MAX, 1));
  EXPECT_FALSE(data.slice(1, UINT64_MAX));
}

TEST(InitialData, EqualIsWhatHasTheSameBytes) {
  Bytes first = {1, 2, 3}, second = {4, 5};
  InitialData pieces;
  pieces.add(first);
  pieces.add(second);
  InitialData whole{flat(pieces)};
  EXPECT_TRUE(whole == pieces);
  EXPECT_TRUE(pieces == whole);
  second[1] = 6;
  EXPECT_FALSE(whole == pieces);
  EXPECT_FALSE(InitialData() == whole);
}

TEST(InitialData, KeepsWhatItsOwnerKeeps) {
  auto owner = std::make_shared<Bytes>(Bytes{7, 8});
  InitialData copy;
  {
    InitialData data(*owner, owner);
    copy = data;
  }
  owner.reset();
  EXPECT_EQ(flat(copy), (Bytes{7, 8}));
}
