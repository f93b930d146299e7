//===- KernelCheckTest.cpp - what checkKernel lets pass is safe to run ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/KernelCheck.h"
#include "KernelCases.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <limits>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {

uint32_t floatBits(float value) { return llvm::bit_cast<uint32_t>(value); }

/// conv: x 2x4x9x9, w 6x2x3x3, b 6 in two groups, stride 2, pads 1: y 2x6x5x5.
Kernel conv() {
  Kernel kernel;
  kernel.id = KernelId::Conv;
  kernel.words = {2, 2, 2, 2, 1, 1, 1, 1, 1, 1};
  kernel.operands.resize(3);
  kernel.results.resize(1);
  kernel.operands[0].dims = {2, 4, 9, 9};
  kernel.operands[1].dims = {6, 2, 3, 3};
  kernel.operands[2].dims = {6};
  kernel.results[0].dims = {2, 6, 5, 5};
  return kernel;
}

Kernel unary(KernelId id, ArrayRef<int64_t> x, ArrayRef<int64_t> y,
             ArrayRef<uint32_t> words) {
  Kernel kernel;
  kernel.id = id;
  kernel.words.assign(words.begin(), words.end());
  kernel.operands.resize(1);
  kernel.results.resize(1);
  kernel.operands[0].dims.assign(x.begin(), x.end());
  kernel.results[0].dims.assign(y.begin(), y.end());
  return kernel;
}

void expectError(Kernel kernel, StringRef message) {
  EXPECT_EQ(toString(checkKernel(kernel)), message.str());
}

/// The convolution after one change.
void expectConvError(function_ref<void(Kernel &)> change, StringRef message) {
  Kernel kernel = conv();
  ASSERT_EQ(toString(checkKernel(kernel)), "");
  change(kernel);
  expectError(kernel, message);
}

TEST(KernelCheck, NamesAnUnknownKernel) {
  Kernel kernel = conv();
  kernel.id = static_cast<KernelId>(0xFE);
  expectError(kernel, "unknown kernel 0xFE");
}

TEST(KernelCheck, CountsOperandsResultsAndWords) {
  expectConvError([](Kernel &k) { k.operands.pop_back_n(2); },
                  "conv: number of operands is 1, expected 2 to 3");
  expectConvError([](Kernel &k) { k.results.clear(); },
                  "conv: number of results is 0, expected 1");
  expectConvError([](Kernel &k) { k.words.pop_back(); },
                  "conv: number of attribute words is 9, expected 10");
  expectConvError([](Kernel &k) { k.words.clear(); },
                  "conv: it has no attribute words");
  expectConvError([](Kernel &k) { k.words[0] = 0xFFFFFFFF; },
                  "conv: n is 4294967295, expected 0 to 8");
  expectConvError([](Kernel &k) { k.words = {0, 1}; },
                  "conv: n is 0, expected 1 to 3");
}

TEST(KernelCheck, BoundsTensors) {
  expectConvError([](Kernel &k) { k.operands[0].dims[2] = 0; },
                  "conv: dimension 2 of x is 0, expected 1 to 137438953472");
  expectConvError([](Kernel &k) { k.operands[0].dims[0] = -3; },
                  "conv: dimension 0 of x is -3, expected 1 to 1099511627776");
  expectConvError(
      [](Kernel &k) { k.operands[1].dims = {1 << 30, 1 << 30, 1 << 30}; },
      "conv: dimension 1 of w is 1073741824, expected 1 to 1024");
  expectConvError([](Kernel &k) { k.results[0].dims.assign(9, 1); },
                  "conv: rank of y is 9, expected 0 to 8");
}

TEST(KernelCheck, ChecksTypes) {
  expectConvError([](Kernel &k) { k.results[0].type = ElementType::I64; },
                  "conv: type of y is i64, expected a type of floats");
  expectConvError([](Kernel &k) { k.operands[1].type = ElementType::F64; },
                  "conv: type of w is f64, expected f32");
  expectConvError(
      [](Kernel &k) { k.operands[0].type = static_cast<ElementType>(99); },
      "conv: type of x is no element type, expected f32");
  expectConvError([](Kernel &k) { k.operands[1].type = ElementType::F16; },
                  "conv: type of w is f16, expected f32");
  Kernel move = unary(KernelId::Reshape, {2, 3}, {6}, {});
  move.operands[0].type = move.results[0].type = ElementType::I64;
  expectError(move, "");
}

