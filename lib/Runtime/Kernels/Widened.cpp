//===- Widened.cpp - kernels of 16-bit floats -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Widened.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace takt {

namespace {

size_t copyBytes(const TensorView &tensor) {
  return isShortFloat(tensor.type)
             ? alignTo(tensor.elements() * sizeof(float), 64)
             : 0;
}

size_t copyBytes(ArrayRef<TensorView> tensors) {
  size_t bytes = 0;
  for (const TensorView &tensor : tensors)
    bytes += copyBytes(tensor);
  return bytes;
}

/// The tensors with places in `memory`, which moves on, for 16-bit ones.
SmallVector<TensorView, 4> placeCopies(ArrayRef<TensorView> tensors,
                                       char *&memory) {
  SmallVector<TensorView, 4> copies(tensors);
  for (TensorView &copy : copies)
    if (size_t bytes = copyBytes(copy)) {
      copy = {ElementType::F32, copy.dims, memory};
      memory += bytes;
    }
  return copies;
}

template <typename To, typename From>
void convertAll(const TensorView &from, const TensorView &to) {
  const auto *x = static_cast<const From *>(from.data);
  auto *y = static_cast<To *>(to.data);
  int64_t n = from.elements();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i)
    y[i] = To(x[i]);
}

void widen(const TensorView &from, const TensorView &to) {
  if (from.type == ElementType::F16)
    convertAll<float, Float16>(from, to);
  else if (from.type == ElementType::BF16)
    convertAll<float, BFloat16>(from, to);
}

void narrow(const TensorView &from, const TensorView &to) {
  if (to.type == ElementType::F16)
    convertAll<Float16, float>(from, to);
  else if (to.type == ElementType::BF16)
    convertAll<BFloat16, float>(from, to);
}

} // namespace

size_t widenedBytes(const KernelCall &call) {
  if (takesShortFloats(call.id))
    return 0;
  return copyBytes(call.operands) + copyBytes(call.results);
}

Error runWidened(const KernelCall &call, void *memory,
                 function_ref<Error(const KernelCall &)> run) {
  char *at = static_cast<char *>(memory);
  SmallVector<TensorView, 4> operands = placeCopies(call.operands, at);
  SmallVector<TensorView, 4> results = placeCopies(call.results, at);
  for (size_t i = 0; i < operands.size(); ++i)
    widen(call.operands[i], operands[i]);
  if (Error error = run({call.id, call.words, operands, results, call.context}))
    return error;
  for (size_t i = 0; i < results.size(); ++i)
    narrow(results[i], call.results[i]);
  return Error::success();
}

} // namespace takt
