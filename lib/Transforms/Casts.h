//===- Casts.h - casts of a training step, internal -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TRANSFORMS_CASTS_H
#define TAKT_LIB_TRANSFORMS_CASTS_H

#include "TaggingBuilder.h"

namespace takt {

/// Operations of kind W whose 16-bit result is only cast to f32 give it in f32,
/// on operands that are cast to f32: so a weight's gradient is never rounded,
/// nor are the parts that it is a sum of.
void widenWeightGradients(mlir::Block &block, TaggingBuilder &builder);

/// Operations of kind D and W do not take what the forward pass has cast from
/// fewer bits or from a parameter, but cast it again in their own task. So what
/// is kept for them has 16 bits, and a weight is the version that they read.
void castAgain(mlir::Block &block, TaggingBuilder &builder);

} // namespace takt

#endif // TAKT_LIB_TRANSFORMS_CASTS_H
