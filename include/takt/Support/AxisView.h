//===- AxisView.h - a tensor around one of its axes -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_AXISVIEW_H
#define TAKT_SUPPORT_AXISVIEW_H

#include "llvm/ADT/ArrayRef.h"
#include <cstdint>

namespace takt {

/// A tensor seen as outer × extent × inner around one axis. Tensors with the
/// same elements in the same order have the same lines along an axis each
/// exactly where all three are equal.
struct AxisView {
  AxisView(llvm::ArrayRef<int64_t> dims, size_t axis) : extent(dims[axis]) {
    for (int64_t dim : dims.take_front(axis))
      outer *= dim;
    for (int64_t dim : dims.drop_front(axis + 1))
      inner *= dim;
  }

  bool operator==(const AxisView &other) const {
    return outer == other.outer && extent == other.extent &&
           inner == other.inner;
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

} // namespace takt

#endif // TAKT_SUPPORT_AXISVIEW_H
