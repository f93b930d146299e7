//===- ClipNorm.h - clip gradients by their common norm ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_CLIPNORM_H
#define TAKT_TRANSFORMS_CLIPNORM_H

#include "mlir/IR/BuiltinOps.h"

namespace takt {

/// Scales the gradients of all updates by min(1, limit / (norm + 1e-6)), the
/// norm being that of all of them together, as
/// torch.nn.utils.clip_grad_norm_ does.
///   - Each W whose gradient an update takes sums its squares, in its task.
///   - A task of its own, "LAYER.U.norm" of the first layer among theirs, makes
///     the factor: it adds the sums in the order of the updates, the sum of a
///     gradient that several of them take once for each.
///   - Each U multiplies its gradient by it.
/// So the updates are coupled: none begins before the last W. Operations carry
/// their tasks already; a step of several microbatches is divided already, and
/// its gradients are the sums over them.
///
/// Fails with a diagnostic if there is no update, the step is retimed, clipped
/// or has no tasks, a gradient is made behind an update, or the limit is not
/// finite and positive.
mlir::LogicalResult clipByNorm(mlir::ModuleOp module, double limit);

} // namespace takt

#endif // TAKT_TRANSFORMS_CLIPNORM_H
