//===- FastFunctions.cpp - functions of a block of elements at a time -----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Functions of Functions.h whose exponentials take the time, in f32. `value`
// and `slope` work on up to kBlock elements; y may be x.
//
//===----------------------------------------------------------------------===//

#include "Functions.h"
#include "PreparedKernel.h"
#include "VectorMath.h"
#include <algorithm>

using namespace llvm;

namespace takt {

namespace {

constexpr int64_t kBlock = 512;

using Coefficients = functions::Coefficients<float>;

/// y[i] = f(i) for a block.
template <typename F> void fill(float *y, int64_t n, F f) {
#pragma omp simd
  for (int64_t i = 0; i < n; ++i)
    y[i] = f(i);
}

/// s = sigmoid(alpha x), s apart from x.
void fillSigmoid(const float *x, float *s, int64_t n, float alpha) {
  fill(s, n, [&](int64_t i) { return -alpha * x[i]; });
  vectorExp(s, s, n);
  fill(s, n, [&](int64_t i) { return 1 / (1 + s[i]); });
}

struct FastExp {
  static void value(const float *x, float *y, int64_t n, Coefficients) {
    vectorExp(x, y, n);
  }
  static constexpr auto slope = value;
};

struct FastTanh {
  static void value(const float *x, float *y, int64_t n, Coefficients) {
    vectorTanh(x, y, n);
  }
};

struct FastSigmoid {
  static void value(const float *x, float *y, int64_t n, Coefficients) {
    float s[kBlock];
    fillSigmoid(x, s, n, 1);
    std::copy_n(s, n, y);
  }
};

struct FastErf {
  static void value(const float *x, float *y, int64_t n, Coefficients) {
    vectorErf(x, y, n);
  }
  static void slope(const float *x, float *y, int64_t n, Coefficients) {
    fill(y, n, [&](int64_t i) { return -x[i] * x[i]; });
    vectorExp(y, y, n);
    fill(y, n, [&](int64_t i) { return float(M_2_SQRTPI) * y[i]; });
  }
};

struct FastGelu {
  /// Of the normal distribution; p apart from x.
  static void fillDistribution(const float *x, float *p, int64_t n) {
    fill(p, n, [&](int64_t i) { return x[i] * float(M_SQRT1_2); });
    vectorErf(p, p, n);
    fill(p, n, [&](int64_t i) { return (1 + p[i]) / 2; });
  }
  static void value(const float *x, float *y, int64_t n, Coefficients) {
    float p[kBlock];
    fillDistribution(x, p, n);
    fill(y, n, [&](int64_t i) { return x[i] * p[i]; });
  }
  static void slope(const float *x, float *y, int64_t n, Coefficients) {
    float p[kBlock], e[kBlock];
    fillDistribution(x, p, n);
    fill(e, n, [&](int64_t i) { return -x[i] * x[i] / 2; });
    vectorExp(e, e, n);
    constexpr float kScale = M_2_SQRTPI * M_SQRT1_2 / 2;
    fill(y, n, [&](int64_t i) { return p[i] + x[i] * (kScale * e[i]); });
  }
};

struct FastGeluTanh {
  static constexpr float kScale = functions::GeluTanh<float>::kScale;
  static constexpr float kCube = functions::GeluTanh<float>::kCube;

