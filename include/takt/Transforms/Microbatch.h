//===- Microbatch.h - a step of several microbatches ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_MICROBATCH_H
#define TAKT_TRANSFORMS_MICROBATCH_H

#include "mlir/IR/BuiltinOps.h"

namespace takt {

/// Turns the step of a minibatch of b samples, whose operations carry their
/// tasks, into the step of `count` such microbatches with one update: what
/// synchronous pipelines divide among processors.
///   - Inputs with a sample axis (the first, of extent `train.batch`) get count
///     times the samples; each task slices its microbatch out of them.
///   - F, D and W are there once for each microbatch m, their tasks named
///     "LAYER.K.mM" and tagged with it (kMicrobatchAttr). W adds to what the
///     microbatch before accumulated; U is given the sum.
///   - The loss is the mean of the microbatches' losses, its gradient scaled by
///     1/count. Other results are concatenated along the sample axis.
///   - What F writes (running statistics) goes from microbatch to microbatch;
///     random numbers are others in each.
/// A count of 1 changes nothing.
///
/// Fails with a diagnostic if the step has no update (a forward pass), is
/// retimed or divided already, or count is below 1.
mlir::LogicalResult divideIntoMicrobatches(mlir::ModuleOp module,
                                           int64_t count);

} // namespace takt

#endif // TAKT_TRANSFORMS_MICROBATCH_H
