//===- LearningRateTest.cpp - learning rate by update ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/LearningRate.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>

using namespace takt;

namespace {

LearningRateSchedule parse(llvm::StringRef text, uint64_t warmup = 0) {
  llvm::Expected<LearningRateSchedule> result = parseLearningRateSchedule(text);
  EXPECT_TRUE(bool(result)) << text.str();
  if (!result)
    return llvm::consumeError(result.takeError()), LearningRateSchedule();
  result->warmup = warmup;
  return *result;
}

// The expected numbers are those of PyTorch's schedulers of the same settings.
TEST(LearningRate, FallsInSteps) {
  LearningRateSchedule rate = parse("step:3:0.5");
  const double expected[] = {1, 1, 1, 0.5, 0.5, 0.5, 0.25};
  for (size_t t = 0; t < std::size(expected); ++t)
    EXPECT_DOUBLE_EQ(rate.at(t), expected[t]) << t;
}

TEST(LearningRate, FallsAlongACosine) {
  LearningRateSchedule rate = parse("cosine:4:0.2");
  const double half = 0.8 * std::sqrt(0.5) / 2;
  const double expected[] = {1, 0.6 + half, 0.6, 0.6 - half, 0.2, 0.2, 0.2};
  for (size_t t = 0; t < std::size(expected); ++t)
    EXPECT_NEAR(rate.at(t), expected[t], 1e-15) << t;
}

TEST(LearningRate, RisesThenFallsAlongALine) {
  LearningRateSchedule rate = parse("linear:4", 2);
  const double expected[] = {0.5, 1, 1, 0.75, 0.5, 0.25, 0, 0};
  for (size_t t = 0; t < std::size(expected); ++t)
    EXPECT_DOUBLE_EQ(rate.at(t), expected[t]) << t;
}

TEST(LearningRate, IsConstantWithoutScalars) {
  const double scalars[] = {0.1, 100, 0};
  llvm::Expected<LearningRateSchedule> rate = LearningRateSchedule::of(scalars);
  ASSERT_TRUE(bool(rate));
  EXPECT_TRUE(rate->isConstant());
  EXPECT_EQ(rate->at(1'000'000), 1);
}

TEST(LearningRate, ComesBackFromItsScalars) {
  LearningRateSchedule rate = parse("cosine:40:0.25", 7);
  std::vector<double> scalars = {0.1, 100, 0};
  llvm::append_range(scalars, rate.scalars());
  llvm::Expected<LearningRateSchedule> back = LearningRateSchedule::of(scalars);
  ASSERT_TRUE(bool(back));
  for (uint64_t t = 0; t < 60; ++t)
    EXPECT_EQ(back->at(t), rate.at(t));
}

TEST(LearningRate, RefusesScalarsThatAreNone) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (std::vector<double> wrong : {std::vector<double>{1},
                                    {-1, 0, 0, 0},
                                    {0.5, 0, 0, 0},
                                    {0, 4, 1, 0},
                                    {0, 1.5, 1, 0},
                                    {0, 1, 0, 0},
                                    {0, 1, 1, 2},
                                    {0, 1, 1, nan},
                                    {nan, 0, 0, 0},
                                    {0, 2, 1e300, 0}}) {
    std::vector<double> scalars = {0.1, 100, 0};
    llvm::append_range(scalars, wrong);
    llvm::Expected<LearningRateSchedule> rate =
        LearningRateSchedule::of(scalars);
    EXPECT_FALSE(bool(rate));
    llvm::consumeError(rate.takeError());
  }
}

TEST(LearningRate, RefusesTextThatIsNone) {
  for (llvm::StringRef text :
       {"", "cos:4", "step:4", "step:0:1", "step:4:2", "cosine", "cosine:x",
        "linear:4:-1", "constant:1", "cosine:4:0.1:3", "step:4:nan"}) {
    llvm::Expected<LearningRateSchedule> rate = parseLearningRateSchedule(text);
    EXPECT_FALSE(bool(rate)) << text.str();
    llvm::consumeError(rate.takeError());
  }
}

} // namespace
