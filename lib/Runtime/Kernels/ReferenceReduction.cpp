//===- ReferenceReduction.cpp - along axes, and back ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "ElementwiseLoops.h"
#include "Lanes.h"
#include "llvm/ADT/STLExtras.h"
#include <vector>

using namespace llvm;

namespace takt {

namespace {

/// The elements of x along some axes, once for each place along the others.
class Reduction {
public:
  Reduction(ArrayRef<int64_t> dims, ArrayRef<uint32_t> axes) {
    Strides dense = denseStrides(dims);
    Strides keptDims, keptStrides, reducedDims, reducedStrides;
    for (size_t axis = 0; axis < dims.size(); ++axis) {
      bool isReduced = is_contained(axes, axis);
      (isReduced ? reducedDims : keptDims).push_back(dims[axis]);
      (isReduced ? reducedStrides : keptStrides).push_back(dense[axis]);
    }
    kept.emplace(keptDims,
                 ArrayRef<Strides>{denseStrides(keptDims), keptStrides});
    reduced.emplace(reducedDims, ArrayRef<Strides>{reducedStrides});
  }

  /// visit(place, first): the place in the result and the first element of x.
  template <typename Visit> void forEachPlace(Visit visit) const {
    kept->forEachRow([&](ArrayRef<int64_t> at) {
      for (int64_t k = 0; k < kept->rowLength(); ++k)
        visit(at[0] + k, at[1] + k * kept->rowStride(1));
    });
  }

  /// visit(element): its index in x, in row-major order.
  template <typename Visit>
  void forEachElement(int64_t first, Visit visit) const {
    reduced->forEachRow([&](ArrayRef<int64_t> at) {
      for (int64_t i = 0; i < reduced->rowLength(); ++i)
        visit(first + at[0] + i * reduced->rowStride(0));
    });
  }

private:
  std::optional<StridedLoop> kept, reduced;
};

/// NaN if there is one.
template <typename T>
T largest(const Reduction &reduction, const T *x, int64_t first) {
  T result = x[first];
  reduction.forEachElement(first, [&](int64_t i) {
    if (x[i] > result || x[i] != x[i])
      result = x[i];
  });
  return result;
}

} // namespace

// Rows of x in order, each added to its places or, if it is of one place, first
// summed up.
template <typename T> Error referenceReduceSum(const KernelCall &call) {
  ArrayRef<int64_t> dims = call.inDims(0);
  ArrayRef<uint32_t> axes = call.words.drop_front();
  Strides kept(dims.begin(), dims.end());
  for (uint32_t axis : axes)
    kept[axis] = 1;
  StridedLoop loop(dims, {denseStrides(dims), broadcastStrides(kept, dims)});
  int64_t n = loop.rowLength(), stride = loop.rowStride(1);
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    using Sum =
        std::conditional_t<std::is_floating_point_v<Element>, double, int64_t>;
    std::vector<Sum> sums(call.results[0].elements());
    loop.forEachRow([&](ArrayRef<int64_t> at) {
      const Element *x = call.in<Element>(0) + at[0];
      Sum *sum = sums.data() + at[1];
      if (stride != 0)
        for (int64_t i = 0; i < n; ++i)
          sum[i] = arithmetic::add(sum[i], Sum(x[i]));
      else if constexpr (std::is_floating_point_v<Element>)
        *sum += laneSum<double>(n, [=](int64_t i) { return x[i]; });
      else
        for (int64_t i = 0; i < n; ++i)
          *sum = arithmetic::add(*sum, Sum(x[i]));
    });
    for (auto [i, sum] : enumerate(sums))
      call.out<Element>(0)[i] = static_cast<Element>(sum);
    return Error::success();
  });
}

template <typename T> Error referenceReduceMax(const KernelCall &call) {
  Reduction reduction(call.inDims(0), call.words.drop_front());
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    const Element *x = call.in<Element>(0);
    Element *y = call.out<Element>(0);
    reduction.forEachPlace([&](int64_t place, int64_t first) {
      y[place] = largest(reduction, x, first);
    });
    return Error::success();
  });
}

template <typename T> Error referenceReduceMaxDgrad(const KernelCall &call) {
  Reduction reduction(call.inDims(1), call.words.drop_front());
  const T *dy = call.in<T>(0), *x = call.in<T>(1);
  T *dx = call.out<T>(0);
  reduction.forEachPlace([&](int64_t place, int64_t first) {
    T most = largest(reduction, x, first);
    auto isMost = [&](T value) { return value == most || value != value; };
    int64_t count = 0;
    reduction.forEachElement(first, [&](int64_t i) { count += isMost(x[i]); });
    T part = dy[place] / count;
    reduction.forEachElement(
        first, [&](int64_t i) { dx[i] = isMost(x[i]) ? part : T(0); });
  });
  return Error::success();
}

template <typename T> Error referenceExpand(const KernelCall &call) {
  ArrayRef<int64_t> dims = call.outDims(0);
  StridedLoop loop(
      dims, {denseStrides(dims), broadcastStrides(call.inDims(0), dims)});
  return moveElements(call, loop);
}

TAKT_INSTANTIATE_REFERENCE(ReduceSum)
TAKT_INSTANTIATE_REFERENCE(ReduceMax)
TAKT_INSTANTIATE_REFERENCE(ReduceMaxDgrad)
TAKT_INSTANTIATE_REFERENCE(Expand)

} // namespace takt
