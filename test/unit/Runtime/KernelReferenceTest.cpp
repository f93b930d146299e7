//===- KernelReferenceTest.cpp - reference kernels against other definitions
//-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCases.h"
#include "Philox.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {

using Values = std::vector<double>;

uint32_t bits(float value) { return llvm::bit_cast<uint32_t>(value); }

/// A tensor of the test: its shape and elements.
struct Tensor {
  std::vector<int64_t> dims;
  Values values;
};

/// Runs a reference kernel in double precision; `shapes` are its results'.
std::vector<Values> run(KernelId id, ArrayRef<uint32_t> words,
                        ArrayRef<Tensor> operands,
                        ArrayRef<std::vector<int64_t>> shapes,
                        uint64_t minibatch = 0) {
  Kernel kernel;
  kernel.id = id;
  kernel.words.assign(words.begin(), words.end());
  auto ref = [](ArrayRef<int64_t> dims) {
    TensorRef tensor;
    tensor.type = ElementType::F64;
    tensor.dims.assign(dims.begin(), dims.end());
    return tensor;
  };
  for (const Tensor &operand : operands)
    kernel.operands.push_back(ref(operand.dims));
  for (const std::vector<int64_t> &dims : shapes)
    kernel.results.push_back(ref(dims));
  Bench bench(kernel, Random(0));
  double rate = 0.1;
  bench.context = {minibatch, rate};
  for (size_t i = 0; i < operands.size(); ++i)
    for (size_t k = 0; k < operands[i].values.size(); ++k)
      bench.operands[i].set(k, operands[i].values[k]);
  EXPECT_EQ(toString(bench.runReference()), "");
  std::vector<Values> results;
  for (const Buffer &result : bench.results) {
    results.emplace_back();
    for (int64_t k = 0; k < result.elements(); ++k)
      results.back().push_back(result.get(k));
  }
  return results;
}

void expectNear(const Values &actual, const Values &expected,
                double tolerance = 1e-7) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], tolerance) << "element " << i;
}

