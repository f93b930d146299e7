//===- Passes.h - passes over training steps --------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TRANSFORMS_PASSES_H
#define TAKT_TRANSFORMS_PASSES_H

#include "mlir/Pass/Pass.h"
#include "takt/Support/OptionNumber.h"
#include "takt/Transforms/Differentiate.h"

namespace takt {

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "takt/Transforms/Passes.h.inc"

} // namespace takt

#endif // TAKT_TRANSFORMS_PASSES_H
