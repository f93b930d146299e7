//===- Folds.cpp - operations that do nothing -----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"

using namespace mlir;
using namespace takt::train;

/// The only operand, if there is one and it has the result's type.
static OpFoldResult foldSingle(ValueRange operands, Type result) {
  if (operands.size() == 1 && operands[0].getType() == result)
    return operands[0];
  return {};
}

OpFoldResult SumOp::fold(FoldAdaptor) { return foldSingle(getX(), getType()); }

OpFoldResult ConcatOp::fold(FoldAdaptor) {
  return foldSingle(getX(), getType());
}

OpFoldResult SliceOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? getX() : OpFoldResult();
}

OpFoldResult ExpandOp::fold(FoldAdaptor) {
  return getX().getType() == getType() ? getX() : OpFoldResult();
}

OpFoldResult ScaleOp::fold(FoldAdaptor) {
  return getValue() == 1 ? getX() : OpFoldResult();
}

OpFoldResult DropoutOp::fold(FoldAdaptor) {
  return getRatio() == 0 ? getX() : OpFoldResult();
}

/// reshape(reshape(x)) is one reshape of x, or x itself.
OpFoldResult ReshapeOp::fold(FoldAdaptor) {
  if (auto inner = getX().getDefiningOp<ReshapeOp>()) {
    if (inner.getX().getType() == getType())
      return inner.getX();
    getXMutable().assign(inner.getX());
    return getResult();
  }
  return getX().getType() == getType() ? getX() : OpFoldResult();
}

static bool isIdentity(ArrayRef<int64_t> permutation) {
  for (auto [to, from] : llvm::enumerate(permutation))
    if (int64_t(to) != from)
      return false;
  return true;
}

/// transpose(transpose(x)) is one transpose of x, or x itself.
OpFoldResult TransposeOp::fold(FoldAdaptor) {
  if (isIdentity(getPermutation()))
    return getX();
  auto inner = getX().getDefiningOp<TransposeOp>();
  if (!inner)
    return {};
  SmallVector<int64_t> permutation;
  for (int64_t axis : getPermutation())
    permutation.push_back(inner.getPermutation()[axis]);
  if (isIdentity(permutation))
    return inner.getX();
  setPermutation(permutation);
  getXMutable().assign(inner.getX());
  return getResult();
}
