//===- AxisView.h - a tensor around one of its axes, internal ---*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_AXISVIEW_H
#define TAKT_LIB_RUNTIME_KERNELS_AXISVIEW_H

#include "llvm/ADT/ArrayRef.h"
#include <algorithm>
#include <cmath>
#include <cstdint>

namespace takt {

/// A tensor seen as outer × extent × inner around one axis.
struct AxisView {
  AxisView(llvm::ArrayRef<int64_t> dims, size_t axis) : extent(dims[axis]) {
    for (int64_t dim : dims.take_front(axis))
      outer *= dim;
    for (int64_t dim : dims.drop_front(axis + 1))
      inner *= dim;
  }

  int64_t at(int64_t o, int64_t c, int64_t i) const {
    return (o * extent + c) * inner + i;
  }
  /// Elements that share a position on the axis.
  int64_t others() const { return outer * inner; }

  /// Calls f(offset) for every element at position `c` of the axis.
  template <typename F> void forEachOther(int64_t c, F &&f) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        f(at(o, c, i));
  }

  /// Calls f(offset of the first element, o, i) for every line along the axis,
  /// whose elements are `inner` apart.
  template <typename F> void forEachLine(F &&f) const {
    for (int64_t o = 0; o < outer; ++o)
      for (int64_t i = 0; i < inner; ++i)
        f(at(o, 0, i), o, i);
  }

  int64_t outer = 1, extent, inner = 1;
};

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

#endif // TAKT_LIB_RUNTIME_KERNELS_AXISVIEW_H
