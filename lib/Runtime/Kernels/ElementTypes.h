//===- ElementTypes.h - loops in a tensor's own element type ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_ELEMENTTYPES_H
#define TAKT_LIB_RUNTIME_KERNELS_ELEMENTTYPES_H

#include "takt/Support/ElementType.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <limits>
#include <type_traits>

namespace takt {

/// use(zero) with a zero of the C++ type of an element. No kernel computes in
/// 16-bit floats: it is called with these as f32 (WidenedCall).
template <typename Use> llvm::Error withElementType(ElementType type, Use use) {
  return visitElement(type, [&](auto zero) {
    if constexpr (isFloat16<decltype(zero)>)
      return use(float());
    else
      return use(zero);
  });
}

/// use(zero) with a zero of an unsigned type as large as an element: for
/// kernels that only move them.
template <typename Use> llvm::Error withElementSize(ElementType type, Use use) {
  switch (elementBytes(type)) {
  case 1:
    return use(uint8_t());
  case 2:
    return use(uint16_t());
  case 4:
    return use(uint32_t());
  default:
    return use(uint64_t());
  }
}

/// Towards 0, the nearest end where `To` has no such number, NaN to 0; to a
/// float the nearest. Between integers what does not fit wraps around.
template <typename To, typename From> To convertNumber(From x) {
  if constexpr (isFloat16<To>)
    return To(roundToOdd(static_cast<double>(x)));
  else if constexpr (isFloat16<From>)
    return convertNumber<To>(static_cast<float>(x));
  else if constexpr (std::is_integral_v<To> && std::is_floating_point_v<From>) {
    if (x != x)
      return 0;
    // The first number above the largest is a power of two, and exact.
    constexpr From kEnd =
        From(std::numeric_limits<To>::max() / 2 + 1) * From(2);
    if (x >= kEnd)
      return std::numeric_limits<To>::max();
    if (x < From(std::numeric_limits<To>::min()))
      return std::numeric_limits<To>::min();
  }
  return static_cast<To>(x);
}

/// Arithmetic that is defined for all numbers: of integers, what overflows
/// wraps around, and what is divided by 0 is 0.
namespace arithmetic {

template <typename T> using Unsigned = std::make_unsigned_t<T>;

template <typename T> T add(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a + b;
  else
    return T(Unsigned<T>(a) + Unsigned<T>(b));
}

template <typename T> T sub(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a - b;
  else
    return T(Unsigned<T>(a) - Unsigned<T>(b));
}

template <typename T> T mul(T a, T b) {
  if constexpr (std::is_floating_point_v<T>)
    return a * b;
  else
    // Not of operands that are promoted to int.
    return T(uint64_t(a) * uint64_t(b));
}

/// Whether NaN and a > b, NaN being larger than every number.
template <typename T> bool isLarger(T a, T b) {
  return a > b || (a != a && b == b);
}

} // namespace arithmetic

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_ELEMENTTYPES_H
