//===- SumGradients.h - what several uses contribute ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_SUMGRADIENTS_H
#define TAKT_LIB_TRANSFORMS_SUMGRADIENTS_H

#include "mlir/IR/Builders.h"
#include "takt/Machine/CostModel.h"

namespace takt {

/// The sum of the gradients that the uses of a value contribute, at least one,
/// all of its shape. What needs no sum of whole tensors gets none: a matrix
/// that a node uses step by step is one product, a tensor that is taken apart
/// is put together.
mlir::Value sumGradients(mlir::OpBuilder &builder, mlir::Location loc,
                         llvm::ArrayRef<mlir::Value> parts, TaskKind kind);

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_SUMGRADIENTS_H
