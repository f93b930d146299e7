//===- ReferenceNormalization.cpp - batch norm, response norm, softmax ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCall.h"
#include "LogSumExp.h"
#include "takt/Support/AxisView.h"
#include <algorithm>
#include <cmath>
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// Sums that both gradients of batch norm need.
struct GradientSums {
  double dy = 0, dyXhat = 0;
};

template <typename T>
GradientSums gradientSums(const AxisView &view, int64_t c, const T *dy,
                          const T *x, double mean, double invStd) {
  GradientSums sums;
  view.forEachOther(c, [&](int64_t i) {
    sums.dy += dy[i];
    sums.dyXhat += dy[i] * (x[i] - mean) * invStd;
  });
  return sums;
}

} // namespace

//===----------------------------------------------------------------------===//
// Batch normalization
//===----------------------------------------------------------------------===//

// ONNX opset 14 with training_mode = 1: y from the minibatch's mean and
// population variance, and
//   running = running * momentum + statistic of the minibatch * (1 - momentum)
// where the variance is the population variance too. (PyTorch puts the unbiased
// variance into its running_var.)
//
// y is of the statistics as they are stored, so that it can be made again.
template <typename T>
static void normalizeChannel(const AxisView &view, int64_t c, const T *x,
                             double mean, double invStd, double scale,
                             double bias, T *y) {
  view.forEachOther(
      c, [&](int64_t i) { y[i] = (x[i] - mean) * invStd * scale + bias; });
}

template <typename T> Error referenceBatchNorm(const KernelCall &call) {
  AxisView view(call.inDims(0), 1);
  double epsilon = call.floatWord(0), momentum = call.floatWord(1);
  const T *x = call.in<T>(0);
  T *y = call.out<T>(0);
  for (int64_t c = 0; c < view.extent; ++c) {
    double mean = 0, variance = 0;
    view.forEachOther(c, [&](int64_t i) { mean += x[i]; });
    mean /= view.others();
    view.forEachOther(
        c, [&](int64_t i) { variance += (x[i] - mean) * (x[i] - mean); });
    variance /= view.others();
    double invStd = 1 / std::sqrt(variance + epsilon);
    call.out<T>(1)[c] = mean;
    call.out<T>(2)[c] = invStd;
    normalizeChannel(view, c, x, call.out<T>(1)[c], call.out<T>(2)[c],
                     call.in<T>(1)[c], call.in<T>(2)[c], y);
    call.out<T>(3)[c] = call.in<T>(3)[c] * momentum + mean * (1 - momentum);
    call.out<T>(4)[c] = call.in<T>(4)[c] * momentum + variance * (1 - momentum);
  }
  return Error::success();
}

template <typename T> Error referenceBatchNormApply(const KernelCall &call) {
  AxisView view(call.inDims(0), 1);
  for (int64_t c = 0; c < view.extent; ++c)
    normalizeChannel(view, c, call.in<T>(0), call.in<T>(3)[c], call.in<T>(4)[c],
                     call.in<T>(1)[c], call.in<T>(2)[c], call.out<T>(0));
  return Error::success();
}

// With xhat = (x - mean) * inv_std and M elements per channel:
//   dx = scale * inv_std * (dy - sum(dy) / M - xhat * sum(dy * xhat) / M)
template <typename T> Error referenceBatchNormDgrad(const KernelCall &call) {
  AxisView view(call.inDims(0), 1);
  const T *dy = call.in<T>(0), *x = call.in<T>(1);
  T *dx = call.out<T>(0);
  for (int64_t c = 0; c < view.extent; ++c) {
    double scale = call.in<T>(2)[c], mean = call.in<T>(3)[c],
           invStd = call.in<T>(4)[c];
    GradientSums sums = gradientSums(view, c, dy, x, mean, invStd);
    double meanDy = sums.dy / view.others();
    double meanDyXhat = sums.dyXhat / view.others();
    view.forEachOther(c, [&](int64_t i) {
      double xhat = (x[i] - mean) * invStd;
      dx[i] = scale * invStd * (dy[i] - meanDy - xhat * meanDyXhat);
    });
  }
  return Error::success();
}

