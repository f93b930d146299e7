//===- MicrobatchNamesTest.cpp - names of what a microbatch has -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/MicrobatchNames.h"
#include "gtest/gtest.h"

using namespace takt;

TEST(MicrobatchNames, ChangeInTheLastMarkOnly) {
  EXPECT_EQ(inMicrobatch("conv.F.m1", 1, 12), "conv.F.m12");
  EXPECT_EQ(inMicrobatch("conv.m1.out", 1, 0), "conv.m0.out");
  // A network's own name has a mark, too, or what only begins like one.
  EXPECT_EQ(inMicrobatch("a.m1.F.m1", 1, 2), "a.m1.F.m2");
  EXPECT_EQ(inMicrobatch("a.m1.m1", 1, 2), "a.m1.m2");
  EXPECT_EQ(inMicrobatch("a.m1.m12", 1, 2), "a.m2.m12");
  EXPECT_EQ(inMicrobatch("a.m12", 1, 2), "a.m12");
  EXPECT_EQ(inMicrobatch("a", 1, 2), "a");
  EXPECT_EQ(inMicrobatch("", 1, 2), "");
}

TEST(MicrobatchNames, AreThoseOfTheStepWithoutIt) {
  EXPECT_EQ(withoutMicrobatch("conv.m3", 3), "conv");
  EXPECT_EQ(withoutMicrobatch("conv.m3.0", 3), "conv.0");
  EXPECT_EQ(withoutMicrobatch("a.m3.m3.out", 3), "a.m3.out");
  EXPECT_EQ(withoutMicrobatch("a.m31", 3), "a.m31");
  EXPECT_EQ(withoutMicrobatch("a", 3), "a");
}
