//===- Tool.h - what all command-line tools have in common ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_TOOL_H
#define TAKT_SUPPORT_TOOL_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace takt {

/// Makes --version print Takt's version and LLVM's. For a tool's main(), before
/// options are parsed.
void registerVersion();

/// What main() returns: 0 without an error, otherwise 1 after "TOOL: error:
/// MESSAGE" on stderr. An empty message was said before and is not printed.
int exitCode(llvm::StringRef tool, llvm::Error error);

} // namespace takt

#endif // TAKT_SUPPORT_TOOL_H