Values iota(int64_t n, double scale = 1) {
  Values values;
  for (int64_t i = 0; i < n; ++i)
    values.push_back(scale * (i % 7 - 3) + i % 3);
  return values;
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

/// The textbook's formula over a plane that is zero outside.
TEST(Reference, ConvolvesAsTheFormulaSays) {
  const int64_t N = 2, G = 2, I = 2, O = 3, H = 7, W = 6;
  const int64_t KH = 3, KW = 2, SH = 2, SW = 1, PT = 2, PL = 0, DH = 1, DW = 2;
  const int64_t OH = (H + PT + 1 - 3) / SH + 1, OW = (W + PL + 2 - 3) / SW + 1;
  Tensor x{{N, G * I, H, W}, iota(N * G * I * H * W)};
  Tensor w{{G * O, I, KH, KW}, iota(G * O * I * KH * KW, 0.5)};
  Tensor b{{G * O}, iota(G * O)};
  auto input = [&](int64_t n, int64_t c, int64_t h, int64_t v) {
    bool exists = h >= 0 && h < H && v >= 0 && v < W;
    return exists ? x.values[((n * G * I + c) * H + h) * W + v] : 0;
  };
  Values expected;
  for (int64_t n = 0; n < N; ++n)
    for (int64_t o = 0; o < G * O; ++o)
      for (int64_t h = 0; h < OH; ++h)
        for (int64_t v = 0; v < OW; ++v) {
          double sum = b.values[o];
          for (int64_t i = 0; i < I; ++i)
            for (int64_t p = 0; p < KH; ++p)
              for (int64_t q = 0; q < KW; ++q)
                sum += w.values[((o * I + i) * KH + p) * KW + q] *
                       input(n, o / O * I + i, h * SH - PT + p * DH,
                             v * SW - PL + q * DW);
          expected.push_back(sum);
        }
  auto y = run(KernelId::Conv, {2, 2, SH, SW, PT, PL, 1, 2, DH, DW}, {x, w, b},
               {{N, G * O, OH, OW}});
  expectNear(y[0], expected);
}

TEST(Reference, SendsTheGradientToTheFirstMaximum) {
  auto dx = run(KernelId::MaxPoolDgrad, {1, 2, 1, 0, 0, 1},
                {{{1, 1, 4}, {1, 1, 1, 2}}, {{1, 1, 5}, {3, 3, 1, 2, 2}}},
                {{1, 1, 5}});
  expectNear(dx[0], {1, 1, 0, 3, 0});
}

TEST(Reference, CountsPaddingOnlyWhenAsked) {
  // 5 elements, one pad at each end, window 3, stride 3: the first window has a
  // pad and two elements, the second three elements.
  Tensor x{{1, 1, 5}, {3, 6, 9, 12, 15}};
  auto with =
      run(KernelId::AveragePool, {1, 1, 3, 3, 1, 1, 1}, {x}, {{1, 1, 2}});
  auto without =
      run(KernelId::AveragePool, {1, 0, 3, 3, 1, 1, 1}, {x}, {{1, 1, 2}});
  expectNear(with[0], {3, 12});
  expectNear(without[0], {4.5, 12});
}

TEST(Reference, NeverCountsBeyondThePadding) {
  // 6 elements, window 3, stride 2, no pads: the third window hangs over.
  Tensor x{{1, 1, 6}, {1, 2, 3, 4, 5, 6}};
  for (uint32_t countsPads : {0, 1}) {
    auto y = run(KernelId::AveragePool, {1, countsPads, 3, 2, 0, 0, 1}, {x},
                 {{1, 1, 3}});
    expectNear(y[0], {2, 4, 5.5});
  }
}

TEST(Reference, AveragesWhatADilatedWindowSees) {
  // Taps at -1 and 1, 0 and 2, 1 and 3: the last but one ends on the padding
  // and the last one beyond it.
  Tensor x{{1, 1, 2}, {4, 8}};
  auto without =
      run(KernelId::AveragePool, {1, 0, 2, 1, 1, 1, 2}, {x}, {{1, 1, 2}});
  auto with =
      run(KernelId::AveragePool, {1, 1, 2, 1, 1, 1, 2}, {x}, {{1, 1, 2}});
  expectNear(without[0], {8, 4});
  expectNear(with[0], {4, 2});
  // One element between two taps.
  Tensor one{{1, 1, 1}, {4}};
  auto none =
      run(KernelId::AveragePool, {1, 0, 2, 1, 1, 1, 2}, {one}, {{1, 1, 1}});
  expectNear(none[0], {0});
  auto dx = run(KernelId::AveragePoolDgrad, {1, 0, 2, 1, 1, 1, 2}, {one},
                {{1, 1, 1}});
  expectNear(dx[0], {0});
}

TEST(Reference, TakesTheNormOfAWindow) {
  Tensor x{{1, 1, 4}, {3, -4, 0, 0}};
  SmallVector<uint32_t> words = {1, bits(2), 2, 2, 0, 0, 1};
  auto y = run(KernelId::LpPool, words, {x}, {{1, 1, 2}});
  expectNear(y[0], {5, 0});
  // No gradient, not NaN, where all elements are 0.
  Tensor dy{{1, 1, 2}, {10, 10}}, norm{{1, 1, 2}, {5, 0}};
  auto dx = run(KernelId::LpPoolDgrad, words, {dy, x, norm}, {{1, 1, 4}});
  expectNear(dx[0], {6, -8, 0, 0});
}

//===----------------------------------------------------------------------===//
// Random numbers
//===----------------------------------------------------------------------===//

TEST(Reference, DrawsUniformNumbersBelowTheEnd) {
  auto y = run(KernelId::RandomUniform, {bits(-1), bits(3), 7}, {}, {{40000}});
  double mean = 0, square = 0;
  for (double value : y[0]) {
    ASSERT_GE(value, -1);
    ASSERT_LT(value, 3);
    mean += value / 40000;
    square += (value - 1) * (value - 1) / 40000;
  }
  // Of the mean the standard error is 0.006, of the variance 0.006.
  EXPECT_NEAR(mean, 1, 0.03);
  EXPECT_NEAR(square, 16 / 12.0, 0.03);
}

TEST(Reference, DrawsNormalNumbers) {
  auto y = run(KernelId::RandomNormal, {bits(5), bits(2), 7}, {}, {{40000}});
  double mean = 0, square = 0, fourth = 0;
  for (double value : y[0]) {
    double z = (value - 5) / 2;
    mean += z / 40000;
    square += z * z / 40000;
    fourth += z * z * z * z / 40000;
  }
  // Standard errors 0.005, 0.007 and 0.05.
  EXPECT_NEAR(mean, 0, 0.025);
  EXPECT_NEAR(square, 1, 0.035);
  EXPECT_NEAR(fourth, 3, 0.25);
}

TEST(Reference, DrawsBySeedAndPosition) {
  auto long_ = run(KernelId::RandomNormal, {bits(0), bits(1), 7}, {}, {{10}});
  auto same = run(KernelId::RandomNormal, {bits(0), bits(1), 7}, {}, {{7}});
  auto other = run(KernelId::RandomNormal, {bits(0), bits(1), 8}, {}, {{7}});
  for (size_t i = 0; i < 7; ++i) {
    EXPECT_EQ(long_[0][i], same[0][i]);
    EXPECT_NE(other[0][i], same[0][i]);
  }
}

//===----------------------------------------------------------------------===//
// Normalization and probabilities
//===----------------------------------------------------------------------===//

TEST(Reference, NormalizesAndKeepsRunningStatistics) {
  // One channel, elements 1, 3, 5, 7: mean 4, population variance 5.
  auto r = run(KernelId::BatchNorm, {bits(0), bits(0.75f)},
               {{{2, 1, 2}, {1, 3, 5, 7}},
                {{1}, {2}},
                {{1}, {10}},
                {{1}, {8}},
                {{1}, {1}}},
               {{2, 1, 2}, {1}, {1}, {1}, {1}});
  double s = 2 / std::sqrt(5.0);
  expectNear(r[0], {10 - 3 * s, 10 - s, 10 + s, 10 + 3 * s});
  expectNear(r[1], {4});
  expectNear(r[2], {1 / std::sqrt(5.0)});
  expectNear(r[3], {0.75 * 8 + 0.25 * 4});
  expectNear(r[4], {0.75 * 1 + 0.25 * 5});
}

TEST(Reference, NormalizesResponsesOverTheWindowThatOnnxSays) {
  // size 2: channel c and c + 1.
  auto y = run(KernelId::Lrn, {2, bits(2), bits(1), bits(1)},
               {{{1, 3}, {1, 2, 3}}}, {{1, 3}});
  expectNear(y[0], {1 / 6.0, 2 / 14.0, 3 / 10.0});
}

TEST(Reference, KeepsSoftmaxFinite) {
  auto y =
      run(KernelId::Softmax, {1}, {{{1, 3}, {1000, 1000, -1000}}}, {{1, 3}});
  expectNear(y[0], {0.5, 0.5, 0});
  auto log = run(KernelId::LogSoftmax, {0}, {{{2, 1}, {1000, 1000}}}, {{2, 1}});
  expectNear(log[0], {-std::log(2), -std::log(2)});
}

//===----------------------------------------------------------------------===//
// Products and movement
//===----------------------------------------------------------------------===//

TEST(Reference, TransposesAndScalesGemm) {
  // a' = [1 3; 2 4], b' = [5 7; 6 8]; c is a column.
  Tensor a{{2, 2}, {1, 2, 3, 4}}, b{{2, 2}, {5, 6, 7, 8}}, c{{2, 1}, {1, 2}};
  auto y = run(KernelId::Gemm, {1, 1, bits(2), bits(10)}, {a, b, c}, {{2, 2}});
  expectNear(y[0], {2 * 23 + 10, 2 * 31 + 10, 2 * 34 + 20, 2 * 46 + 20});
}

TEST(Reference, BroadcastsBatchesOfMatrices) {
  Tensor a{{2, 1, 2}, {1, 2, 3, 4}}, b{{2, 1}, {10, 1}};
  expectNear(run(KernelId::MatMul, {0, 0}, {a, b}, {{2, 1, 1}})[0], {12, 34});
}

TEST(Reference, MovesElements) {
  Tensor x{{2, 3}, {1, 2, 3, 4, 5, 6}}, z{{2, 1}, {7, 8}};
  expectNear(run(KernelId::Transpose, {2, 1, 0}, {x}, {{3, 2}})[0],
             {1, 4, 2, 5, 3, 6});
  expectNear(run(KernelId::Slice, {1, 1}, {x}, {{2, 2}})[0], {2, 3, 5, 6});
  expectNear(run(KernelId::Concat, {1}, {x, z}, {{2, 4}})[0],
             {1, 2, 3, 7, 4, 5, 6, 8});
  expectNear(run(KernelId::ReduceSum, {1, 0}, {x}, {{3}})[0], {5, 7, 9});
  expectNear(run(KernelId::ReduceSum, {1, 1}, {x}, {{2, 1}})[0], {6, 15});
  expectNear(run(KernelId::ReduceSum, {2, 0, 1}, {x}, {{}})[0], {21});
  expectNear(run(KernelId::Add, {}, {x, z}, {{2, 3}})[0],
             {8, 9, 10, 12, 13, 14});
  expectNear(run(KernelId::Mul, {}, {x, {{3}, {1, 0, 2}}}, {{2, 3}})[0],
             {1, 0, 6, 4, 0, 12});
}

//===----------------------------------------------------------------------===//
// Dropout
//===----------------------------------------------------------------------===//

/// The known answer that the generator's authors publish with Random123.
TEST(Philox, GivesTheKnownAnswer) {
  std::array<uint32_t, 4> zeros = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c,
                                   0x9b00dbd8};
  EXPECT_EQ(philox(0, 0, 0), zeros);
  std::array<uint32_t, 4> ones = {0x408f276d, 0x41c83b0e, 0xa20bc7c6,
                                  0x6d5451fd};
  EXPECT_EQ(philox(~0ull, ~0ull, ~0ull), ones);
}

