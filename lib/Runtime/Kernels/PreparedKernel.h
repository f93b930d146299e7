//===- PreparedKernel.h - kernels with a memory -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_PREPAREDKERNEL_H
#define TAKT_LIB_RUNTIME_KERNELS_PREPAREDKERNEL_H

#include "KernelCall.h"
#include <array>
#include <memory>

namespace takt {

/// Memory that the kernels of one library share, as only one runs at a time.
/// Every buffer grows to its largest request and stays, aligned to 64 bytes.
class Workspace {
public:
  /// The last slot is for the copies of 16-bit floats; others are kernels'.
  static constexpr unsigned kSlots = 6, kWidened = 5;

  /// At least `bytes` of buffer `slot`; the content is unspecified.
  void *get(unsigned slot, size_t bytes);

private:
  struct Free {
    void operator()(void *p) const;
  };
  struct Buffer {
    std::unique_ptr<void, Free> data;
    size_t size = 0;
  };
  std::array<Buffer, kSlots> buffers;
};

/// The implementation of one kernel descriptor: made once, then called for
/// every minibatch with the same words and shapes.
class PreparedKernel {
public:
  virtual ~PreparedKernel() = default;
  virtual llvm::Error run(const KernelCall &call, Workspace &workspace) = 0;
};

/// Makes the fast implementation of an f32 kernel; null when there is none for
/// these shapes.
using PrepareFunction =
    std::unique_ptr<PreparedKernel> (*)(const KernelCall &call);

std::unique_ptr<PreparedKernel> prepareConv(const KernelCall &call);
std::unique_ptr<PreparedKernel> prepareConvDgrad(const KernelCall &call);
std::unique_ptr<PreparedKernel> prepareConvWgrad(const KernelCall &call);
std::unique_ptr<PreparedKernel> prepareMatrixProduct(const KernelCall &call);
std::unique_ptr<PreparedKernel> prepareUnary(const KernelCall &call);
std::unique_ptr<PreparedKernel> prepareUnaryDgrad(const KernelCall &call);
std::unique_ptr<PreparedKernel> prepareSigmoid(const KernelCall &call);
std::unique_ptr<PreparedKernel> prepareTanh(const KernelCall &call);

/// Fast implementations that keep nothing, for f32.
llvm::Error fastBatchNorm(const KernelCall &call);
llvm::Error fastBatchNormApply(const KernelCall &call);
llvm::Error fastBatchNormDgrad(const KernelCall &call);
llvm::Error fastBatchNormWgrad(const KernelCall &call);
llvm::Error fastMaxPool(const KernelCall &call);
llvm::Error fastMaxPoolDgrad(const KernelCall &call);
llvm::Error fastAveragePool(const KernelCall &call);
llvm::Error fastAveragePoolDgrad(const KernelCall &call);
llvm::Error fastSoftmax(const KernelCall &call);
llvm::Error fastSoftmaxDgrad(const KernelCall &call);
llvm::Error fastLogSoftmax(const KernelCall &call);
llvm::Error fastLogSoftmaxDgrad(const KernelCall &call);
llvm::Error fastSoftmaxCrossEntropy(const KernelCall &call);

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_PREPAREDKERNEL_H
