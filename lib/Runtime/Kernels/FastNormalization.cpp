//===- FastNormalization.cpp - batch norm by vector loops -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every channel is a row of `inner` neighbouring elements per sample. Sums run
// in kLanes independent float lanes per row and are added up in double, in a
// fixed order: fast, exact enough, and the same bits on every run.
//
//===----------------------------------------------------------------------===//

#include "Lanes.h"
#include "PreparedKernel.h"
#include <cmath>

using namespace llvm;

namespace takt {

namespace {

/// A tensor N,C,spatial… as rows of one channel.
struct ChannelRows {
  explicit ChannelRows(ArrayRef<int64_t> dims)
      : samples(dims[0]), channels(dims[1]) {
    for (int64_t d : dims.drop_front(2))
      inner *= d;
  }

  /// Calls f(offset of the row) for every row of channel `c`.
  template <typename F> void forEachRow(int64_t c, F &&f) const {
    for (int64_t n = 0; n < samples; ++n)
      f((n * channels + c) * inner);
  }

  double count() const { return double(samples) * inner; }

  int64_t samples, channels, inner = 1;
};

struct GradientMeans {
  float dy, dyXhat;
};

/// Means of dy and of dy * xhat over a channel.
GradientMeans gradientMeans(const ChannelRows &rows, int64_t c, const float *dy,
                            const float *x, float mean, float invStd) {
  double sumDy = 0, sumProduct = 0;
  rows.forEachRow(c, [&](int64_t at) {
    sumDy += laneSum(rows.inner, [&](int64_t i) { return dy[at + i]; });
    sumProduct += laneSum(
        rows.inner, [&](int64_t i) { return dy[at + i] * (x[at + i] - mean); });
  });
  return {float(sumDy / rows.count()),
          float(sumProduct * invStd / rows.count())};
}

/// One function, so that a result made again has the same bits.
void normalizeChannel(const ChannelRows &rows, int64_t c, const float *x,
                      float mean, float scale, float bias, float *y) {
  rows.forEachRow(c, [&](int64_t at) {
#pragma omp simd
    for (int64_t i = 0; i < rows.inner; ++i)
      y[at + i] = (x[at + i] - mean) * scale + bias;
  });
}

} // namespace

Error fastBatchNormApply(const KernelCall &call) {
  ChannelRows rows(call.inDims(0));
  for (int64_t c = 0; c < rows.channels; ++c) {
    float scale = call.in<float>(1)[c] * call.in<float>(4)[c];
    normalizeChannel(rows, c, call.in<float>(0), call.in<float>(3)[c], scale,
                     call.in<float>(2)[c], call.out<float>(0));
  }
  return Error::success();
}

Error fastBatchNorm(const KernelCall &call) {
  ChannelRows rows(call.inDims(0));
  float epsilon = call.floatWord(0), momentum = call.floatWord(1);
  const float *x = call.in<float>(0);
  float *y = call.out<float>(0);
  for (int64_t c = 0; c < rows.channels; ++c) {
    double sum = 0, squares = 0;
    rows.forEachRow(c, [&](int64_t at) {
      sum += laneSum(rows.inner, [&](int64_t i) { return x[at + i]; });
    });
    float mean = sum / rows.count();
    rows.forEachRow(c, [&](int64_t at) {
      squares += laneSum(rows.inner, [&](int64_t i) {
        return (x[at + i] - mean) * (x[at + i] - mean);
      });
    });
    double variance = squares / rows.count();
    float invStd = 1 / std::sqrt(variance + epsilon);
    float scale = call.in<float>(1)[c] * invStd, bias = call.in<float>(2)[c];
    normalizeChannel(rows, c, x, mean, scale, bias, y);
    call.out<float>(1)[c] = mean;
    call.out<float>(2)[c] = invStd;
    call.out<float>(3)[c] =
        call.in<float>(3)[c] * momentum + mean * (1 - momentum);
    call.out<float>(4)[c] =
        call.in<float>(4)[c] * momentum + variance * (1 - momentum);
  }
  return Error::success();
}

Error fastBatchNormDgrad(const KernelCall &call) {
  ChannelRows rows(call.inDims(0));
  const float *dy = call.in<float>(0), *x = call.in<float>(1);
  float *dx = call.out<float>(0);
  for (int64_t c = 0; c < rows.channels; ++c) {
    float mean = call.in<float>(3)[c], invStd = call.in<float>(4)[c];
    float scale = call.in<float>(2)[c] * invStd;
    GradientMeans means = gradientMeans(rows, c, dy, x, mean, invStd);
    float slope = means.dyXhat * invStd;
    rows.forEachRow(c, [&](int64_t at) {
#pragma omp simd
      for (int64_t i = 0; i < rows.inner; ++i)
        dx[at + i] =
            scale * (dy[at + i] - means.dy - (x[at + i] - mean) * slope);
    });
  }
  return Error::success();
}

Error fastBatchNormWgrad(const KernelCall &call) {
  ChannelRows rows(call.inDims(0));
  for (int64_t c = 0; c < rows.channels; ++c) {
    GradientMeans means =
        gradientMeans(rows, c, call.in<float>(0), call.in<float>(1),
                      call.in<float>(2)[c], call.in<float>(3)[c]);
    call.out<float>(0)[c] = means.dyXhat * rows.count();
    call.out<float>(1)[c] = means.dy * rows.count();
  }
  return Error::success();
}

} // namespace takt
