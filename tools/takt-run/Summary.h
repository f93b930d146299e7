//===- Summary.h - what takt-run prints -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TOOLS_TAKT_RUN_SUMMARY_H
#define TAKT_TOOLS_TAKT_RUN_SUMMARY_H

#include "takt/Runtime/Run.h"
#include "llvm/Support/raw_ostream.h"
#include <chrono>

namespace takt {

/// A line on stderr that shows the latest loss; silent unless that is a
/// terminal.
class Progress {
public:
  explicit Progress(uint64_t iterations);
  ~Progress();
  void show(uint64_t minibatch, double loss);

private:
  uint64_t iterations;
  bool terminal;
  std::chrono::steady_clock::time_point last;
};

/// Iterations, first and last loss, time and throughput in one line.
void printSummary(llvm::raw_ostream &os, const Program &program,
                  const RunResult &result, uint64_t iterations, double seconds);

/// Observed and promised staleness of each trainable parameter.
void printStaleness(llvm::raw_ostream &os, const Program &program,
                    const RunResult &result);

/// Time of an iteration, of the kernels by what they compute, and the kernels
/// that take longest with their tasks. Processors' times are added up.
void printProfile(llvm::raw_ostream &os, const Program &program,
                  const RunProfile &profile);

/// Share of the labels (one of each sample, or of each of its tokens or pixels)
/// whose score is the largest in the first output that has scores for such
/// labels. Prints nothing without labels, fails where their shape is not that
/// of the scores without the axis of the classes.
llvm::Error printAccuracy(llvm::raw_ostream &os, const RunResult &result,
                          llvm::ArrayRef<Array> data);

} // namespace takt

#endif // TAKT_TOOLS_TAKT_RUN_SUMMARY_H
