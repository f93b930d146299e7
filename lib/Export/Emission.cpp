//===- Emission.cpp - from operations to ONNX nodes -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include <numeric>

using namespace mlir;
using namespace takt;

ArrayRef<int64_t> takt::dimsOf(mlir::Value value) {
  return cast<RankedTensorType>(value.getType()).getShape();
}

Dims takt::axesFrom(int64_t first, mlir::Value value) {
  Dims axes(dimsOf(value).size() - first);
  std::iota(axes.begin(), axes.end(), first);
  return axes;
}

void Emission::need(mlir::Value value) {
  SmallVector<mlir::Value> worklist = {value};
  while (!worklist.empty()) {
    mlir::Value next = worklist.pop_back_val();
    Operation *op = next.getDefiningOp();
    if (needed.insert(next).second && op)
      llvm::append_range(worklist, op->getOperands());
  }
}

const EmitterTable &EmitterTable::get() {
  static const EmitterTable table = [] {
    EmitterTable all;
    addFunctionEmitters(all);
    addLossEmitters(all);
    addNormalizationEmitters(all);
    addPoolEmitters(all);
    addProductEmitters(all);
    addSelectionEmitters(all);
    addShapeEmitters(all);
    return all;
  }();
  return table;
}
