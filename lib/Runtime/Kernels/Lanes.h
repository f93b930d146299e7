//===- Lanes.h - reductions in lanes, internal -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reductions whose order is written down, so that they become vectors and yet
// have the same bits with every compiler.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_LANES_H
#define TAKT_LIB_RUNTIME_KERNELS_LANES_H

#include <algorithm>
#include <cstdint>

namespace takt {

constexpr int64_t kLanes = 16;

/// Sum of f(i) for i in [0, n); lanes are sums in `Lane`.
template <typename Lane = float, typename F> double laneSum(int64_t n, F &&f) {
  Lane lanes[kLanes] = {};
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t k = 0; k < kLanes; ++k)
      lanes[k] += f(i + k);
  double sum = 0;
  for (; i < n; ++i)
    sum += f(i);
  for (Lane lane : lanes)
    sum += lane;
  return sum;
}

/// The largest of n > 0 numbers; NaN only if the first of a lane is.
inline float laneMax(const float *x, int64_t n) {
  float lanes[kLanes];
  std::fill_n(lanes, kLanes, x[0]);
  int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes)
    for (int64_t k = 0; k < kLanes; ++k)
      lanes[k] = x[i + k] > lanes[k] ? x[i + k] : lanes[k];
  float most = *std::max_element(lanes, lanes + kLanes);
  return std::max(most, *std::max_element(x + std::min(i, n - 1), x + n));
}

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_LANES_H
