//===- NestingTest.cpp - text that is nested too deeply -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Nesting.h"
#include "takt/Support/Yaml.h"
#include "gtest/gtest.h"

using namespace takt;

namespace {
std::string mlir(const std::string &text) {
  return checkMlirNesting(llvm::MemoryBufferRef(text, "f"));
}

std::string yaml(const std::string &text) {
  return checkYamlMapping(llvm::MemoryBufferRef(text, "f"), "expected a file");
}

std::string times(int count, const std::string &text) {
  std::string all;
  for (int i = 0; i < count; ++i)
    all += text;
  return all;
}

const std::string kTooDeep = "nested more than 256 deep";

TEST(NestingTest, MlirCountsBracketsThatAreOpenAtOnce) {
  for (const char *open : {"[", "(", "{", "<", "<->"}) {
    EXPECT_EQ(mlir(times(100, open)), "") << open;
    EXPECT_EQ(mlir("\n" + times(300, open)), "f:2:1: " + kTooDeep) << open;
  }
  EXPECT_EQ(mlir(times(300, "(a) -> [b]<c>{d}\n")), "");
  EXPECT_EQ(mlir(times(300, ")") + times(300, "[")), "f:1:1: " + kTooDeep);
}

TEST(NestingTest, MlirLeavesStringsAndCommentsAlone) {
  EXPECT_EQ(mlir('"' + times(300, "[") + '"'), "");
  EXPECT_EQ(mlir("\"\\\"" + times(300, "[") + '"'), "");
  EXPECT_EQ(mlir("\"\n" + times(300, "[")), "f:2:1: " + kTooDeep);
  EXPECT_EQ(mlir("// " + times(300, "[")), "");
  EXPECT_EQ(mlir(times(300, "[ \")\" // ]\n")), "f:257:1: " + kTooDeep);
  EXPECT_EQ(mlir("\"\\"), "");
}

TEST(NestingTest, YamlCountsListsAndMappings) {
  for (const char *open : {"[", "- ", "{a: ", "? ", "[ ']', "}) {
    EXPECT_EQ(yaml("a: 1\nb:\n  " + times(100000, open)).find(kTooDeep),
              std::string("f:1:1: ").size())
        << open;
  }
  EXPECT_EQ(yaml("a:\n" + times(300, "  - [1, {b: 2}]\n")), "");
}
} // namespace
