//===- MatrixOps.cpp - matrix products ------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Binder.h"
#include "Emit.h"
#include "Registry.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

static Dims dimsOf(Value value) {
  return Dims(cast<RankedTensorType>(value.getType()).getShape());
}

static LogicalResult convertGemm(Node &node) {
  Binder bind(node);
  Value a = bind.tensor("A"), b = bind.tensor("B");
  Value c = node.since >= 11 ? bind.optionalTensor("C") : bind.tensor("C");
  float alpha = bind.number("alpha", 1), beta = bind.number("beta", 1);
  // Any number that is not 0 means true.
  bool transA = bind.integer("transA", 0) != 0;
  bool transB = bind.integer("transB", 0) != 0;
  if (node.since < 7)
    bind.flag("broadcast", false); // or the shapes are equal
  if (failed(bind.finish()))
    return failure();
  AttributeList attributes = node.attributes();
  attributes.flag("trans_a", transA).flag("trans_b", transB);
  attributes.number("alpha", alpha).number("beta", beta);
  SmallVector<Value> operands = {a, b};
  if (c)
    operands.push_back(c);
  return node.emit<train::GemmOp>(operands, attributes);
}

/// An operand of rank 1 is a row on the left and a column on the right; its
/// axis does not appear in the result.
static LogicalResult convertMatMul(Node &node) {
  Binder bind(node);
  Value a = bind.tensor("A"), b = bind.tensor("B");
  if (failed(bind.finish()))
    return failure();
  Dims aDims = dimsOf(a), bDims = dimsOf(b);
  if (aDims.empty() || bDims.empty())
    return node.invalid() << "has an operand of rank 0, expected at least 1";
  bool row = aDims.size() == 1, column = bDims.size() == 1;
  if (row)
    aDims.insert(aDims.begin(), 1);
  if (column)
    bDims.push_back(1);
  FailureOr<Value> left = node.reshape(a, aDims);
  FailureOr<Value> right = node.reshape(b, bDims);
  if (failed(left) || failed(right))
    return failure();
  Value y = Emit(node).matmul(*left, *right);
  if (!y)
    return failure();
  Dims yDims = dimsOf(y);
  if (column)
    yDims.pop_back();
  if (row)
    yDims.erase(yDims.end() - (column ? 1 : 2));
  FailureOr<Value> result = node.reshape(y, yDims);
  if (failed(result))
    return failure();
  return node.define(0, *result);
}

void takt::import::addMatrixOps(Registry &registry) {
  registry.add("Gemm", {6, 7, 9, 11, 13}, convertGemm, "train.gemm");
  registry.add("MatMul", {1, 9, 13}, convertMatMul, "train.matmul");
}
