//===- FastFunctionTest.cpp - functions of f32 at their extremes ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCases.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

/// Large, small, special ones, and as many as more than one block takes.
std::vector<double> manyNumbers() {
  std::vector<double> numbers = {std::nan(""), kInfinity, -kInfinity, 0,
                                 -0.0,         1e-42,     -1e-42,     1e-20,
                                 3e38,         -3e38,     1e6,        -1e6};
  for (int i = -600; i <= 600; ++i)
    numbers.push_back(i / 6.0);
  return numbers;
}

/// A kernel of tensors of one shape.
Kernel kernelOf(KernelId id, ArrayRef<uint32_t> words, size_t operands,
                ArrayRef<int64_t> dims) {
  Random random(1);
  Kernel kernel = randomKernel(id, random);
  kernel.words.assign(words.begin(), words.end());
  kernel.operands.resize(operands, kernel.operands[0]);
  auto shape = [&](TensorRef &tensor) {
    tensor.dims.assign(dims.begin(), dims.end());
  };
  for_each(kernel.operands, shape);
  for_each(kernel.results, shape);
  return kernel;
}

void fill(Buffer &buffer, ArrayRef<double> numbers) {
  for (auto [i, number] : enumerate(numbers))
    buffer.set(i, number);
}

std::vector<double> runFast(Bench &bench) {
  KernelLibrary library;
  EXPECT_FALSE(errorToBool(bench.runFast(library, 0)));
  return bench.resultValues();
}

/// What the definition gives for the same numbers in double precision.
std::vector<double> runExact(const Bench &bench) {
  Bench exact(asDouble(bench.kernel), Random(1));
  for (auto [to, from] : zip_equal(exact.operands, bench.operands))
    for (int64_t i = 0; i < from.elements(); ++i)
      to.set(i, from.get(i));
  EXPECT_FALSE(errorToBool(exact.runReference()));
  return exact.resultValues();
}

/// Of a function of one number, or its derivative: in single precision, and
/// where a result is large or an argument small relative to it.
void expectAgrees(KernelId id, ArrayRef<uint32_t> words) {
  std::vector<double> numbers = manyNumbers();
  size_t operands = id == KernelId::UnaryDgrad ? 2 : 1;
  Bench bench(kernelOf(id, words, operands, numbers.size()), Random(1));
  fill(bench.operands[0], std::vector<double>(numbers.size(), 1));
  fill(bench.operands[operands - 1], numbers);
  std::vector<double> actual = runFast(bench), exact = runExact(bench);
  for (size_t i = 0; i < numbers.size(); ++i) {
    double x = numbers[i];
    // Between terms that overflow in single precision or in none.
    if (std::fabs(x) > 1e12 && !std::isinf(x) && !std::isfinite(actual[i]))
      continue;
    if (std::isnan(exact[i]))
      EXPECT_TRUE(std::isnan(actual[i])) << x << ": " << actual[i];
    else if (std::fabs(exact[i]) > std::numeric_limits<float>::max())
      EXPECT_EQ(actual[i], std::copysign(kInfinity, exact[i])) << x;
    else
      EXPECT_NEAR(actual[i], exact[i], 1e-6 * (1 + std::fabs(exact[i]))) << x;
  }
}

TEST(FastFunctions, AreThoseOfTheDefinitionEverywhere) {
  auto check = [](UnaryFunction function, float alpha) {
    SCOPED_TRACE(testing::Message()
                 << "function " << int(function) << ", alpha " << alpha);
    SmallVector<uint32_t> words = {uint32_t(function),
                                   bit_cast<uint32_t>(alpha), 0};
    expectAgrees(KernelId::Unary, words);
    expectAgrees(KernelId::UnaryDgrad, words);
  };
  for (UnaryFunction function :
       {UnaryFunction::Exp, UnaryFunction::Erf, UnaryFunction::Gelu,
        UnaryFunction::GeluTanh, UnaryFunction::Swish})
    check(function, 1);
  check(UnaryFunction::Swish, 1.702f);
  for (float alpha : {2, 3})
    check(UnaryFunction::Power, alpha);
  expectAgrees(KernelId::Sigmoid, {});
  expectAgrees(KernelId::Tanh, {});
}

