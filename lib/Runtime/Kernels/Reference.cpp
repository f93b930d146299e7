//===- Reference.cpp - the table of reference kernels ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Widened.h"
#include <cstdlib>
#include <memory>

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

bool takesShortFloats(KernelId id) {
  switch (id) {
  case KernelId::Cast:
  case KernelId::Concat:
  case KernelId::Expand:
  case KernelId::Gather:
  case KernelId::GatherElements:
  case KernelId::Reshape:
  case KernelId::Slice:
  case KernelId::Transpose:
  case KernelId::Where:
    return true;
  default:
    return false;
  }
}

Error runReferenceKernel(KernelId id, ArrayRef<uint32_t> words,
                         ArrayRef<TensorView> operands,
                         ArrayRef<TensorView> results,
                         const KernelContext &context) {
  auto run = [](const KernelCall &call) {
    return referenceKernel(call.id, call.results[0].type)(call);
  };
  KernelCall call{id, words, operands, results, context};
  size_t bytes = widenedBytes(call);
  if (bytes == 0)
    return run(call);
  std::unique_ptr<void, void (*)(void *)> memory(std::aligned_alloc(64, bytes),
                                                 std::free);
  if (!memory)
    return call.fail("out of memory");
  return runWidened(call, memory.get(), run);
}

} // namespace takt
