//===- ReferenceSelection.cpp - element types and choices -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "ElementwiseLoops.h"
#include <cmath>

using namespace llvm;

namespace takt {

namespace {

/// y = f(a, b) of another type, where a and b are broadcast to y.
template <typename To, typename From, typename F>
void zipBroadcastTo(const KernelCall &call, F f) {
  ArrayRef<int64_t> dims = call.outDims(0);
  StridedLoop loop(dims,
                   {denseStrides(dims), broadcastStrides(call.inDims(0), dims),
                    broadcastStrides(call.inDims(1), dims)});
  int64_t n = loop.rowLength(), sa = loop.rowStride(1), sb = loop.rowStride(2);
  loop.forEachRow([&](ArrayRef<int64_t> at) {
    To *y = call.out<To>(0) + at[0];
    const From *a = call.in<From>(0) + at[1], *b = call.in<From>(1) + at[2];
    for (int64_t i = 0; i < n; ++i)
      y[i] = f(a[i * sa], b[i * sb]);
  });
}

template <typename T> Error compare(const KernelCall &call) {
  auto each = [&](auto f) {
    zipBroadcastTo<uint8_t, T>(call, f);
    return Error::success();
  };
  switch (static_cast<CompareFunction>(call.words[0])) {
  case CompareFunction::Equal:
    return each([](T a, T b) { return a == b; });
  case CompareFunction::NotEqual:
    return each([](T a, T b) { return a != b; });
  case CompareFunction::Less:
    return each([](T a, T b) { return a < b; });
  case CompareFunction::LessOrEqual:
    return each([](T a, T b) { return a <= b; });
  }
  return call.fail("unknown function");
}

} // namespace

template <typename T> Error referenceCast(const KernelCall &call) {
  int64_t n = call.results[0].elements();
  bool toBool = call.results[0].type == ElementType::I1;
  visitElement(call.operands[0].type, [&](auto from) {
    visitElement(call.results[0].type, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const From *x = call.in<From>(0);
      To *y = call.out<To>(0);
      if (toBool)
        for (int64_t i = 0; i < n; ++i)
          y[i] = To(float(x[i] != From(0)));
      else
        for (int64_t i = 0; i < n; ++i)
          y[i] = convertNumber<To>(x[i]);
    });
  });
  return Error::success();
}

template <typename T> Error referenceCompare(const KernelCall &call) {
  return withElementType(call.operands[0].type, [&](auto zero) {
    return compare<decltype(zero)>(call);
  });
}

template <typename T> Error referenceWhere(const KernelCall &call) {
  ArrayRef<int64_t> dims = call.outDims(0);
  StridedLoop loop(dims,
                   {denseStrides(dims), broadcastStrides(call.inDims(0), dims),
                    broadcastStrides(call.inDims(1), dims),
                    broadcastStrides(call.inDims(2), dims)});
  return withElementSize(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    int64_t n = loop.rowLength(), sc = loop.rowStride(1),
            sa = loop.rowStride(2), sb = loop.rowStride(3);
    loop.forEachRow([&](ArrayRef<int64_t> at) {
      Element *y = call.out<Element>(0) + at[0];
      const uint8_t *condition = call.in<uint8_t>(0) + at[1];
      const Element *a = call.in<Element>(1) + at[2],
                    *b = call.in<Element>(2) + at[3];
      for (int64_t i = 0; i < n; ++i)
        y[i] = condition[i * sc] ? a[i * sa] : b[i * sb];
    });
    return Error::success();
  });
}

template <typename T> Error referenceWhereDgrad(const KernelCall &call) {
  ArrayRef<int64_t> dims = call.outDims(0);
  bool kept = call.words[0] == 1;
  StridedLoop loop(
      dims, {denseStrides(dims), broadcastStrides(call.inDims(1), dims)});
  int64_t n = loop.rowLength(), stride = loop.rowStride(1);
  loop.forEachRow([&](ArrayRef<int64_t> at) {
    const T *dy = call.in<T>(0) + at[0];
    const uint8_t *condition = call.in<uint8_t>(1) + at[1];
    T *dx = call.out<T>(0) + at[0];
    for (int64_t i = 0; i < n; ++i)
      dx[i] = (condition[i * stride] != 0) == kept ? dy[i] : T(0);
  });
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(Cast)
TAKT_INSTANTIATE_REFERENCE(Compare)
TAKT_INSTANTIATE_REFERENCE(Where)
TAKT_INSTANTIATE_REFERENCE(WhereDgrad)

} // namespace takt
