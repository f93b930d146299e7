//===- Profile.h - where the time of a run goes -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_RUNTIME_PROFILE_H
#define TAKT_RUNTIME_PROFILE_H

#include "takt/Target/Program.h"
#include <chrono>
#include <optional>
#include <vector>

namespace takt {

/// Times of kernels and iterations as a run takes them. The first call of a
/// kernel, which builds it and touches its memory first, is not counted.
class RunProfile {
public:
  using Clock = std::chrono::steady_clock;

  struct KernelTime {
    uint64_t calls = 0;
    Clock::duration time = Clock::duration::zero();
  };

  explicit RunProfile(const Program &program)
      : kernels(program.kernels.size()), called(program.kernels.size()),
        ends(program.code.size()) {}

  /// Runs f, a call of the kernel. Threads must not share kernels.
  template <typename F> auto call(uint32_t kernel, F &&f) {
    Clock::time_point begin = Clock::now();
    auto result = f();
    if (called[kernel]) {
      ++kernels[kernel].calls;
      kernels[kernel].time += Clock::now() - begin;
    }
    called[kernel] = 1;
    return result;
  }

  /// A processor, which belongs to one thread, is done with an iteration.
  void endIteration(uint32_t processor) {
    ends[processor].push_back(Clock::now());
  }

  /// By kernel of the program.
  llvm::ArrayRef<KernelTime> kernelTimes() const { return kernels; }

  /// Seconds between the ends of two iterations of the slowest processor, the
  /// median of all but the first; empty where there are less than two.
  std::optional<double> secondsPerIteration() const;

private:
  std::vector<KernelTime> kernels;
  std::vector<uint8_t> called;                      ///< by kernel; 0 or 1
  std::vector<std::vector<Clock::time_point>> ends; ///< by processor
};

/// The call of a kernel, timed where there is a profile.
template <typename F>
auto timedCall(RunProfile *profile, uint32_t kernel, F &&f) {
  return profile ? profile->call(kernel, f) : f();
}

} // namespace takt

#endif // TAKT_RUNTIME_PROFILE_H
