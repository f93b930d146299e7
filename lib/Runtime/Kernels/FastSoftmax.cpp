//===- FastSoftmax.cpp - softmax, its logarithm and its loss --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Labels.h"
#include "Lanes.h"
#include "PreparedKernel.h"
#include "VectorMath.h"
#include "takt/Support/AxisView.h"
#include <cmath>
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// Lines along the axis of word 0. One whose elements are apart is worked on in
/// a copy, of which every tensor has its own.
class Lines {
public:
  explicit Lines(const KernelCall &call)
      : view(call.inDims(0), call.words[0]),
        copies(view.inner == 1 ? 0 : 3 * view.extent) {}

  int64_t length() const { return view.extent; }
  int64_t count() const { return view.others(); }

  /// Calls f(first) with the place of the first element of every line.
  template <typename F> void forEach(F f) const {
    view.forEachLine([&](int64_t first, int64_t, int64_t) { f(first); });
  }

  /// The line of tensor `which` (0 to 2) that begins at `x`.
  const float *read(int which, const float *x) {
    if (view.inner == 1)
      return x;
    float *copy = copies.data() + which * view.extent;
    for (int64_t i = 0; i < view.extent; ++i)
      copy[i] = x[i * view.inner];
    return copy;
  }
  float *begin(int which, float *y) {
    return view.inner == 1 ? y : copies.data() + which * view.extent;
  }
  void end(const float *line, float *y) const {
    if (line != y)
      for (int64_t i = 0; i < view.extent; ++i)
        y[i * view.inner] = line[i];
  }

private:
  AxisView view;
  std::vector<float> copies;
};

/// e[i] = exp(x[i] - most), 0 where that is less than any normal number, as
/// where x is masked: these would be slow. Returns their sum. e may be x.
double exponentials(const float *x, float *e, int64_t n, float most) {
  constexpr float kLeast = -87;
#pragma omp simd
  for (int64_t i = 0; i < n; ++i) {
    float t = x[i] - most;
    e[i] = t < kLeast ? kLeast : t;
  }
  vectorExp(e, e, n);
  // The smallest is exp(kLeast), and NaN is not smaller.
  static const float least = [] {
    float t = kLeast;
    vectorExp(&t, &t, 1);
    return t;
  }();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i)
    e[i] = e[i] <= least ? 0 : e[i];
  return laneSum(n, [=](int64_t i) { return e[i]; });
}

} // namespace

Error fastSoftmax(const KernelCall &call) {
  Lines lines(call);
  int64_t n = lines.length();
  lines.forEach([&](int64_t first) {
    const float *x = lines.read(0, call.in<float>(0) + first);
    float *y = lines.begin(1, call.out<float>(0) + first);
    float factor = 1 / exponentials(x, y, n, laneMax(x, n));
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      y[i] *= factor;
    lines.end(y, call.out<float>(0) + first);
  });
  return Error::success();
}

// dx = y * (dy - sum(dy * y))
Error fastSoftmaxDgrad(const KernelCall &call) {
  Lines lines(call);
  int64_t n = lines.length();
  lines.forEach([&](int64_t first) {
    const float *dy = lines.read(0, call.in<float>(0) + first);
    const float *y = lines.read(1, call.in<float>(1) + first);
    float *dx = lines.begin(2, call.out<float>(0) + first);
    float sum = laneSum(n, [=](int64_t i) { return dy[i] * y[i]; });
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      dx[i] = y[i] * (dy[i] - sum);
    lines.end(dx, call.out<float>(0) + first);
  });
  return Error::success();
}

Error fastLogSoftmax(const KernelCall &call) {
  Lines lines(call);
  int64_t n = lines.length();
  std::vector<float> e(n);
  lines.forEach([&](int64_t first) {
    const float *x = lines.read(0, call.in<float>(0) + first);
    float *y = lines.begin(1, call.out<float>(0) + first);
    float most = laneMax(x, n);
    float logarithm = std::log(exponentials(x, e.data(), n, most));
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      y[i] = (x[i] - most) - logarithm;
    lines.end(y, call.out<float>(0) + first);
  });
  return Error::success();
}

// dx = dy - exp(y) * sum(dy)
Error fastLogSoftmaxDgrad(const KernelCall &call) {
  Lines lines(call);
  int64_t n = lines.length();
  std::vector<float> e(n);
  lines.forEach([&](int64_t first) {
    const float *dy = lines.read(0, call.in<float>(0) + first);
    const float *y = lines.read(1, call.in<float>(1) + first);
    float *dx = lines.begin(2, call.out<float>(0) + first);
    float sum = laneSum(n, [=](int64_t i) { return dy[i]; });
    exponentials(y, e.data(), n, 0);
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      dx[i] = dy[i] - e[i] * sum;
    lines.end(dx, call.out<float>(0) + first);
  });
  return Error::success();
}

// loss = mean over all labels of log(sum over c of exp(x[c])) - x[label]
// dx = (softmax(x) - one_hot(label)) / number of labels
Error fastSoftmaxCrossEntropy(const KernelCall &call) {
  Lines lines(call);
  int64_t n = lines.length(), line = 0;
  Expected<std::vector<int64_t>> labels = readLabels(call, n);
  if (!labels)
    return labels.takeError();
  double loss = 0;
  lines.forEach([&](int64_t first) {
    const float *x = lines.read(0, call.in<float>(0) + first);
    float *dx = lines.begin(1, call.out<float>(1) + first);
    int64_t label = (*labels)[line++];
    float most = laneMax(x, n);
    // Before dx, which may be x.
    double score = double(x[label]) - most;
    double sum = exponentials(x, dx, n, most);
    loss += std::log(sum) - score;
    float factor = 1 / (sum * lines.count());
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      dx[i] *= factor;
    dx[label] = (std::exp(score) / sum - 1) / lines.count();
    lines.end(dx, call.out<float>(1) + first);
  });
  call.out<float>(0)[0] = loss / lines.count();
  return Error::success();
}

} // namespace takt
