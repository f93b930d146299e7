//===- Float16Test.cpp - floats of 16 bits against LLVM's -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Float16.h"
#include "llvm/ADT/APFloat.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace llvm;
using namespace takt;

namespace {

template <typename T> const fltSemantics &semantics();
template <> const fltSemantics &semantics<Float16>() {
  return APFloat::IEEEhalf();
}
template <> const fltSemantics &semantics<BFloat16>() {
  return APFloat::BFloat();
}

template <typename T> class Floats : public testing::Test {};
using Types = testing::Types<Float16, BFloat16>;
TYPED_TEST_SUITE(Floats, Types);

TYPED_TEST(Floats, WidenExactly) {
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    TypeParam x;
    x.bits = static_cast<uint16_t>(bits);
    float expected =
        APFloat(semantics<TypeParam>(), APInt(16, bits)).convertToFloat();
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(float(x))) << bits;
    else
      ASSERT_EQ(llvm::bit_cast<uint32_t>(float(x)),
                llvm::bit_cast<uint32_t>(expected))
          << bits;
  }
}

/// As LLVM rounds it; NaN to some NaN.
template <typename T> void expectRounded(APFloat exact, T rounded) {
  APFloat expected = exact;
  bool inexact;
  expected.convert(semantics<T>(), APFloat::rmNearestTiesToEven, &inexact);
  if (exact.isNaN())
    ASSERT_TRUE(std::isnan(float(rounded)));
  else
    ASSERT_EQ(rounded.bits, expected.bitcastToAPInt().getZExtValue())
        << exact.convertToDouble();
}

TYPED_TEST(Floats, AreTheNearestAndOfTwoTheEvenOne) {
  // Every number of 16 bits, what is halfway to the next one, and beside that.
  for (uint32_t bits = 0; bits < 65536; ++bits) {
    TypeParam x;
    x.bits = static_cast<uint16_t>(bits);
    auto middle = llvm::bit_cast<uint32_t>(float(x));
    bool isHalf = std::is_same_v<TypeParam, Float16>;
    middle += isHalf ? 0x1000 : 0x8000;
    for (uint32_t other :
         {llvm::bit_cast<uint32_t>(float(x)), middle - 1, middle, middle + 1}) {
      auto value = llvm::bit_cast<float>(other);
      expectRounded(APFloat(value), TypeParam(value));
    }
  }
  std::mt19937 random(1);
  for (int i = 0; i < 200000; ++i) {
    auto value = llvm::bit_cast<float>(uint32_t(random()));
    expectRounded(APFloat(value), TypeParam(value));
  }
}

TYPED_TEST(Floats, OfDoublesAreRoundedOnce) {
  std::mt19937_64 random(2);
  for (int i = 0; i < 200000; ++i) {
    TypeParam x;
    x.bits = static_cast<uint16_t>(random());
    // Close to what is halfway between two.
    double next = double(float(x)) * (1 + 0x1p-8 + 0x1p-11 * (i % 3));
    double value = i % 2 ? std::nextafter(next, 0.0) : next;
    expectRounded(APFloat(value), TypeParam(roundToOdd(value)));
  }
}

} // namespace