template <typename T> Error referenceBatchNormWgrad(const KernelCall &call) {
  AxisView view(call.inDims(0), 1);
  for (int64_t c = 0; c < view.extent; ++c) {
    GradientSums sums = gradientSums(view, c, call.in<T>(0), call.in<T>(1),
                                     call.in<T>(2)[c], call.in<T>(3)[c]);
    call.out<T>(0)[c] = sums.dyXhat;
    call.out<T>(1)[c] = sums.dy;
  }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Local response normalization
//===----------------------------------------------------------------------===//

namespace {

/// Local response normalization as ONNX defines it:
///   s[c] = bias + alpha / size * sum of x[i]^2 over the channels i from
///          c - floor((size - 1) / 2) to c + ceil((size - 1) / 2)
///   y[c] = x[c] * s[c]^-beta
struct ResponseNorm {
  explicit ResponseNorm(const KernelCall &call)
      : view(call.inDims(0), 1), before((call.words[0] - 1) / 2),
        after(call.words[0] / 2), scale(call.floatWord(1) / call.words[0]),
        beta(call.floatWord(2)), bias(call.floatWord(3)) {}

  /// s of every channel at one position; x are the channels there.
  void norms(const std::vector<double> &x, std::vector<double> &s) const {
    for (int64_t c = 0; c < view.extent; ++c) {
      double sum = 0;
      for (int64_t i = std::max<int64_t>(0, c - before),
                   e = std::min(view.extent - 1, c + after);
           i <= e; ++i)
        sum += x[i] * x[i];
      s[c] = bias + scale * sum;
    }
  }

  AxisView view;
  int64_t before, after;
  double scale, beta, bias;
};

} // namespace

template <typename T> Error referenceLrn(const KernelCall &call) {
  ResponseNorm norm(call);
  const AxisView &view = norm.view;
  std::vector<double> x(view.extent), s(view.extent);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < view.inner; ++i) {
      for (int64_t c = 0; c < view.extent; ++c)
        x[c] = call.in<T>(0)[view.at(o, c, i)];
      norm.norms(x, s);
      for (int64_t c = 0; c < view.extent; ++c)
        call.out<T>(0)[view.at(o, c, i)] = x[c] * std::pow(s[c], -norm.beta);
    }
  return Error::success();
}

// dx[j] = dy[j] * s[j]^-beta - 2 * alpha / size * beta * x[j] *
//         sum over the c whose windows hold j of dy[c] * x[c] * s[c]^(-beta-1)
template <typename T> Error referenceLrnDgrad(const KernelCall &call) {
  ResponseNorm norm(call);
  const AxisView &view = norm.view;
  std::vector<double> x(view.extent), s(view.extent), term(view.extent);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t i = 0; i < view.inner; ++i) {
      for (int64_t c = 0; c < view.extent; ++c)
        x[c] = call.in<T>(1)[view.at(o, c, i)];
      norm.norms(x, s);
      for (int64_t c = 0; c < view.extent; ++c)
        term[c] = call.in<T>(0)[view.at(o, c, i)] * x[c] *
                  std::pow(s[c], -norm.beta - 1);
      for (int64_t j = 0; j < view.extent; ++j) {
        double sum = 0;
        for (int64_t c = std::max<int64_t>(0, j - norm.after),
                     e = std::min(view.extent - 1, j + norm.before);
             c <= e; ++c)
          sum += term[c];
        call.out<T>(0)[view.at(o, j, i)] =
            call.in<T>(0)[view.at(o, j, i)] * std::pow(s[j], -norm.beta) -
            2 * norm.scale * norm.beta * x[j] * sum;
      }
    }
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

namespace {

/// Calls f(offset of the first element, stride, elements) for every line of the
/// tensor along the axis in word 0.
template <typename F> void forEachLine(const KernelCall &call, F &&f) {
  AxisView view(call.inDims(0), call.words[0]);
  view.forEachLine(
      [&](int64_t at, int64_t, int64_t) { f(at, view.inner, view.extent); });
}

/// Sum of f(i) over the n elements of a line.
template <typename F> double sumOf(int64_t n, F &&f) {
  double sum = 0;
  for (int64_t i = 0; i < n; ++i)
    sum += f(i);
  return sum;
}

} // namespace

template <typename T> Error referenceSoftmax(const KernelCall &call) {
  forEachLine(call, [&](int64_t at, int64_t stride, int64_t n) {
    const T *x = call.in<T>(0) + at;
    T *y = call.out<T>(0) + at;
    double norm = logSumExp(x, stride, n);
    for (int64_t i = 0; i < n; ++i)
      y[i * stride] = std::exp(x[i * stride] - norm);
  });
  return Error::success();
}

