//===- Recompute.h - activations made again for backward --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_RECOMPUTE_H
#define TAKT_TRANSFORMS_RECOMPUTE_H

#include "mlir/IR/BuiltinOps.h"
#include "takt/Machine/CostModel.h"
#include <string>
#include <vector>

namespace takt {

/// An activation that the backward pass may make again instead of keeping it
/// since the forward pass (Chen et al., "Training deep nets with sublinear
/// memory cost", 2016).
struct Recomputable {
  std::string value; ///< as buildTaskGraph names it
  size_t number = 0; ///< in program order
  int64_t bytes = 0;
  int layer = 0; ///< of its task
  /// What making it again takes while all others are kept.
  llvm::SmallVector<Work, 2> work;
};

/// The activations of a step with tasks that tasks of kind D or W read, in
/// program order. Fails with a diagnostic if @main is missing.
mlir::FailureOr<std::vector<Recomputable>>
recomputableValues(mlir::ModuleOp module);

/// Has the backward pass make those values again. The operations that give a
/// value are built once more, tagged `train.recomputed`, from what is at hand:
/// inputs, parameters, and of the values that F tasks pass on those that are
/// not in the list themselves; what only operations within an F task read is
/// made again, too. They belong to the first D or W that needs them, in the
/// sequential order of tasks; where that is a W and others need them as well,
/// to the D of its layer, so that no D waits for a W.
///
/// Every operation gives the same bits as before, so the step trains as it did,
/// but where dgrads read other weights than the forward pass: then what is made
/// again is that of these weights.
///
/// Precedes divideIntoMicrobatches, split and retime. Fails with a diagnostic
/// if a name is not one of recomputableValues. Linear in the operations.
mlir::LogicalResult recompute(mlir::ModuleOp module,
                              llvm::ArrayRef<std::string> values);

} // namespace takt

#endif // TAKT_TRANSFORMS_RECOMPUTE_H
