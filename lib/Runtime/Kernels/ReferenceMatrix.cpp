//===- ReferenceMatrix.cpp - matrix products ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Matrix.h"

using namespace llvm;

namespace takt {

namespace {

/// y = alpha * a * b for one pair of matrices.
template <typename T>
void multiply(const MatrixProduct &p, double alpha, const T *a, const T *b,
              T *y) {
  for (int64_t i = 0; i < p.rows; ++i)
    for (int64_t j = 0; j < p.columns; ++j) {
      double sum = 0;
      for (int64_t k = 0; k < p.inner; ++k)
        sum += double(a[p.transA ? k * p.rows + i : i * p.inner + k]) *
               b[p.transB ? j * p.inner + k : k * p.columns + j];
      y[i * p.columns + j] = alpha * sum;
    }
}

} // namespace

// y = alpha * op(a) * op(b) + beta * c, where c is broadcast to y
template <typename T> Error referenceGemm(const KernelCall &call) {
  MatrixProduct p(call);
  multiply(p, call.floatWord(2), call.in<T>(0), call.in<T>(1), call.out<T>(0));
  if (call.operands.size() == 3)
    addBias<T>(call, call.floatWord(3));
  return Error::success();
}

template <typename T> Error referenceMatMul(const KernelCall &call) {
  MatrixProduct p(call);
  p.forEachPair(call, [&](int64_t a, int64_t b, int64_t y) {
    multiply(p, 1, call.in<T>(0) + a, call.in<T>(1) + b, call.out<T>(0) + y);
  });
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(Gemm)
TAKT_INSTANTIATE_REFERENCE(MatMul)

} // namespace takt
