//===- Replicate.h - a step over minibatches in turn ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_REPLICATE_H
#define TAKT_TRANSFORMS_REPLICATE_H

#include "mlir/IR/BuiltinOps.h"

namespace takt {

/// Turns the step of one minibatch, whose operations carry their tasks, into
/// that of lcm(replicas) minibatches with so many replicas and such a delay, in
/// its own updates, of each layer. What formTasks gives afterwards is what
/// takt::replicate makes of its graph before.
///   - F, D and W are there for each minibatch m, with its own arguments and
///     results; random numbers are others in each.
///   - U is there for each round of a layer with r replicas, in r shards, each
///     of some rows of its parameters: the sum of the round's gradients in the
///     order of minibatches, scaled by 1/r, then the optimizer's update.
///   - Every version of a part of a weight is a parameter (`tensor`, `update`),
///     and so is the state that F leaves to the next minibatch on the same
///     replica; of the latter that of replica 0 is the result.
///
/// Of a forward pass only the minibatches are left.
///
/// Fails with a diagnostic unless verifyTasks holds, or if the step is of
/// several minibatches or microbatches, cut or retimed already, takt::replicate
/// would refuse the counts, no count is above 1, or a parameter's name is
/// taken.
mlir::LogicalResult replicateStep(mlir::ModuleOp module,
                                  llvm::ArrayRef<int64_t> replicas,
                                  llvm::ArrayRef<int64_t> delays);

} // namespace takt

#endif // TAKT_TRANSFORMS_REPLICATE_H