  static void fillTanh(const float *x, float *t, int64_t n) {
    fill(t, n, [&](int64_t i) {
      return kScale * (x[i] + kCube * x[i] * x[i] * x[i]);
    });
    vectorTanh(t, t, n);
  }
  static void value(const float *x, float *y, int64_t n, Coefficients) {
    float t[kBlock];
    fillTanh(x, t, n);
    fill(y, n, [&](int64_t i) { return x[i] * (1 + t[i]) / 2; });
  }
  static void slope(const float *x, float *y, int64_t n, Coefficients) {
    float t[kBlock];
    fillTanh(x, t, n);
    fill(y, n, [&](int64_t i) {
      return (1 + t[i] +
              x[i] * (1 - t[i] * t[i]) * kScale *
                  (1 + 3 * kCube * x[i] * x[i])) /
             2;
    });
  }
};

struct FastSwish {
  static void value(const float *x, float *y, int64_t n, Coefficients c) {
    float s[kBlock];
    fillSigmoid(x, s, n, c.alpha);
    fill(y, n, [&](int64_t i) { return x[i] * s[i]; });
  }
  static void slope(const float *x, float *y, int64_t n, Coefficients c) {
    float s[kBlock];
    fillSigmoid(x, s, n, c.alpha);
    fill(y, n,
         [&](int64_t i) { return s[i] + c.alpha * x[i] * s[i] * (1 - s[i]); });
  }
};

/// To the powers that have no need of logarithms.
struct FastPower {
  static bool takes(float alpha) { return alpha == 2 || alpha == 3; }
  static void value(const float *x, float *y, int64_t n, Coefficients c) {
    if (c.alpha == 2)
      fill(y, n, [&](int64_t i) { return x[i] * x[i]; });
    else
      fill(y, n, [&](int64_t i) { return x[i] * x[i] * x[i]; });
  }
  static void slope(const float *x, float *y, int64_t n, Coefficients c) {
    if (c.alpha == 2)
      fill(y, n, [&](int64_t i) { return 2 * x[i]; });
    else
      fill(y, n, [&](int64_t i) { return 3 * (x[i] * x[i]); });
  }
};

//===----------------------------------------------------------------------===//
// Kernels
//===----------------------------------------------------------------------===//

template <typename F> class ValueKernel : public PreparedKernel {
public:
  explicit ValueKernel(Coefficients words = {}) : words(words) {}
  Error run(const KernelCall &call, Workspace &) override {
    const float *x = call.in<float>(0);
    float *y = call.out<float>(0);
    int64_t n = call.results[0].elements();
    for (int64_t at = 0; at < n; at += kBlock)
      F::value(x + at, y + at, std::min(kBlock, n - at), words);
    return Error::success();
  }

private:
  Coefficients words;
};

/// dx = dy times the slope at x.
template <typename F> class SlopeKernel : public PreparedKernel {
public:
  explicit SlopeKernel(Coefficients words) : words(words) {}
  Error run(const KernelCall &call, Workspace &) override {
    const float *dy = call.in<float>(0), *x = call.in<float>(1);
    float *dx = call.out<float>(0);
    int64_t n = call.results[0].elements();
    for (int64_t at = 0; at < n; at += kBlock) {
      int64_t size = std::min(kBlock, n - at);
      float slope[kBlock];
      F::slope(x + at, slope, size, words);
      fill(dx + at, size, [&](int64_t i) { return dy[at + i] * slope[i]; });
    }
    return Error::success();
  }

private:
  Coefficients words;
};

template <template <typename> class Kernel>
std::unique_ptr<PreparedKernel> prepareFunction(const KernelCall &call) {
  Coefficients words = {call.floatWord(1), call.floatWord(2)};
  switch (static_cast<UnaryFunction>(call.words[0])) {
  case UnaryFunction::Exp:
    return std::make_unique<Kernel<FastExp>>(words);
  case UnaryFunction::Erf:
    return std::make_unique<Kernel<FastErf>>(words);
  case UnaryFunction::Gelu:
    return std::make_unique<Kernel<FastGelu>>(words);
  case UnaryFunction::GeluTanh:
    return std::make_unique<Kernel<FastGeluTanh>>(words);
  case UnaryFunction::Swish:
    return std::make_unique<Kernel<FastSwish>>(words);
  case UnaryFunction::Power:
    if (FastPower::takes(words.alpha))
      return std::make_unique<Kernel<FastPower>>(words);
    return nullptr;
  default:
    return nullptr;
  }
}

} // namespace

std::unique_ptr<PreparedKernel> prepareUnary(const KernelCall &call) {
  return prepareFunction<ValueKernel>(call);
}

std::unique_ptr<PreparedKernel> prepareUnaryDgrad(const KernelCall &call) {
  return prepareFunction<SlopeKernel>(call);
}

std::unique_ptr<PreparedKernel> prepareSigmoid(const KernelCall &) {
  return std::make_unique<ValueKernel<FastSigmoid>>();
}

std::unique_ptr<PreparedKernel> prepareTanh(const KernelCall &) {
  return std::make_unique<ValueKernel<FastTanh>>();
}

} // namespace takt
