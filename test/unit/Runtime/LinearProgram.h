//===- LinearProgram.h - programs made by hand for tests --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Training of y = x W by the mean squared error and SGD: tasks F, L (the loss),
// W and U, each on a processor and in a pipeline stage of choice, with rings,
// transfers and semaphores as a compiler would place them.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_RUNTIME_LINEARPROGRAM_H
#define TAKT_TEST_UNIT_RUNTIME_LINEARPROGRAM_H

#include "takt/Target/Program.h"

namespace takt::test {

struct LinearOptions {
  /// Processor of F, L, W, U.
  std::array<uint32_t, 4> processor = {0, 0, 0, 0};
  uint32_t delay = 0;
  /// Also computes x times the left half of W, as a parameter of its own.
  bool derived = false;
};

constexpr int64_t kBatch = 4, kInputs = 3, kOutputs = 2;
/// Depth of all rings, more than any pipeline here needs.
constexpr uint32_t kSlots = 12;
constexpr float kLearningRate = 0.1f;

/// Initial W, row-major kInputs x kOutputs.
std::vector<float> initialWeights();

Program linearProgram(const LinearOptions &options);

} // namespace takt::test

#endif // TAKT_TEST_UNIT_RUNTIME_LINEARPROGRAM_H
