//===- Retime.h - delays on the gradients -----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_RETIME_H
#define TAKT_TRANSFORMS_RETIME_H

#include "mlir/IR/BuiltinOps.h"

namespace takt {

/// Puts `delayPerLayer[l]` delays on the edge W_l -> U_l of every layer: a
/// train.delay before each update's gradient where the delay is not 0, and the
/// attribute `delay` on every parameter that the layer's U writes (trainable
/// and derived ones; optimizer state is never delayed).
///
/// Fails with a diagnostic unless verifyTasks holds, or if the step is retimed
/// already, the number of delays is not that of the layers, or one is negative.
mlir::LogicalResult retime(mlir::ModuleOp module,
                           llvm::ArrayRef<int64_t> delayPerLayer);

} // namespace takt

#endif // TAKT_TRANSFORMS_RETIME_H
