//===- ReconstructWeights.h - earlier weights without a stash ---*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_RECONSTRUCTWEIGHTS_H
#define TAKT_TRANSFORMS_RECONSTRUCTWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"

namespace takt {

/// Makes operations of kind D and W read, in place of each weight that the step
/// updates, an estimate of what it was some updates ago, which the weight's
/// update keeps up (`train.fade` before it and `train.reconstruct` behind). How
/// many updates ago `retime` says; until then none. Its parameter has the
/// weight's name and kEarlierSuffix. The tasks of a step stay the same.
///
/// Fails with a diagnostic unless verifyStep holds, or if a name is taken.
mlir::LogicalResult reconstructWeights(mlir::ModuleOp module);

} // namespace takt

#endif // TAKT_TRANSFORMS_RECONSTRUCTWEIGHTS_H
