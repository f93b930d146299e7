//===- HostData.h - what the host feeds to a program ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_RUNTIME_HOSTDATA_H
#define TAKT_RUNTIME_HOSTDATA_H

#include "takt/Support/Npz.h"
#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"
#include <memory>

namespace takt {

/// Source of a program's inputs and labels.
class HostData {
public:
  virtual ~HostData();

  /// Writes entry `iteration` of an input or label binding: the bytes of its
  /// type and shape. Called from several threads at once; the bytes depend on
  /// nothing but the arguments. Bindings of one name take minibatches in turn.
  virtual void fill(uint32_t binding, uint64_t iteration,
                    void *entry) const = 0;
};

/// True for a program that computes outputs and trains nothing.
bool isForwardProgram(const Program &program);

/// Made-up inputs for benchmarks: floating-point numbers uniform with mean 0
/// and variance 1, integers uniform in [0, classes) with the classes of the
/// program's loss (2 without one). Each element is a function of seed, binding,
/// minibatch and position, drawn by SplitMix64. Refers to `program`.
std::unique_ptr<HostData> makeSyntheticData(const Program &program,
                                            uint64_t seed);

struct SamplingOptions {
  /// Draw the samples of each epoch in another order: Fisher-Yates from the
  /// last sample to the first, with SplitMix64 seeded by (seed, epoch).
  bool shuffle = true;
  uint64_t seed = 0;
  /// What becomes of samples that do not fill a minibatch: dropped for this
  /// epoch, or (true) put into a last minibatch, filled up with sample 0.
  bool keepIncomplete = false;
};

/// Samples of arrays: each input binding is the array of its name; a label
/// binding the array of its name or else 'label' (integers) or 'target'. The
/// first dimension counts the samples. Where inputs have no common first
/// dimension, the arrays are one minibatch as they are.
class ArrayData : public HostData {
public:
  /// Fails with the expected and the found array when one is missing, has
  /// another shape or element type than its binding, or fewer samples than one
  /// minibatch.
  static llvm::Expected<std::unique_ptr<ArrayData>>
  create(const Program &program, llvm::ArrayRef<Array> arrays,
         const SamplingOptions &options);
  ~ArrayData() override;

  void fill(uint32_t binding, uint64_t iteration, void *entry) const override;
  uint64_t samples() const;
  uint64_t samplesPerMinibatch() const;
  uint64_t minibatchesPerEpoch() const;

private:
  struct State;
  explicit ArrayData(std::unique_ptr<State> state);
  std::unique_ptr<State> state;
};

} // namespace takt

#endif // TAKT_RUNTIME_HOSTDATA_H