TEST(Reference, DropsTheShareAndScalesTheRest) {
  const int64_t n = 40000;
  Tensor x{{n}, Values(n, 3)};
  auto y = run(KernelId::Dropout, {bits(0.25f), 5}, {x}, {{n}})[0];
  int64_t dropped = 0;
  for (double value : y) {
    EXPECT_TRUE(value == 0 || std::fabs(value - 4) < 1e-12) << value;
    dropped += value == 0;
  }
  // Four standard deviations of a binomial distribution.
  EXPECT_NEAR(dropped, n / 4.0, 4 * std::sqrt(n * 0.25 * 0.75));
  EXPECT_EQ(run(KernelId::Dropout, {bits(0.25f), 5}, {x}, {{n}})[0], y);
  EXPECT_NE(run(KernelId::Dropout, {bits(0.25f), 6}, {x}, {{n}})[0], y);
  EXPECT_NE(run(KernelId::Dropout, {bits(0.25f), 5}, {x}, {{n}}, 1)[0], y);
}

//===----------------------------------------------------------------------===//
// Optimizers: what torch.optim of PyTorch 1.13 gives in double precision for
// w = (1, -2, 0.5), gradients t * (0.5, -0.25, 1) in steps t = 1, 2, rate 0.1
// and weight decay 0.25
//===----------------------------------------------------------------------===//

