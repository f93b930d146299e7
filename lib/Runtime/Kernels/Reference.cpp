//===- Reference.cpp - the table of reference kernels ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelCall.h"

using namespace llvm;

namespace takt {

KernelFunction referenceKernel(KernelId id, ElementType type) {
  bool isDouble = type == ElementType::F64;
  switch (id) {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  case KernelId::Name:                                                         \
    return isDouble ? reference##Name<double> : reference##Name<float>;
#include "takt/Target/Kernels.def"
  }
  return [](const KernelCall &call) { return call.fail("unknown kernel"); };
}

Error runReferenceKernel(KernelId id, ArrayRef<uint32_t> words,
                         ArrayRef<TensorView> operands,
                         ArrayRef<TensorView> results,
                         const KernelContext &context) {
  KernelCall call{id, words, operands, results, context};
  return referenceKernel(id, results[0].type)(call);
}

} // namespace takt
