//===- Attention.h - scaled dot product attention ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the attention operators of ONNX and of onnxruntime share.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_ATTENTION_H
#define TAKT_LIB_IMPORT_ATTENTION_H

#include "Emit.h"

namespace takt::import {

/// softmax(softcap(scale · query · keyᵀ + bias)) · value, of what is attended.
/// Tensors are batch × heads × length × size. A key and a value of fewer heads
/// serve as many consecutive heads of the query each.
struct Attention {
  Value query, key, value;
  float scale = 1;
  float softcap = 0;    ///< c · tanh(scores / c); 0: none
  Value bias;           ///< broadcast to the scores; null: none
  Value attended;       ///< i1, broadcast to the scores; null: everything
  mlir::Type precision; ///< of the softmax; null: the query's own

  int64_t batch() const { return shapeOf(query)[0]; }
  int64_t heads() const { return shapeOf(query)[1]; }
  int64_t rows() const { return shapeOf(query)[2]; }
  int64_t columns() const { return shapeOf(key)[2]; }
  Dims scoreShape() const { return {batch(), heads(), rows(), columns()}; }
};

/// Its steps, which are outputs of some operators.
struct AttentionSteps {
  Value product; ///< scale · query · keyᵀ
  Value biased;  ///< with the bias
  Value capped;
  Value weights; ///< after the softmax
  Value result;  ///< batch × heads × length × size
};

/// Fails with a diagnostic if shapes do not fit each other.
mlir::LogicalResult checkAttention(const Node &node,
                                   const Attention &attention);

/// Of an attention that was checked; null values where something failed.
AttentionSteps emitAttention(Emit &emit, const Attention &attention);

/// 1 / sqrt(size)
float defaultScale(int64_t size);

/// batch × length × (heads · size) as batch × heads × length × size.
/// Fails with a diagnostic if it is of another rank or not divisible.
mlir::FailureOr<Value> splitHeads(Node &node, llvm::StringRef role, Value x,
                                  int64_t heads);
/// The reverse; null if the value is.
Value mergeHeads(Emit &emit, Value x);

/// Puts what earlier calls computed before the key and the value, along their
/// length; nothing where both are null. Fails with a diagnostic if one is, or
/// their ranks are not 4.
mlir::LogicalResult prependPast(Node &node, Value pastKey, Value pastValue,
                                Attention &attention);

/// rows × columns: the columns up to row + past are attended.
Value emitCausal(Emit &emit, int64_t rows, int64_t columns, int64_t past);

/// Of bool, batch × 1 × 1 × columns: the columns before each sample's length.
Value emitBefore(Emit &emit, Value lengths, int64_t columns);

/// Both, where one or the other may be null.
Value emitBoth(Emit &emit, Value a, Value b);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_ATTENTION_H
