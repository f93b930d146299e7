//===- Nesting.h - text that is nested too deeply ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Parsers call themselves for what is inside something, so a file of brackets
// alone would exhaust the stack.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_NESTING_H
#define TAKT_SUPPORT_NESTING_H

#include "llvm/Support/MemoryBufferRef.h"
#include <string>

namespace takt {

/// How many lists and mappings, or brackets, may be open at once. No file that
/// makes sense has more than ten.
constexpr int kDeepestNesting = 256;

/// Empty if MLIR's text opens no more brackets within each other, else
/// "FILE:LINE:1: message". Strings and comments do not count.
std::string checkMlirNesting(llvm::MemoryBufferRef text);

} // namespace takt

#endif // TAKT_SUPPORT_NESTING_H
