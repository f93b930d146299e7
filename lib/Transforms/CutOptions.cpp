//===- CutOptions.cpp - how a D task may be cut ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CutOptions.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Tags.h"

using namespace mlir;
using namespace takt;

/// Channels are those of a parameter and the batch that of a gradient, which is
/// what the task graph knows of a product. (Otherwise the product is that of
/// two activations, or transposed.)
static bool isOfGradientAndParameter(train::CuttableOpInterface product) {
  for (OpOperand &operand : product->getOpOperands()) {
    unsigned index = operand.getOperandNumber();
    bool parameter = operand.get().getDefiningOp<train::ReadOp>() != nullptr;
    CutAxis other = parameter ? CutAxis::Batch : CutAxis::Channel;
    if (product.getSlicedAxis(other, index) >= 0)
      return false;
  }
  return true;
}

SmallVector<CutOption> takt::getCutOptions(ArrayRef<Operation *> task) {
  auto product = dyn_cast<train::CuttableOpInterface>(task.front());
  if (!product || getKind(product) != TaskKind::Dgrad || !hasGemm(product) ||
      llvm::count_if(task, hasGemm) != 1 || !isOfGradientAndParameter(product))
    return {};
  SmallVector<CutOption> cuts;
  product.getLegalCuts(cuts);
  llvm::erase_if(cuts, [](const CutOption &cut) { return cut.extent < 2; });
  return cuts;
}
