//===- PrintableTest.cpp - text from untrusted files ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Printable.h"
#include "gtest/gtest.h"

using takt::printable;

namespace {
TEST(Printable, KeepsWhatPeopleRead) {
  EXPECT_EQ(printable(""), "");
  EXPECT_EQ(printable("conv1 'x' \"y\" \\"), "conv1 'x' \"y\" \\");
  EXPECT_EQ(printable("größe 層"), "größe 層");
}

TEST(Printable, EscapesOnlyWhatIsNotPrintable) {
  EXPECT_EQ(printable("\x1b[31m'é'\n\x7f"), "\\1B[31m'é'\\0A\\7F");
  EXPECT_EQ(printable("\xc2\x9b"), "\\C2\\9B"); // CSI as one character
  EXPECT_EQ(printable("\xe2\x80\xae"),
            "\\E2\\80\\AE"); // right-to-left override
}

TEST(Printable, EscapesWhatIsNoUtf8) {
  EXPECT_EQ(printable("a\xff"), "a\\FF");
  EXPECT_EQ(printable("\xe5\xb1"), "\\E5\\B1"); // cut off
  EXPECT_EQ(printable("\xc3("), "\\C3(");
}
} // namespace
