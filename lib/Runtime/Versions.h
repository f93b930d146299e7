//===- Versions.h - how old the weights in use are, internal ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_VERSIONS_H
#define TAKT_LIB_RUNTIME_VERSIONS_H

#include "ParameterIndex.h"
#include "takt/Runtime/Run.h"
#include <atomic>

namespace takt::runtime {

/// Counts, for every buffer that holds weights, the updates that its content
/// contains: each update adds 1 to what its operand had, copies take the count
/// along. So the staleness is what really was in memory, not what the program
/// says about itself.
///
/// The counts of a buffer are guarded by what guards the buffer.
class Versions {
public:
  explicit Versions(const Program &program);

  /// Kernel `kernel` is about to work on `minibatch`.
  void beforeKernel(uint32_t kernel, uint64_t minibatch);
  /// Transfer `transfer` is about to copy.
  void beforeTransfer(uint32_t transfer, uint64_t minibatch);

  std::vector<ObservedStaleness> staleness() const;

  /// State for checkpoints; the processors must stand still.
  std::vector<int64_t> save() const;
  bool restore(llvm::ArrayRef<int64_t> state);

private:
  /// One access to a ring of weights.
  struct Use {
    const TensorRef *ref;
    size_t counts;     ///< number of slot 0
    int32_t parameter; ///< whose weights; of a slice, the whole parameter
  };
  struct KernelUses {
    std::vector<Use> reads, writes;
    bool forward = false, update = false;
    /// Of an iteration with several updates, the one that the gradient of a
    /// forward task goes into, or that an update is.
    uint64_t round = 0, rounds = 1;
  };
  /// The versions that the forward tasks of the latest minibatches read.
  struct Parameter {
    size_t firstForward;
    uint32_t window;
    std::atomic<int64_t> observed{-1};
    Parameter(size_t first, uint32_t window)
        : firstForward(first), window(window) {}
    Parameter(Parameter &&o) : Parameter(o.firstForward, o.window) {}
  };

  class RingTable;
  void setRound(KernelUses &uses, const RingTable &table,
                const Kernel &kernel) const;
  int64_t &count(const Use &use, uint64_t minibatch);

  const Program &program;
  std::vector<KernelUses> kernels;
  std::vector<std::pair<Use, Use>> transfers; ///< parameter kNone: not weights
  std::vector<int64_t> counts;
  std::vector<std::atomic<int64_t>> forward;
  std::vector<Parameter> parameters;
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_VERSIONS_H
