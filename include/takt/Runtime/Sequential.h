//===- Sequential.h - the reference interpreter -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_RUNTIME_SEQUENTIAL_H
#define TAKT_RUNTIME_SEQUENTIAL_H

#include "takt/Runtime/Run.h"

namespace takt {

/// Runs the tasks of a program as the definition of what it computes: on one
/// thread, one minibatch after the other, in the order of Program::tasks, with
/// one copy of every parameter. Goes by values and parameters alone:
/// processors, addresses, rings, lags and semaphores have no influence, so that
/// agreement with `execute` bit for bit shows that these are right.
///
/// In iteration t all tasks but updates work on minibatch t; updates of a
/// parameter with delay d apply the gradient of minibatch t - d, which waits in
/// a queue of that length, and their results are read from iteration t + 1 on.
/// After the last minibatch the gradients that still wait are applied in order.
///
/// Fails when a task reads a value that no earlier task produces, a kernel
/// fails, or the tasks contradict the parameters' delays. Checkpoint options
/// are not looked at.
llvm::Expected<RunResult> executeSequentially(const Program &program,
                                              const RunOptions &options);

} // namespace takt

#endif // TAKT_RUNTIME_SEQUENTIAL_H
