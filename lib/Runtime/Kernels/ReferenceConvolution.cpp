//===- ReferenceConvolution.cpp - convolution and its gradients -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Geometry.h"
#include "Lanes.h"
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// The shapes of a convolution, channels per group.
struct Convolution {
  Convolution(ArrayRef<uint32_t> words, ArrayRef<int64_t> x,
              ArrayRef<int64_t> w, ArrayRef<int64_t> y)
      : geometry(x, y, convWindow(words, w)), batch(x[0]), groups(words[1]),
        in(x[1] / groups), out(y[1] / groups), inSize(geometry.inSize()),
        outSize(geometry.outSize()), kernelSize(geometry.kernelSize()) {}

  /// Offsets of the plane of channel `c` of group `g`, and of the weights that
  /// lead from input channel `i` to output channel `o` of group `g`.
  int64_t inPlane(int64_t n, int64_t g, int64_t c) const {
    return ((n * groups + g) * in + c) * inSize;
  }
  int64_t outPlane(int64_t n, int64_t g, int64_t c) const {
    return ((n * groups + g) * out + c) * outSize;
  }
  int64_t weights(int64_t g, int64_t o, int64_t i) const {
    return ((g * out + o) * in + i) * kernelSize;
  }

  Geometry geometry;
  int64_t batch, groups, in, out;
  int64_t inSize, outSize, kernelSize;
};

} // namespace

// y[n, o] = b[o] + sum over i, taps of x[n, i, …] * w[o, i, tap]
template <typename T> Error referenceConv(const KernelCall &call) {
  Convolution c(call.words, call.inDims(0), call.inDims(1), call.outDims(0));
  const T *x = call.in<T>(0), *w = call.in<T>(1);
  const T *b = call.operands.size() == 3 ? call.in<T>(2) : nullptr;
  T *y = call.out<T>(0);
  int64_t stride = c.geometry.rowStride();
  std::vector<double> sums(c.outSize);
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t g = 0; g < c.groups; ++g)
      for (int64_t o = 0; o < c.out; ++o) {
        sums.assign(c.outSize, b ? b[g * c.out + o] : 0);
        for (int64_t i = 0; i < c.in; ++i) {
          const T *plane = x + c.inPlane(n, g, i);
          const T *taps = w + c.weights(g, o, i);
          c.geometry.forEachRow([&](int64_t input, int64_t output, int64_t tap,
                                    int64_t count) {
            for (int64_t k = 0; k < count; ++k)
              sums[output + k] += double(plane[input + k * stride]) * taps[tap];
          });
        }
        std::copy(sums.begin(), sums.end(), y + c.outPlane(n, g, o));
      }
  return Error::success();
}

// dx[n, i, …] = sum over o and the windows that see the element of dy * w
template <typename T> Error referenceConvDgrad(const KernelCall &call) {
  Convolution c(call.words, call.outDims(0), call.inDims(1), call.inDims(0));
  const T *dy = call.in<T>(0), *w = call.in<T>(1);
  T *dx = call.out<T>(0);
  int64_t stride = c.geometry.rowStride();
  std::vector<double> sums(c.inSize);
  for (int64_t n = 0; n < c.batch; ++n)
    for (int64_t g = 0; g < c.groups; ++g)
      for (int64_t i = 0; i < c.in; ++i) {
        sums.assign(c.inSize, 0);
        for (int64_t o = 0; o < c.out; ++o) {
          const T *plane = dy + c.outPlane(n, g, o);
          const T *taps = w + c.weights(g, o, i);
          c.geometry.forEachRow([&](int64_t input, int64_t output, int64_t tap,
                                    int64_t count) {
            for (int64_t k = 0; k < count; ++k)
              sums[input + k * stride] += double(plane[output + k]) * taps[tap];
          });
        }
        std::copy(sums.begin(), sums.end(), dx + c.inPlane(n, g, i));
      }
  return Error::success();
}

// dw[o, i, tap] = sum over n and output positions of x * dy
template <typename T> Error referenceConvWgrad(const KernelCall &call) {
  Convolution c(call.words, call.inDims(0), call.outDims(0), call.inDims(1));
  const T *x = call.in<T>(0), *dy = call.in<T>(1);
  T *dw = call.out<T>(0);
  int64_t stride = c.geometry.rowStride();
  std::vector<double> sums(c.kernelSize);
  for (int64_t g = 0; g < c.groups; ++g)
    for (int64_t o = 0; o < c.out; ++o)
      for (int64_t i = 0; i < c.in; ++i) {
        sums.assign(c.kernelSize, 0);
        for (int64_t n = 0; n < c.batch; ++n) {
          const T *from = x + c.inPlane(n, g, i);
          const T *to = dy + c.outPlane(n, g, o);
          c.geometry.forEachRow(
              [&](int64_t input, int64_t output, int64_t tap, int64_t count) {
                sums[tap] += laneSum<double>(count, [&](int64_t k) {
                  return double(from[input + k * stride]) * to[output + k];
                });
              });
        }
        std::copy(sums.begin(), sums.end(), dw + c.weights(g, o, i));
      }
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(Conv)
TAKT_INSTANTIATE_REFERENCE(ConvDgrad)
TAKT_INSTANTIATE_REFERENCE(ConvWgrad)

} // namespace takt
