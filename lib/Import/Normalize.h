//===- Normalize.h - parts of normalizations --------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_NORMALIZE_H
#define TAKT_LIB_IMPORT_NORMALIZE_H

#include "Emit.h"

namespace takt::import {

/// (x − mean) / deviation over the axes from `axis` on.
mlir::FailureOr<Value> emitNormalize(Node &node, Value x, int64_t axis,
                                     float epsilon);

/// x · scale + bias, which broadcast to x; no bias where it is null.
/// Fails with a diagnostic if they do not broadcast to x.
mlir::FailureOr<Value> emitAffine(Node &node, Value x, Value scale, Value bias);

/// Fails with a diagnostic if it is below 0.
mlir::LogicalResult checkEpsilon(const Node &node, float epsilon);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_NORMALIZE_H
