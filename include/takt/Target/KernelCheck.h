//===- KernelCheck.h - is a kernel descriptor safe to run? ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_KERNELCHECK_H
#define TAKT_TARGET_KERNELCHECK_H

#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"

namespace takt {

/// Largest tensor that a kernel may have, in elements. Keeps every product of
/// an index, a stride and an element size inside 64 bits.
constexpr int64_t kMaxTensorElements = int64_t(1) << 40;

/// Checks everything that a kernel's meaning depends on: the numbers, types and
/// ranks of operands and results, the relations between their shapes, and the
/// range of every attribute word. A kernel that passes reads and writes nothing
/// outside its tensors, divides no integer by zero and overflows no index,
/// whatever its tensors hold. Addresses, rings and lags are not looked at.
///
/// Fails with "MNEMONIC: reason", lower case, one line, with the offending and
/// the expected value.
llvm::Error checkKernel(const Kernel &kernel);

} // namespace takt

#endif // TAKT_TARGET_KERNELCHECK_H