TEST(KernelCheck, RelatesAConvolutionsShapes) {
  expectConvError([](Kernel &k) { k.words[1] = 0; },
                  "conv: groups is 0, expected a divisor of 4 input and 6 "
                  "output channels");
  expectConvError([](Kernel &k) { k.words[2] = 0; },
                  "conv: strides[0] is 0, expected 1 to 4194304");
  expectConvError([](Kernel &k) { k.words[9] = 0xFFFFFFFF; },
                  "conv: dilations[1] is 4294967295, expected 1 to 4194304");
  expectConvError([](Kernel &k) { k.words[8] = 6; },
                  "conv: extent of the window on spatial axis 0 is 13, "
                  "expected at most 11");
  expectConvError([](Kernel &k) { k.operands[1].dims[1] = 4; },
                  "conv: shape of w is 6x4x3x3, expected 6x2x3x3");
  expectConvError([](Kernel &k) { k.operands[2].dims[0] = 5; },
                  "conv: shape of b is 5, expected 6");
  expectConvError([](Kernel &k) { k.results[0].dims[3] = 6; },
                  "conv: shape of y is 2x6x5x6, expected 2x6x5x5");
}

TEST(KernelCheck, KeepsPoolWindowsOnElements) {
  // A window of padding alone has no maximum and no mean.
  expectError(
      unary(KernelId::MaxPool, {1, 1, 4}, {1, 1, 5}, {1, 2, 1, 2, 0, 1}),
      "max_pool: pads_begin[0] is 2, expected 0 to 1");
  expectError(
      unary(KernelId::AveragePool, {1, 1, 4}, {1, 1, 5}, {1, 0, 2, 1, 0, 2, 1}),
      "average_pool: number of windows on spatial axis 0 is 5, "
      "expected 4");
  expectError(
      unary(KernelId::AveragePool, {1, 1, 4}, {1, 1, 2}, {1, 2, 2, 2, 0, 0, 1}),
      "average_pool: count_include_pad is 2, expected 0 to 1");
  // 6 elements, window 3, stride 2: two windows, or three of which the last
  // one hangs over the end.
  for (int64_t windows : {2, 3})
    expectError(unary(KernelId::AveragePool, {1, 1, 6}, {1, 1, windows},
                      {1, 0, 3, 2, 0, 0, 1}),
                "");
  expectError(
      unary(KernelId::AveragePool, {1, 1, 6}, {1, 1, 4}, {1, 0, 3, 2, 0, 0, 1}),
      "average_pool: number of windows on spatial axis 0 is 4, "
      "expected 2 to 3");
}

TEST(KernelCheck, KnowsWhatPoolsOfTheirOwnTakeAndGive) {
  uint32_t half = llvm::bit_cast<uint32_t>(0.5f);
  expectError(
      unary(KernelId::LpPool, {1, 1, 4}, {1, 1, 2}, {1, half, 2, 2, 0, 0, 1}),
      "lp_pool: p is 0.500000, expected at least 1");
  Kernel kernel = unary(KernelId::MaxPoolIndices, {1, 1, 4}, {1, 1, 2},
                        {1, 0, 2, 2, 0, 0, 1});
  expectError(kernel, "max_pool_indices: type of indices is f32, expected i64");
  kernel.results[0].type = ElementType::I64;
  expectError(kernel, "");
  kernel.words[1] = 2;
  expectError(kernel, "max_pool_indices: column_major is 2, expected 0 to 1");
  kernel.words[1] = 1;
  kernel.operands[0].type = ElementType::U8;
  expectError(kernel, "");
  kernel.operands[0].type = ElementType::I1;
  expectError(kernel,
              "max_pool_indices: type of x is i1, expected a type of numbers");
}

TEST(KernelCheck, BoundsDistributions) {
  auto draw = [](KernelId id, float a, float b) {
    Kernel kernel = unary(
        id, {4}, {4},
        {llvm::bit_cast<uint32_t>(a), llvm::bit_cast<uint32_t>(b), 0xFFFFFFFF});
    kernel.operands.clear();
    return kernel;
  };
  expectError(draw(KernelId::RandomUniform, 0, 1), "");
  expectError(draw(KernelId::RandomUniform, 1, 1),
              "random_uniform: low is 1.000000, expected less than high, which "
              "is 1.000000");
  expectError(draw(KernelId::RandomNormal, 0, -1),
              "random_normal: scale is -1.000000, expected at least 0");
  expectError(draw(KernelId::RandomNormal, INFINITY, 1),
              "random_normal: mean is not finite, expected a finite number");
}

