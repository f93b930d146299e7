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
/// thread, one minibatch after the other, in the order of Program::tasks. Goes
/// by values and parameters alone: processors, addresses, rings, lags and
/// semaphores have no influence, so that agreement with `execute` bit for bit
/// shows that these are right.
///
/// Of every parameter it keeps as many versions as its delay needs: the forward
/// tasks of minibatch t read what the update of minibatch t - 1 - delay made,
/// dgrads what that of t - 1 - delay + lead made, the update the one before its
/// own.
///
/// Fails when a task reads a value that no earlier task produces, or a kernel
/// fails. Checkpoint options are not looked at.
llvm::Expected<RunResult> executeSequentially(const Program &program,
                                              const RunOptions &options);

} // namespace takt

#endif // TAKT_RUNTIME_SEQUENTIAL_H
