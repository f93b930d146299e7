//===- FastPooling.cpp - pools by vector loops ----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Where the reference kernels go window by window, these go tap by tap: one tap
// of all windows of an output row is a loop without conditions. Every output
// still sees its taps in row-major order, so the results are the same.
//
//===----------------------------------------------------------------------===//

#include "Geometry.h"
#include "PreparedKernel.h"
#include <cmath>
#include <limits>
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// One tap of the windows [begin, end) of an output row: output `row + o` sees
/// input `origin + o * stride`.
struct RowTap {
  int64_t row, origin, begin, end;
};

/// Calls f(RowTap) for every output row and tap; of one row, in row-major order
/// of the taps.
template <typename F> void forEachRowTap(const Geometry &g, F &&f) {
  const WindowAxis &w = g.axes[2];
  auto forEachColumnTap = [&](int64_t row, int64_t inRow) {
    for (int64_t k = 0; k < w.kernel; ++k) {
      int64_t first = k * w.dilation - w.padBegin; // input of output 0
      int64_t begin = first >= 0 ? 0 : (w.stride - 1 - first) / w.stride;
      int64_t room = g.in[2] - first;
      int64_t end = room <= 0 ? 0 : (room + w.stride - 1) / w.stride;
      f(RowTap{row, inRow + first, begin, std::min(end, g.out[2])});
    }
  };
  for (int64_t o0 = 0; o0 < g.out[0]; ++o0)
    for (int64_t o1 = 0; o1 < g.out[1]; ++o1) {
      TapRange t0 = g.taps(0, o0), t1 = g.taps(1, o1);
      for (int64_t k0 = t0.begin; k0 < t0.end; ++k0)
        for (int64_t k1 = t1.begin; k1 < t1.end; ++k1) {
          int64_t i0 = g.axes[0].origin(o0) + k0 * g.axes[0].dilation;
          int64_t i1 = g.axes[1].origin(o1) + k1 * g.axes[1].dilation;
          forEachColumnTap((o0 * g.out[1] + o1) * g.out[2],
                           (i0 * g.in[1] + i1) * g.in[2]);
        }
    }
}

/// Whether `value` takes the place of `best` as a window's maximum: NaN counts
/// as the largest.
inline bool exceeds(float value, float best) {
  return (value > best) | ((value != value) & (best == best));
}

/// 1 / the number of elements that an average pool divides by at each output;
/// 0 where there are none.
std::vector<float> averageShares(const Geometry &g, bool includePad) {
  std::vector<float> shares;
  g.forEachOutput([&](auto &o, int64_t) {
    int64_t count = g.averageCount(o, includePad);
    shares.push_back(count == 0 ? 0.0 : 1.0 / count);
  });
  return shares;
}

} // namespace

Error fastMaxPool(const KernelCall &call) {
  Geometry g(call.inDims(0), call.outDims(0), maxPoolWindow(call.words));
  int64_t stride = g.axes[2].stride;
  for (int64_t p = 0, e = call.planes(); p < e; ++p) {
    const float *x = call.in<float>(0) + p * g.inSize();
    float *y = call.out<float>(0) + p * g.outSize();
    std::fill_n(y, g.outSize(), -std::numeric_limits<float>::infinity());
    forEachRowTap(g, [&](const RowTap &tap) {
#pragma omp simd
      for (int64_t o = tap.begin; o < tap.end; ++o) {
        float value = x[tap.origin + o * stride], best = y[tap.row + o];
        y[tap.row + o] = exceeds(value, best) ? value : best;
      }
    });
  }
  return Error::success();
}

Error fastMaxPoolDgrad(const KernelCall &call) {
  Geometry g(call.inDims(1), call.inDims(0), maxPoolWindow(call.words));
  int64_t stride = g.axes[2].stride;
  std::vector<float> best(g.outSize());
  std::vector<int32_t> winner(g.outSize());
  for (int64_t p = 0, e = call.planes(); p < e; ++p) {
    const float *dy = call.in<float>(0) + p * g.outSize();
    const float *x = call.in<float>(1) + p * g.inSize();
    float *dx = call.out<float>(0) + p * g.inSize();
    winner.assign(g.outSize(), -1);
    forEachRowTap(g, [&](const RowTap &tap) {
#pragma omp simd
      for (int64_t o = tap.begin; o < tap.end; ++o) {
        float value = x[tap.origin + o * stride], most = best[tap.row + o];
        int32_t from = tap.origin + o * stride, was = winner[tap.row + o];
        bool wins = was < 0 || exceeds(value, most);
        best[tap.row + o] = wins ? value : most;
        winner[tap.row + o] = wins ? from : was;
      }
    });
    std::fill_n(dx, g.inSize(), 0.0f);
    for (int64_t o = 0; o < g.outSize(); ++o)
      if (winner[o] >= 0)
        dx[winner[o]] += dy[o];
  }
  return Error::success();
}

Error fastAveragePool(const KernelCall &call) {
  Geometry g(call.inDims(0), call.outDims(0), averagePoolWindow(call.words));
  int64_t stride = g.axes[2].stride;
  std::vector<float> shares = averageShares(g, call.words[1]);
  for (int64_t p = 0, e = call.planes(); p < e; ++p) {
    const float *x = call.in<float>(0) + p * g.inSize();
    float *y = call.out<float>(0) + p * g.outSize();
    std::fill_n(y, g.outSize(), 0.0f);
    forEachRowTap(g, [&](const RowTap &tap) {
#pragma omp simd
      for (int64_t o = tap.begin; o < tap.end; ++o)
        y[tap.row + o] += x[tap.origin + o * stride];
    });
    for (int64_t o = 0; o < g.outSize(); ++o)
      y[o] *= shares[o];
  }
  return Error::success();
}

Error fastAveragePoolDgrad(const KernelCall &call) {
  Geometry g(call.outDims(0), call.inDims(0), averagePoolWindow(call.words));
  int64_t stride = g.axes[2].stride;
  std::vector<float> shares = averageShares(g, call.words[1]);
  for (int64_t p = 0, e = call.planes(); p < e; ++p) {
    const float *dy = call.in<float>(0) + p * g.outSize();
    float *dx = call.out<float>(0) + p * g.inSize();
    std::fill_n(dx, g.inSize(), 0.0f);
    forEachRowTap(g, [&](const RowTap &tap) {
#pragma omp simd
      for (int64_t o = tap.begin; o < tap.end; ++o)
        dx[tap.origin + o * stride] += dy[tap.row + o] * shares[tap.row + o];
    });
  }
  return Error::success();
}

} // namespace takt
