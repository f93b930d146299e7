//===- RunSupport.h - common to both ways of running, internal --*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_RUNSUPPORT_H
#define TAKT_LIB_RUNTIME_RUNSUPPORT_H

#include "takt/Runtime/Run.h"

namespace takt::runtime {

/// Fails unless the options have what the program needs, and the program holds
/// nothing but what its instructions use: validation looks at no other record,
/// while a run collects all of them.
llvm::Error checkOptions(const Program &program, const RunOptions &options);

/// The run-time scalars that the options ask for.
std::vector<double> runTimeScalars(const Program &program,
                                   const RunOptions &options);

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_RUNSUPPORT_H
