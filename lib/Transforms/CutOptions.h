//===- CutOptions.h - how a D task may be cut -------------------*- C++ -*-===//
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

/// The legal cuts of a D task from its operations in program order. None unless
/// it is one matrix product of a gradient and a parameter, with everything else
/// behind it.
llvm::SmallVector<CutOption>
getCutOptions(llvm::ArrayRef<mlir::Operation *> task);

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_CUTOPTIONS_H
