//===- Passes.h - passes of the sched dialect -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_PASSES_H
#define TAKT_DIALECT_SCHED_PASSES_H

#include "mlir/Pass/Pass.h"
#include "takt/Dialect/Sched/Sched.h"

namespace takt::sched {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "takt/Dialect/Sched/Passes.h.inc"

} // namespace takt::sched

#endif // TAKT_DIALECT_SCHED_PASSES_H
