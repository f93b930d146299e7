//===- ReferenceMatrix.cpp - matrix products ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Lanes.h"
#include "Matrix.h"
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// y = alpha * a * b for one pair of matrices, along rows of b.
template <typename T>
void multiply(const MatrixProduct &p, double alpha, const T *a, const T *b,
              T *y) {
  std::vector<double> left(p.inner), sums(p.columns);
  for (int64_t i = 0; i < p.rows; ++i) {
    for (int64_t k = 0; k < p.inner; ++k)
      left[k] = a[p.transA ? k * p.rows + i : i * p.inner + k];
    sums.assign(p.columns, 0);
    if (p.transB)
      for (int64_t j = 0; j < p.columns; ++j)
        sums[j] = laneSum<double>(
            p.inner, [&](int64_t k) { return left[k] * b[j * p.inner + k]; });
    else
      for (int64_t k = 0; k < p.inner; ++k)
        for (int64_t j = 0; j < p.columns; ++j)
          sums[j] += left[k] * b[k * p.columns + j];
    for (int64_t j = 0; j < p.columns; ++j)
      y[i * p.columns + j] = alpha * sums[j];
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
