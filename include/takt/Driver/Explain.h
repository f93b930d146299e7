//===- Explain.h - what a model became --------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_EXPLAIN_H
#define TAKT_DRIVER_EXPLAIN_H

#include "takt/Driver/Compile.h"
#include "llvm/Support/MemoryBufferRef.h"

namespace takt {

/// Says, as text for people, what was imported from the file that the step was
/// built from: its layers with what is fused to them, each ONNX node with the
/// operations it became, each parameter with its kind and why it is of that
/// kind, and totals. Figures are of one microbatch, multiply-accumulates those
/// of the forward pass.
/// Fails with a diagnostic if the file cannot be read again.
mlir::LogicalResult explain(const TrainingStep &step,
                            llvm::MemoryBufferRef model, llvm::raw_ostream &os);

} // namespace takt

#endif // TAKT_DRIVER_EXPLAIN_H
