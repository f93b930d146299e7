//===- Attention.cpp - scaled dot product attention -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Attention.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using takt::BinaryFunction;
using takt::CompareFunction;
using namespace takt::import;

/// One of the two is broadcast to the scores.
static LogicalResult checkBroadcast(const Node &node, StringRef role,
                                    Value value, ArrayRef<int64_t> scores) {
  if (!value || broadcastShapes(scores, shapeOf(value)) == Dims(scores))
    return success();
  return node.invalid() << "has " << role << " of " << shapeText(shapeOf(value))
                        << ", expected one that broadcasts to "
                        << shapeText(scores);
}

LogicalResult takt::import::checkAttention(const Node &node,
                                           const Attention &attention) {
  for (auto [role, value] :
       {std::pair("query", attention.query), std::pair("key", attention.key),
        std::pair("value", attention.value)})
    if (failed(expectRank(node, role, value, 4)))
      return failure();
  ArrayRef<int64_t> q = shapeOf(attention.query), k = shapeOf(attention.key),
                    v = shapeOf(attention.value);
  if (failed(expectShape(node, "key", attention.key, {q[0], k[1], k[2], q[3]})))
    return failure();
  if (failed(expectShape(node, "value", attention.value,
                         {k[0], k[1], k[2], v[3]})))
    return failure();
  if (q[1] % k[1] != 0)
    return node.invalid() << "has " << q[1] << " heads of the query for "
                          << k[1] << " of the key, expected a multiple";
  Dims scores = attention.scoreShape();
  return failure(
      failed(checkBroadcast(node, "a bias", attention.bias, scores)) ||
      failed(checkBroadcast(node, "a mask", attention.attended, scores)));
}

/// a · b, or a · bᵀ, of matrices per head; b may have fewer heads than a.
static Value multiplyHeads(Emit &emit, Value a, Value b, bool transposeB) {
  if (!a || !b)
    return {};
  Dims left(shapeOf(a)), right(shapeOf(b));
  int64_t heads = left[1], groups = right[1];
  if (heads == groups)
    return emit.matmul(a, b, transposeB);
  Value grouped =
      emit.reshape(a, {left[0], groups, heads / groups, left[2], left[3]});
  Value once = emit.reshape(b, {right[0], groups, 1, right[2], right[3]});
  Value product = emit.matmul(grouped, once, transposeB);
  return emit.reshape(product,
                      {left[0], heads, left[2], right[transposeB ? 2 : 3]});
}

/// What is not attended gets the lowest number, not −∞: a row without anything
/// that is attended is then an average instead of no number.
static Value exclude(Emit &emit, const Attention &attention, Value scores) {
  if (!attention.attended)
    return scores;
  return emit.where(attention.attended, scores,
                    emit.filled(-FLT_MAX, {}, scores));
}

/// The mask holds after the cap, which would bring what is excluded to −cap.
AttentionSteps takt::import::emitAttention(Emit &emit,
                                           const Attention &attention) {
  AttentionSteps steps;
  Value query = emit.scale(attention.query, attention.scale);
  steps.product = multiplyHeads(emit, query, attention.key, true);
  steps.biased =
      attention.bias ? emit.add(steps.product, attention.bias) : steps.product;
  steps.capped = steps.biased;
  if (attention.softcap != 0) {
    Value curve = emit.tanh(emit.scale(steps.biased, 1 / attention.softcap));
    steps.capped = emit.scale(curve, attention.softcap);
  }
  Value scores = exclude(emit, attention, steps.capped);
  if (attention.precision)
    scores = emit.cast(scores, attention.precision);
  steps.weights = emit.castLike(emit.softmax(scores, 3), attention.query);
  steps.result = multiplyHeads(emit, steps.weights, attention.value, false);
  return steps;
}

float takt::import::defaultScale(int64_t size) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(size)));
}

FailureOr<Value> takt::import::splitHeads(Node &node, StringRef role, Value x,
                                          int64_t heads) {
  if (failed(expectRank(node, role, x, 3)))
    return failure();
  ArrayRef<int64_t> dims = shapeOf(x);
  if (heads < 1 || dims[2] % heads != 0)
    return node.invalid() << "has " << heads << " heads for " << role << " of "
                          << shapeText(dims) << ", expected a divisor of "
                          << dims[2];
  Emit emit(node);
  Value split = emit.reshape(x, {dims[0], dims[1], heads, dims[2] / heads});
  Value y = emit.transpose(split, {0, 2, 1, 3});
  return orFailure(y);
}

Value takt::import::mergeHeads(Emit &emit, Value x) {
  if (!x)
    return {};
  ArrayRef<int64_t> dims = shapeOf(x);
  return emit.reshape(emit.transpose(x, {0, 2, 1, 3}),
                      {dims[0], dims[2], dims[1] * dims[3]});
}

LogicalResult takt::import::prependPast(Node &node, Value pastKey,
                                        Value pastValue, Attention &attention) {
  if (!pastKey && !pastValue)
    return success();
  if (!pastKey || !pastValue)
    return node.invalid() << "has one of past_key and past_value, expected "
                             "both or none";
  if (failed(expectRank(node, "past_key", pastKey, 4)) ||
      failed(expectRank(node, "past_value", pastValue, 4)))
    return failure();
  Emit emit(node);
  attention.key = emit.concat({pastKey, attention.key}, 2);
  attention.value = emit.concat({pastValue, attention.value}, 2);
  return success(attention.key && attention.value);
}

Value takt::import::emitCausal(Emit &emit, int64_t rows, int64_t columns,
                               int64_t past) {
  Value row = emit.range(rows), column = emit.range(columns);
  if (past != 0)
    row = emit.add(row, emit.integers(past, {}));
  return emit.compare(CompareFunction::LessOrEqual, column,
                      emit.reshape(row, {rows, 1}));
}

Value takt::import::emitBefore(Emit &emit, Value lengths, int64_t columns) {
  if (!lengths)
    return {};
  int64_t batch = typeOf(lengths).getNumElements();
  Value column = emit.range(columns);
  return emit.compare(CompareFunction::Less, column,
                      emit.reshape(lengths, {batch, 1, 1, 1}));
}

Value takt::import::emitBoth(Emit &emit, Value a, Value b) {
  if (!a || !b)
    return a ? a : b;
  return emit.binary(BinaryFunction::Min, a, b);
}
