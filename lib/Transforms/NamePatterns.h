//===- NamePatterns.h - parameters by patterns of names ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_NAMEPATTERNS_H
#define TAKT_LIB_TRANSFORMS_NAMEPATTERNS_H

#include "mlir/IR/BuiltinOps.h"
#include "takt/Dialect/Train/Train.h"

namespace takt {

/// The trainable parameters whose names match a pattern of llvm::GlobPattern
/// (`*`, `?`, `[…]`, `\`), in the module's order. `option` is what the user
/// calls the pattern, for messages.
/// Fails with a diagnostic at the module if the text is no pattern, or nothing
/// matches; then it names a parameter that is no trainable one and does match,
/// or the trainable ones whose names are nearest to the text.
mlir::FailureOr<llvm::SmallVector<train::ParameterOp>>
matchTrainable(mlir::ModuleOp module, llvm::StringRef option,
               llvm::StringRef pattern);

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_NAMEPATTERNS_H
