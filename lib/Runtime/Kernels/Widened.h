//===- Widened.h - kernels of 16-bit floats, internal -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// No kernel has an implementation of its own for f16 and bf16: its operands are
// widened to f32, the f32 kernel runs, and its results are rounded. So all sums
// are those of f32.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_WIDENED_H
#define TAKT_LIB_RUNTIME_KERNELS_WIDENED_H

#include "KernelCall.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace takt {

/// Bytes of the f32 copies that a call needs; 0 where it runs as it is, because
/// it has no 16-bit floats or only moves or converts them.
size_t widenedBytes(const KernelCall &call);

/// Calls `run` with f32 copies for the call's 16-bit floats, which are made in
/// `memory`, of widenedBytes bytes and aligned to 64, and rounds its results.
llvm::Error runWidened(const KernelCall &call, void *memory,
                       llvm::function_ref<llvm::Error(const KernelCall &)> run);

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_WIDENED_H
