//===- Pipelines.h - passes in order ----------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_PIPELINES_H
#define TAKT_TRANSFORMS_PIPELINES_H

#include "mlir/Pass/PassManager.h"
#include "takt/Transforms/Differentiate.h"

namespace takt {

/// From an imported forward graph to a step (or a forward graph, with
/// LossKind::None) whose operations carry their tasks; parameters that match a
/// pattern in `frozen` are not trained (Freeze.h). `takt-step-pipeline` in
/// takt-opt, with the options of train-differentiate.
void buildStepPipeline(mlir::OpPassManager &manager,
                       const DifferentiateOptions &options,
                       llvm::ArrayRef<std::string> frozen = {});

/// Makes the pipelines known to takt-opt.
void registerTransformPipelines();

} // namespace takt

#endif // TAKT_TRANSFORMS_PIPELINES_H
