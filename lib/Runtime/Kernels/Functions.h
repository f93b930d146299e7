//===- Functions.h - functions and their derivatives ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What Target/Functions.def lists, in T = float or double. A function of one
// number has `value` and `slope`, its derivative; one of two numbers has a
// slope for each. Where there is no derivative, the slope is PyTorch's.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_FUNCTIONS_H
#define TAKT_LIB_RUNTIME_KERNELS_FUNCTIONS_H

#include "ElementTypes.h"
#include "takt/Target/Program.h"
#include <cmath>

namespace takt::functions {

//===----------------------------------------------------------------------===//
// Of one number
//===----------------------------------------------------------------------===//

/// The words of a kernel.
template <typename T> struct Coefficients {
  T alpha, beta;
};

template <typename T> struct Abs : Coefficients<T> {
  T value(T x) const { return std::fabs(x); }
  T slope(T x) const { return x > 0 ? T(1) : x < 0 ? T(-1) : T(0); }
};

template <typename T> struct Sqrt : Coefficients<T> {
  T value(T x) const { return std::sqrt(x); }
  T slope(T x) const { return 1 / (2 * std::sqrt(x)); }
};

template <typename T> struct Exp : Coefficients<T> {
  T value(T x) const { return std::exp(x); }
  T slope(T x) const { return std::exp(x); }
};

template <typename T> struct Log : Coefficients<T> {
  T value(T x) const { return std::log(x); }
  T slope(T x) const { return 1 / x; }
};

template <typename T> struct Reciprocal : Coefficients<T> {
  T value(T x) const { return 1 / x; }
  T slope(T x) const { return -1 / (x * x); }
};

/// Not 0 · ∞ for the power 0 of 0.
template <typename T> T powerSlope(T x, T exponent) {
  return exponent == 0 ? T(0) : exponent * std::pow(x, exponent - 1);
}

template <typename T> struct Power : Coefficients<T> {
  T value(T x) const { return std::pow(x, this->alpha); }
  T slope(T x) const { return powerSlope(x, this->alpha); }
};

template <typename T> struct Erf : Coefficients<T> {
  T value(T x) const { return std::erf(x); }
  T slope(T x) const { return T(M_2_SQRTPI) * std::exp(-x * x); }
};

/// NaN stays NaN.
template <typename T> struct Clip : Coefficients<T> {
  T value(T x) const {
    T above = x < this->alpha ? this->alpha : x;
    return above > this->beta ? this->beta : above;
  }
  T slope(T x) const { return x >= this->alpha && x <= this->beta ? 1 : 0; }
};

template <typename T> struct Elu : Coefficients<T> {
  T value(T x) const { return x < 0 ? this->alpha * std::expm1(x) : x; }
  T slope(T x) const { return x > 0 ? T(1) : this->alpha * std::exp(x); }
};

template <typename T> struct Selu : Coefficients<T> {
  T value(T x) const {
    return this->beta * (x < 0 ? this->alpha * std::expm1(x) : x);
  }
  T slope(T x) const {
    return this->beta * (x > 0 ? T(1) : this->alpha * std::exp(x));
  }
};

template <typename T> T sigmoid(T x) { return 1 / (1 + std::exp(-x)); }

template <typename T> struct Softplus : Coefficients<T> {
  // No overflow where x is large.
  T value(T x) const {
    return (x > 0 ? x : T(0)) + std::log1p(std::exp(-std::fabs(x)));
  }
  T slope(T x) const { return sigmoid(x); }
};

template <typename T> struct Softsign : Coefficients<T> {
  T value(T x) const { return x / (1 + std::fabs(x)); }
  T slope(T x) const {
    T root = 1 + std::fabs(x);
    return 1 / (root * root);
  }
};

template <typename T> T clipToOne(T x) {
  return x < 0 ? T(0) : x > 1 ? T(1) : x;
}

template <typename T> struct HardSigmoid : Coefficients<T> {
  T value(T x) const { return clipToOne(this->alpha * x + this->beta); }
  T slope(T x) const {
    T line = this->alpha * x + this->beta;
    return line > 0 && line < 1 ? this->alpha : T(0);
  }
};

template <typename T> struct HardSwish : Coefficients<T> {
  T value(T x) const { return x * clipToOne(x / 6 + T(0.5)); }
  T slope(T x) const { return x < -3 ? T(0) : x > 3 ? T(1) : x / 3 + T(0.5); }
};

template <typename T> struct Gelu : Coefficients<T> {
  static T distribution(T x) { return (1 + std::erf(x * T(M_SQRT1_2))) / 2; }
  T value(T x) const { return x * distribution(x); }
  T slope(T x) const {
    T density = T(M_2_SQRTPI * M_SQRT1_2 / 2) * std::exp(-x * x / 2);
    return distribution(x) + x * density;
  }
};

template <typename T> struct GeluTanh : Coefficients<T> {
  static constexpr T kScale = T(M_2_SQRTPI * M_SQRT1_2), kCube = T(0.044715);
  static T tanh(T x) { return std::tanh(kScale * (x + kCube * x * x * x)); }
  T value(T x) const { return x * (1 + tanh(x)) / 2; }
  T slope(T x) const {
    T t = tanh(x);
    return (1 + t + x * (1 - t * t) * kScale * (1 + 3 * kCube * x * x)) / 2;
  }
};

template <typename T> struct Sin : Coefficients<T> {
  T value(T x) const { return std::sin(x); }
  T slope(T x) const { return std::cos(x); }
};

template <typename T> struct Cos : Coefficients<T> {
  T value(T x) const { return std::cos(x); }
  T slope(T x) const { return -std::sin(x); }
};

template <typename T> struct Tan : Coefficients<T> {
  T value(T x) const { return std::tan(x); }
  T slope(T x) const {
    T t = std::tan(x);
    return 1 + t * t;
  }
};

template <typename T> struct Asin : Coefficients<T> {
  T value(T x) const { return std::asin(x); }
  T slope(T x) const { return 1 / std::sqrt((1 - x) * (1 + x)); }
};

template <typename T> struct Acos : Coefficients<T> {
  T value(T x) const { return std::acos(x); }
  T slope(T x) const { return -1 / std::sqrt((1 - x) * (1 + x)); }
};

template <typename T> struct Atan : Coefficients<T> {
  T value(T x) const { return std::atan(x); }
  T slope(T x) const { return 1 / (1 + x * x); }
};

template <typename T> struct Sinh : Coefficients<T> {
  T value(T x) const { return std::sinh(x); }
  T slope(T x) const { return std::cosh(x); }
};

template <typename T> struct Cosh : Coefficients<T> {
  T value(T x) const { return std::cosh(x); }
  T slope(T x) const { return std::sinh(x); }
};

template <typename T> struct Asinh : Coefficients<T> {
  T value(T x) const { return std::asinh(x); }
  T slope(T x) const { return 1 / std::sqrt(x * x + 1); }
};

template <typename T> struct Acosh : Coefficients<T> {
  T value(T x) const { return std::acosh(x); }
  T slope(T x) const { return 1 / std::sqrt((x - 1) * (x + 1)); }
};

template <typename T> struct Atanh : Coefficients<T> {
  T value(T x) const { return std::atanh(x); }
  T slope(T x) const { return 1 / ((1 - x) * (1 + x)); }
};

template <typename T> struct Floor : Coefficients<T> {
  T value(T x) const { return std::floor(x); }
  T slope(T) const { return 0; }
};

template <typename T> struct Ceil : Coefficients<T> {
  T value(T x) const { return std::ceil(x); }
  T slope(T) const { return 0; }
};

template <typename T> struct Round : Coefficients<T> {
  // In the default rounding mode, to even.
  T value(T x) const { return std::nearbyint(x); }
  T slope(T) const { return 0; }
};

/// NaN stays NaN.
template <typename T> struct Sign : Coefficients<T> {
  T value(T x) const { return x > 0 ? T(1) : x < 0 ? T(-1) : x; }
  T slope(T) const { return 0; }
};

template <typename T> struct Celu : Coefficients<T> {
  T value(T x) const {
    return x < 0 ? this->alpha * std::expm1(x / this->alpha) : x;
  }
  T slope(T x) const { return x > 0 ? T(1) : std::exp(x / this->alpha); }
};

template <typename T> struct Mish : Coefficients<T> {
  static T gate(T x) {
    return std::tanh(Softplus<T>{Coefficients<T>{0, 0}}.value(x));
  }
  T value(T x) const { return x * gate(x); }
  T slope(T x) const {
    T t = gate(x);
    return t + x * (1 - t * t) * sigmoid(x);
  }
};

template <typename T> struct Swish : Coefficients<T> {
  T value(T x) const { return x * sigmoid(this->alpha * x); }
  T slope(T x) const {
    T s = sigmoid(this->alpha * x);
    return s + this->alpha * x * s * (1 - s);
  }
};

template <typename T> struct ThresholdedRelu : Coefficients<T> {
  T value(T x) const { return x > this->alpha ? x : T(0); }
  T slope(T x) const { return x > this->alpha ? T(1) : T(0); }
};

template <typename T> struct Shrink : Coefficients<T> {
  T value(T x) const {
    if (x < -this->alpha)
      return x + this->beta;
    return x > this->alpha ? x - this->beta : T(0);
  }
  T slope(T x) const {
    return x < -this->alpha || x > this->alpha ? T(1) : T(0);
  }
};

//===----------------------------------------------------------------------===//
// Of two numbers
//===----------------------------------------------------------------------===//

template <typename T> struct Sub {
  static T value(T a, T b) { return a - b; }
  static T slopeA(T, T) { return 1; }
  static T slopeB(T, T) { return -1; }
};

template <typename T> struct Div {
  static T value(T a, T b) { return a / b; }
  static T slopeA(T, T b) { return 1 / b; }
  static T slopeB(T a, T b) { return -a / (b * b); }
};

template <typename T> struct Pow {
  static T value(T a, T b) { return std::pow(a, b); }
  static T slopeA(T a, T b) { return powerSlope(a, b); }
  static T slopeB(T a, T b) {
    return a == 0 && b >= 0 ? T(0) : std::pow(a, b) * std::log(a);
  }
};

/// NaN wins.
template <typename T> struct Max {
  static T value(T a, T b) { return a > b || a != a ? a : b; }
  static T slopeA(T a, T b) { return a == b ? T(0.5) : T(a > b); }
  static T slopeB(T a, T b) { return slopeA(b, a); }
};

template <typename T> struct Min {
  static T value(T a, T b) { return a < b || a != a ? a : b; }
  static T slopeA(T a, T b) { return a == b ? T(0.5) : T(a < b); }
  static T slopeB(T a, T b) { return slopeA(b, a); }
};

template <typename T> struct PRelu {
  static T value(T a, T b) { return a < 0 ? a * b : a; }
  static T slopeA(T a, T b) { return a > 0 ? T(1) : b; }
  static T slopeB(T a, T) { return a > 0 ? T(0) : a; }
};

/// The slopes hold between the steps.
template <typename T> struct Mod {
  static T value(T a, T b) {
    T rest = std::fmod(a, b);
    return rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest;
  }
  static T slopeA(T, T) { return 1; }
  static T slopeB(T a, T b) { return -std::floor(a / b); }
};

template <typename T> struct Fmod {
  static T value(T a, T b) { return std::fmod(a, b); }
  static T slopeA(T, T) { return 1; }
  static T slopeB(T a, T b) { return -std::trunc(a / b); }
};

//===----------------------------------------------------------------------===//
// Of two integers
//===----------------------------------------------------------------------===//

/// Not of the smallest number by −1, whose quotient overflows.
template <typename T> bool divides(T b) {
  return b != 0 && (std::is_unsigned_v<T> || b != T(-1));
}

template <typename T> T quotient(T a, T b) {
  return divides(b) ? a / b : b == 0 ? T(0) : arithmetic::sub(T(0), a);
}

/// With the sign of a.
template <typename T> T rest(T a, T b) { return divides(b) ? a % b : T(0); }

/// A power with a negative exponent is 0 but of 1 and −1.
template <typename T> T power(T a, T b) {
  if (std::is_signed_v<T> && b < T(0))
    return a == 1 ? T(1) : a == T(-1) ? T(b % 2 ? -1 : 1) : T(0);
  T result = 1;
  for (; b > 0; b /= 2) {
    if (b % 2)
      result = arithmetic::mul(result, a);
    a = arithmetic::mul(a, a);
  }
  return result;
}

/// A function of Functions.def of two integers; 0 for `prelu`, which is none.
template <typename T> T ofIntegers(BinaryFunction function, T a, T b) {
  switch (function) {
  case BinaryFunction::Sub:
    return arithmetic::sub(a, b);
  case BinaryFunction::Div:
    return quotient(a, b);
  case BinaryFunction::Pow:
    return power(a, b);
  case BinaryFunction::Max:
    return a > b ? a : b;
  case BinaryFunction::Min:
    return a < b ? a : b;
  case BinaryFunction::Mod: {
    T r = rest(a, b);
    return r != 0 && (r < 0) != (b < 0) ? T(r + b) : r;
  }
  case BinaryFunction::Fmod:
    return rest(a, b);
  case BinaryFunction::PRelu:
    break;
  }
  return 0;
}

} // namespace takt::functions

#endif // TAKT_LIB_RUNTIME_KERNELS_FUNCTIONS_H
