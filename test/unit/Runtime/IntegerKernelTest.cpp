//===- IntegerKernelTest.cpp - kernels of integers of all widths ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/Kernels.h"
#include "llvm/Support/Error.h"
#include "gtest/gtest.h"
#include <cmath>
#include <limits>
#include <random>
#include <vector>

using namespace llvm;
using namespace takt;

namespace {

using Wide = __int128;

template <typename T> struct Named;
template <> struct Named<int8_t> {
  static constexpr ElementType type = ElementType::I8;
};
template <> struct Named<int16_t> {
  static constexpr ElementType type = ElementType::I16;
};
template <> struct Named<int32_t> {
  static constexpr ElementType type = ElementType::I32;
};
template <> struct Named<int64_t> {
  static constexpr ElementType type = ElementType::I64;
};
template <> struct Named<uint8_t> {
  static constexpr ElementType type = ElementType::U8;
};
template <> struct Named<uint16_t> {
  static constexpr ElementType type = ElementType::U16;
};
template <> struct Named<uint32_t> {
  static constexpr ElementType type = ElementType::U32;
};
template <> struct Named<uint64_t> {
  static constexpr ElementType type = ElementType::U64;
};

template <typename T> class Integers : public testing::Test {
public:
  using Limits = std::numeric_limits<T>;

  /// Ends, small numbers, and random ones.
  static std::vector<T> numbers() {
    std::vector<T> result = {Limits::min(),        T(Limits::min() + 1),
                             Limits::max(),        T(Limits::max() - 1),
                             T(Limits::max() / 2), T(-1)};
    for (int i = 0; i < 12; ++i)
      result.push_back(T(i));
    std::mt19937_64 random(1);
    for (int i = 0; i < 20; ++i)
      result.push_back(T(random()));
    return result;
  }

  /// The result of a kernel on two tensors of n numbers.
  template <typename To>
  static std::vector<To> run(KernelId id, std::vector<uint32_t> words,
                             std::vector<T> a, std::vector<T> b,
                             ElementType to) {
    std::vector<int64_t> dims = {int64_t(a.size())};
    std::vector<To> y(a.size());
    SmallVector<TensorView, 2> operands = {{Named<T>::type, dims, a.data()}};
    if (!b.empty())
      operands.push_back({Named<T>::type, dims, b.data()});
    TensorView result{to, dims, y.data()};
    KernelLibrary library;
    EXPECT_EQ(toString(library.run(0, id, words, operands, result, {})), "");
    return y;
  }
};

using Types = testing::Types<int8_t, int16_t, int32_t, int64_t, uint8_t,
                             uint16_t, uint32_t, uint64_t>;
TYPED_TEST_SUITE(Integers, Types);

Wide power(Wide a, Wide b) {
  if (b < 0)
    return a == 1 ? 1 : a == -1 ? (b % 2 ? -1 : 1) : 0;
  // Modulo 2^64, of which every narrower type is a part.
  uint64_t result = 1, factor = uint64_t(a);
  for (; b > 0; b /= 2, factor *= factor)
    if (b % 2)
      result *= factor;
  return Wide(result);
}

/// In numbers so wide that nothing overflows.
Wide expected(BinaryFunction function, Wide a, Wide b) {
  switch (function) {
  case BinaryFunction::Sub:
    return a - b;
  case BinaryFunction::Div:
    return b == 0 ? 0 : a / b;
  case BinaryFunction::Pow:
    return power(a, b);
  case BinaryFunction::Max:
    return std::max(a, b);
  case BinaryFunction::Min:
    return std::min(a, b);
  case BinaryFunction::Mod:
    return b == 0 ? 0 : ((a % b) + b) % b;
  case BinaryFunction::Fmod:
    return b == 0 ? 0 : a % b;
  case BinaryFunction::PRelu:
    break;
  }
  return 0;
}

TYPED_TEST(Integers, AreWhatWiderOnesAreCutTo) {
  using T = TypeParam;
  std::vector<T> a, b;
  for (T x : this->numbers())
    for (T y : this->numbers()) {
      a.push_back(x);
      b.push_back(y);
    }
  for (auto function :
       {BinaryFunction::Sub, BinaryFunction::Div, BinaryFunction::Pow,
        BinaryFunction::Max, BinaryFunction::Min, BinaryFunction::Mod,
        BinaryFunction::Fmod}) {
    std::vector<T> y = this->template run<T>(
        KernelId::Binary, {uint32_t(function)}, a, b, Named<T>::type);
    for (size_t i = 0; i < y.size(); ++i)
      ASSERT_EQ(y[i], T(expected(function, a[i], b[i])))
          << name(function).str() << " of " << +a[i] << " and " << +b[i];
  }
  std::vector<T> sum =
      this->template run<T>(KernelId::Add, {}, a, b, Named<T>::type);
  std::vector<T> product =
      this->template run<T>(KernelId::Mul, {}, a, b, Named<T>::type);
  auto less = this->template run<uint8_t>(KernelId::Compare,
                                          {uint32_t(CompareFunction::Less)}, a,
                                          b, ElementType::I1);
  for (size_t i = 0; i < a.size(); ++i) {
    ASSERT_EQ(sum[i], T(Wide(a[i]) + b[i]));
    ASSERT_EQ(product[i], T(uint64_t(a[i]) * uint64_t(b[i])));
    ASSERT_EQ(less[i], a[i] < b[i]);
  }
}

TYPED_TEST(Integers, AreCastToEveryType) {
  using T = TypeParam;
  std::vector<T> x = this->numbers();
  for (auto [type, text] : {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnx)          \
  std::pair(ElementType::Name, mnemonic),
#include "takt/Support/ElementTypes.def"
       })
    visitElement(type, [&, type = type, text = text](auto zero) {
      using To = decltype(zero);
      std::vector<To> y =
          this->template run<To>(KernelId::Cast, {}, x, {}, type);
      for (size_t i = 0; i < x.size(); ++i) {
        auto number = static_cast<double>(y[i]);
        if (type == ElementType::I1)
          ASSERT_EQ(number, x[i] != 0) << text;
        else if constexpr (isFloat16<To>)
          ASSERT_EQ(y[i].bits, To(roundToOdd(double(x[i]))).bits) << text;
        else
          ASSERT_EQ(y[i], static_cast<To>(x[i])) << text;
      }
    });
}

