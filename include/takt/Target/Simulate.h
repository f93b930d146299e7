//===- Simulate.h - timing of a program's bytes -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_SIMULATE_H
#define TAKT_TARGET_SIMULATE_H

#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"
#include <map>

namespace takt {

struct SimulateOptions {
  /// 0: as many as it takes to see the steady state.
  uint64_t minibatches = 0;
};

/// Times in cycles, sizes in bytes.
struct SimulationResult {
  uint64_t minibatches = 0;
  uint64_t totalCycles = 0; ///< of the whole run, filling and draining included
  /// Between two minibatches in the steady state: the slowest processor's mean
  /// over the last trips in which every instruction works, rounded up; exact
  /// when it is constant. The whole run when it has less than two such trips.
  uint64_t interval = 0;
  std::vector<uint64_t> busyCycles; ///< per processor and minibatch
  double utilization = 0;           ///< busy over interval, mean of processors
  std::vector<int64_t> peakMemory;  ///< of each processor: its regions
  uint64_t communicationBytes = 0;  ///< per minibatch
  /// Of each trainable parameter, by name: the updates that the weights which
  /// forward tasks read lack, from their lags.
  std::map<std::string, int64_t> staleness;
};

/// Runs the validated program's instruction streams in time: execute takes its
/// kernel's cycles; a send takes the links of its route when all are free
/// (LinkQueue.h), for the transfer's cycles, and arrives its latency later; a
/// fence takes until the processor's sends have left their links; load, store
/// and signal take none. Every processor starts at 0 and does each thing as
/// early as it can.
///
/// Memory does not grow with the number of minibatches where writers of
/// semaphores wait for their readers, as senders do.
///
/// Fails with who waits for whom when nothing can go on, or if the run would
/// take more than 2^34 instructions or could take more than 2^63 cycles.
llvm::Expected<SimulationResult> simulate(const Program &program,
                                          const SimulateOptions &options = {});

} // namespace takt

#endif // TAKT_TARGET_SIMULATE_H
