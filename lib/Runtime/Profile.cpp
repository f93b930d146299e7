//===- Profile.cpp - where the time of a run goes -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/Profile.h"
#include <algorithm>

using namespace takt;

std::optional<double> RunProfile::secondsPerIteration() const {
  std::optional<double> slowest;
  for (const std::vector<Clock::time_point> &times : ends) {
    std::vector<double> seconds;
    for (size_t i = 1; i < times.size(); ++i)
      seconds.push_back(
          std::chrono::duration<double>(times[i] - times[i - 1]).count());
    if (seconds.empty())
      continue;
    auto middle = seconds.begin() + seconds.size() / 2;
    std::nth_element(seconds.begin(), middle, seconds.end());
    slowest = std::max(slowest.value_or(0), *middle);
  }
  return slowest;
}
