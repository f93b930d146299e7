//===- InPlace.h - results where operands are -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_INPLACE_H
#define TAKT_TARGET_INPLACE_H

#include "takt/Target/Program.h"

namespace takt {

/// Whether a kernel may write that result to the very buffer in which it reads
/// that operand, as it has read what it needs of an element, or of a row,
/// before it writes there. The shapes are the two tensors'.
bool mayOverwrite(KernelId id, size_t operand, llvm::ArrayRef<int64_t> from,
                  size_t result, llvm::ArrayRef<int64_t> to);

} // namespace takt

#endif // TAKT_TARGET_INPLACE_H
