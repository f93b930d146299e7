//===- ReferencePadding.cpp - elements around a tensor --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ElementTypes.h"
#include "KernelCall.h"
#include "StridedLoop.h"
#include <algorithm>

using namespace llvm;

namespace takt {

namespace {

/// Where each element of a padded tensor comes from.
class Padding {
public:
  /// `lists` are begins[n] and ends[n].
  Padding(PadMode mode, ArrayRef<int64_t> x, ArrayRef<int64_t> y,
          ArrayRef<uint32_t> lists)
      : x(x), y(y), begins(lists.take_front(x.size())), mode(mode),
        strides(denseStrides(x)) {}

  /// visit(to, n, from): the next n elements of y, from index `to` on, are
  /// those of x from index `from` on; a negative one: they are outside. In
  /// row-major order of y.
  template <typename Visit> void forEachRun(Visit visit) const {
    if (x.empty())
      return visit(0, 1, 0);
    int64_t to = 0;
    visitAxis(0, 0, to, visit);
  }

private:
  static constexpr int64_t kOutside = -1;

  /// The index along an axis of x, or kOutside.
  int64_t source(size_t axis, int64_t index) const {
    int64_t i = index - begins[axis], last = x[axis] - 1;
    if (i >= 0 && i <= last)
      return i;
    switch (mode) {
    case PadMode::Constant:
      break;
    case PadMode::Reflect:
      return i < 0 ? -i : 2 * last - i;
    case PadMode::Edge:
      return i < 0 ? 0 : last;
    case PadMode::Wrap:
      return (i % x[axis] + x[axis]) % x[axis];
    }
    return kOutside;
  }

  template <typename Visit>
  void visitAxis(size_t axis, int64_t from, int64_t &to, Visit visit) const {
    bool isLast = axis + 1 == x.size();
    int64_t begin = begins[axis], inside = begin + x[axis];
    for (int64_t i = 0; i < y[axis];) {
      int64_t at = from < 0 ? kOutside : source(axis, i);
      int64_t next = at < 0 ? kOutside : from + at * strides[axis];
      if (!isLast) {
        visitAxis(axis + 1, next, to, visit);
        ++i;
        continue;
      }
      // What is inside is one run, and so is what is outside together.
      int64_t n = 1;
      if (from < 0)
        n = y[axis];
      else if (i == begin)
        n = x[axis];
      else if (at < 0)
        n = i < begin ? begin : y[axis] - inside;
      visit(to, n, next);
      to += n;
      i += n;
    }
  }

  ArrayRef<int64_t> x, y;
  ArrayRef<uint32_t> begins;
  PadMode mode;
  Strides strides;
};

} // namespace

template <typename T> Error referencePad(const KernelCall &call) {
  Padding padding(PadMode(call.words[1]), call.inDims(0), call.outDims(0),
                  call.words.drop_front(3));
  return withElementType(call.results[0].type, [&](auto zero) {
    using Element = decltype(zero);
    auto value = convertNumber<Element>(call.floatWord(2));
    const Element *x = call.in<Element>(0);
    Element *y = call.out<Element>(0);
    padding.forEachRun([&](int64_t to, int64_t n, int64_t from) {
      if (from < 0)
        std::fill_n(y + to, n, value);
      else
        std::copy_n(x + from, n, y + to);
    });
    return Error::success();
  });
}

template <typename T> Error referencePadDgrad(const KernelCall &call) {
  Padding padding(PadMode(call.words[1]), call.outDims(0), call.inDims(0),
                  call.words.drop_front(2));
  const T *dy = call.in<T>(0);
  T *dx = call.out<T>(0);
  std::fill_n(dx, call.results[0].elements(), T(0));
  padding.forEachRun([&](int64_t to, int64_t n, int64_t from) {
    if (from < 0)
      return;
    for (int64_t i = 0; i < n; ++i)
      dx[from + i] += dy[to + i];
  });
  return Error::success();
}

TAKT_INSTANTIATE_REFERENCE(Pad)
TAKT_INSTANTIATE_REFERENCE(PadDgrad)

} // namespace takt
