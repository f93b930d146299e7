//===- Matrix.h - the shape of matrix products, internal --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_MATRIX_H
#define TAKT_LIB_RUNTIME_KERNELS_MATRIX_H

#include "KernelCall.h"
#include "StridedLoop.h"

namespace takt {

/// The matrices of a gemm or matmul kernel: op(a) is rows × inner, op(b) is
/// inner × columns; op transposes when its flag is set.
struct MatrixProduct {
  explicit MatrixProduct(const KernelCall &call)
      : transA(call.words[0]), transB(call.words[1]),
        rows(call.outDims(0)[call.outDims(0).size() - 2]),
        columns(call.outDims(0).back()),
        inner(call.inDims(0)[call.inDims(0).size() - (transA ? 2 : 1)]) {}

  /// All of a batch as one product, for a product whose rows follow each other
  /// and share b.
  void mergeBatch(const KernelCall &call) {
    rows = call.results[0].elements() / columns;
    isMerged = true;
  }

  /// Calls f(offset of a, of b, of y) for every pair of matrices of a batch.
  template <typename F> void forEachPair(const KernelCall &call, F &&f) const {
    if (isMerged)
      return f(0, 0, 0);
    llvm::ArrayRef<int64_t> batch = call.outDims(0).drop_back(2);
    StridedLoop loop(batch,
                     {broadcastStrides(call.inDims(0).drop_back(2), batch),
                      broadcastStrides(call.inDims(1).drop_back(2), batch),
                      denseStrides(batch)});
    loop.forEachRow([&](llvm::ArrayRef<int64_t> at) {
      for (int64_t i = 0; i < loop.rowLength(); ++i)
        f((at[0] + i * loop.rowStride(0)) * rows * inner,
          (at[1] + i * loop.rowStride(1)) * inner * columns,
          (at[2] + i * loop.rowStride(2)) * rows * columns);
    });
  }

  bool transA, transB;
  int64_t rows, columns, inner;
  bool isMerged = false;
};

/// y += beta * c of a gemm, c broadcast to y.
template <typename T> void addBias(const KernelCall &call, T beta) {
  llvm::ArrayRef<int64_t> dims = call.outDims(0);
  StridedLoop loop(
      dims, {denseStrides(dims), broadcastStrides(call.inDims(2), dims)});
  int64_t n = loop.rowLength(), stride = loop.rowStride(1);
  loop.forEachRow([&](llvm::ArrayRef<int64_t> at) {
    T *y = call.out<T>(0) + at[0];
    const T *c = call.in<T>(2) + at[1];
    for (int64_t i = 0; i < n; ++i)
      y[i] += beta * c[i * stride];
  });
}

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_MATRIX_H
