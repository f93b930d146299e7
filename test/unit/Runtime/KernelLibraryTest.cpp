//===- KernelLibraryTest.cpp - the fast kernels against the reference -----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCases.h"
#include "takt/Target/KernelCheck.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cmath>
#include <cstring>
#include <string>
#include <thread>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {

constexpr int kShapesPerKernel = 60;

std::string text(Error error) { return toString(std::move(error)); }

void expectClose(const std::vector<double> &actual,
                 const std::vector<double> &expected, double tolerance,
                 const char *what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    double bound = tolerance * (1 + std::fabs(expected[i]));
    ASSERT_NEAR(actual[i], expected[i], bound) << what << ", element " << i;
  }
}

/// The same bits, or NaN in both.
void expectSameNumbers(const std::vector<double> &actual,
                       const std::vector<double> &expected) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    ASSERT_TRUE(actual[i] == expected[i] ||
                (std::isnan(actual[i]) && std::isnan(expected[i])))
        << actual[i] << " instead of " << expected[i] << ", element " << i;
}

/// With the statistics that batch_norm leaves, in single precision.
TEST(BatchNorm, IsAppliedAgainWithTheSameBits) {
  Random random(5);
  KernelLibrary library;
  for (int shape = 0; shape < kShapesPerKernel; ++shape) {
    Bench norm(randomKernel(KernelId::BatchNorm, random), random);
    Kernel kernel = norm.kernel;
    kernel.id = KernelId::BatchNormApply;
    kernel.words.clear();
    kernel.results.resize(1);
    Bench again(kernel, random);
    for (bool isFast : {true, false}) {
      // Prepared kernels are known by their key.
      auto run = [&](Bench &bench) {
        uint64_t key = 2 * shape + (&bench == &again);
        return text(isFast ? bench.runFast(library, key)
                           : bench.runReference());
      };
      ASSERT_EQ(run(norm), "");
      const Buffer *from[] = {&norm.operands[0], &norm.operands[1],
                              &norm.operands[2], &norm.results[1],
                              &norm.results[2]};
      for (auto [to, of] : zip_equal(again.operands, from))
        for (int64_t i = 0; i < to.elements(); ++i)
          to.set(i, of->get(i));
      ASSERT_EQ(run(again), "");
      for (int64_t i = 0; i < norm.results[0].elements(); ++i)
        ASSERT_EQ(again.results[0].get(i), norm.results[0].get(i));
    }
  }
}

/// Tests that run once for every kernel of Kernels.def.
class EveryKernel : public testing::TestWithParam<KernelId> {};

TEST_P(EveryKernel, GivesTheSameFastPlainAndInDoublePrecision) {
  Random random(1);
  KernelLibrary library;
  for (int shape = 0; shape < kShapesPerKernel; ++shape) {
    Kernel kernel = randomKernel(GetParam(), random);
    Error valid = checkKernel(kernel);
    ASSERT_FALSE(bool(valid)) << text(std::move(valid));
    Bench fast(kernel, random), plain(kernel, random),
        exact(asDouble(kernel), random);
    // Twice: the second call takes what the first one cached.
    ASSERT_EQ(text(fast.runFast(library, shape)), "");
    ASSERT_EQ(text(fast.runFast(library, shape)), "");
    ASSERT_EQ(text(plain.runReference()), "");
    ASSERT_EQ(text(exact.runReference()), "");
    // Sums of a few hundred terms near one in single precision.
    expectClose(plain.resultValues(), exact.resultValues(), 2e-5, "reference");
    expectClose(fast.resultValues(), exact.resultValues(), 1e-4, "library");
    random.discard(1);
  }
}

/// Of 16-bit floats it is the f32 kernel of the same numbers, whose results are
/// rounded.
TEST_P(EveryKernel, ComputesInSinglePrecisionWhereFloatsAreShort) {
  Random random(3);
  KernelLibrary library;
  uint64_t key = 0;
  for (int shape = 0; shape < 12; ++shape)
    for (ElementType type : {ElementType::F16, ElementType::BF16}) {
      Kernel kernel = randomKernel(GetParam(), random);
      Bench brief(withFloats(kernel, type), random), wide(kernel, random);
      for (auto [from, to] : zip_equal(brief.operands, wide.operands))
        for (int64_t i = 0; i < from.elements(); ++i)
          to.set(i, from.get(i));
      ASSERT_EQ(text(checkKernel(brief.kernel)), "");
      ASSERT_EQ(text(wide.runFast(library, ++key)), "");
      ASSERT_EQ(text(brief.runFast(library, ++key)), "");
      std::vector<double> fast = brief.resultValues();
      ASSERT_EQ(text(brief.runReference()), "");
      std::vector<double> reference = brief.resultValues();
      for (size_t r = 0; r < wide.results.size(); ++r)
        for (int64_t i = 0; i < wide.results[r].elements(); ++i)
          brief.results[r].set(i, wide.results[r].get(i));
      std::vector<double> rounded = brief.resultValues();
      expectSameNumbers(fast, rounded);
      // The reference kernel differs by a rounding at most.
      expectClose(reference, rounded, type == ElementType::F16 ? 2e-3 : 2e-2,
                  "reference");
      random.discard(1);
    }
}

