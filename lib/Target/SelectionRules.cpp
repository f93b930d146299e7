//===- SelectionRules.cpp - rules of element types, choices and indices ---===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRules.h"

using namespace llvm;

namespace takt {

using Dims = SmallVector<int64_t, 8>;

Error expectFloatType(const KernelSubject &s, const NamedShape &tensor,
                      ElementType type) {
  if (isFloatType(type))
    return Error::success();
  return s.failValue("type of " + tensor.name, name(type), "a type of floats");
}

Error expectNumberType(const KernelSubject &s, const NamedShape &tensor,
                       ElementType type) {
  if (type != ElementType::I1)
    return Error::success();
  return s.failValue("type of " + tensor.name, name(type), "a type of numbers");
}

/// Checks that word `i` is an axis of the tensor.
static Error expectAxis(const KernelSubject &s, size_t i,
                        const NamedShape &tensor) {
  return s.expectRange("axis", s.word(i), 0, int64_t(tensor.rank()) - 1);
}

Error checkCast(const KernelSubject &s) {
  return s.expectShape(s.out(0), s.in(0).dims);
}

Error checkCompare(const KernelSubject &s) {
  if (Error error = expectNamed<CompareFunction>(s, "function", 0))
    return error;
  if (Error error = s.expectType(s.in(1), s.inType(1), s.inType(0)))
    return error;
  if (Error error = s.expectType(s.out(0), s.outType(0), ElementType::I1))
    return error;
  Dims dims;
  for (size_t i : {0, 1})
    if (Error error = broadcast(s, s.in(i), dims))
      return error;
  return s.expectShape(s.out(0), dims);
}

Error checkWhere(const KernelSubject &s) {
  if (Error error = s.expectType(s.in(0), s.inType(0), ElementType::I1))
    return error;
  Dims dims;
  for (size_t i : {0, 1, 2}) {
    if (i > 0)
      if (Error error = s.expectType(s.in(i), s.inType(i), s.outType(0)))
        return error;
    if (Error error = broadcast(s, s.in(i), dims))
      return error;
  }
  return s.expectShape(s.out(0), dims);
}

Error checkWhereDgrad(const KernelSubject &s) {
  if (Error error = s.expectRange("operand", s.word(0), 1, 2))
    return error;
  if (Error error = expectFloatType(s, s.out(0), s.outType(0)))
    return error;
  if (Error error = s.expectType(s.in(0), s.inType(0), s.outType(0)))
    return error;
  if (Error error = s.expectType(s.in(1), s.inType(1), ElementType::I1))
    return error;
  Dims dims(s.in(0).dims);
  if (Error error = broadcast(s, s.in(1), dims))
    return error;
  if (Error error = s.expectShape(s.in(0), dims))
    return error;
  return s.expectShape(s.out(0), dims);
}

/// y is x with the shape of operand 1, the indices, for word 0, the axis.
static Error gathering(const KernelSubject &s, const NamedShape &x,
                       const NamedShape &y) {
  if (Error error = s.expectType(s.in(0), s.inType(0), s.outType(0)))
    return error;
  if (Error error = s.expectType(s.in(1), s.inType(1), ElementType::I64))
    return error;
  if (Error error = expectAxis(s, 0, x))
    return error;
  Dims dims(x.dims.take_front(s.word(0)));
  append_range(dims, s.in(1).dims);
  append_range(dims, x.dims.drop_front(s.word(0) + 1));
  return s.expectShape(y, dims);
}

Error checkGather(const KernelSubject &s) {
  return gathering(s, s.in(0), s.out(0));
}

Error checkGatherDgrad(const KernelSubject &s) {
  if (Error error = expectFloatType(s, s.out(0), s.outType(0)))
    return error;
  return gathering(s, s.out(0), s.in(0));
}

/// Operand 1 are indices in the shape of x except on the axis.
static Error elementIndices(const KernelSubject &s, const NamedShape &x,
                            size_t axisWord) {
  if (Error error = s.expectType(s.in(1), s.inType(1), ElementType::I64))
    return error;
  if (Error error = expectAxis(s, axisWord, x))
    return error;
  NamedShape indices = s.in(1);
  if (Error error = s.expectRank(indices, x.rank(), x.rank()))
    return error;
  Dims dims(x.dims);
  dims[s.word(axisWord)] = indices[s.word(axisWord)];
  return s.expectShape(indices, dims);
}

static Error gatheringElements(const KernelSubject &s, const NamedShape &x,
                               const NamedShape &y) {
  if (Error error = s.expectType(s.in(0), s.inType(0), s.outType(0)))
    return error;
  if (Error error = elementIndices(s, x, 0))
    return error;
  return s.expectShape(y, s.in(1).dims);
}

Error checkGatherElements(const KernelSubject &s) {
  return gatheringElements(s, s.in(0), s.out(0));
}

Error checkGatherElementsDgrad(const KernelSubject &s) {
  if (Error error = expectFloatType(s, s.out(0), s.outType(0)))
    return error;
  return gatheringElements(s, s.out(0), s.in(0));
}

Error checkScatterElements(const KernelSubject &s) {
  if (Error error = expectNamed<ScatterMode>(s, "mode", 0))
    return error;
  for (size_t i : {0, 2})
    if (Error error = s.expectType(s.in(i), s.inType(i), s.outType(0)))
      return error;
  auto mode = ScatterMode(s.word(0));
  if (s.outType(0) == ElementType::I1 &&
      (mode == ScatterMode::Add || mode == ScatterMode::Mul))
    return s.failValue("mode", name(mode), "replace, max or min for i1");
  if (Error error = elementIndices(s, s.in(0), 1))
    return error;
  if (Error error = s.expectShape(s.in(2), s.in(1).dims))
    return error;
  return s.expectShape(s.out(0), s.in(0).dims);
}

Error checkArgMax(const KernelSubject &s) {
  NamedShape x = s.in(0);
  if (Error error = expectNumberType(s, x, s.inType(0)))
    return error;
  if (Error error = s.expectType(s.out(0), s.outType(0), ElementType::I64))
    return error;
  if (Error error = expectAxis(s, 0, x))
    return error;
  if (Error error = s.expectFlag("last", 1))
    return error;
  Dims dims(x.dims);
  if (s.out(0).rank() == x.rank())
    dims[s.word(0)] = 1;
  else
    dims.erase(dims.begin() + s.word(0));
  return s.expectShape(s.out(0), dims);
}

Error checkTopK(const KernelSubject &s) {
  NamedShape x = s.in(0), y = s.out(0);
  if (Error error = expectNumberType(s, x, s.inType(0)))
    return error;
  if (Error error = s.expectType(y, s.outType(0), s.inType(0)))
    return error;
  if (Error error = s.expectType(s.out(1), s.outType(1), ElementType::I64))
    return error;
  if (Error error = expectAxis(s, 0, x))
    return error;
  if (Error error = s.expectFlag("largest", 1))
    return error;
  if (Error error = s.expectRank(y, x.rank(), x.rank()))
    return error;
  size_t axis = s.word(0);
  if (Error error = s.expectRange("extent of y", y[axis], 1, x[axis]))
    return error;
  Dims dims(x.dims);
  dims[axis] = y[axis];
  if (Error error = s.expectShape(y, dims))
    return error;
  return s.expectShape(s.out(1), dims);
}

Error checkCumSum(const KernelSubject &s) {
  if (Error error = expectAxis(s, 0, s.in(0)))
    return error;
  if (Error error = s.expectFlag("exclusive", 1))
    return error;
  if (Error error = s.expectFlag("reverse", 2))
    return error;
  return s.expectShape(s.out(0), s.in(0).dims);
}

} // namespace takt
