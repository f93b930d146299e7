//===- Executor.h - runs a program's instruction streams --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_RUNTIME_EXECUTOR_H
#define TAKT_RUNTIME_EXECUTOR_H

#include "takt/Runtime/Run.h"

namespace takt {

/// Runs a program as Isa.def says, one thread for each processor, which shares
/// nothing with the others but the memory that transfers write and the
/// semaphores. Relies on the program having passed the container's validation.
///
/// Checkpoints: at the checkpoint instruction of trip t, with t + 1 a multiple
/// of `every` or equal to the iterations, the processors meet and the whole
/// state of the machine is saved as DIRECTORY/checkpoint.npz: all memory, the
/// semaphores, the trip, the losses so far. All processors get there because no
/// wait of trip t looks to a later trip of another processor, which is a rule
/// of checkDeadlockFree (Target/Validate.h). Minibatches after the first N are
/// not begun in trips before N; a run that resumes from the state at N with
/// more iterations therefore gives the bits of one that was never interrupted.
///
/// Fails with one message: a kernel or memory allocation that fails (with
/// processor, pc and task), all processors waiting for each other (each with
/// its pc and what it waits for), a halt with a status other than 0, a
/// checkpoint that does not belong to the program or cannot be read.
llvm::Expected<RunResult> execute(const Program &program,
                                  const RunOptions &options);

} // namespace takt

#endif // TAKT_RUNTIME_EXECUTOR_H
