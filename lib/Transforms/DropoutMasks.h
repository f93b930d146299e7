//===- DropoutMasks.h - masks of several minibatches ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_DROPOUTMASKS_H
#define TAKT_LIB_TRANSFORMS_DROPOUTMASKS_H

#include "takt/Dialect/Train/Train.h"

namespace takt {

/// Gives the copy of a dropout for (micro)batch m of a step another mask. Seeds
/// have 32 bits; an odd factor keeps those of the copies apart.
inline void drawMaskOf(mlir::Operation *copy, int64_t m) {
  constexpr uint32_t kOdd = 0x9E3779B9;
  if (auto dropout = llvm::dyn_cast<train::DropoutOp>(copy))
    dropout.setSeed(static_cast<uint32_t>(dropout.getSeed() + m * kOdd));
}

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_DROPOUTMASKS_H
