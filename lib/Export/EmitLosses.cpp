//===- EmitLosses.cpp - losses as ONNX nodes ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include <numeric>

using namespace mlir;
using namespace takt;

/// 1 at each label along the axis of the classes, 0 elsewhere; OneHot has few
/// element types.
static Term oneHot(const Term &labels, ArrayRef<int64_t> dims, int64_t axis,
                   ElementType type) {
  Dims one(dims), indices(dims[axis]), alongAxis(dims.size() - axis, 1);
  one[axis] = 1;
  std::iota(indices.begin(), indices.end(), 0);
  alongAxis[0] = dims[axis];
  return (labels.reshape(one) == labels.integers(indices).reshape(alongAxis))
      .cast(type);
}

static Term emitSoftmaxCrossEntropy(Emission &emission,
                                    train::SoftmaxCrossEntropyOp op) {
  Term logits = emission.of(op.getLogits());
  int64_t axis = op.getAxis();
  auto labelType = cast<RankedTensorType>(op.getLabels().getType());
  auto count = static_cast<double>(labelType.getNumElements());
  Term norm = logits.node("LogSoftmax", {}, NodeAttribute("axis", axis));
  Term labels = oneHot(emission.of(op.getLabels()), dimsOf(op.getLogits()),
                       axis, logits.getType());
  if (emission.isNeeded(op.getDlogits()))
    emission.define(op.getDlogits(), (exp(norm) - labels) / count);
  return -(norm * labels).sum(axesFrom(0, op.getLogits()), /*keep=*/false) /
         count;
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

/// Exported models have no scale: theirs is 1.
static Term emitScaleGradient(Emission &emission, train::ScaleGradientOp op) {
  return emission.of(op.getG());
}

void takt::addLossEmitters(EmitterTable &table) {
  table.add<train::SoftmaxCrossEntropyOp, emitSoftmaxCrossEntropy>();
  table.add<train::MeanSquaredErrorOp, emitMeanSquaredError>();
  table.add<train::ScaleGradientOp, emitScaleGradient>();
}
