//===- ErrorText.h - looks at the errors of Expected values -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_RUNTIME_ERRORTEXT_H
#define TAKT_TEST_UNIT_RUNTIME_ERRORTEXT_H

#include "llvm/Support/Error.h"
#include <gtest/gtest.h>

namespace takt::test {

/// The error's message; empty on success.
template <typename T> std::string errorText(llvm::Expected<T> &expected) {
  return expected ? "" : llvm::toString(expected.takeError());
}

/// Expects an error whose message contains `part`.
template <typename T>
void expectError(llvm::Expected<T> expected, llvm::StringRef part) {
  std::string text = errorText(expected);
  EXPECT_NE(text, "");
  EXPECT_TRUE(llvm::StringRef(text).contains(part))
      << text << "\nexpected: " << part.str();
}

} // namespace takt::test

#endif // TAKT_TEST_UNIT_RUNTIME_ERRORTEXT_H
