//===- ReferenceElementwise.cpp - activations, broadcasting arithmetic ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "ElementwiseLoops.h"
#include "Philox.h"
#include <algorithm>
#include <cmath>

using namespace llvm;

namespace takt {

template <typename T> Error referenceRelu(const KernelCall &call) {
  // NaN stays NaN.
  return map<T>(call, [](T x) { return x < 0 ? T(0) : x; });
}

template <typename T> Error referenceReluDgrad(const KernelCall &call) {
  return zip<T>(call, [](T dy, T y) { return y > 0 ? dy : T(0); });
}

template <typename T> Error referenceLeakyRelu(const KernelCall &call) {
  T alpha = call.floatWord(0);
  return map<T>(call, [=](T x) { return x < 0 ? alpha * x : x; });
}

template <typename T> Error referenceLeakyReluDgrad(const KernelCall &call) {
  T alpha = call.floatWord(0);
  return zip<T>(call, [=](T dy, T x) { return x > 0 ? dy : alpha * dy; });
}

template <typename T> Error referenceSigmoid(const KernelCall &call) {
  return map<T>(call, [](T x) { return 1 / (1 + std::exp(-x)); });
}

template <typename T> Error referenceSigmoidDgrad(const KernelCall &call) {
  return zip<T>(call, [](T dy, T y) { return dy * y * (1 - y); });
}

template <typename T> Error referenceTanh(const KernelCall &call) {
  return map<T>(call, [](T x) { return std::tanh(x); });
}

template <typename T> Error referenceTanhDgrad(const KernelCall &call) {
  return zip<T>(call, [](T dy, T y) { return dy * (1 - y * y); });
}

template <typename T> Error referenceScale(const KernelCall &call) {
  T value = call.floatWord(0);
  return map<T>(call, [=](T x) { return value * x; });
}

template <typename T> Error referenceAdd(const KernelCall &call) {
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    // A lambda, not the function's address: loops then know what they call.
    return zipBroadcast<Element>(
        call, [](Element a, Element b) { return arithmetic::add(a, b); });
  });
}

template <typename T> Error referenceMul(const KernelCall &call) {
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    return zipBroadcast<Element>(
        call, [](Element a, Element b) { return arithmetic::mul(a, b); });
  });
}

// Adds the operands from left to right. A block of sums at a time, because the
// result may be the buffer of any operand.
template <typename T> Error referenceSum(const KernelCall &call) {
  constexpr int64_t kBlock = 256;
  ArrayRef<int64_t> dims = call.outDims(0);
  SmallVector<Strides, 4> strides = {denseStrides(dims)};
  for (const TensorView &x : call.operands)
    strides.push_back(broadcastStrides(x.dims, dims));
  StridedLoop loop(dims, strides);
  loop.forEachRow([&](ArrayRef<int64_t> at) {
    for (int64_t begin = 0; begin < loop.rowLength(); begin += kBlock) {
      int64_t n = std::min(kBlock, loop.rowLength() - begin);
      T sums[kBlock] = {};
      for (size_t k = 0; k < call.operands.size(); ++k) {
        int64_t stride = loop.rowStride(1 + k);
        const T *x = call.in<T>(k) + at[1 + k] + begin * stride;
        for (int64_t i = 0; i < n; ++i)
          sums[i] = k == 0 ? x[i * stride] : sums[i] + x[i * stride];
      }
      std::copy_n(sums, n, call.out<T>(0) + at[0] + begin);
    }
  });
  return Error::success();
}

// y = x / (1 - ratio) where a random word is at least ratio * 2^32, else 0. The
// word of element i is word i mod 4 of the block of random numbers with the
// counter (i / 4, minibatch) and the key (seed, 0). It is its own gradient:
// the same seed and minibatch give the same mask.
template <typename T> Error referenceDropout(const KernelCall &call) {
  double ratio = call.floatWord(0);
  uint64_t threshold = std::llround(ratio * 4294967296.0);
  T scale = 1 / (1 - ratio);
  const T *x = call.in<T>(0);
  T *y = call.out<T>(0);
  int64_t n = call.results[0].elements();
  for (int64_t i = 0; i < n; i += 4) {
    auto random = philox(i / 4, call.context.minibatch, call.words[1]);
    for (int64_t lane = 0, e = std::min<int64_t>(4, n - i); lane < e; ++lane)
      y[i + lane] = random[lane] >= threshold ? x[i + lane] * scale : T(0);
  }
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(Relu)
TAKT_INSTANTIATE_REFERENCE(ReluDgrad)
TAKT_INSTANTIATE_REFERENCE(LeakyRelu)
TAKT_INSTANTIATE_REFERENCE(LeakyReluDgrad)
TAKT_INSTANTIATE_REFERENCE(Sigmoid)
TAKT_INSTANTIATE_REFERENCE(SigmoidDgrad)
TAKT_INSTANTIATE_REFERENCE(Tanh)
TAKT_INSTANTIATE_REFERENCE(TanhDgrad)
TAKT_INSTANTIATE_REFERENCE(Scale)
TAKT_INSTANTIATE_REFERENCE(Add)
TAKT_INSTANTIATE_REFERENCE(Mul)
TAKT_INSTANTIATE_REFERENCE(Sum)
TAKT_INSTANTIATE_REFERENCE(Dropout)

} // namespace takt
