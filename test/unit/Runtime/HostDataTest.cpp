//===- HostDataTest.cpp ---------------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/HostData.h"
#include "ErrorText.h"
#include <gtest/gtest.h>
#include <set>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {
Program classifier() {
  Program program;
  program.batch = 2;
  program.bindings = {
      {"image", BindingKind::Input, 0, ElementType::F32, {2, 1}},
      {"classes", BindingKind::Label, 0, ElementType::I64, {2}},
      {"loss", BindingKind::Loss, 0, ElementType::F32, {}}};
  return program;
}

template <typename T>
Array array(StringRef name, ElementType type, ArrayRef<int64_t> dims,
            std::vector<T> values) {
  auto *bytes = reinterpret_cast<const uint8_t *>(values.data());
  return {name.str(),
          type,
          SmallVector<int64_t, 4>(dims),
          {bytes, bytes + values.size() * sizeof(T)}};
}

std::vector<Array> fiveSamples() {
  return {array<uint8_t>("image", ElementType::U8, {5, 1}, {0, 1, 2, 3, 4}),
          array<int32_t>("label", ElementType::I32, {5}, {0, 1, 2, 3, 4})};
}

/// The samples of the first `count` minibatches.
std::vector<float> draw(const HostData &data, int count) {
  std::vector<float> drawn;
  for (int m = 0; m < count; ++m) {
    float image[2];
    int64_t label[2];
    data.fill(0, m, image);
    data.fill(1, m, label);
    for (int i = 0; i < 2; ++i) {
      EXPECT_EQ(image[i], static_cast<float>(label[i]));
      drawn.push_back(image[i]);
    }
  }
  return drawn;
}

std::string failure(const std::vector<Array> &arrays) {
  auto data = ArrayData::create(classifier(), arrays, {});
  EXPECT_FALSE(static_cast<bool>(data));
  return data ? "" : toString(data.takeError());
}
} // namespace

TEST(HostData, FileOrderDropsTheIncompleteMinibatch) {
  auto data = ArrayData::create(classifier(), fiveSamples(), {false, 0, false});
  ASSERT_EQ(errorText(data), "");
  EXPECT_EQ((*data)->minibatchesPerEpoch(), 2u);
  EXPECT_EQ(draw(**data, 3), (std::vector<float>{0, 1, 2, 3, 0, 1}));
}

TEST(HostData, IncompleteMinibatchIsFilledUp) {
  auto data = ArrayData::create(classifier(), fiveSamples(), {false, 0, true});
  ASSERT_EQ(errorText(data), "");
  EXPECT_EQ(draw(**data, 3), (std::vector<float>{0, 1, 2, 3, 4, 0}));
}

// The inputs of a + b, of shapes 2x1 and 3: neither has samples.
TEST(HostData, InputsWithoutACommonFirstDimensionAreOneMinibatch) {
  Program program = classifier();
  program.bindings[1].kind = BindingKind::Input;
  program.bindings[1].type = ElementType::F32;
  program.bindings[1].dims = {3};
  std::vector<Array> arrays = {
      array<float>("image", ElementType::F32, {2, 1}, {1, 2}),
      array<float>("classes", ElementType::F32, {3}, {3, 4, 5})};
  auto data = ArrayData::create(program, arrays, {});
  ASSERT_EQ(errorText(data), "");
  EXPECT_EQ((*data)->minibatchesPerEpoch(), 1u);
  float image[2], other[3];
  (*data)->fill(0, 0, image);
  (*data)->fill(1, 0, other);
  EXPECT_EQ(std::vector<float>(image, image + 2), (std::vector<float>{1, 2}));
  EXPECT_EQ(std::vector<float>(other, other + 3),
            (std::vector<float>{3, 4, 5}));
  arrays[1].dims = {1, 3};
  EXPECT_EQ(toString(ArrayData::create(program, arrays, {}).takeError()),
            "array 'classes' is <f4 1x3, the program's input 'classes' needs "
            "<f4 3");
}

TEST(HostData, ShuffledEpochsArePermutations) {
  std::set<std::vector<float>> orders;
  for (uint64_t seed = 0; seed < 3; ++seed) {
    auto data =
        ArrayData::create(classifier(), fiveSamples(), {true, seed, true});
    ASSERT_EQ(errorText(data), "");
    std::vector<float> drawn = draw(**data, 6);
    EXPECT_EQ(drawn, draw(**data, 6));
    for (int epoch = 0; epoch < 2; ++epoch) {
      std::vector<float> order(drawn.begin() + epoch * 6,
                               drawn.begin() + epoch * 6 + 5);
      orders.insert(order);
      llvm::sort(order);
      EXPECT_EQ(order, (std::vector<float>{0, 1, 2, 3, 4}));
    }
  }
  EXPECT_GE(orders.size(), 5u);
}

TEST(HostData, SyntheticDataHasUnitVarianceAndAllClasses) {
  Program program = classifier();
  Kernel loss;
  loss.id = KernelId::SoftmaxCrossEntropy;
  loss.operands.resize(2);
  loss.operands[0].dims = {2, 7, 3};
  loss.words = {1};
  program.kernels.push_back(loss);
  auto data = makeSyntheticData(program, 1);
  double sum = 0, squares = 0;
  std::set<int64_t> labels;
  constexpr int kMinibatches = 4000;
  for (int m = 0; m < kMinibatches; ++m) {
    float image[2];
    int64_t label[2];
    data->fill(0, m, image);
    data->fill(1, m, label);
    for (int i = 0; i < 2; ++i) {
      sum += image[i];
      squares += image[i] * image[i];
      labels.insert(label[i]);
    }
  }
  EXPECT_NEAR(sum / (2 * kMinibatches), 0, 0.05);
  EXPECT_NEAR(squares / (2 * kMinibatches), 1, 0.05);
  EXPECT_EQ(labels, (std::set<int64_t>{0, 1, 2, 3, 4, 5, 6}));
}

TEST(HostData, MessagesNameExpectedAndFound) {
  std::vector<Array> arrays = fiveSamples();
  arrays[0].name = "images";
  EXPECT_EQ(failure(arrays),
            "the program's input needs an array 'image', found "
            "'images', 'label'");
  arrays = fiveSamples();
  arrays[1].name = "y";
  EXPECT_EQ(failure(arrays), "the program's label needs an array 'classes' or "
                             "'label', found 'image', 'y'");
  arrays = fiveSamples();
  arrays[0].dims = {5};
  EXPECT_EQ(failure(arrays), "array 'image' is |u1 5, the program's input "
                             "'image' needs <f4 Nx1");
  arrays = fiveSamples();
  arrays[1] = array<float>("label", ElementType::F32, {5}, {0, 1, 2, 3, 4});
  EXPECT_EQ(failure(arrays),
            "array 'label' has elements '<f4', expected '<i8'");
  arrays = fiveSamples();
  arrays[1] = array<int32_t>("label", ElementType::I32, {4}, {0, 1, 2, 3});
  EXPECT_EQ(failure(arrays),
            "array 'label' has 4 samples, array 'image' has 5");
  arrays = {array<float>("image", ElementType::F32, {1, 1}, {0}),
            array<int64_t>("label", ElementType::I64, {1}, {0})};
  EXPECT_EQ(failure(arrays),
            "the data has 1 samples, expected at least one minibatch of 2");
}
