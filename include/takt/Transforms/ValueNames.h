//===- ValueNames.h - names of what flows between tasks ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_VALUENAMES_H
#define TAKT_TRANSFORMS_VALUENAMES_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "llvm/ADT/DenseMap.h"

namespace takt {

/// Names of arguments and results of operations in a step, unique among each
/// other and the parameters: an argument's `train.name`, and for results
/// "NODE.KIND.MNEMONIC", with "#1" for a second result, or the `train.name`
/// that a cut gave. They depend on nothing that a cut changes elsewhere.
llvm::DenseMap<mlir::Value, std::string> nameValues(mlir::ModuleOp module,
                                                    mlir::func::FuncOp main);

} // namespace takt

#endif // TAKT_TRANSFORMS_VALUENAMES_H
