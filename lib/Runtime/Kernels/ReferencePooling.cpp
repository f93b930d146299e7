//===- ReferencePooling.cpp - pools and their gradients -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "Geometry.h"
#include <cmath>
#include <limits>

using namespace llvm;

namespace takt {

namespace {

/// Position of the first largest element that the window sees, in row-major
/// order; NaN counts as the largest. -1 when the window sees none, which a
/// dilation wider than the input allows.
template <typename T>
int64_t firstMaximum(const Geometry &g, const std::array<int64_t, 3> &o,
                     const T *plane) {
  int64_t best = -1;
  g.forEachTap(o, [&](int64_t input, int64_t) {
    if (best < 0 || arithmetic::isLarger(plane[input], plane[best]))
      best = input;
  });
  return best;
}

} // namespace

template <typename T> Error referenceMaxPool(const KernelCall &call) {
  Geometry g(call.inDims(0), call.outDims(0), maxPoolWindow(call.words));
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    using Limits = std::numeric_limits<Element>;
    Element none = Limits::has_infinity ? -Limits::infinity() : Limits::min();
    for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
      const Element *x = call.in<Element>(0) + plane * g.inSize();
      Element *y = call.out<Element>(0) + plane * g.outSize();
      g.forEachOutput([&](auto &o, int64_t output) {
        int64_t best = firstMaximum(g, o, x);
        y[output] = best < 0 ? none : x[best];
      });
    }
    return Error::success();
  });
}

template <typename T> Error referenceMaxPoolDgrad(const KernelCall &call) {
  Geometry g(call.inDims(1), call.inDims(0), maxPoolWindow(call.words));
  for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
    const T *dy = call.in<T>(0) + plane * g.outSize();
    const T *x = call.in<T>(1) + plane * g.inSize();
    T *dx = call.out<T>(0) + plane * g.inSize();
    std::fill_n(dx, g.inSize(), T(0));
    g.forEachOutput([&](auto &o, int64_t output) {
      int64_t best = firstMaximum(g, o, x);
      if (best >= 0)
        dx[best] += dy[output];
    });
  }
  return Error::success();
}

template <typename T> Error referenceMaxPoolIndices(const KernelCall &call) {
  Geometry g(call.inDims(0), call.outDims(0), averagePoolWindow(call.words));
  bool columnMajor = call.words[1];
  auto position = [&](int64_t rowMajor) {
    if (!columnMajor)
      return rowMajor;
    int64_t i2 = rowMajor % g.in[2], rest = rowMajor / g.in[2];
    return (i2 * g.in[1] + rest % g.in[1]) * g.in[0] + rest / g.in[1];
  };
  return withElementType(call.operands[0].type, [&](auto zero) {
    using Element = decltype(zero);
    for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
      int64_t first = plane * g.inSize();
      const Element *x = call.in<Element>(0) + first;
      int64_t *indices = call.out<int64_t>(0) + plane * g.outSize();
      g.forEachOutput([&](auto &o, int64_t output) {
        int64_t best = firstMaximum(g, o, x);
        indices[output] = best < 0 ? -1 : first + position(best);
      });
    }
    return Error::success();
  });
}

template <typename T> Error referenceAveragePool(const KernelCall &call) {
  Geometry g(call.inDims(0), call.outDims(0), averagePoolWindow(call.words));
  for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
    const T *x = call.in<T>(0) + plane * g.inSize();
    T *y = call.out<T>(0) + plane * g.outSize();
    g.forEachOutput([&](auto &o, int64_t output) {
      double sum = 0;
      g.forEachTap(o, [&](int64_t input, int64_t) { sum += x[input]; });
      int64_t count = g.averageCount(o, call.words[1]);
      y[output] = count == 0 ? 0 : sum / count;
    });
  }
  return Error::success();
}

template <typename T> Error referenceAveragePoolDgrad(const KernelCall &call) {
  Geometry g(call.outDims(0), call.inDims(0), averagePoolWindow(call.words));
  for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
    const T *dy = call.in<T>(0) + plane * g.outSize();
    T *dx = call.out<T>(0) + plane * g.inSize();
    std::fill_n(dx, g.inSize(), T(0));
    g.forEachOutput([&](auto &o, int64_t output) {
      T share = dy[output] / g.averageCount(o, call.words[1]);
      g.forEachTap(o, [&](int64_t input, int64_t) { dx[input] += share; });
    });
  }
  return Error::success();
}

template <typename T> Error referenceLpPool(const KernelCall &call) {
  Geometry g(call.inDims(0), call.outDims(0), averagePoolWindow(call.words));
  double p = call.floatWord(1);
  for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
    const T *x = call.in<T>(0) + plane * g.inSize();
    T *y = call.out<T>(0) + plane * g.outSize();
    g.forEachOutput([&](auto &o, int64_t output) {
      double sum = 0;
      g.forEachTap(o, [&](int64_t input, int64_t) {
        sum += std::pow(std::abs(double(x[input])), p);
      });
      y[output] = std::pow(sum, 1 / p);
    });
  }
  return Error::success();
}

template <typename T> Error referenceLpPoolDgrad(const KernelCall &call) {
  Geometry g(call.inDims(1), call.inDims(0), averagePoolWindow(call.words));
  double p = call.floatWord(1);
  for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
    const T *dy = call.in<T>(0) + plane * g.outSize();
    const T *x = call.in<T>(1) + plane * g.inSize();
    const T *y = call.in<T>(2) + plane * g.outSize();
    T *dx = call.out<T>(0) + plane * g.inSize();
    std::fill_n(dx, g.inSize(), T(0));
    g.forEachOutput([&](auto &o, int64_t output) {
      if (y[output] <= 0)
        return;
      g.forEachTap(o, [&](int64_t input, int64_t) {
        double share = std::abs(double(x[input])) / y[output];
        double slope = x[input] == 0 ? 0 : std::pow(share, p - 1);
        dx[input] += dy[output] * std::copysign(slope, double(x[input]));
      });
    });
  }
  return Error::success();
}

template <typename T> Error referenceGlobalAveragePool(const KernelCall &call) {
  int64_t size = call.operands[0].elements() / call.results[0].elements();
  for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
    const T *x = call.in<T>(0) + plane * size;
    double sum = 0;
    for (int64_t i = 0; i < size; ++i)
      sum += x[i];
    call.out<T>(0)[plane] = sum / size;
  }
  return Error::success();
}

template <typename T>
Error referenceGlobalAveragePoolDgrad(const KernelCall &call) {
  int64_t size = call.results[0].elements() / call.operands[0].elements();
  for (int64_t plane = 0, e = call.planes(); plane < e; ++plane) {
    T share = call.in<T>(0)[plane] / size;
    std::fill_n(call.out<T>(0) + plane * size, size, share);
  }
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(MaxPool)
TAKT_INSTANTIATE_REFERENCE(MaxPoolDgrad)
TAKT_INSTANTIATE_REFERENCE(MaxPoolIndices)
TAKT_INSTANTIATE_REFERENCE(AveragePool)
TAKT_INSTANTIATE_REFERENCE(AveragePoolDgrad)
TAKT_INSTANTIATE_REFERENCE(LpPool)
TAKT_INSTANTIATE_REFERENCE(LpPoolDgrad)
TAKT_INSTANTIATE_REFERENCE(GlobalAveragePool)
TAKT_INSTANTIATE_REFERENCE(GlobalAveragePoolDgrad)

} // namespace takt
