//===- ReferenceIndexing.cpp - gather, scatter and order along an axis ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Indices are values in memory: they are checked when they are used.
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "KernelCall.h"
#include "takt/Support/AxisView.h"
#include <algorithm>
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// Checks every index, so that the loops need not.
Error checkIndices(const KernelCall &call, int64_t size) {
  const int64_t *indices = call.in<int64_t>(1);
  for (int64_t i = 0, n = call.operands[1].elements(); i < n; ++i)
    if (indices[i] < -size || indices[i] >= size)
      return call.fail("index " + Twine(indices[i]) + " of an axis of size " +
                       Twine(size));
  return Error::success();
}

int64_t resolve(int64_t index, int64_t size) {
  return index < 0 ? index + size : index;
}

/// visit(place in y, begin of `inner` elements in x) for every index, y being
/// what is gathered of x.
template <typename Visit>
void forEachGathered(const AxisView &x, const KernelCall &call, Visit visit) {
  const int64_t *indices = call.in<int64_t>(1);
  int64_t n = call.operands[1].elements(), place = 0;
  for (int64_t o = 0; o < x.outer; ++o)
    for (int64_t i = 0; i < n; ++i, place += x.inner)
      visit(place, (o * x.extent + resolve(indices[i], x.extent)) * x.inner);
}

/// visit(element of the indices, element of x) for every index of a kernel with
/// one for each element.
template <typename Visit>
void forEachElement(const AxisView &x, const AxisView &at,
                    const KernelCall &call, Visit visit) {
  const int64_t *indices = call.in<int64_t>(1);
  int64_t element = 0;
  for (int64_t o = 0; o < at.outer; ++o)
    for (int64_t s = 0; s < at.extent; ++s)
      for (int64_t i = 0; i < at.inner; ++i, ++element)
        visit(element,
              (o * x.extent + resolve(indices[element], x.extent)) * x.inner +
                  i);
}

template <typename T> T combine(ScatterMode mode, T x, T update) {
  switch (mode) {
  case ScatterMode::Replace:
    return update;
  case ScatterMode::Add:
    return arithmetic::add(x, update);
  case ScatterMode::Mul:
    return arithmetic::mul(x, update);
  case ScatterMode::Max:
    return arithmetic::isLarger(update, x) ? update : x;
  case ScatterMode::Min:
    return update < x || update != update ? update : x;
  }
  return x;
}

} // namespace

//===----------------------------------------------------------------------===//
// Gather and scatter
//===----------------------------------------------------------------------===//

template <typename T> Error referenceGather(const KernelCall &call) {
  AxisView x(call.inDims(0), call.words[0]);
  if (Error error = checkIndices(call, x.extent))
    return error;
  return withElementSize(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    forEachGathered(x, call, [&](int64_t place, int64_t from) {
      std::copy_n(call.in<Element>(0) + from, x.inner,
                  call.out<Element>(0) + place);
    });
    return Error::success();
  });
}

template <typename T> Error referenceGatherDgrad(const KernelCall &call) {
  AxisView x(call.outDims(0), call.words[0]);
  if (Error error = checkIndices(call, x.extent))
    return error;
  std::fill_n(call.out<T>(0), call.results[0].elements(), T(0));
  forEachGathered(x, call, [&](int64_t place, int64_t from) {
    const T *dy = call.in<T>(0) + place;
    T *dx = call.out<T>(0) + from;
    for (int64_t i = 0; i < x.inner; ++i)
      dx[i] += dy[i];
  });
  return Error::success();
}

template <typename T> Error referenceGatherElements(const KernelCall &call) {
  AxisView x(call.inDims(0), call.words[0]), at(call.inDims(1), call.words[0]);
  if (Error error = checkIndices(call, x.extent))
    return error;
  return withElementSize(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    forEachElement(x, at, call, [&](int64_t place, int64_t from) {
      call.out<Element>(0)[place] = call.in<Element>(0)[from];
    });
    return Error::success();
  });
}

template <typename T>
Error referenceGatherElementsDgrad(const KernelCall &call) {
  AxisView x(call.outDims(0), call.words[0]), at(call.inDims(1), call.words[0]);
  if (Error error = checkIndices(call, x.extent))
    return error;
  std::fill_n(call.out<T>(0), call.results[0].elements(), T(0));
  forEachElement(x, at, call, [&](int64_t place, int64_t from) {
    call.out<T>(0)[from] += call.in<T>(0)[place];
  });
  return Error::success();
}

