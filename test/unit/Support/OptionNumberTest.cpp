//===- OptionNumberTest.cpp - numbers that print as they were given -------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/OptionNumber.h"
#include "llvm/ADT/StringRef.h"
#include "gtest/gtest.h"
#include <limits>

using takt::numberText;

TEST(OptionNumber, TextIsShort) {
  EXPECT_EQ(numberText(0.1), "0.1");
  EXPECT_EQ(numberText(0), "0");
  EXPECT_EQ(numberText(-2), "-2");
  EXPECT_EQ(numberText(1e-8), "1e-08");
}

TEST(OptionNumber, TextReadsBackAsTheSameNumber) {
  for (double value :
       {0.1 + 0.2, 1.0 / 3, -0.1234567890123456, 1e22,
        std::numeric_limits<double>::max(), std::numeric_limits<double>::min(),
        std::numeric_limits<double>::denorm_min()}) {
    double read = 0;
    ASSERT_FALSE(llvm::StringRef(numberText(value)).getAsDouble(read));
    EXPECT_EQ(read, value);
  }
}
