//===- Deadline.h - when a search has to end --------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_DEADLINE_H
#define TAKT_LIB_SCHEDULING_DEADLINE_H

#include <algorithm>
#include <chrono>
#include <optional>

namespace takt {

/// Without a limit the clock is never read, so that results cannot depend on
/// it.
class Deadline {
public:
  explicit Deadline(std::optional<double> seconds) {
    if (seconds)
      end = Clock::now() + std::chrono::duration_cast<Clock::duration>(
                               std::chrono::duration<double>(*seconds));
  }

  bool isOver() const { return end && Clock::now() >= *end; }
  bool isSet() const { return end.has_value(); }
  /// Leaves so many seconds of one that is set for something else.
  void shorten(double seconds) {
    *end -= std::chrono::duration_cast<Clock::duration>(
        std::chrono::duration<double>(seconds));
  }
  /// Of a deadline that is set; 0 when it is over.
  double secondsLeft() const {
    return std::max(0.0,
                    std::chrono::duration<double>(*end - Clock::now()).count());
  }

private:
  using Clock = std::chrono::steady_clock;
  std::optional<Clock::time_point> end;
};

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_DEADLINE_H
