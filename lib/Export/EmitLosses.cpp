//===- EmitLosses.cpp - losses as ONNX nodes ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"

using namespace mlir;
using namespace takt;

/// 1 at the label of each row, 0 elsewhere; OneHot has few element types.
static Term oneHot(const Term &labels, ArrayRef<int64_t> dims,
                   ElementType type) {
  Dims classes(dims[1]);
  for (int64_t i = 0; i < dims[1]; ++i)
    classes[i] = i;
  return (labels.reshape({dims[0], 1}) == labels.integers(classes)).cast(type);
}

static Term emitSoftmaxCrossEntropy(Emission &emission,
                                    train::SoftmaxCrossEntropyOp op) {
  Term logits = emission.of(op.getLogits());
  ArrayRef<int64_t> dims = dimsOf(op.getLogits());
  double samples = static_cast<double>(dims[0]);
  Term norm = logits.node("LogSoftmax", {}, NodeAttribute("axis", int64_t(1)));
  Term labels = oneHot(emission.of(op.getLabels()), dims, logits.getType());
  if (emission.isNeeded(op.getDlogits()))
    emission.define(op.getDlogits(), (exp(norm) - labels) / samples);
  return -(norm * labels).sum({0, 1}, /*keep=*/false) / samples;
}

static Term emitMeanSquaredError(Emission &emission,
                                 train::MeanSquaredErrorOp op) {
  Term difference = emission.of(op.getX()) - emission.of(op.getTarget());
  auto type = cast<RankedTensorType>(op.getX().getType());
  auto elements = static_cast<double>(type.getNumElements());
  if (emission.isNeeded(op.getDx()))
    emission.define(op.getDx(), difference * (2 / elements));
  return (difference * difference).sum(axesFrom(0, op.getX()), /*keep=*/false) /
         elements;
}

void takt::addLossEmitters(EmitterTable &table) {
  table.add<train::SoftmaxCrossEntropyOp, emitSoftmaxCrossEntropy>();
  table.add<train::MeanSquaredErrorOp, emitMeanSquaredError>();
}