TYPED_TEST(Integers, ComeFromFloatsWithoutLeavingTheirRange) {
  using T = TypeParam;
  using Limits = std::numeric_limits<T>;
  for (double value : {0.0, 0.9, -0.9, 1.5, -1.5, 100.7, 1e4, -1e4, 1e12, -1e12,
                       1e30, -1e30, HUGE_VAL, -HUGE_VAL, std::nan("")}) {
    auto x = static_cast<float>(value);
    T y;
    TensorView from{ElementType::F32, {}, &x}, to{Named<T>::type, {}, &y};
    ASSERT_FALSE(bool(runReferenceKernel(KernelId::Cast, {}, from, to, {})));
    double lowest = static_cast<double>(Limits::min());
    double largest = static_cast<double>(Limits::max());
    T nearest = std::isnan(x)          ? T(0)
                : double(x) <= lowest  ? Limits::min()
                : double(x) >= largest ? Limits::max()
                                       : T(x);
    EXPECT_EQ(y, nearest) << value;
  }
}

TYPED_TEST(Integers, ArePooledAndReduced) {
  using T = TypeParam;
  std::vector<T> x = this->numbers();
  std::vector<int64_t> dims = {1, 1, int64_t(x.size())}, one = {1, 1, 1};
  T pooled, most;
  auto n = uint32_t(x.size());
  TensorView from{Named<T>::type, dims, x.data()};
  TensorView to{Named<T>::type, one, &pooled};
  ASSERT_FALSE(bool(
      runReferenceKernel(KernelId::MaxPool, {1, n, 1, 0, 0, 1}, from, to, {})));
  to.data = &most;
  ASSERT_FALSE(
      bool(runReferenceKernel(KernelId::ReduceMax, {1, 2}, from, to, {})));
  EXPECT_EQ(pooled, std::numeric_limits<T>::max());
  EXPECT_EQ(most, std::numeric_limits<T>::max());
}

} // namespace