/// The weights after the steps; the state begins at zero.
Values optimize(KernelId id, ArrayRef<uint32_t> words, size_t states,
                int steps) {
  std::vector<Values> values(1 + states, Values(3, 0));
  values[0] = {1, -2, 0.5};
  for (int t = 1; t <= steps; ++t) {
    std::vector<Tensor> operands = {{{3}, values[0]},
                                    {{3}, {0.5 * t, -0.25 * t, 1.0 * t}}};
    for (size_t i = 0; i < states; ++i)
      operands.push_back({{3}, values[1 + i]});
    values = run(id, words, operands,
                 SmallVector<std::vector<int64_t>>(1 + states, {3}), t - 1);
  }
  return values[0];
}

TEST(Optimizer, SgdIsPyTorchs) {
  expectNear(optimize(KernelId::Sgd, {bits(0.25f), bits(1), 0}, 0, 2),
             {0.801875, -1.826875, 0.1778125}, 1e-12);
}

TEST(Optimizer, MomentumIsPyTorchs) {
  expectNear(optimize(KernelId::Momentum,
                      {bits(0.5f), 0, bits(0.25f), bits(1), 0}, 1, 3),
             {0.514953125, -1.601828125, -0.3144453125}, 1e-12);
  expectNear(optimize(KernelId::Momentum,
                      {bits(0.5f), 1, bits(0.25f), bits(1), 0}, 1, 2),
             {0.68546875, -1.72296875, -0.00929687500000006}, 1e-12);
}

TEST(Optimizer, AdamIsPyTorchs) {
  SmallVector<uint32_t> words = {
      bits(0.5f), bits(0.75f), bits(0.015625f), bits(0.25f), 0, bits(1), 0};
  expectNear(optimize(KernelId::Adam, words, 2, 2),
             {0.801767018798377, -1.80217446878739, 0.300837877636681}, 1e-12);
  words[4] = 1;
  expectNear(optimize(KernelId::Adam, words, 2, 2),
             {0.756799855865167, -1.71201991685336, 0.279100086286262}, 1e-12);
}

/// The rate 0.1 of the run is halved, and the gradients are clipped to 0.375
/// before the decay: -2 + 0.05 * 0.25 is that of the element that is not.
TEST(Optimizer, FactorAndLimitComeFirst) {
  expectNear(optimize(KernelId::Sgd, {0, bits(0.5f), bits(0.375f)}, 0, 1),
             {1 - 0.05 * 0.375, -2 + 0.05 * 0.25, 0.5 - 0.05 * 0.375}, 1e-12);
  expectNear(optimize(KernelId::Momentum,
                      {bits(0.5f), 0, bits(0.25f), bits(0.5f), bits(0.375f)}, 1,
                      1),
             {1 - 0.05 * 0.625, -2 + 0.05 * 0.75, 0.5 - 0.05 * 0.5}, 1e-12);
}

