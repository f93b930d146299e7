//===- KernelCases.h - random kernels and their buffers ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_RUNTIME_KERNELCASES_H
#define TAKT_TEST_UNIT_RUNTIME_KERNELCASES_H

#include "takt/Runtime/Kernels.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdlib>
#include <memory>
#include <random>
#include <vector>

namespace takt::test {

using Random = std::mt19937;

/// A number in [least, most].
int64_t pick(Random &random, int64_t least, int64_t most);

/// Every kernel of Kernels.def.
std::vector<KernelId> allKernels();

/// A valid f32 kernel with small random shapes and attributes. Kernels with
/// gradients draw the same shapes as the forward kernel for the same random
/// state.
Kernel randomKernel(KernelId id, Random &random);

/// The same f32 kernel on floats of another type.
Kernel withFloats(Kernel kernel, ElementType type);
/// The same kernel on f64.
Kernel asDouble(Kernel kernel);

/// A tensor's memory, aligned to 64 bytes and exactly as long as the tensor, so
/// that the address sanitizer sees every access beside it.
class Buffer {
public:
  Buffer(ElementType type, llvm::ArrayRef<int64_t> dims);

  TensorView view() const { return {type, dims, data.get()}; }
  int64_t elements() const { return view().elements(); }
  double get(int64_t i) const;
  void set(int64_t i, double value);

private:
  struct Free {
    void operator()(void *p) const { std::free(p); }
  };
  ElementType type;
  llvm::SmallVector<int64_t, 4> dims;
  std::unique_ptr<void, Free> data;
};

/// A kernel with buffers for its tensors, ready to run.
class Bench {
public:
  /// Fills the operands at random: floats from a normal distribution or, where
  /// the operand has to be positive (variances), its absolute value; labels
  /// that exist. Results are filled with NaN. The same state of `random` fills
  /// f32 and f64 kernels with the same numbers.
  Bench(const Kernel &kernel, Random random);
  Bench(const Bench &) = delete; // the context points into it
  Bench &operator=(const Bench &) = delete;

  llvm::Error runReference();
  llvm::Error runFast(KernelLibrary &library, uint64_t key);

  /// All elements of all results.
  std::vector<double> resultValues() const;

  Kernel kernel;
  std::vector<Buffer> operands, results;
  KernelContext context;

private:
  void fillOperand(size_t i, Random &random);
  std::vector<TensorView> views(const std::vector<Buffer> &buffers) const;

  /// The learning rate, its schedule, the scale of the loss, and the norm that
  /// gradients are clipped to.
  double scalars[9] = {0.05, 1, 0, 0, 0, 0, 0, 8, 0.5};
};

} // namespace takt::test

#endif // TAKT_TEST_UNIT_RUNTIME_KERNELCASES_H
