//===- VectorMathAvx2.cpp - by glibc's vector library ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Compiled for AVX2, and called only where the host has it. No header with
// inline functions: the linker could take this file's for others.
//
//===----------------------------------------------------------------------===//

#include "VectorMath.h"
#include <immintrin.h>

// Names of the x86-64 vector function ABI: eight floats in, eight out.
extern "C" {
__m256 _ZGVdN8v_expf(__m256);
__m256 _ZGVdN8v_tanhf(__m256);
__m256 _ZGVdN8v_erff(__m256);
}

namespace takt::avx2 {

template <__m256 (*function)(__m256)>
static void apply(const float *x, float *y, int64_t n) {
  int64_t i = 0;
  for (; i + 8 <= n; i += 8)
    _mm256_storeu_ps(y + i, function(_mm256_loadu_ps(x + i)));
  if (i == n)
    return;
  float rest[8] = {};
  for (int64_t k = 0; i + k < n; ++k)
    rest[k] = x[i + k];
  _mm256_storeu_ps(rest, function(_mm256_loadu_ps(rest)));
  for (int64_t k = 0; i + k < n; ++k)
    y[i + k] = rest[k];
}

void exp(const float *x, float *y, int64_t n) { apply<_ZGVdN8v_expf>(x, y, n); }
void tanh(const float *x, float *y, int64_t n) {
  apply<_ZGVdN8v_tanhf>(x, y, n);
}
void erf(const float *x, float *y, int64_t n) { apply<_ZGVdN8v_erff>(x, y, n); }

} // namespace takt::avx2
