//===- VectorMath.cpp - functions of many numbers -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "VectorMath.h"
#include <cmath>

namespace takt {

#ifdef TAKT_HAVE_LIBMVEC
static bool hasAvx2() {
  static const bool has = __builtin_cpu_supports("avx2");
  return has;
}
#define TAKT_BY_AVX2(name)                                                     \
  if (hasAvx2())                                                               \
    return avx2::name(x, y, n);
#else
#define TAKT_BY_AVX2(name)
#endif

#define TAKT_VECTOR_FUNCTION(Name, name)                                       \
  void vector##Name(const float *x, float *y, int64_t n) {                     \
    TAKT_BY_AVX2(name)                                                         \
    for (int64_t i = 0; i < n; ++i)                                            \
      y[i] = std::name(x[i]);                                                  \
  }

TAKT_VECTOR_FUNCTION(Exp, exp)
TAKT_VECTOR_FUNCTION(Tanh, tanh)
TAKT_VECTOR_FUNCTION(Erf, erf)

} // namespace takt
