//===- MovementRules.cpp - shape rules of movement and reduction ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRules.h"

using namespace llvm;

namespace takt {

using Dims = SmallVector<int64_t, 8>;

Error checkConcat(const KernelSubject &s) {
  Dims dims(s.in(0).dims);
  if (Error error =
          s.expectRange("axis", s.word(0), 0, int64_t(dims.size()) - 1))
    return error;
  size_t axis = s.word(0);
  int64_t extent = 0;
  for (size_t i = 0; i < s.operands(); ++i) {
    NamedShape x = s.in(i);
    if (Error error = s.expectRank(x, dims.size(), dims.size()))
      return error;
    dims[axis] = x[axis];
    if (Error error = s.expectShape(x, dims))
      return error;
    extent += x[axis];
  }
  dims[axis] = extent;
  return s.expectShape(s.out(0), dims);
}

Error checkReshape(const KernelSubject &s) {
  int64_t from = s.kernel.operands[0].elements();
  return s.expectRange("number of elements of " + s.out(0).name,
                       s.kernel.results[0].elements(), from, from);
}

Error checkTranspose(const KernelSubject &s) {
  NamedShape x = s.in(0);
  int64_t rank = x.rank();
  if (Error error = s.expectRange("n", s.word(0), rank, rank))
    return error;
  Dims dims;
  unsigned seen = 0;
  for (int64_t i = 0; i < rank; ++i) {
    uint32_t from = s.word(1 + i);
    std::string name = "permutation[" + std::to_string(i) + "]";
    if (Error error = s.expectRange(name, from, 0, rank - 1))
      return error;
    if (seen & (1u << from))
      return s.failValue(name, Twine(from), "an axis that is not taken yet");
    seen |= 1u << from;
    dims.push_back(x[from]);
  }
  return s.expectShape(s.out(0), dims);
}

Error checkSlice(const KernelSubject &s) {
  Dims dims(s.in(0).dims);
  if (Error error =
          s.expectRange("axis", s.word(0), 0, int64_t(dims.size()) - 1))
    return error;
  if (Error error = s.expectRank(s.out(0), dims.size(), dims.size()))
    return error;
  int64_t &extent = dims[s.word(0)];
  int64_t kept = s.out(0)[s.word(0)];
  if (Error error = s.expectRange("extent of the slice", kept, 1, extent))
    return error;
  if (Error error = s.expectRange("begin", s.word(1), 0, extent - kept))
    return error;
  extent = kept;
  return s.expectShape(s.out(0), dims);
}

/// Words are axes of x; y is x with these at 1 or without them.
static Error reduction(const KernelSubject &s, const NamedShape &x,
                       const NamedShape &y) {
  Dims dropped, kept(x.dims);
  unsigned seen = 0;
  for (uint32_t i = 0; i < s.word(0); ++i) {
    uint32_t axis = s.word(1 + i);
    std::string name = "axes[" + std::to_string(i) + "]";
    if (Error error = s.expectRange(name, axis, 0, int64_t(kept.size()) - 1))
      return error;
    if (seen & (1u << axis))
      return s.failValue(name, Twine(axis), "an axis that is not listed yet");
    seen |= 1u << axis;
    kept[axis] = 1;
  }
  for (size_t axis = 0; axis < kept.size(); ++axis)
    if (!(seen & (1u << axis)))
      dropped.push_back(kept[axis]);
  if (y.dims == ArrayRef(kept))
    return Error::success();
  return s.expectShape(y, dropped);
}

Error checkReduceSum(const KernelSubject &s) {
  return reduction(s, s.in(0), s.out(0));
}

Error checkReduceMaxDgrad(const KernelSubject &s) {
  if (Error error = s.expectShape(s.out(0), s.in(1).dims))
    return error;
  return reduction(s, s.in(1), s.in(0));
}

Error checkExpand(const KernelSubject &s) {
  Dims dims(s.out(0).dims);
  if (Error error = broadcast(s, s.in(0), dims))
    return error;
  return s.expectShape(s.out(0), dims);
}

/// y is x with `begins` and `ends` around it, which words from `lists` on are.
static Error padding(const KernelSubject &s, const NamedShape &x,
                     const NamedShape &y, size_t lists) {
  int64_t rank = x.rank();
  if (Error error = s.expectRange("n", s.word(0), rank, rank))
    return error;
  if (Error error = expectNamed<PadMode>(s, "mode", 1))
    return error;
  // Only a mirror has an end.
  bool mirrors = PadMode(s.word(1)) == PadMode::Reflect;
  Dims dims;
  for (int64_t i = 0; i < rank; ++i) {
    int64_t begin = s.word(lists + i), end = s.word(lists + rank + i);
    int64_t most = mirrors ? x[i] - 1 : int64_t(UINT32_MAX);
    std::string at = "[" + std::to_string(i) + "]";
    if (Error error = s.expectRange("begins" + at, begin, 0, most))
      return error;
    if (Error error = s.expectRange("ends" + at, end, 0, most))
      return error;
    dims.push_back(begin + x[i] + end);
  }
  return s.expectShape(y, dims);
}

Error checkPad(const KernelSubject &s) {
  return padding(s, s.in(0), s.out(0), 3);
}

Error checkPadDgrad(const KernelSubject &s) {
  return padding(s, s.out(0), s.in(0), 2);
}

Error checkReduceMax(const KernelSubject &s) { return checkReduceSum(s); }

} // namespace takt
