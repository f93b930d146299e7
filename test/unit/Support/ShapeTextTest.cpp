//===- ShapeTextTest.cpp - shapes in messages -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/ShapeText.h"
#include "gtest/gtest.h"

using takt::shapeText;

TEST(ShapeText, JoinsSizes) {
  EXPECT_EQ(shapeText({}), "scalar");
  EXPECT_EQ(shapeText({7}), "7");
  EXPECT_EQ(shapeText({2, -3, 0, 4}), "2x-3x0x4");
}
