//===- ReferenceRandom.cpp - random numbers -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Element i is made of the random words of the block with the counter
// (i / 4, minibatch) and the key (seed, 1); dropout, whose key is (seed, 0),
// has others for the same seed.
//
//===----------------------------------------------------------------------===//

#include "KernelCall.h"
#include "Philox.h"
#include <algorithm>
#include <cmath>

using namespace llvm;

namespace takt {

/// y[i] = element(words of the block of i, i mod 4).
template <typename T, typename F>
static void drawElements(const KernelCall &call, F &&element) {
  uint64_t key = uint64_t(1) << 32 | call.words[2];
  T *y = call.out<T>(0);
  int64_t n = call.results[0].elements();
  for (int64_t i = 0; i < n; i += 4) {
    auto random = philox(i / 4, call.context.minibatch, key);
    for (int64_t lane = 0, e = std::min<int64_t>(4, n - i); lane < e; ++lane)
      y[i + lane] = element(random, lane);
  }
}

// With the word's upper 24 bits, which a float holds, a number is less than
// 1; what rounds to `high` nevertheless becomes the number before it.
template <typename T> Error referenceRandomUniform(const KernelCall &call) {
  double low = call.floatWord(0), high = call.floatWord(1);
  T last = std::nextafter(T(high), T(low));
  drawElements<T>(call, [=](const auto &random, int64_t lane) {
    double share = std::ldexp(double(random[lane] >> 8), -24);
    return std::min(T(low + (high - low) * share), last);
  });
  return Error::success();
}

// Two words make two numbers: G. Box, M. Muller, "A note on the generation of
// random normal deviates", 1958.
template <typename T> Error referenceRandomNormal(const KernelCall &call) {
  constexpr double kTurn = 6.283185307179586;
  double mean = call.floatWord(0), scale = call.floatWord(1);
  drawElements<T>(call, [=](const auto &random, int64_t lane) {
    int64_t first = lane / 2 * 2;
    // In (0, 1]: it has a logarithm.
    double share = std::ldexp(double(random[first]) + 1, -32);
    double angle = kTurn * std::ldexp(double(random[first + 1]), -32);
    double radius = std::sqrt(-2 * std::log(share));
    return T(mean + scale * radius *
                        (lane == first ? std::cos(angle) : std::sin(angle)));
  });
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(RandomUniform)
TAKT_INSTANTIATE_REFERENCE(RandomNormal)

} // namespace takt
