//===- CutOptions.h - how a task may be cut ---------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_CUTOPTIONS_H
#define TAKT_LIB_TRANSFORMS_CUTOPTIONS_H

#include "mlir/IR/Operation.h"
#include "takt/Scheduling/TaskGraph.h"

namespace takt {

/// What a step's operation makes.
ValueClass classOf(mlir::OpResult result);

/// How a task may be cut; see Task for what the fields mean.
struct TaskCuts {
  mlir::Operation *product = nullptr; ///< nullptr: the task may not be cut
  llvm::SmallVector<CutOption> options;
  bool rowwise = false;
  bool gradientFirst = false;
};

/// The legal cuts of a task from its operations in program order. None unless
/// it has one matrix product, which everything else is behind or which, as all
/// the rest, can be done sample by sample.
TaskCuts getTaskCuts(llvm::ArrayRef<mlir::Operation *> task);

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_CUTOPTIONS_H
