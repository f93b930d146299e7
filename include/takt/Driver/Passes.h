//===- Passes.h - passes between the dialects -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_PASSES_H
#define TAKT_DRIVER_PASSES_H

#include "mlir/Pass/Pass.h"
#include "takt/Support/OptionNumber.h"

namespace takt {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "takt/Driver/Passes.h.inc"

} // namespace takt

#endif // TAKT_DRIVER_PASSES_H
