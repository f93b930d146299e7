//===- Seeds.h - random numbers of several minibatches ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_SEEDS_H
#define TAKT_LIB_TRANSFORMS_SEEDS_H

#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/TypeSwitch.h"

namespace takt {

/// Gives the copy of an operation for (micro)batch m of a step random numbers
/// of its own, if it draws any. Seeds have 32 bits; an odd factor keeps those
/// of the copies apart.
inline void drawOthers(mlir::Operation *copy, int64_t m) {
  constexpr uint32_t kOdd = 0x9E3779B9;
  llvm::TypeSwitch<mlir::Operation *>(copy)
      .Case<train::DropoutOp, train::RandomUniformOp, train::RandomNormalOp>(
          [m](auto op) {
            op.setSeed(static_cast<uint32_t>(op.getSeed() + m * kOdd));
          });
}

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_SEEDS_H
