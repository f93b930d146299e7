//===- Rotary.h - rotary position embedding ---------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_ROTARY_H
#define TAKT_LIB_IMPORT_ROTARY_H

#include "Emit.h"

namespace takt::import {

/// Pairs of numbers, turned by an angle that depends on their position: the
/// first and the second half of the first `size` of a head, or, interleaved,
/// neighbours. 0 is the whole head.
struct Rotary {
  Value x;
  Value cosine, sine; ///< batch (or 1) × length × size / 2
  int64_t heads = 0;  ///< of an x of rank 3, batch × length × (heads · size)
  int64_t size = 0;
  bool interleaved = false;
};

/// x, batch × heads × length × size or as above, turned.
/// Fails with a diagnostic if shapes do not fit each other.
mlir::FailureOr<Value> emitRotary(Node &node, const Rotary &rotary);

/// The next input, a table of cosines or sines: not trained where it is a
/// constant.
mlir::FailureOr<Value> angleTable(Node &node, const Operand &operand,
                                  llvm::StringRef role);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_ROTARY_H
