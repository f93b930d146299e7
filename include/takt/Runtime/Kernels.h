//===- Kernels.h - what the executor's processors compute -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two implementations of every entry of Target/Kernels.def:
//
//   runReferenceKernel  plain loops in f32 and f64; the definition of what a
//                       kernel means, used by tests
//   KernelLibrary       what training runs on: oneDNN for convolutions and
//                       matrix products, glibc's vector library for
//                       exponentials, vectorised loops for the rest
//
// Where operations are defined differently elsewhere: batch norm's running
// variance takes the population variance (ONNX; PyTorch takes the unbiased
// one); a max pool's gradient goes to the first maximum of a window in
// row-major order and an average pool never divides by taps beyond the padding
// (both PyTorch); losses are means over the samples, the mean squared error
// over all elements; optimizers are PyTorch's; dropout and random numbers are
// Philox4x32-10's by (seed, minibatch, element).
//
// Both rely on checkKernel (Target/KernelCheck.h) having accepted the kernel
// whose shapes the views have: they check nothing but values in memory.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_RUNTIME_KERNELS_H
#define TAKT_RUNTIME_KERNELS_H

#include "takt/Support/ElementType.h"
#include "takt/Target/Program.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <cstdint>
#include <memory>

namespace takt {

/// A row-major, dense tensor in memory. `dims` is borrowed: it must outlive the
/// call. `data` is aligned to 64 bytes.
struct TensorView {
  ElementType type;
  llvm::ArrayRef<int64_t> dims; ///< rank 0: a scalar
  void *data;

  int64_t elements() const {
    int64_t n = 1;
    for (int64_t d : dims)
      n *= d;
    return n;
  }
  int64_t bytes() const { return elements() * elementBytes(type); }
};

/// What a kernel knows beside its operands.
struct KernelContext {
  /// Number of the iteration that is worked on, part of the key of dropout's
  /// random numbers; of an optimizer's kernel the updates of its parameter
  /// before this one: Adam's step minus one.
  uint64_t minibatch = 0;
  /// The program's run-time scalars; scalar 0 is the learning rate.
  llvm::ArrayRef<double> scalars;
  uint32_t delay = 0; ///< of the parameter that an optimizer's kernel updates
};

/// Runs one kernel by plain loops, sums in double precision.
///
/// A result may be the very same buffer as an operand of its shape where
/// mayOverwrite (Target/InPlace.h) says so: in kernels that work element by
/// element or, row by row, take sums before they write, and in reshape.
/// Otherwise results overlap neither operands nor each other.
///
/// Fails when a value in memory is out of range (a class label) or the context
/// lacks a scalar that the kernel needs; results are then unspecified.
llvm::Error runReferenceKernel(KernelId id, llvm::ArrayRef<uint32_t> words,
                               llvm::ArrayRef<TensorView> operands,
                               llvm::ArrayRef<TensorView> results,
                               const KernelContext &context);

/// Fast kernels for f32; other types take the reference kernels. An instance
/// belongs to one thread at a time and uses no further threads; instances are
/// independent of each other. The bits of a result depend on nothing but the
/// kernel, its inputs and the host's instruction set.
class KernelLibrary {
public:
  KernelLibrary();
  ~KernelLibrary();
  KernelLibrary(const KernelLibrary &) = delete;
  KernelLibrary &operator=(const KernelLibrary &) = delete;

  /// Like runReferenceKernel. `cacheKey` names the kernel descriptor (its index
  /// in the program): what is expensive to build is built on the first call
  /// with a key and kept, so that every call with one key must have the same
  /// kernel, words, types and shapes. Buffers may differ from call to call.
  llvm::Error run(uint64_t cacheKey, KernelId id,
                  llvm::ArrayRef<uint32_t> words,
                  llvm::ArrayRef<TensorView> operands,
                  llvm::ArrayRef<TensorView> results,
                  const KernelContext &context);

private:
  struct State;
  std::unique_ptr<State> state;
};

} // namespace takt

#endif // TAKT_RUNTIME_KERNELS_H
