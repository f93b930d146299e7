//===- KernelCall.h - a call of a kernel, internal --------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_KERNELCALL_H
#define TAKT_LIB_RUNTIME_KERNELS_KERNELCALL_H

#include "takt/Runtime/Kernels.h"
#include "llvm/ADT/bit.h"

namespace takt {

/// One call, as the implementation of a kernel sees it.
struct KernelCall {
  KernelId id;
  llvm::ArrayRef<uint32_t> words;
  llvm::ArrayRef<TensorView> operands, results;
  const KernelContext &context;

  template <typename T> const T *in(size_t i) const {
    return static_cast<const T *>(operands[i].data);
  }
  template <typename T> T *out(size_t i) const {
    return static_cast<T *>(results[i].data);
  }
  llvm::ArrayRef<int64_t> inDims(size_t i) const { return operands[i].dims; }
  llvm::ArrayRef<int64_t> outDims(size_t i) const { return results[i].dims; }
  /// Samples × channels of a kernel on N,C,spatial… tensors.
  int64_t planes() const { return inDims(0)[0] * inDims(0)[1]; }
  /// The attribute word `i` as a float.
  float floatWord(size_t i) const { return llvm::bit_cast<float>(words[i]); }

  /// "MNEMONIC: message".
  llvm::Error fail(const llvm::Twine &message) const {
    return llvm::createStringError(mnemonic(id) + ": " + message);
  }
};

using KernelFunction = llvm::Error (*)(const KernelCall &);

/// The definition of each kernel for T = float or double: referenceConv<T>, ….
/// Kernels that only move elements ignore T.
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  template <typename T> llvm::Error reference##Name(const KernelCall &call);
#include "takt/Target/Kernels.def"

/// Whether a kernel takes 16-bit floats as they are, because it only moves or
/// converts elements; those of all others are widened (Widened.h).
bool takesShortFloats(KernelId id);

/// Instantiates the definition of a kernel in the file that contains it.
#define TAKT_INSTANTIATE_REFERENCE(Name)                                       \
  template llvm::Error reference##Name<float>(const KernelCall &);             \
  template llvm::Error reference##Name<double>(const KernelCall &);

/// The reference implementation for an element type.
KernelFunction referenceKernel(KernelId id, ElementType type);

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_KERNELCALL_H
