//===- CorruptTest.cpp - files that are broken ----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ImportTestSupport.h"
#include "gtest/gtest.h"
#include <random>

using namespace takt;
using namespace takt::test;

namespace {

/// Any bytes give a module that verifies, or exactly one message.
testing::AssertionResult importsOrExplains(llvm::StringRef bytes) {
  ImportOptions options;
  options.batch = 2;
  Imported imported = importBytes(bytes, options);
  if (imported.module)
    return imported.errors.empty() ? testing::AssertionSuccess()
                                   : testing::AssertionFailure()
                                         << "a module and " << imported.error();
  if (imported.errors.size() == 1)
    return testing::AssertionSuccess();
  return testing::AssertionFailure()
         << imported.errors.size() << " messages: " << imported.error();
}

std::string network() { return makeNetwork().SerializeAsString(); }

TEST(ImportCorrupt, TheNetworkItselfIsRight) {
  ImportOptions options;
  options.batch = 2;
  Imported imported = importBytes(network(), options);
  EXPECT_TRUE(imported) << imported.error();
}

TEST(ImportCorrupt, EveryTruncation) {
  std::string bytes = network();
  for (size_t size = 0; size < bytes.size(); ++size)
    ASSERT_TRUE(importsOrExplains(llvm::StringRef(bytes).take_front(size)))
        << "first " << size << " bytes";
}

TEST(ImportCorrupt, EveryByteReplaced) {
  std::string bytes = network();
  for (size_t i = 0; i < bytes.size(); ++i)
    for (int value : {0x00, 0x01, 0x7F, 0xFF}) {
      std::string broken = bytes;
      broken[i] = static_cast<char>(value);
      ASSERT_TRUE(importsOrExplains(broken)) << "byte " << i << " = " << value;
    }
}

TEST(ImportCorrupt, RandomFlips) {
  std::string bytes = network();
  std::mt19937 random(1);
  for (int round = 0; round < 10000; ++round) {
    std::string broken = bytes;
    for (unsigned flips = 1 + random() % 4; flips-- > 0;)
      broken[random() % broken.size()] ^= static_cast<char>(1 << random() % 8);
    ASSERT_TRUE(importsOrExplains(broken)) << "round " << round;
  }
}

TEST(ImportCorrupt, RandomText) {
  const std::string text =
      "< ir_version: 7, opset_import: [\"\" : 13] >\n"
      "g (float[N, 2] x) => (y) < float[2] w = {1, 2.5e3} >\n"
      "{ a = LeakyRelu <alpha = 0.5> (x) y = Add (a, w) }";
  ASSERT_TRUE(importsOrExplains(text));
  std::mt19937 random(1);
  for (int round = 0; round < 10000; ++round) {
    std::string broken = text;
    for (unsigned changes = 1 + random() % 3; changes-- > 0;) {
      size_t at = random() % broken.size();
      switch (random() % 3) {
      case 0:
        broken[at] = static_cast<char>(random());
        break;
      case 1:
        broken.erase(at, random() % 8);
        break;
      case 2: {
        size_t from = random() % text.size();
        broken.insert(at, text.substr(from, random() % 8));
        break;
      }
      }
      if (broken.empty())
        broken = "<";
    }
    ASSERT_TRUE(importsOrExplains(broken)) << broken;
  }
}

} // namespace
