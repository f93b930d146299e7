//===- OnnxTextTest.cpp - the two forms of an ONNX file -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/OnnxText.h"
#include "gtest/gtest.h"

using llvm::MemoryBufferRef;
using takt::isOnnxText;

TEST(OnnxText, IsKnownByItsName) {
  EXPECT_TRUE(isOnnxText(MemoryBufferRef("", "m.onnxtext")));
  EXPECT_TRUE(isOnnxText(MemoryBufferRef("\x08\x08", "m.onnxtxt")));
  EXPECT_FALSE(isOnnxText(MemoryBufferRef("", "m.onnx")));
}

TEST(OnnxText, IsKnownByItsFirstCharacter) {
  EXPECT_TRUE(isOnnxText(MemoryBufferRef(" \n# one\n  # two\n<", "m")));
  EXPECT_FALSE(isOnnxText(MemoryBufferRef("# only a comment", "m")));
  EXPECT_FALSE(isOnnxText(MemoryBufferRef("#\n\x08\x08", "m")));
  EXPECT_FALSE(isOnnxText(MemoryBufferRef("\x08\x08<", "m")));
}
