//===- VectorMath.h - functions of many numbers, internal ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// y[i] = f(x[i]) for i in [0, n), where y is x or apart from it: by glibc's
// vector library on hosts with AVX2, where errors are below four units in the
// last place, else by libm. A result depends on its argument alone, not on its
// place. NaN stays NaN.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_VECTORMATH_H
#define TAKT_LIB_RUNTIME_KERNELS_VECTORMATH_H

#include <cstdint>

namespace takt {

void vectorExp(const float *x, float *y, int64_t n);
void vectorTanh(const float *x, float *y, int64_t n);
void vectorErf(const float *x, float *y, int64_t n);

/// The same on a host that has AVX2, where TAKT_HAVE_LIBMVEC is defined.
namespace avx2 {
void exp(const float *x, float *y, int64_t n);
void tanh(const float *x, float *y, int64_t n);
void erf(const float *x, float *y, int64_t n);
} // namespace avx2

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_VECTORMATH_H