template <typename T> Error referenceLogSoftmax(const KernelCall &call) {
  forEachLine(call, [&](int64_t at, int64_t stride, int64_t n) {
    const T *x = call.in<T>(0) + at;
    T *y = call.out<T>(0) + at;
    double norm = logSumExp(x, stride, n);
    for (int64_t i = 0; i < n; ++i)
      y[i * stride] = x[i * stride] - norm;
  });
  return Error::success();
}

// dx = y * (dy - sum(dy * y))
template <typename T> Error referenceSoftmaxDgrad(const KernelCall &call) {
  forEachLine(call, [&](int64_t at, int64_t stride, int64_t n) {
    const T *dy = call.in<T>(0) + at, *y = call.in<T>(1) + at;
    double sum = sumOf(
        n, [&](int64_t i) { return double(dy[i * stride]) * y[i * stride]; });
    for (int64_t i = 0; i < n; ++i)
      call.out<T>(0)[at + i * stride] = y[i * stride] * (dy[i * stride] - sum);
  });
  return Error::success();
}

// dx = dy - exp(y) * sum(dy)
template <typename T> Error referenceLogSoftmaxDgrad(const KernelCall &call) {
  forEachLine(call, [&](int64_t at, int64_t stride, int64_t n) {
    const T *dy = call.in<T>(0) + at, *y = call.in<T>(1) + at;
    double sum = sumOf(n, [&](int64_t i) { return double(dy[i * stride]); });
    for (int64_t i = 0; i < n; ++i)
      call.out<T>(0)[at + i * stride] =
          dy[i * stride] - std::exp(double(y[i * stride])) * sum;
  });
  return Error::success();
}

// Over the axes from word 0 on: one row per place along the axes before.
template <typename T> Error referenceNormalize(const KernelCall &call) {
  double epsilon = call.floatWord(1);
  int64_t rows = call.results[1].elements();
  int64_t n = call.results[0].elements() / rows;
  for (int64_t row = 0; row < rows; ++row) {
    const T *x = call.in<T>(0) + row * n;
    T *y = call.out<T>(0) + row * n;
    double sum = 0, squares = 0;
    for (int64_t i = 0; i < n; ++i)
      sum += x[i];
    double mean = sum / n;
    for (int64_t i = 0; i < n; ++i)
      squares += (x[i] - mean) * (x[i] - mean);
    double invStd = 1 / std::sqrt(squares / n + epsilon);
    for (int64_t i = 0; i < n; ++i)
      y[i] = (x[i] - mean) * invStd;
    call.out<T>(1)[row] = invStd;
  }
  return Error::success();
}

template <typename T> Error referenceNormalizeDgrad(const KernelCall &call) {
  int64_t rows = call.operands[2].elements();
  int64_t n = call.results[0].elements() / rows;
  for (int64_t row = 0; row < rows; ++row) {
    const T *dy = call.in<T>(0) + row * n, *y = call.in<T>(1) + row * n;
    T *dx = call.out<T>(0) + row * n;
    double sum = 0, product = 0;
    for (int64_t i = 0; i < n; ++i) {
      sum += dy[i];
      product += double(dy[i]) * y[i];
    }
    double mean = sum / n, slope = product / n, invStd = call.in<T>(2)[row];
    for (int64_t i = 0; i < n; ++i)
      dx[i] = invStd * (dy[i] - mean - y[i] * slope);
  }
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(Normalize)
TAKT_INSTANTIATE_REFERENCE(NormalizeDgrad)
TAKT_INSTANTIATE_REFERENCE(BatchNorm)
TAKT_INSTANTIATE_REFERENCE(BatchNormApply)
TAKT_INSTANTIATE_REFERENCE(BatchNormDgrad)
TAKT_INSTANTIATE_REFERENCE(BatchNormWgrad)
TAKT_INSTANTIATE_REFERENCE(Lrn)
TAKT_INSTANTIATE_REFERENCE(LrnDgrad)
TAKT_INSTANTIATE_REFERENCE(Softmax)
TAKT_INSTANTIATE_REFERENCE(SoftmaxDgrad)
TAKT_INSTANTIATE_REFERENCE(LogSoftmax)
TAKT_INSTANTIATE_REFERENCE(LogSoftmaxDgrad)

} // namespace takt
