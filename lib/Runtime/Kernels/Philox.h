//===- Philox.h - counter-based random numbers ------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Philox4x32-10 of J. Salmon, M. Moraes, R. Dror and D. Shaw, "Parallel random
// numbers: as easy as 1, 2, 3", SC 2011: a bijection of a 128-bit counter under
// a 64-bit key. Random number i is had without the i - 1 before it, so the
// mask of a dropout is the same whoever computes it and in whatever order.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_PHILOX_H
#define TAKT_LIB_RUNTIME_KERNELS_PHILOX_H

#include <array>
#include <cstdint>

namespace takt {

/// The block of four random words with counter (low: index, high: stream).
inline std::array<uint32_t, 4> philox(uint64_t index, uint64_t stream,
                                      uint64_t key) {
  constexpr uint32_t kMultiplier0 = 0xD2511F53, kMultiplier1 = 0xCD9E8D57;
  constexpr uint32_t kWeyl0 = 0x9E3779B9, kWeyl1 = 0xBB67AE85;
  std::array<uint32_t, 4> c = {uint32_t(index), uint32_t(index >> 32),
                               uint32_t(stream), uint32_t(stream >> 32)};
  uint32_t key0 = uint32_t(key), key1 = uint32_t(key >> 32);
  for (int round = 0; round < 10; ++round) {
    uint64_t p0 = uint64_t(kMultiplier0) * c[0];
    uint64_t p1 = uint64_t(kMultiplier1) * c[2];
    c = {uint32_t(p1 >> 32) ^ c[1] ^ key0, uint32_t(p1),
         uint32_t(p0 >> 32) ^ c[3] ^ key1, uint32_t(p0)};
    key0 += kWeyl0;
    key1 += kWeyl1;
  }
  return c;
}

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_PHILOX_H
