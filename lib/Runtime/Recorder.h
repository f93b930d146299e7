//===- Recorder.h - keeps what a run computes, internal ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_RECORDER_H
#define TAKT_LIB_RUNTIME_RECORDER_H

#include "takt/Runtime/Run.h"
#include "takt/Target/BindingTurns.h"
#include <map>
#include <mutex>

namespace takt::runtime {

/// Losses, outputs and gradients of a run. May be called from any thread.
class Recorder {
public:
  Recorder(const Program &program, const RunOptions &options)
      : program(program), options(options), turns(program) {}

  /// Entry `iteration` of a host output.
  void store(uint32_t binding, uint64_t iteration, const void *entry);
  /// The gradient that a parameter's update is given in the last iteration.
  void gradient(uint32_t parameter, const TensorRef &ref, const void *data);

  std::vector<double> losses() const;
  /// Begins with the losses of an interrupted run.
  void restore(std::vector<double> losses) { computed = std::move(losses); }

  /// Moves everything that was kept into the result.
  void finish(RunResult &result);

private:
  void storeLoss(ElementType type, uint64_t minibatch, const void *entry);

  const Program &program;
  const RunOptions &options;
  BindingTurns turns;
  mutable std::mutex mutex;
  std::vector<double> computed; ///< by minibatch, NaN where not yet
  std::map<uint32_t, Array> gradients;
  std::map<uint32_t, Array> outputs; ///< by the first binding of their name
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_RECORDER_H
