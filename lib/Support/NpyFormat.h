//===- NpyFormat.h - one array as .npy bytes, internal ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SUPPORT_NPYFORMAT_H
#define TAKT_LIB_SUPPORT_NPYFORMAT_H

#include "takt/Support/Npz.h"

namespace takt {

/// Parses the bytes of a .npy file. The result has no name.
llvm::Expected<Array> parseNpy(llvm::StringRef bytes);

/// Everything that precedes the elements; a multiple of 64 bytes.
std::string npyHeader(const ArrayView &array);

} // namespace takt

#endif // TAKT_LIB_SUPPORT_NPYFORMAT_H
