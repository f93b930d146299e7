//===- Freeze.h - parameters that are not trained ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_FREEZE_H
#define TAKT_TRANSFORMS_FREEZE_H

#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace takt {

/// Makes constant, and marks as frozen, the trainable parameters
/// whose names match one of the patterns, which are llvm::GlobPattern's. What
/// leads to no other parameter then gets no gradient: differentiate builds no W
/// and no U of theirs, and no D below the lowest layer that is trained.
/// Running statistics are no trainable parameters and go on being updated.
///
/// Fails with a diagnostic if a pattern is malformed or matches no parameter
/// that was trainable, or if no trainable parameter is left.
mlir::LogicalResult freeze(mlir::ModuleOp module,
                           llvm::ArrayRef<std::string> patterns);

} // namespace takt

#endif // TAKT_TRANSFORMS_FREEZE_H
