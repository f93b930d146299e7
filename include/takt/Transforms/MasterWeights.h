//===- MasterWeights.h - parameters of 16 bits, trained ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_MASTERWEIGHTS_H
#define TAKT_TRANSFORMS_MASTERWEIGHTS_H

#include "mlir/IR/BuiltinOps.h"

namespace takt {

/// Keeps trainable parameters of f16 and bf16 in f32: the parameter becomes its
/// own master, which updates are applied to, and every read of it is cast to
/// what it was. An update is often smaller than half a last bit of 16 bits, and
/// would be lost (Micikevicius et al., Mixed Precision Training, ICLR 2018).
///
/// Fails with a diagnostic if @main is missing or an initial value has no data.
mlir::LogicalResult keepMasterWeights(mlir::ModuleOp module);

} // namespace takt

#endif // TAKT_TRANSFORMS_MASTERWEIGHTS_H
