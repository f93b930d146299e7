//===- Geometry.h - sliding windows in up to three dimensions ---*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_GEOMETRY_H
#define TAKT_LIB_RUNTIME_KERNELS_GEOMETRY_H

#include "KernelCall.h"
#include "takt/Target/Window.h"
#include <algorithm>
#include <array>

namespace takt {

/// A range of window taps, [begin, end), that fall on existing inputs.
struct TapRange {
  int64_t begin, end;
};

/// Input, output and window in three spatial axes; kernels with fewer have
/// leading axes of extent one.
struct Geometry {
  std::array<int64_t, 3> in = {1, 1, 1}, out = {1, 1, 1};
  std::array<WindowAxis, 3> axes = {WindowAxis{1, 1, 0, 0, 1},
                                    WindowAxis{1, 1, 0, 0, 1},
                                    WindowAxis{1, 1, 0, 0, 1}};

  /// From the shapes of x and y, of which the first two axes are skipped.
  Geometry(llvm::ArrayRef<int64_t> x, llvm::ArrayRef<int64_t> y,
           const Window &window) {
    size_t skip = 3 - window.size();
    for (size_t i = 0; i < window.size(); ++i) {
      in[skip + i] = x[2 + i];
      out[skip + i] = y[2 + i];
      axes[skip + i] = window[i];
    }
  }

  int64_t inSize() const { return in[0] * in[1] * in[2]; }
  int64_t outSize() const { return out[0] * out[1] * out[2]; }
  int64_t kernelSize() const {
    return axes[0].kernel * axes[1].kernel * axes[2].kernel;
  }

  /// The taps of the window of output position `o` along `axis` that exist.
  TapRange taps(size_t axis, int64_t o) const {
    const WindowAxis &w = axes[axis];
    int64_t origin = w.origin(o);
    int64_t begin = origin < 0 ? (w.dilation - 1 - origin) / w.dilation : 0;
    int64_t room = in[axis] - origin;
    int64_t end = room <= 0 ? 0 : (room + w.dilation - 1) / w.dilation;
    end = std::min(end, w.kernel);
    return {std::min(begin, end), end};
  }

  /// The outputs along `axis` whose tap `t` falls on an existing input.
  TapRange outputs(size_t axis, int64_t t) const {
    const WindowAxis &w = axes[axis];
    int64_t before = w.padBegin - t * w.dilation; // of the input's begin
    auto firstFrom = [&](int64_t position) {
      int64_t distance = position + before;
      return distance <= 0 ? 0 : (distance + w.stride - 1) / w.stride;
    };
    int64_t end = std::min(out[axis], firstFrom(in[axis]));
    return {std::min(firstFrom(0), end), end};
  }

  /// Calls f(input, output, tap, count) for every row of outputs that have a
  /// tap in common, by taps, then rows, all in row-major order: `count` outputs
  /// from `output` on have that tap at `input` and from there rowStride()
  /// apart.
  template <typename F> void forEachRow(F &&f) const {
    int64_t tap = 0;
    for (int64_t k0 = 0; k0 < axes[0].kernel; ++k0)
      for (int64_t k1 = 0; k1 < axes[1].kernel; ++k1)
        for (int64_t k2 = 0; k2 < axes[2].kernel; ++k2, ++tap) {
          TapRange o0 = outputs(0, k0), o1 = outputs(1, k1),
                   o2 = outputs(2, k2);
          if (o2.begin == o2.end)
            continue;
          int64_t i2 = axes[2].origin(o2.begin) + k2 * axes[2].dilation;
          for (int64_t a = o0.begin; a < o0.end; ++a) {
            int64_t i0 = axes[0].origin(a) + k0 * axes[0].dilation;
            for (int64_t b = o1.begin; b < o1.end; ++b) {
              int64_t i1 = axes[1].origin(b) + k1 * axes[1].dilation;
              f((i0 * in[1] + i1) * in[2] + i2,
                (a * out[1] + b) * out[2] + o2.begin, tap, o2.end - o2.begin);
            }
          }
        }
  }
  int64_t rowStride() const { return axes[2].stride; }

  /// By what an average pool divides at output position `o`: the taps on
  /// elements, or also those on padding. A window may hang over the padded
  /// input's end; what lies beyond that is never counted.
  int64_t averageCount(const std::array<int64_t, 3> &o, bool includePad) const {
    int64_t count = 1;
    for (size_t axis = 0; axis < 3; ++axis) {
      const WindowAxis &w = axes[axis];
      TapRange range = taps(axis, o[axis]);
      int64_t padded = in[axis] + w.padEnd - w.origin(o[axis]);
      int64_t taps = (padded + w.dilation - 1) / w.dilation;
      count *= includePad ? std::min(w.kernel, taps) : range.end - range.begin;
    }
    return count;
  }

  /// Calls f(o, output) for every output position in row-major order: `o` are
  /// the coordinates, `output` counts.
  template <typename F> void forEachOutput(F &&f) const {
    std::array<int64_t, 3> o;
    int64_t output = 0;
    for (o[0] = 0; o[0] < out[0]; ++o[0])
      for (o[1] = 0; o[1] < out[1]; ++o[1])
        for (o[2] = 0; o[2] < out[2]; ++o[2])
          f(o, output++);
  }

  /// Calls f(input, tap) for every existing tap of the window at `o` in
  /// row-major order; both count positions in their box.
  template <typename F>
  void forEachTap(const std::array<int64_t, 3> &o, F &&f) const {
    TapRange t0 = taps(0, o[0]), t1 = taps(1, o[1]), t2 = taps(2, o[2]);
    for (int64_t k0 = t0.begin; k0 < t0.end; ++k0) {
      int64_t i0 = axes[0].origin(o[0]) + k0 * axes[0].dilation;
      for (int64_t k1 = t1.begin; k1 < t1.end; ++k1) {
        int64_t i1 = axes[1].origin(o[1]) + k1 * axes[1].dilation;
        int64_t row = (i0 * in[1] + i1) * in[2] + axes[2].origin(o[2]);
        int64_t tap = (k0 * axes[1].kernel + k1) * axes[2].kernel;
        for (int64_t k2 = t2.begin; k2 < t2.end; ++k2)
          f(row + k2 * axes[2].dilation, tap + k2);
      }
    }
  }
};

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_GEOMETRY_H
