//===- StepBuilder.h - the parts of differentiation -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_STEPBUILDER_H
#define TAKT_LIB_TRANSFORMS_STEPBUILDER_H

#include "TaggingBuilder.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Differentiate.h"

namespace takt {

/// The loss as it stands in @main.
struct Loss {
  mlir::Value operand;  ///< what the model ends in: logits, or its first output
  mlir::Value gradient; ///< of the loss with respect to `operand`
};

/// Appends the loss on the first output, its argument and its result.
/// Fails with a diagnostic if the output cannot be the loss's operand, or has
/// no such axis (DifferentiateOptions::classAxis).
mlir::FailureOr<Loss> buildLoss(mlir::func::FuncOp main, LossKind kind,
                                int64_t classAxis);

/// A trainable parameter and the gradient of the loss with respect to it.
struct ParameterGradient {
  train::ParameterOp parameter;
  mlir::Value gradient;
};

/// Fails with a diagnostic at the module if an option is out of its range.
mlir::LogicalResult checkOptions(mlir::ModuleOp module,
                                 const DifferentiateOptions &options);

/// Appends each parameter's update, and creates the optimizer's state as
/// parameters "NAME.momentum" or "NAME.adam_m" and "NAME.adam_v".
/// Fails with a diagnostic if such a name is taken.
mlir::LogicalResult buildUpdates(TaggingBuilder &builder,
                                 llvm::ArrayRef<ParameterGradient> gradients,
                                 const DifferentiateOptions &options);

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_STEPBUILDER_H