/// Whether a number is the last of a vector or alone.
TEST(FastFunctions, GiveANumberTheSameBitsInEveryPlace) {
  std::vector<double> numbers = manyNumbers();
  numbers.resize(37);
  uint32_t words[] = {uint32_t(UnaryFunction::Gelu), 0, 0};
  Bench many(kernelOf(KernelId::Unary, words, 1, numbers.size()), Random(1));
  fill(many.operands[0], numbers);
  std::vector<double> together = runFast(many);
  for (size_t i = 1; i < numbers.size(); ++i) { // NaN is not equal to itself
    Bench one(kernelOf(KernelId::Unary, words, 1, 1), Random(1));
    one.operands[0].set(0, numbers[i]);
    double alone = runFast(one)[0];
    EXPECT_TRUE(alone == together[i] ||
                (std::isnan(alone) && std::isnan(together[i])))
        << numbers[i];
  }
}

/// Scores of which some are masked, by minus infinity and by a large number.
std::vector<double> maskedScores(int64_t n) {
  std::vector<double> scores(n);
  for (int64_t i = 0; i < n; ++i)
    scores[i] = i % 3 == 1 ? -kInfinity : i % 7 == 2 ? -1e9 : i % 5 - 2;
  return scores;
}

TEST(FastSoftmax, GivesWhatIsMaskedNothing) {
  constexpr int64_t kLength = 75;
  std::vector<double> scores = maskedScores(kLength);
  Bench bench(kernelOf(KernelId::Softmax, {1}, 1, {1, kLength}), Random(1));
  fill(bench.operands[0], scores);
  std::vector<double> actual = runFast(bench), exact = runExact(bench);
  for (int64_t i = 0; i < kLength; ++i) {
    EXPECT_NEAR(actual[i], exact[i], 1e-7);
    EXPECT_EQ(actual[i] == 0, scores[i] < -100) << i;
  }
}

TEST(FastSoftmax, HasNoNumberWhereALineHasNone) {
  for (double bad : {std::nan(""), kInfinity})
    for (int64_t place : {0, 5, 38}) {
      Bench bench(kernelOf(KernelId::Softmax, {1}, 1, {2, 39}), Random(1));
      fill(bench.operands[0], std::vector<double>(78, 0.5));
      bench.operands[0].set(place, bad);
      std::vector<double> y = runFast(bench);
      EXPECT_TRUE(std::isnan(y[place])) << bad << " at " << place;
      EXPECT_NEAR(y[39], 1 / 39.0, 1e-7); // the other line
    }
}

/// Along an axis whose elements are apart, the bits are those of rows.
TEST(FastSoftmax, IsTheSameAlongEveryAxis) {
  constexpr int64_t kLength = 37, kLines = 5;
  for (KernelId id : {KernelId::Softmax, KernelId::LogSoftmax,
                      KernelId::SoftmaxDgrad, KernelId::LogSoftmaxDgrad}) {
    size_t operands =
        id == KernelId::Softmax || id == KernelId::LogSoftmax ? 1 : 2;
    Bench rows(kernelOf(id, {1}, operands, {kLines, kLength}), Random(1));
    Bench columns(kernelOf(id, {0}, operands, {kLength, kLines}), Random(1));
    for (size_t k = 0; k < operands; ++k)
      for (int64_t i = 0; i < kLength; ++i)
        for (int64_t line = 0; line < kLines; ++line)
          columns.operands[k].set(i * kLines + line,
                                  rows.operands[k].get(line * kLength + i));
    std::vector<double> byRow = runFast(rows), byColumn = runFast(columns);
    for (int64_t i = 0; i < kLength; ++i)
      for (int64_t line = 0; line < kLines; ++line)
        EXPECT_EQ(byColumn[i * kLines + line], byRow[line * kLength + i]);
  }
}

} // namespace
