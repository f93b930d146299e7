//===- LearningRate.h - learning rate by update -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_LEARNINGRATE_H
#define TAKT_TARGET_LEARNINGRATE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <vector>

namespace takt {

/// How the learning rate falls. The values are those of run-time scalar 4.
enum class RateDecay : uint8_t {
  Constant = 0,
  Step = 1,
  Cosine = 2,
  Linear = 3
};

/// The learning rate by the number of a parameter's update: first it rises over
/// `warmup` updates, then it falls over `period` updates to `factor` times what
/// it was, along a line or a cosine, and stays; or it is multiplied by `factor`
/// every `period` updates. PyTorch's LinearLR, CosineAnnealingLR, StepLR.
///
/// In programs it is run-time scalars 3 to 6, in the order of the members;
/// where they are missing the rate is constant.
struct LearningRateSchedule {
  uint64_t warmup = 0;
  RateDecay decay = RateDecay::Constant;
  uint64_t period = 0;
  double factor = 0;

  bool isConstant() const {
    return warmup == 0 && decay == RateDecay::Constant;
  }

  /// The rate of update t = 0, 1, … over the program's learning rate: with s
  /// the updates since the end of the warm-up,
  ///   (t + 1) / warmup                                   while t < warmup
  ///   factor^floor(s / period)                           step
  ///   1 + (factor − 1) · min(s / period, 1)              linear
  ///   factor + (1 − factor) · (1 + cos(π · min(s / period, 1))) / 2   cosine
  double at(uint64_t update) const;

  /// As run-time scalars, and from them. Fails, naming the scalar, if one of
  /// them is not what it should be.
  std::vector<double> scalars() const;
  static llvm::Expected<LearningRateSchedule>
  of(llvm::ArrayRef<double> runTimeScalars);
};

/// Reads "constant", "step:UPDATES:FACTOR", "cosine:UPDATES[:FACTOR]" or
/// "linear:UPDATES[:FACTOR]"; without a warm-up.
llvm::Expected<LearningRateSchedule>
parseLearningRateSchedule(llvm::StringRef text);

} // namespace takt

#endif // TAKT_TARGET_LEARNINGRATE_H
