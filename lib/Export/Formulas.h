//===- Formulas.h - functions and their derivatives as terms ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What Target/Functions.def lists, as nodes of ONNX up to opset 17. A function
// of one number has `value` and `slope`, its derivative; one of two numbers has
// a slope for each. They are those of Runtime/Kernels/Functions.h, which also
// says what a slope is where there is no derivative.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_FORMULAS_H
#define TAKT_LIB_EXPORT_FORMULAS_H

#include "Term.h"
#include <cmath>

namespace takt::formulas {

inline bool isFloat(const Term &x) { return isFloatType(x.getType()); }

//===----------------------------------------------------------------------===//
// Of one number
//===----------------------------------------------------------------------===//

/// The function's numbers.
struct Coefficients {
  float alpha, beta;
};

struct Abs : Coefficients {
  Term value(const Term &x) const { return abs(x); }
  Term slope(const Term &x) const { return x.node("Sign"); }
};

struct Sqrt : Coefficients {
  Term value(const Term &x) const { return sqrt(x); }
  Term slope(const Term &x) const { return 0.5 / sqrt(x); }
};

struct Exp : Coefficients {
  Term value(const Term &x) const { return exp(x); }
  Term slope(const Term &x) const { return exp(x); }
};

struct Log : Coefficients {
  Term value(const Term &x) const { return log(x); }
  Term slope(const Term &x) const { return 1 / x; }
};

struct Reciprocal : Coefficients {
  Term value(const Term &x) const { return 1 / x; }
  Term slope(const Term &x) const { return -1 / (x * x); }
};

struct Power : Coefficients {
  Term value(const Term &x) const { return pow(x, alpha); }
  Term slope(const Term &x) const {
    return alpha == 0 ? x.number(0) : pow(x, alpha - 1) * alpha;
  }
};

struct Erf : Coefficients {
  Term value(const Term &x) const { return erf(x); }
  Term slope(const Term &x) const { return exp(-(x * x)) * M_2_SQRTPI; }
};

struct Clip : Coefficients {
  Term value(const Term &x) const {
    return x.node("Clip", {x.number(alpha), x.number(beta)});
  }
  Term slope(const Term &x) const {
    return (x >= alpha && x <= beta).cast(x.getType());
  }
};

struct Elu : Coefficients {
  Term value(const Term &x) const {
    return where(x < 0, (exp(x) - 1) * alpha, x);
  }
  Term slope(const Term &x) const {
    return where(x > 0, x.number(1), exp(x) * alpha);
  }
};

struct Selu : Coefficients {
  Elu elu() const { return {{alpha, 0}}; }
  Term value(const Term &x) const { return elu().value(x) * beta; }
  Term slope(const Term &x) const { return elu().slope(x) * beta; }
};

struct Softplus : Coefficients {
  // No overflow where x is large.
  Term value(const Term &x) const {
    return x.node("Relu") + log(exp(-abs(x)) + 1);
  }
  Term slope(const Term &x) const { return sigmoid(x); }
};

struct Softsign : Coefficients {
  Term value(const Term &x) const { return x / (abs(x) + 1); }
  Term slope(const Term &x) const {
    Term root = abs(x) + 1;
    return 1 / (root * root);
  }
};

struct HardSigmoid : Coefficients {
  Term line(const Term &x) const { return x * alpha + beta; }
  Term value(const Term &x) const { return Clip{{0, 1}}.value(line(x)); }
  Term slope(const Term &x) const {
    Term inside = line(x) > 0 && line(x) < 1;
    return where(inside, x.number(alpha), 0);
  }
};

struct HardSwish : Coefficients {
  Term value(const Term &x) const {
    return x * HardSigmoid{{1.0f / 6, 0.5f}}.value(x);
  }
  Term slope(const Term &x) const {
    return where(x < -3, x.number(0), where(x > 3, x.number(1), x / 3 + 0.5));
  }
};

struct Gelu : Coefficients {
  static Term distribution(const Term &x) {
    return (erf(x * M_SQRT1_2) + 1) / 2;
  }
  Term value(const Term &x) const { return x * distribution(x); }
  Term slope(const Term &x) const {
    Term density = exp(-(x * x) / 2) * (M_2_SQRTPI * M_SQRT1_2 / 2);
    return distribution(x) + x * density;
  }
};

struct GeluTanh : Coefficients {
  static constexpr double kScale = M_2_SQRTPI * M_SQRT1_2, kCube = 0.044715;
  static Term inner(const Term &x) {
    return tanh((x + x * x * x * kCube) * kScale);
  }
  Term value(const Term &x) const { return x * (inner(x) + 1) / 2; }
  Term slope(const Term &x) const {
    Term t = inner(x);
    return (t + 1 + x * (1 - t * t) * kScale * (x * x * (3 * kCube) + 1)) / 2;
  }
};

struct Sin : Coefficients {
  Term value(const Term &x) const { return x.node("Sin"); }
  Term slope(const Term &x) const { return x.node("Cos"); }
};

struct Cos : Coefficients {
  Term value(const Term &x) const { return x.node("Cos"); }
  Term slope(const Term &x) const { return -x.node("Sin"); }
};

struct Tan : Coefficients {
  Term value(const Term &x) const { return x.node("Tan"); }
  Term slope(const Term &x) const {
    Term t = x.node("Tan");
    return t * t + 1;
  }
};

/// sqrt(1 − x²)
inline Term circle(const Term &x) { return sqrt((1 - x) * (x + 1)); }

struct Asin : Coefficients {
  Term value(const Term &x) const { return x.node("Asin"); }
  Term slope(const Term &x) const { return 1 / circle(x); }
};

struct Acos : Coefficients {
  Term value(const Term &x) const { return x.node("Acos"); }
  Term slope(const Term &x) const { return -1 / circle(x); }
};

struct Atan : Coefficients {
  Term value(const Term &x) const { return x.node("Atan"); }
  Term slope(const Term &x) const { return 1 / (x * x + 1); }
};

struct Sinh : Coefficients {
  Term value(const Term &x) const { return x.node("Sinh"); }
  Term slope(const Term &x) const { return x.node("Cosh"); }
};

struct Cosh : Coefficients {
  Term value(const Term &x) const { return x.node("Cosh"); }
  Term slope(const Term &x) const { return x.node("Sinh"); }
};

struct Asinh : Coefficients {
  Term value(const Term &x) const { return x.node("Asinh"); }
  Term slope(const Term &x) const { return 1 / sqrt(x * x + 1); }
};

struct Acosh : Coefficients {
  Term value(const Term &x) const { return x.node("Acosh"); }
  Term slope(const Term &x) const { return 1 / sqrt((x - 1) * (x + 1)); }
};

struct Atanh : Coefficients {
  Term value(const Term &x) const { return x.node("Atanh"); }
  Term slope(const Term &x) const { return 1 / ((1 - x) * (x + 1)); }
};

/// A function of steps.
template <typename Step> struct Steps : Coefficients {
  Term value(const Term &x) const { return x.node(Step::name()); }
  Term slope(const Term &x) const { return x.number(0); }
};

struct FloorName {
  static llvm::StringRef name() { return "Floor"; }
};
struct CeilName {
  static llvm::StringRef name() { return "Ceil"; }
};
struct RoundName {
  static llvm::StringRef name() { return "Round"; }
};
struct SignName {
  static llvm::StringRef name() { return "Sign"; }
};
using Floor = Steps<FloorName>;
using Ceil = Steps<CeilName>;
using Round = Steps<RoundName>;
using Sign = Steps<SignName>;

struct Celu : Coefficients {
  Term value(const Term &x) const {
    return where(x < 0, (exp(x / alpha) - 1) * alpha, x);
  }
  Term slope(const Term &x) const {
    return where(x > 0, x.number(1), exp(x / alpha));
  }
};

struct Mish : Coefficients {
  Term gate(const Term &x) const { return tanh(Softplus{{0, 0}}.value(x)); }
  Term value(const Term &x) const { return x * gate(x); }
  Term slope(const Term &x) const {
    Term t = gate(x);
    return t + x * (1 - t * t) * sigmoid(x);
  }
};

struct Swish : Coefficients {
  Term value(const Term &x) const { return x * sigmoid(x * alpha); }
  Term slope(const Term &x) const {
    Term s = sigmoid(x * alpha);
    return s + x * s * (1 - s) * alpha;
  }
};

struct ThresholdedRelu : Coefficients {
  Term value(const Term &x) const { return where(x > alpha, x, 0); }
  Term slope(const Term &x) const { return (x > alpha).cast(x.getType()); }
};

struct Shrink : Coefficients {
  Term value(const Term &x) const {
    return where(x < -alpha, x + beta, where(x > alpha, x - beta, 0));
  }
  Term slope(const Term &x) const {
    return (x < -alpha || x > alpha).cast(x.getType());
  }
};

//===----------------------------------------------------------------------===//
// Of two numbers
//===----------------------------------------------------------------------===//

struct Sub {
  static Term value(const Term &a, const Term &b) { return a - b; }
  static Term slopeA(const Term &a, const Term &) { return a.number(1); }
  static Term slopeB(const Term &a, const Term &) { return a.number(-1); }
};

struct Div {
  static Term value(const Term &a, const Term &b) { return a / b; }
  static Term slopeA(const Term &, const Term &b) { return 1 / b; }
  static Term slopeB(const Term &a, const Term &b) { return -a / (b * b); }
};

struct Pow {
  static Term value(const Term &a, const Term &b) { return pow(a, b); }
  static Term slopeA(const Term &a, const Term &b) {
    return where(b == 0, b.number(0), b * pow(a, b - 1));
  }
  static Term slopeB(const Term &a, const Term &b) {
    return where(a == 0 && b >= 0, a.number(0), pow(a, b) * log(a));
  }
};

/// 1 where the condition holds, a half where a and b are equal, else 0.
inline Term share(const Term &condition, const Term &a, const Term &b) {
  return where(a == b, a.number(0.5), condition.cast(a.getType()));
}

/// Of truth values, or and and.
struct Max {
  static Term value(const Term &a, const Term &b) {
    return a.getType() == ElementType::I1 ? a || b : a.node("Max", {b});
  }
  static Term slopeA(const Term &a, const Term &b) {
    return share(a > b, a, b);
  }
  static Term slopeB(const Term &a, const Term &b) {
    return share(b > a, a, b);
  }
};

struct Min {
  static Term value(const Term &a, const Term &b) {
    return a.getType() == ElementType::I1 ? a && b : a.node("Min", {b});
  }
  static Term slopeA(const Term &a, const Term &b) {
    return share(a < b, a, b);
  }
  static Term slopeB(const Term &a, const Term &b) {
    return share(b < a, a, b);
  }
};

struct PRelu {
  static Term value(const Term &a, const Term &b) {
    return where(a < 0, a * b, a);
  }
  static Term slopeA(const Term &a, const Term &b) {
    return where(a > 0, a.number(1), b);
  }
  static Term slopeB(const Term &a, const Term &) {
    return where(a > 0, a.number(0), a);
  }
};

struct Mod {
  static Term value(const Term &a, const Term &b) {
    return isFloat(a) ? a - b * (a / b).node("Floor") : a.node("Mod", {b});
  }
  static Term slopeA(const Term &a, const Term &) { return a.number(1); }
  static Term slopeB(const Term &a, const Term &b) {
    return -(a / b).node("Floor");
  }
};

struct Fmod {
  static Term value(const Term &a, const Term &b) {
    return a.node("Mod", {b}, NodeAttribute("fmod", int64_t(1)));
  }
  static Term slopeA(const Term &a, const Term &) { return a.number(1); }
  /// The quotient towards 0.
  static Term slopeB(const Term &a, const Term &b) {
    Term quotient = a / b;
    return -(quotient.node("Sign") * abs(quotient).node("Floor"));
  }
};

} // namespace takt::formulas

#endif // TAKT_LIB_EXPORT_FORMULAS_H
