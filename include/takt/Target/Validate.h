//===- Validate.h - what a consumer may rely on -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_VALIDATE_H
#define TAKT_TARGET_VALIDATE_H

#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"

namespace takt {

/// All of the below; decode and the compiler call it, so that no consumer ever
/// sees a program that fails it.
llvm::Error validate(const Program &program);

/// Every index, number and address in range; regions that fit the machine's
/// memory and allow what is done with them; shapes as the kernels need them;
/// code well formed; semaphores with one writer each; values made once,
/// parameters updated in their homes and with delays of at most 65,535.
llvm::Error checkStructure(const Program &program);

/// No processor can wait for what is never signalled: the marked graph of the
/// loop bodies has tokens on every cycle.
llvm::Error checkDeadlockFree(const Program &program);

/// Every read finds the instance that it means, and nothing is overwritten
/// before its last reader, a transfer under way included.
llvm::Error checkHazards(const Program &program);

} // namespace takt

#endif // TAKT_TARGET_VALIDATE_H
