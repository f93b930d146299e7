//===- ElementwiseLoops.h - loops of element-wise kernels -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Loops that may work in place carry `omp simd`: a result is either the very
// same buffer as an operand or apart from it, so that no iteration depends on
// another, which a compiler cannot know.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_ELEMENTWISELOOPS_H
#define TAKT_LIB_RUNTIME_KERNELS_ELEMENTWISELOOPS_H

#include "ElementTypes.h"
#include "KernelCall.h"
#include "StridedLoop.h"

namespace takt {

/// Moves elements of any type: those of y, by stride 0 of the loop, are those
/// of x, by stride 1.
inline llvm::Error moveElements(const KernelCall &call,
                                const StridedLoop &loop) {
  int64_t n = loop.rowLength(), stride = loop.rowStride(1);
  return withElementSize(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    loop.forEachRow([&](llvm::ArrayRef<int64_t> at) {
      Element *y = call.out<Element>(0) + at[0];
      const Element *x = call.in<Element>(0) + at[1];
      for (int64_t i = 0; i < n; ++i)
        y[i] = x[i * stride];
    });
    return llvm::Error::success();
  });
}

/// y = f(x), element by element.
template <typename T, typename F> llvm::Error map(const KernelCall &call, F f) {
  const T *x = call.in<T>(0);
  T *y = call.out<T>(0);
  int64_t n = call.results[0].elements();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i)
    y[i] = f(x[i]);
  return llvm::Error::success();
}

/// y = f(a, b), element by element, all of one shape.
template <typename T, typename F> llvm::Error zip(const KernelCall &call, F f) {
  const T *a = call.in<T>(0), *b = call.in<T>(1);
  T *y = call.out<T>(0);
  int64_t n = call.results[0].elements();
#pragma omp simd
  for (int64_t i = 0; i < n; ++i)
    y[i] = f(a[i], b[i]);
  return llvm::Error::success();
}

/// y = f(a, b), where a and b are broadcast to y.
template <typename T, typename F>
llvm::Error zipBroadcast(const KernelCall &call, F f) {
  llvm::ArrayRef<int64_t> dims = call.outDims(0);
  StridedLoop loop(dims,
                   {denseStrides(dims), broadcastStrides(call.inDims(0), dims),
                    broadcastStrides(call.inDims(1), dims)});
  int64_t n = loop.rowLength(), sa = loop.rowStride(1), sb = loop.rowStride(2);
  loop.forEachRow([&](llvm::ArrayRef<int64_t> at) {
    T *y = call.out<T>(0) + at[0];
    const T *a = call.in<T>(0) + at[1], *b = call.in<T>(1) + at[2];
    if (sa == 1 && sb == 1) {
#pragma omp simd
      for (int64_t i = 0; i < n; ++i)
        y[i] = f(a[i], b[i]);
      return;
    }
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      y[i] = f(a[i * sa], b[i * sb]);
  });
  return llvm::Error::success();
}

/// y = f(dy, a, b), where a and b are broadcast to the shape of dy and y.
template <typename T, typename F>
llvm::Error zipBroadcast3(const KernelCall &call, F f) {
  llvm::ArrayRef<int64_t> dims = call.outDims(0);
  Strides dense = denseStrides(dims);
  StridedLoop loop(dims, {dense, broadcastStrides(call.inDims(1), dims),
                          broadcastStrides(call.inDims(2), dims)});
  int64_t n = loop.rowLength(), sy = loop.rowStride(0), sa = loop.rowStride(1),
          sb = loop.rowStride(2);
  loop.forEachRow([&](llvm::ArrayRef<int64_t> at) {
    T *y = call.out<T>(0) + at[0];
    const T *dy = call.in<T>(0) + at[0];
    const T *a = call.in<T>(1) + at[1], *b = call.in<T>(2) + at[2];
#pragma omp simd
    for (int64_t i = 0; i < n; ++i)
      y[i * sy] = f(dy[i * sy], a[i * sa], b[i * sb]);
  });
  return llvm::Error::success();
}

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_ELEMENTWISELOOPS_H
