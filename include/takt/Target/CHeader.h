//===- CHeader.h - the container for C --------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_CHEADER_H
#define TAKT_TARGET_CHEADER_H

#include "llvm/Support/raw_ostream.h"

namespace takt {

/// Writes a freestanding C99 header for firmware: the structures of the
/// container with their sizes asserted, opcodes and kernels. It is C++, too.
void emitCHeader(llvm::raw_ostream &os);

} // namespace takt

#endif // TAKT_TARGET_CHEADER_H
