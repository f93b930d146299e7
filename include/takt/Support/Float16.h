//===- Float16.h - floating-point numbers of 16 bits ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// IEEE's half precision and bfloat16 as they are in memory. Nothing is computed
// in them: they widen to float, exactly, and numbers are rounded to them, to
// the nearest and of two to the even one, to infinity where they are too large.
// NaN stays NaN. Loops of these conversions vectorise.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_FLOAT16_H
#define TAKT_SUPPORT_FLOAT16_H

#include "llvm/ADT/bit.h"
#include <cstdint>
#include <type_traits>

namespace takt {

/// The float next to x from which rounding to fewer bits gives what rounding x
/// itself would: where x is no float, the one of its neighbours that is odd.
inline float roundToOdd(double x) {
  auto nearest = static_cast<float>(x);
  // Also of infinities and NaN.
  if (double(nearest) == x || nearest != nearest)
    return nearest;
  auto bits = llvm::bit_cast<uint32_t>(nearest);
  bool isFurther = (double(nearest) > x) == (x > 0);
  return llvm::bit_cast<float>((bits - isFurther) | 1);
}

/// 1 sign bit, 5 of the exponent, 10 of the fraction.
struct Float16 {
  uint16_t bits = 0;

  Float16() = default;
  explicit Float16(float x) {
    constexpr uint32_t kInfinity = 255u << 23, kEnd = (127u + 16) << 23,
                       kNormal = (127u - 14) << 23;
    auto all = llvm::bit_cast<uint32_t>(x);
    uint32_t sign = (all >> 16) & 0x8000, size = all & 0x7FFFFFFF;
    // The sum's last bit is the last bit of a number below the normal ones.
    constexpr uint32_t kSubnormal = 126u << 23; // 0.5
    uint32_t small =
        llvm::bit_cast<uint32_t>(llvm::bit_cast<float>(size) +
                                 llvm::bit_cast<float>(kSubnormal)) -
        kSubnormal;
    // A carry from the fraction goes into the exponent.
    uint32_t odd = (size >> 13) & 1;
    uint32_t normal = (size - (112u << 23) + 0xFFF + odd) >> 13;
    uint32_t special = size > kInfinity ? 0x7E00 : 0x7C00;
    uint32_t result = size < kNormal ? small : normal;
    bits = static_cast<uint16_t>(sign | (size >= kEnd ? special : result));
  }
  operator float() const {
    uint32_t sign = uint32_t(bits & 0x8000) << 16,
             size = uint32_t(bits & 0x7FFF) << 13;
    float scaled = llvm::bit_cast<float>(size) * 0x1p112f;
    uint32_t special = size | (255u << 23);
    uint32_t finite = llvm::bit_cast<uint32_t>(scaled);
    return llvm::bit_cast<float>(
        sign | ((bits & 0x7C00) == 0x7C00 ? special : finite));
  }
};

/// The upper half of a float: 8 bits of the exponent, 7 of the fraction.
struct BFloat16 {
  uint16_t bits = 0;

  BFloat16() = default;
  explicit BFloat16(float x) {
    auto all = llvm::bit_cast<uint32_t>(x);
    uint32_t rounded = (all + 0x7FFF + ((all >> 16) & 1)) >> 16;
    uint32_t quiet = (all >> 16) | 0x40;
    bits = static_cast<uint16_t>(x != x ? quiet : rounded);
  }
  operator float() const { return llvm::bit_cast<float>(uint32_t(bits) << 16); }
};

template <typename T>
constexpr bool isFloat16 =
    std::is_same_v<T, Float16> || std::is_same_v<T, BFloat16>;

} // namespace takt

#endif // TAKT_SUPPORT_FLOAT16_H