template <typename T> Error referenceScatterElements(const KernelCall &call) {
  auto mode = static_cast<ScatterMode>(call.words[0]);
  AxisView x(call.inDims(0), call.words[1]), at(call.inDims(1), call.words[1]);
  if (Error error = checkIndices(call, x.extent))
    return error;
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    const Element *updates = call.in<Element>(2);
    Element *y = call.out<Element>(0);
    std::copy_n(call.in<Element>(0), call.results[0].elements(), y);
    forEachElement(x, at, call, [&](int64_t update, int64_t to) {
      y[to] = combine(mode, y[to], updates[update]);
    });
    return Error::success();
  });
}

//===----------------------------------------------------------------------===//
// Order along an axis
//===----------------------------------------------------------------------===//

template <typename T> Error referenceArgMax(const KernelCall &call) {
  AxisView x(call.inDims(0), call.words[0]);
  bool last = call.words[1];
  return withElementType(call.operands[0].type, [&](auto zero) {
    using Element = decltype(zero);
    x.forEachLine([&](int64_t first, int64_t o, int64_t i) {
      const Element *line = call.in<Element>(0) + first;
      int64_t best = 0;
      for (int64_t k = 1; k < x.extent; ++k) {
        Element a = line[k * x.inner], b = line[best * x.inner];
        if (last ? !arithmetic::isLarger(b, a) : arithmetic::isLarger(a, b))
          best = k;
      }
      call.out<int64_t>(0)[o * x.inner + i] = best;
    });
    return Error::success();
  });
}

template <typename T> Error referenceTopK(const KernelCall &call) {
  AxisView x(call.inDims(0), call.words[0]), y(call.outDims(0), call.words[0]);
  bool largest = call.words[1];
  std::vector<int64_t> order(x.extent);
  return withElementType(call.operands[0].type, [&](auto zero) {
    using Element = decltype(zero);
    x.forEachLine([&](int64_t first, int64_t o, int64_t i) {
      const Element *line = call.in<Element>(0) + first;
      for (int64_t k = 0; k < x.extent; ++k)
        order[k] = k;
      auto comesFirst = [&](int64_t a, int64_t b) {
        Element left = line[a * x.inner], right = line[b * x.inner];
        if (arithmetic::isLarger(left, right))
          return largest;
        if (arithmetic::isLarger(right, left))
          return !largest;
        return a < b;
      };
      std::partial_sort(order.begin(), order.begin() + y.extent, order.end(),
                        comesFirst);
      for (int64_t k = 0; k < y.extent; ++k) {
        int64_t to = (o * y.extent + k) * y.inner + i;
        call.out<Element>(0)[to] = line[order[k] * x.inner];
        call.out<int64_t>(1)[to] = order[k];
      }
    });
    return Error::success();
  });
}

template <typename T> Error referenceCumSum(const KernelCall &call) {
  AxisView x(call.inDims(0), call.words[0]);
  bool exclusive = call.words[1], reverse = call.words[2];
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    using Sum =
        std::conditional_t<std::is_floating_point_v<Element>, double, int64_t>;
    x.forEachLine([&](int64_t first, int64_t, int64_t) {
      const Element *line = call.in<Element>(0) + first;
      Element *sums = call.out<Element>(0) + first;
      Sum sum = 0;
      for (int64_t k = 0; k < x.extent; ++k) {
        int64_t at = (reverse ? x.extent - 1 - k : k) * x.inner;
        Sum next = arithmetic::add(sum, Sum(line[at]));
        sums[at] = static_cast<Element>(exclusive ? sum : next);
        sum = next;
      }
    });
    return Error::success();
  });
}

TAKT_INSTANTIATE_REFERENCE(Gather)
TAKT_INSTANTIATE_REFERENCE(GatherDgrad)
TAKT_INSTANTIATE_REFERENCE(GatherElements)
TAKT_INSTANTIATE_REFERENCE(GatherElementsDgrad)
TAKT_INSTANTIATE_REFERENCE(ScatterElements)
TAKT_INSTANTIATE_REFERENCE(ArgMax)
TAKT_INSTANTIATE_REFERENCE(TopK)
TAKT_INSTANTIATE_REFERENCE(CumSum)

} // namespace takt
