//===- FileOutput.h - output files appear whole -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_FILEOUTPUT_H
#define TAKT_SUPPORT_FILEOUTPUT_H

#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace takt {

/// Writes `path` ("-" is standard output) through a temporary file beside it
/// that replaces it only when `write` and the file system succeeded; a device
/// or a pipe is written to as it is. Fails with "PATH: reason"; then a file
/// that was there is untouched and nothing is left behind.
llvm::Error
writeFile(llvm::StringRef path,
          llvm::function_ref<llvm::Error(llvm::raw_ostream &)> write);
llvm::Error writeFile(llvm::StringRef path, llvm::StringRef content);

} // namespace takt

#endif // TAKT_SUPPORT_FILEOUTPUT_H
