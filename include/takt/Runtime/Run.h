//===- Run.h - what a run of a program takes and gives ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Common to the executor (Executor.h) and the reference interpreter
// (Sequential.h).
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_RUNTIME_RUN_H
#define TAKT_RUNTIME_RUN_H

#include "takt/Runtime/HostData.h"
#include "takt/Runtime/Profile.h"
#include <array>
#include <functional>
#include <optional>
#include <string>

namespace takt {

/// Where and when the machine's state is saved, see Executor.h.
struct CheckpointOptions {
  std::string directory; ///< empty: neither saved nor resumed
  uint64_t every = 0;    ///< minibatches between saves; 0: only at the end
  bool resume = false;   ///< begin with the state in `directory`
  /// Identify program and data; a state of others is refused.
  std::array<uint8_t, 32> programHash = {};
  uint64_t dataSeed = 0;
};

struct RunOptions {
  uint64_t iterations = 1; ///< minibatches in all, those before a resume too
  const HostData *data = nullptr; ///< needed when the program has inputs
  /// Replaces the default of run-time scalar 0.
  std::optional<double> learningRate;
  /// Initial values by parameter name; parameters without one keep the model's.
  llvm::ArrayRef<Array> weights;
  /// Keep the outputs of every minibatch instead of the last one's.
  bool keepAllOutputs = false;
  /// What nobody looks at need not be copied into the result: the parameters,
  /// and the gradients of the last minibatch, are as large as the model.
  bool keepParameters = true, keepGradients = true;
  CheckpointOptions checkpoint;
  /// Called for each loss that is computed, from any thread, one at a time.
  std::function<void(uint64_t minibatch, double loss)> onLoss;
  /// Called when the initial values have been copied out of the program, whose
  /// data the run does not read again.
  std::function<void()> onInitialized;
  RunProfile *profile = nullptr; ///< gets the times of the run's kernels
};

/// Staleness of one trainable parameter as it was seen: by how many updates the
/// weights that the forward task of the last minibatch read lagged behind those
/// that its gradient was applied to.
struct ObservedStaleness {
  std::string parameter;
  uint64_t updates;
};

struct RunResult {
  std::vector<double> losses; ///< by minibatch; empty without a loss
  /// The parameters that isReturned, after the last update, in the program's
  /// order.
  std::vector<Array> parameters;
  /// Gradients of the last minibatch by parameter name, as the update got them.
  std::vector<Array> gradients;
  /// By output name: the last minibatch's, or of all minibatches, joined along
  /// the first dimension.
  std::vector<Array> outputs;
  std::vector<ObservedStaleness> staleness;
  uint64_t firstMinibatch = 0; ///< where this run began; not 0 after a resume
};

/// An initial value whose bytes are its own or lie in the program.
struct InitialValue {
  Array array; ///< without data where they are `stored`
  llvm::ArrayRef<uint8_t> stored;

  ArrayView view() const {
    return {array.name, array.type, array.dims,
            array.data.empty() ? stored : llvm::ArrayRef(array.data)};
  }
};

/// The initial value of a parameter: that of `weights` where there is one of
/// its name, else the program's own. Fails when the shapes or types differ.
llvm::Expected<InitialValue> initialValue(const Program &program,
                                          uint32_t parameter,
                                          llvm::ArrayRef<Array> weights);

/// Shape of the tensor that a parameter is a part of, as Program.h says.
std::vector<int64_t> wholeDims(const Program &program,
                               const Parameter &parameter);

/// Whether a run returns the parameter: what training changes, and a constant
/// that was given among the `weights`, so that what a run returns is all that a
/// later one needs in their place.
bool isReturned(const Parameter &parameter, llvm::ArrayRef<Array> weights);

/// The first difference of two runs of one program, bit for bit: of a loss or
/// of a parameter, with its name, the index and both values. Empty when there
/// is none.
std::string firstDifference(const RunResult &a, const RunResult &b);

} // namespace takt

#endif // TAKT_RUNTIME_RUN_H