TEST(KernelCheck, BoundsAxesAndRanges) {
  expectError(unary(KernelId::Softmax, {2, 3}, {2, 3}, {2}),
              "softmax: axis is 2, expected 0 to 1");
  expectError(unary(KernelId::Slice, {2, 6}, {2, 3}, {1, 4}),
              "slice: begin is 4, expected 0 to 3");
  expectError(unary(KernelId::Slice, {2, 6}, {2, 3}, {1, 0xFFFFFFFF}),
              "slice: begin is 4294967295, expected 0 to 3");
  expectError(unary(KernelId::Transpose, {2, 3}, {2, 2}, {2, 0, 0}),
              "transpose: permutation[1] is 0, expected an axis that is not "
              "taken yet");
  expectError(unary(KernelId::ReduceSum, {2, 3}, {2}, {1, 2}),
              "reduce_sum: axes[0] is 2, expected 0 to 1");
  expectError(unary(KernelId::Reshape, {2, 3}, {5}, {}),
              "reshape: number of elements of y is 5, expected 6");
  expectError(unary(KernelId::Concat, {}, {}, {0}),
              "concat: axis is 0, expected 0 to -1");
}

TEST(KernelCheck, BoundsFloats) {
  float nan = std::numeric_limits<float>::quiet_NaN();
  expectError(unary(KernelId::LeakyRelu, {2}, {2}, {floatBits(nan)}),
              "leaky_relu: alpha is not finite, expected a finite number");
  // What is around a tensor may be infinite.
  auto padded = [](float value) {
    uint32_t mode = static_cast<uint32_t>(PadMode::Constant);
    return unary(KernelId::Pad, {2}, {3}, {1, mode, floatBits(value), 1, 0});
  };
  expectError(padded(-INFINITY), "");
  expectError(padded(nan), "pad: value is no number, expected a number");
  expectError(unary(KernelId::Dropout, {2}, {2}, {floatBits(1), 0}),
              "dropout: ratio is 1.000000, expected at least 0 and less than "
              "1");
}

TEST(KernelCheck, ChecksBroadcasting) {
  Kernel add = unary(KernelId::Add, {2, 3}, {2, 3}, {});
  add.operands.push_back(add.operands[0]);
  add.operands[1].dims = {2};
  expectError(add, "add: shape of b is 2, expected one that broadcasts with "
                   "2x3");
  add.operands[1].dims = {4, 1, 1};
  expectError(add, "add: shape of y is 2x3, expected 4x2x3");
}

//===----------------------------------------------------------------------===//
// Mutations
//===----------------------------------------------------------------------===//

/// One random change of a word, a dimension, a type, or of what there is.
void mutate(Kernel &kernel, Random &random) {
  auto someTensor = [&]() -> TensorRef & {
    size_t i =
        pick(random, 0, kernel.operands.size() + kernel.results.size() - 1);
    return i < kernel.operands.size()
               ? kernel.operands[i]
               : kernel.results[i - kernel.operands.size()];
  };
  switch (pick(random, 0, 6)) {
  case 0:
  case 1:
    if (!kernel.words.empty()) {
      uint32_t &word = kernel.words[pick(random, 0, kernel.words.size() - 1)];
      word = pick(random, 0, 1) ? uint32_t(pick(random, 0, 6))
                                : word ^ (1u << pick(random, 0, 31));
    }
    return;
  case 2:
  case 3: {
    auto &dims = someTensor().dims;
    if (!dims.empty())
      dims[pick(random, 0, dims.size() - 1)] = pick(random, -1, 7);
    return;
  }
  case 4:
    if (pick(random, 0, 1))
      someTensor().dims.push_back(pick(random, 1, 3));
    else if (!someTensor().dims.empty())
      someTensor().dims.clear();
    return;
  case 5:
    someTensor().type = static_cast<ElementType>(pick(random, 0, 14));
    return;
  default:
    if (pick(random, 0, 1))
      kernel.operands.push_back(someTensor());
    else if (!kernel.operands.empty())
      kernel.operands.pop_back();
  }
}

/// Every mutation of a valid kernel is rejected or runs, in both
/// implementations; the address sanitizer says whether it ran within its
/// buffers, which are exactly as long as the tensors.
TEST(KernelCheck, WhatPassesRunsCleanly) {
  constexpr int kMutationsPerKernel = 400;
  for (KernelId id : allKernels()) {
    Random random(static_cast<unsigned>(id));
    KernelLibrary library;
    int rejected = 0, ran = 0;
    for (int i = 0; i < kMutationsPerKernel; ++i) {
      Kernel kernel = randomKernel(id, random);
      for (int64_t changes = pick(random, 1, 2); changes > 0; --changes)
        mutate(kernel, random);
      if (Error error = checkKernel(kernel)) {
        consumeError(std::move(error));
        ++rejected;
        continue;
      }
      ++ran;
      Bench reference(kernel, random), fast(kernel, random);
      // Labels may be rejected by their value, nothing else may fail.
      EXPECT_EQ(toString(reference.runReference()), "");
      EXPECT_EQ(toString(fast.runFast(library, i)), "");
    }
    EXPECT_GT(rejected, 0) << mnemonic(id).str();
    EXPECT_GT(ran, 0) << mnemonic(id).str();
  }
}

} // namespace
