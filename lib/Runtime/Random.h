//===- Random.h - reproducible random numbers, internal ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// SplitMix64: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014, with the mixing constants of its figure 17.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_RANDOM_H
#define TAKT_LIB_RUNTIME_RANDOM_H

#include <cstdint>
#include <initializer_list>

namespace takt::runtime {

class SplitMix64 {
public:
  /// A stream for each sequence of keys.
  explicit SplitMix64(std::initializer_list<uint64_t> keys) {
    for (uint64_t key : keys)
      state = mix(state + kGamma + mix(key + kGamma));
  }

  uint64_t next() { return at(count++); }
  /// Number `i` of the stream.
  uint64_t at(uint64_t i) const { return mix(state + kGamma * (i + 1)); }

  /// A number in [0, bound) by multiplication; for bounds far below 2^32 the
  /// bias is negligible, and the result needs one draw on every platform.
  static uint64_t below(uint64_t bits, uint64_t bound) {
    return ((bits >> 32) * bound) >> 32;
  }

private:
  static constexpr uint64_t kGamma = 0x9E3779B97F4A7C15;

  static uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return z ^ (z >> 31);
  }

  uint64_t state = 0, count = 0;
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_RANDOM_H
