//===- LogSumExp.h - log of a sum of exponentials, internal -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_LOGSUMEXP_H
#define TAKT_LIB_RUNTIME_KERNELS_LOGSUMEXP_H

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace takt {

/// log of the sum of exp(x) along a line, without overflow.
template <typename T> double logSumExp(const T *x, int64_t stride, int64_t n) {
  double most = x[0];
  for (int64_t i = 1; i < n; ++i)
    most = std::max<double>(most, x[i * stride]);
  double sum = 0;
  for (int64_t i = 0; i < n; ++i)
    sum += std::exp(x[i * stride] - most);
  return most + std::log(sum);
}

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_LOGSUMEXP_H