TEST(Optimizer, ALimitKeepsNotANumber) {
  Values updated =
      run(KernelId::Sgd, {0, bits(1), bits(0.5f)},
          {{{2}, {1, 1}}, {{2}, {std::nan(""), -INFINITY}}}, {{2}}, 0)[0];
  EXPECT_TRUE(std::isnan(updated[0]));
  EXPECT_EQ(updated[1], 1.05);
}

/// The factor for gradients with those sums of squares, where the largest norm
/// is 2.
double clipFactor(const Values &squares) {
  std::vector<Tensor> operands;
  std::vector<TensorView> views;
  for (double square : squares)
    operands.push_back({{}, {square}});
  for (Tensor &operand : operands)
    views.push_back({ElementType::F64, operand.dims, operand.values.data()});
  double factor = 0, scalars[9] = {0.1, 1, 0, 0, 0, 0, 0, 1, 2};
  TensorView result{ElementType::F64, {}, &factor};
  EXPECT_EQ(toString(runReferenceKernel(KernelId::ClipFactor, {}, views, result,
                                        {0, scalars})),
            "");
  return factor;
}

TEST(Optimizer, GradientsAreClippedByTheirNorm) {
  EXPECT_EQ(run(KernelId::SumSquares, {}, {{{2, 2}, {1, -2, 3, 0.5}}}, {{}})[0],
            (Values{14.25}));
  EXPECT_DOUBLE_EQ(clipFactor({9, 16}), 2 / (5 + 1e-6));
  EXPECT_EQ(clipFactor({1, 2}), 1);
  EXPECT_EQ(clipFactor({0}), 1);
  EXPECT_EQ(clipFactor({INFINITY, 1}), 0);
  EXPECT_TRUE(std::isnan(clipFactor({1, std::nan("")})));
}

//===----------------------------------------------------------------------===//
// Reconstructions
//===----------------------------------------------------------------------===//

/// The estimates behind each update, of the weights that many updates ago.
Values reconstruct(ArrayRef<double> weights, uint32_t updates, float decay) {
  SmallVector<uint32_t> words = {updates, bits(decay)};
  Values earlier = {weights[0]}, all;
  for (size_t t = 0; t + 1 < weights.size(); ++t) {
    Values faded = run(KernelId::Fade, words,
                       {{{1}, earlier}, {{1}, {weights[t]}}}, {{1}}, t)[0];
    earlier = run(KernelId::Reconstruct, words,
                  {{{1}, faded}, {{1}, {weights[t + 1]}}}, {{1}}, t)[0];
    all.push_back(earlier[0]);
  }
  return all;
}

TEST(Reconstruction, IsExactForEqualSteps) {
  Values weights, expected;
  for (int t = 0; t <= 12; ++t)
    weights.push_back(2 - 0.25 * t);
  for (int t = 1; t <= 12; ++t)
    expected.push_back(weights[std::max(t - 4, 0)]);
  expectNear(reconstruct(weights, 4, 0.6f), expected, 1e-6);
}

TEST(Reconstruction, IsExactForOneUpdate) {
  Values weights = {1, -2, 5, 0.5, 7};
  expectNear(reconstruct(weights, 1, 0), {1, -2, 5, 0.5}, 1e-12);
}

TEST(Reconstruction, IsTheNewestForNone) {
  Values weights = {1, -2, 5, 0.5, 7};
  expectNear(reconstruct(weights, 0, 0), {-2, 5, 0.5, 7}, 1e-12);
}

/// Against the definition: weights plus n times the moving average of steps,
/// which begins as the mean of the first n.
TEST(Reconstruction, IsTheWeightsAndTheAverageOfSteps) {
  Values weights = {1, 1.5, -2, 5, 0.5, 7, 6, -3}, expected;
  constexpr int n = 3;
  constexpr double decay = 0.5;
  double average = 0;
  for (size_t t = 1; t < weights.size(); ++t) {
    double step = weights[t - 1] - weights[t];
    average = t <= n ? (weights[0] - weights[t]) / n
                     : decay * average + (1 - decay) * step;
    expected.push_back(weights[t] + n * average);
  }
  expectNear(reconstruct(weights, n, decay), expected, 1e-12);
}

} // namespace
