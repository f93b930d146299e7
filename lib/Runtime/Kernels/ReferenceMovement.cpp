//===- ReferenceMovement.cpp - kernels that move or sum elements ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Moves work on any element type, so they go by its size.
//
//===----------------------------------------------------------------------===//

#include "ElementwiseLoops.h"
#include <algorithm>
#include <cstring>

using namespace llvm;

namespace takt {

namespace {

/// A tensor's bytes seen as rows × row bytes, a row being everything from
/// `axis` inwards.
struct ByteRows {
  ByteRows(const TensorView &tensor, size_t axis)
      : data(static_cast<char *>(tensor.data)) {
    for (size_t i = 0; i < axis; ++i)
      rows *= tensor.dims[i];
    rowBytes = tensor.bytes() / rows;
  }

  char *data;
  int64_t rows = 1, rowBytes;
};

} // namespace

template <typename T> Error referenceReshape(const KernelCall &call) {
  const TensorView &x = call.operands[0], &y = call.results[0];
  if (x.data != y.data)
    std::memmove(y.data, x.data, y.bytes());
  return Error::success();
}

template <typename T> Error referenceConcat(const KernelCall &call) {
  ByteRows y(call.results[0], call.words[0]);
  int64_t column = 0;
  for (const TensorView &operand : call.operands) {
    ByteRows x(operand, call.words[0]);
    for (int64_t row = 0; row < x.rows; ++row)
      std::memmove(y.data + row * y.rowBytes + column,
                   x.data + row * x.rowBytes, x.rowBytes);
    column += x.rowBytes;
  }
  return Error::success();
}

template <typename T> Error referenceSlice(const KernelCall &call) {
  size_t axis = call.words[0];
  ByteRows x(call.operands[0], axis), y(call.results[0], axis);
  int64_t begin = x.rowBytes / call.inDims(0)[axis] * call.words[1];
  for (int64_t row = 0; row < x.rows; ++row)
    std::memmove(y.data + row * y.rowBytes, x.data + row * x.rowBytes + begin,
                 y.rowBytes);
  return Error::success();
}

template <typename T> Error referenceTranspose(const KernelCall &call) {
  Strides from = denseStrides(call.inDims(0)), permuted;
  for (uint32_t axis : call.words.drop_front())
    permuted.push_back(from[axis]);
  StridedLoop loop(call.outDims(0), {denseStrides(call.outDims(0)), permuted});
  return moveElements(call, loop);
}

TAKT_INSTANTIATE_REFERENCE(Reshape)
TAKT_INSTANTIATE_REFERENCE(Concat)
TAKT_INSTANTIATE_REFERENCE(Slice)
TAKT_INSTANTIATE_REFERENCE(Transpose)

} // namespace takt
