//===- Verify.h - what holds between two phases -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_VERIFY_H
#define TAKT_TRANSFORMS_VERIFY_H

#include "mlir/IR/BuiltinOps.h"

namespace takt {

/// What differentiation may rely on. Fails with a diagnostic unless
///   F1  the module has a positive `train.batch` and one function, of a single
///       block and with at least one result;
///   F2  every operation of it is of the train dialect, apart from the
///       return, and every tensor has a static shape;
///   F3  there is no gradient, update or delay, and only state is written;
///   F4  every parameter that is read or written exists, with that type.
mlir::LogicalResult verifyForward(mlir::ModuleOp module);

/// What forming tasks may rely on. Fails with a diagnostic unless
///   S1  every operation of @main has a kind and, if it executes, a node;
///   S2  values flow from F to D to W to U, never back; F gives W and U its
///       values too, D gives W and U theirs;
///   S3  no parameter is written twice, and every trainable parameter and
///       optimizer state that is written is written by kind U, state by kind F;
///   S4  where there is an update, the first result is the scalar loss;
///   S5  the gradient of every update comes from kind W.
mlir::LogicalResult verifyStep(mlir::ModuleOp module);

/// What scheduling and lowering may rely on. Fails with a diagnostic unless
///   T1  every operation that executes has a task and a layer within
///       `train.layers`, and no other operation has one;
///   T2  a task has one layer and one kind, told by its name;
///   T3  the task graph passes its own check;
///   T4  a reconstruction goes back as far as the lead of what it is written to
///       says, and its two halves alike.
mlir::LogicalResult verifyTasks(mlir::ModuleOp module);

} // namespace takt

#endif // TAKT_TRANSFORMS_VERIFY_H
