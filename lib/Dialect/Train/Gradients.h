//===- Gradients.h - building gradients, internal ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Gradient operations are created with explicit result types: whatever a model
// makes too large is then reported by their verifier, like everything else.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_DIALECT_TRAIN_GRADIENTS_H
#define TAKT_LIB_DIALECT_TRAIN_GRADIENTS_H

#include "takt/Dialect/Train/Train.h"

namespace takt::train {

/// The gradient with respect to a tensor of `type` that was broadcast to the
/// type of `gradient`: its sum over the axes that were repeated.
mlir::Value sumTo(mlir::OpBuilder &builder, mlir::Location loc,
                  mlir::Value gradient, mlir::Type type);

/// value, or value times factor.
mlir::Value scaleBy(mlir::OpBuilder &builder, mlir::Location loc,
                    mlir::Value value, float factor);

} // namespace takt::train

#endif // TAKT_LIB_DIALECT_TRAIN_GRADIENTS_H
