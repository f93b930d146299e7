//===- KernelGradientTest.cpp - gradient kernels by finite differences ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Every dgrad and wgrad kernel against the central difference of its forward
// kernel in double precision: with L = sum(r * y), dL/dx is what the gradient
// kernel makes of dy = r.
//
//===----------------------------------------------------------------------===//

#include "KernelCases.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <algorithm>
#include <cmath>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {

constexpr double kStep = 1e-5, kTolerance = 1e-6;

void copy(const Buffer &from, Buffer &to) {
  ASSERT_EQ(from.elements(), to.elements());
  for (int64_t i = 0; i < from.elements(); ++i)
    to.set(i, from.get(i));
}

/// sum(r * y), y being the first result of the forward kernel.
double weighedSum(Bench &forward, const Buffer &r) {
  EXPECT_EQ(toString(forward.runReference()), "");
  double sum = 0;
  for (int64_t i = 0; i < r.elements(); ++i)
    sum += r.get(i) * forward.results[0].get(i);
  return sum;
}

/// Expects `gradient` to be dL/d(operand `k` of `forward`).
void expectDerivative(Bench &forward, size_t k, const Buffer &r,
                      const Buffer &gradient) {
  Buffer &x = forward.operands[k];
  ASSERT_EQ(x.elements(), gradient.elements());
  for (int64_t i = 0; i < x.elements(); ++i) {
    double at = x.get(i);
    x.set(i, at + kStep);
    double above = weighedSum(forward, r);
    x.set(i, at - kStep);
    double below = weighedSum(forward, r);
    x.set(i, at);
    double expected = (above - below) / (2 * kStep);
    EXPECT_NEAR(gradient.get(i), expected,
                kTolerance * (1 + std::fabs(expected)))
        << mnemonic(forward.kernel.id).str() << ", operand " << k
        << ", element " << i;
  }
}

/// Where an operand of a gradient kernel comes from.
struct Source {
  enum { Dy, Operand, Result } kind;
  size_t index = 0;
};
constexpr Source dy = {Source::Dy}, x = {Source::Operand, 0},
                 w = {Source::Operand, 1}, y = {Source::Result, 0},
                 mean = {Source::Result, 1}, invStd = {Source::Result, 2};

/// A gradient kernel, its forward kernel, and which of the latter's operands
/// each of its results is the derivative of.
struct Pair {
  KernelId forward, gradient;
  std::vector<Source> operands;
  std::vector<size_t> derivatives;
};

class Gradient : public testing::TestWithParam<Pair> {};

TEST_P(Gradient, IsTheDerivative) {
  const Pair &pair = GetParam();
  for (unsigned seed = 0; seed < 12; ++seed) {
    // The same seed draws the same shapes for both kernels.
    Random random(seed), same(seed);
    Bench forward(asDouble(randomKernel(pair.forward, random)), random);
    Bench gradient(asDouble(randomKernel(pair.gradient, same)), random);
    if (pair.forward == KernelId::MaxPool)
      // No two elements may be so close that the step swaps them.
      for (int64_t i = 0; i < forward.operands[0].elements(); ++i)
        forward.operands[0].set(i, std::fmod(i * 0.618, 1));
    ASSERT_EQ(toString(forward.runReference()), "");
    ASSERT_EQ(gradient.operands.size(), pair.operands.size());
    for (size_t i = 0; i < pair.operands.size(); ++i) {
      const Source &source = pair.operands[i];
      if (source.kind == Source::Operand)
        copy(forward.operands[source.index], gradient.operands[i]);
      if (source.kind == Source::Result)
        copy(forward.results[source.index], gradient.operands[i]);
    }
    ASSERT_EQ(toString(gradient.runReference()), "");
    size_t at = std::find_if(pair.operands.begin(), pair.operands.end(),
                             [](const Source &source) {
                               return source.kind == Source::Dy;
                             }) -
                pair.operands.begin();
    for (size_t i = 0; i < pair.derivatives.size(); ++i)
      expectDerivative(forward, pair.derivatives[i], gradient.operands[at],
                       gradient.results[i]);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kernels, Gradient,
    testing::Values(
        Pair{KernelId::Conv, KernelId::ConvDgrad, {dy, w}, {0}},
        Pair{KernelId::Conv, KernelId::ConvWgrad, {x, dy}, {1}},
        Pair{KernelId::BatchNorm,
             KernelId::BatchNormDgrad,
             {dy, x, w, mean, invStd},
             {0}},
        Pair{KernelId::BatchNorm,
             KernelId::BatchNormWgrad,
             {dy, x, mean, invStd},
             {1, 2}},
        Pair{KernelId::Relu, KernelId::ReluDgrad, {dy, y}, {0}},
        Pair{KernelId::LeakyRelu, KernelId::LeakyReluDgrad, {dy, x}, {0}},
        Pair{KernelId::Sigmoid, KernelId::SigmoidDgrad, {dy, y}, {0}},
        Pair{KernelId::Tanh, KernelId::TanhDgrad, {dy, y}, {0}},
        Pair{KernelId::Unary, KernelId::UnaryDgrad, {dy, x}, {0}},
        Pair{KernelId::ReduceMax, KernelId::ReduceMaxDgrad, {dy, x}, {0}},
        Pair{KernelId::Pad, KernelId::PadDgrad, {dy}, {0}},
        Pair{KernelId::Gather, KernelId::GatherDgrad, {dy, w}, {0}},
        Pair{KernelId::GatherElements,
             KernelId::GatherElementsDgrad,
             {dy, w},
             {0}},
        Pair{KernelId::Normalize,
             KernelId::NormalizeDgrad,
             {dy, y, Source{Source::Result, 1}},
             {0}},
        Pair{KernelId::MaxPool, KernelId::MaxPoolDgrad, {dy, x}, {0}},
        Pair{KernelId::AveragePool, KernelId::AveragePoolDgrad, {dy}, {0}},
        Pair{KernelId::LpPool, KernelId::LpPoolDgrad, {dy, x, y}, {0}},
        Pair{KernelId::GlobalAveragePool,
             KernelId::GlobalAveragePoolDgrad,
             {dy},
             {0}},
        Pair{KernelId::Lrn, KernelId::LrnDgrad, {dy, x}, {0}},
        Pair{KernelId::Softmax, KernelId::SoftmaxDgrad, {dy, y}, {0}},
        Pair{KernelId::LogSoftmax, KernelId::LogSoftmaxDgrad, {dy, y}, {0}}),
    [](const testing::TestParamInfo<Pair> &info) {
      return mnemonic(info.param.gradient).str();
    });

TEST(Loss, SecondResultIsTheDerivativeOfTheFirst) {
  for (KernelId id :
       {KernelId::SoftmaxCrossEntropy, KernelId::MeanSquaredError})
    for (unsigned seed = 0; seed < 12; ++seed) {
      Random random(seed);
      Kernel kernel = asDouble(randomKernel(id, random));
      Bench bench(kernel, random), moved(kernel, random);
      ASSERT_EQ(toString(bench.runReference()), "");
      Buffer one(ElementType::F64, {});
      one.set(0, 1);
      expectDerivative(moved, 0, one, bench.results[1]);
    }
}

} // namespace