TEST_P(EveryKernel, GivesTheSameBitsOnEveryThread) {
  constexpr int kThreads = 4, kShapes = 10;
  std::vector<std::vector<double>> values(kThreads);
  auto work = [&](int thread) {
    Random random(2);
    KernelLibrary library;
    for (int shape = 0; shape < kShapes; ++shape) {
      Bench bench(randomKernel(GetParam(), random), random);
      if (Error error = bench.runFast(library, shape))
        ADD_FAILURE() << text(std::move(error));
      for (double value : bench.resultValues())
        values[thread].push_back(value);
    }
  };
  std::vector<std::thread> threads;
  for (int thread = 0; thread < kThreads; ++thread)
    threads.emplace_back(work, thread);
  for (std::thread &thread : threads)
    thread.join();
  ASSERT_FALSE(values[0].empty());
  for (int thread = 1; thread < kThreads; ++thread) {
    ASSERT_EQ(values[thread].size(), values[0].size());
    EXPECT_EQ(std::memcmp(values[thread].data(), values[0].data(),
                          values[0].size() * sizeof(double)),
              0)
        << "thread " << thread;
  }
}

std::string kernelName(const testing::TestParamInfo<KernelId> &info) {
  switch (info.param) {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  case KernelId::Name:                                                         \
    return #Name;
#include "takt/Target/Kernels.def"
  }
  return "unknown";
}

INSTANTIATE_TEST_SUITE_P(Kernels, EveryKernel, testing::ValuesIn(allKernels()),
                         kernelName);

/// Runs a kernel of elements whose results are the buffers of operands (result
/// i in operand `into[i]`), and expects the bits of a run with own buffers.
void expectInPlace(KernelId id, ArrayRef<size_t> into) {
  Random random(3);
  KernelLibrary library;
  for (int shape = 0; shape < 20; ++shape) {
    Kernel kernel = randomKernel(id, random);
    for (size_t i = 0; i < into.size(); ++i)
      if (kernel.operands[into[i]].dims != kernel.results[i].dims)
        kernel.operands[into[i]].dims = kernel.results[i].dims;
    Bench apart(kernel, random), inPlace(kernel, random);
    ASSERT_EQ(text(apart.runFast(library, 2 * shape)), "");
    std::vector<TensorView> operands, results;
    for (const Buffer &buffer : inPlace.operands)
      operands.push_back(buffer.view());
    for (size_t i : into)
      results.push_back(inPlace.operands[i].view());
    ASSERT_EQ(text(library.run(2 * shape + 1, id, kernel.words, operands,
                               results, inPlace.context)),
              "");
    for (size_t i = 0; i < into.size(); ++i)
      EXPECT_EQ(std::memcmp(apart.results[i].view().data, results[i].data,
                            results[i].bytes()),
                0)
          << mnemonic(id).str();
    random.discard(1);
  }
}

TEST(InPlace, ElementwiseKernelsAllowIt) {
  for (KernelId id : {KernelId::Relu, KernelId::LeakyRelu, KernelId::Sigmoid,
                      KernelId::Tanh, KernelId::Dropout, KernelId::Scale,
                      KernelId::Unary, KernelId::Softmax, KernelId::LogSoftmax})
    expectInPlace(id, {0});
  for (KernelId id :
       {KernelId::ReluDgrad, KernelId::LeakyReluDgrad, KernelId::SigmoidDgrad,
        KernelId::TanhDgrad, KernelId::UnaryDgrad, KernelId::SoftmaxDgrad,
        KernelId::LogSoftmaxDgrad, KernelId::Add, KernelId::Mul})
    for (size_t operand : {0, 1})
      expectInPlace(id, operand);
  for (size_t operand : {0, 1, 2})
    expectInPlace(KernelId::Sum, operand);
}

TEST(InPlace, OptimizersAllowIt) {
  expectInPlace(KernelId::Sgd, {0});
  expectInPlace(KernelId::Momentum, {0, 2});
  expectInPlace(KernelId::Adam, {0, 2, 3});
}

