//===- Rotary.cpp - rotary position embedding -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Rotary.h"

using namespace mlir;
using namespace takt::import;

FailureOr<Value> takt::import::angleTable(Node &node, const Operand &operand,
                                          StringRef role) {
  if (!operand.constant)
    return node.toValue(operand, role);
  Constant &table = node.graph.constants.emplace_back(*operand.constant);
  table.fixed = true;
  Operand fixed = operand;
  fixed.constant = &table;
  return node.toValue(fixed, role);
}

/// The head under its last axis taken apart into pairs: the two numbers of a
/// pair are along axis `pair` of rank + 1 axes.
static Dims pairedShape(ArrayRef<int64_t> dims, bool interleaved) {
  Dims shape(dims.drop_back());
  int64_t half = dims.back() / 2;
  if (interleaved)
    shape.append({half, 2});
  else
    shape.append({2, half});
  return shape;
}

/// The last axis of x turned as a whole; angles broadcast to half of it.
static Value turn(Emit &emit, Value x, Value cosine, Value sine,
                  bool interleaved) {
  if (!x || !cosine || !sine)
    return {};
  Dims dims(shapeOf(x)), half = dims;
  half.back() /= 2;
  int64_t axis = interleaved ? rankOf(x) : rankOf(x) - 1;
  Value pairs = emit.reshape(x, pairedShape(dims, interleaved));
  Value first = emit.reshape(emit.slice(pairs, axis, 0, 1), half);
  Value second = emit.reshape(emit.slice(pairs, axis, 1, 1), half);
  Value firstPart = emit.mul(first, cosine);
  Value real = emit.sub(firstPart, emit.mul(second, sine));
  firstPart = emit.mul(first, sine);
  Value imaginary = emit.add(firstPart, emit.mul(second, cosine));
  Dims single = pairedShape(dims, interleaved);
  single[axis] = 1;
  Value turned = emit.concat(
      {emit.reshape(real, single), emit.reshape(imaginary, single)}, axis);
  return emit.reshape(turned, dims);
}

/// Fails unless there is an angle per position and pair.
static LogicalResult checkAngles(const Node &node, const Rotary &rotary,
                                 int64_t batch, int64_t length, int64_t size) {
  for (auto [role, table] :
       {std::pair("cosines", rotary.cosine), std::pair("sines", rotary.sine)}) {
    if (failed(expectRank(node, role, table, 3)))
      return failure();
    int64_t samples = shapeOf(table)[0] == 1 ? 1 : batch;
    if (failed(expectShape(node, role, table, {samples, length, size / 2})))
      return failure();
  }
  return success();
}

FailureOr<Value> takt::import::emitRotary(Node &node, const Rotary &rotary) {
  Emit emit(node);
  Dims dims(shapeOf(rotary.x)), whole = dims;
  bool flat = dims.size() == 3;
  if (!flat && dims.size() != 4)
    return node.invalid() << "has an input of rank " << dims.size()
                          << ", expected 3 or 4";
  if (flat && (rotary.heads < 1 || dims[2] % rotary.heads != 0))
    return node.invalid() << "has num_heads " << rotary.heads
                          << " for an input of " << shapeText(dims)
                          << ", expected a divisor of " << dims[2];
  if (flat)
    whole = {dims[0], dims[1], rotary.heads, dims[2] / rotary.heads};
  int64_t size = rotary.size == 0 ? whole[3] : rotary.size;
  int64_t length = flat ? dims[1] : dims[2];
  if (size < 2 || size > whole[3] || size % 2 != 0)
    return node.invalid() << "has a rotary_embedding_dim of " << size
                          << ", expected an even number from 2 to " << whole[3];
  if (failed(checkAngles(node, rotary, dims[0], length, size)))
    return failure();
  Dims angles = {shapeOf(rotary.cosine)[0], flat ? length : 1,
                 flat ? 1 : length, size / 2};
  Value cosine = emit.reshape(rotary.cosine, angles);
  angles[0] = shapeOf(rotary.sine)[0];
  Value sine = emit.reshape(rotary.sine, angles);
  Value x = emit.reshape(rotary.x, whole);
  Value y =
      turn(emit, emit.slice(x, 3, 0, size), cosine, sine, rotary.interleaved);
  if (size != whole[3])
    y = emit.concat({y, emit.slice(x, 3, size, whole[3] - size)}, 3);
  y = emit.reshape(y, dims);
  return orFailure(y);
}
