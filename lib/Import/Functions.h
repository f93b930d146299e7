//===- Functions.h - model-local functions ----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_FUNCTIONS_H
#define TAKT_LIB_IMPORT_FUNCTIONS_H

#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/LLVM.h"
#include "takt/Support/Onnx.h"

namespace takt::import {

/// Replaces every node of the graph that calls a function of the model by the
/// function's nodes. Values inside of it are named CALL/NAME, CALL being the
/// node's name.
/// Fails with a diagnostic if a function calls itself, its opset is another
/// than the model's, or a call does not fit it.
mlir::LogicalResult inlineFunctions(onnx::ModelProto &model, int64_t opset,
                                    mlir::MLIRContext *context);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_FUNCTIONS_H