/// A layer as large as those of a real network, where oneDNN takes other paths
/// than for the small random shapes.
TEST(KernelLibrary, ConvolvesLargeLayersAsTheReference) {
  Random random(4);
  KernelLibrary library;
  Kernel kernel = randomKernel(KernelId::Conv, random);
  kernel.words = {2, 1, 2, 2, 1, 1, 1, 1, 1, 1};
  TensorRef tensor;
  auto shaped = [&](ArrayRef<int64_t> dims) {
    tensor.dims.assign(dims.begin(), dims.end());
    return tensor;
  };
  TensorRef x = shaped({2, 32, 17, 15}), w = shaped({48, 32, 3, 3}),
            y = shaped({2, 48, 9, 8});
  uint64_t key = 0;
  auto check = [&](KernelId id, ArrayRef<TensorRef> operands,
                   const TensorRef &result) {
    kernel.id = id;
    kernel.operands.assign(operands.begin(), operands.end());
    kernel.results = {result};
    ASSERT_EQ(text(checkKernel(kernel)), "");
    Bench fast(kernel, random), exact(asDouble(kernel), random);
    ASSERT_EQ(text(fast.runFast(library, key++)), "");
    ASSERT_EQ(text(exact.runReference()), "");
    expectClose(fast.resultValues(), exact.resultValues(), 1e-4, "library");
  };
  check(KernelId::Conv, {x, w}, y);
  check(KernelId::ConvDgrad, {y, w}, x);
  check(KernelId::ConvWgrad, {x, y}, w);
}

TEST(KernelLibrary, RejectsLabelsThatAreNoClass) {
  Random random(5);
  KernelLibrary library;
  Kernel kernel = randomKernel(KernelId::SoftmaxCrossEntropy, random);
  kernel.operands[0].dims = kernel.results[1].dims = {2, 10};
  kernel.operands[1].dims = {2};
  kernel.words = {1};
  for (double label : {-1.0, 10.0}) {
    Bench bench(kernel, random);
    bench.operands[1].set(0, 9);
    bench.operands[1].set(1, label);
    EXPECT_EQ(text(bench.runFast(library, 0)),
              "softmax_cross_entropy: label of sample 1 is " +
                  std::to_string(int(label)) + ", expected 0 to 9");
  }
}

TEST(KernelLibrary, SaysWhichOfASamplesLabelsIsNoClass) {
  Random random(5);
  KernelLibrary library;
  Kernel kernel = randomKernel(KernelId::SoftmaxCrossEntropy, random);
  kernel.operands[0].dims = kernel.results[1].dims = {2, 3, 4};
  kernel.operands[1].dims = {2, 3};
  kernel.words = {2};
  Bench bench(kernel, random);
  bench.operands[1].set(5, 4);
  EXPECT_EQ(text(bench.runFast(library, 0)),
            "softmax_cross_entropy: label 2 of sample 1 is 4, expected 0 to 3");
}

/// PipeMare's T1: rate / delay^(1 - t / K) until minibatch K, for delays only.
TEST(KernelLibrary, ScalesTheLearningRateByDelay) {
  Random random(7);
  KernelLibrary library;
  Kernel kernel = randomKernel(KernelId::Sgd, random);
  kernel.words = {0, 0x3F800000, 0};
  const double rates[] = {0.5, 0, 8};
  auto stepAt = [&](uint64_t minibatch, uint32_t delay) {
    Bench bench(asDouble(kernel), random);
    bench.context.scalars = rates;
    bench.context.minibatch = minibatch;
    bench.context.delay = delay;
    bench.operands[0].set(0, 3);
    bench.operands[1].set(0, 1);
    EXPECT_EQ(text(bench.runFast(library, minibatch + 100 * delay)), "");
    return 3 - bench.resultValues()[0];
  };
  EXPECT_NEAR(stepAt(0, 4), 0.5 / 4, 1e-12);
  EXPECT_NEAR(stepAt(4, 4), 0.5 / 2, 1e-12);
  EXPECT_NEAR(stepAt(8, 4), 0.5, 1e-12);
  EXPECT_NEAR(stepAt(9, 4), 0.5, 1e-12);
  EXPECT_NEAR(stepAt(0, 1), 0.5, 1e-12);
  EXPECT_NEAR(stepAt(0, 0), 0.5, 1e-12);
}

TEST(KernelLibrary, NeedsALearningRate) {
  Random random(6);
  KernelLibrary library;
  for (KernelId id : {KernelId::Sgd, KernelId::Momentum, KernelId::Adam}) {
    Bench bench(randomKernel(id, random), random);
    bench.context.scalars = {};
    EXPECT_EQ(text(bench.runFast(library, static_cast<uint64_t>(id))),
              mnemonic(id).str() + ": number of run-time scalars is 0, "
                                   "expected the learning rate as scalar 0");
  }
}

} // namespace
