//===- CutOptions.cpp - how a task may be cut -----------------------------===//
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
using train::RowRule;

ValueClass takt::classOf(OpResult result) {
  Operation *op = result.getOwner();
  // The loss gradient of a microbatch is scaled, values of parts are sliced
  // and concatenated.
  while (isa<train::ScaleOp, train::SliceOp, train::ConcatOp>(op) &&
         !isRecomputed(op) && getKind(op) != TaskKind::Update) {
    auto source = dyn_cast<OpResult>(op->getOperand(0));
    if (!source)
      break;
    result = source;
    op = source.getOwner();
  }
  if (isRecomputed(op))
    return ValueClass::Activation;
  switch (getKind(op).value_or(TaskKind::Forward)) {
  case TaskKind::Forward:
    return isa<train::SoftmaxCrossEntropyOp, train::MeanSquaredErrorOp>(op) &&
                   result.getResultNumber() == 1
               ? ValueClass::Gradient
               : ValueClass::Activation;
  case TaskKind::Dgrad:
    return ValueClass::Gradient;
  case TaskKind::Wgrad:
    return ValueClass::WeightGradient;
  case TaskKind::Update: // behind the weight comes the optimizer's state
    return result.getResultNumber() == 0 ? ValueClass::Weight
                                         : ValueClass::State;
  }
  return ValueClass::Activation;
}

static bool isWithin(ArrayRef<Operation *> task, mlir::Value value) {
  return llvm::is_contained(task, value.getDefiningOp());
}

static bool isGradient(mlir::Value value) {
  auto result = dyn_cast<OpResult>(value);
  return result && classOf(result) == ValueClass::Gradient;
}

/// Whether the axes of a product of F or D are what CutAxis says of it: those
/// of a parameter second. (Otherwise it is of two activations, or transposed.)
static bool hasParameterSecond(train::CuttableOpInterface product) {
  for (OpOperand &operand : product->getOpOperands()) {
    bool parameter = operand.get().getDefiningOp<train::ReadOp>() != nullptr;
    CutAxis other = parameter ? CutAxis::Batch : CutAxis::Channel;
    if (product.getSlicedAxis(other, operand.getOperandNumber()) >= 0)
      return false;
  }
  return true;
}

/// Whether an operation's result may be rows, or a summand, of all of it in a
/// part of a task with so many samples.
static bool isRowwise(Operation *op, ArrayRef<Operation *> task,
                      const llvm::SmallPtrSetImpl<Operation *> &summing,
                      int64_t samples) {
  auto hasSamples = [&](mlir::Value value) {
    auto type = cast<RankedTensorType>(value.getType());
    return type.getRank() > 0 && type.getShape()[0] == samples;
  };
  auto rowwise = cast<train::RowwiseOpInterface>(op);
  for (OpOperand &operand : op->getOpOperands()) {
    mlir::Value value = operand.get();
    bool parameter = value.getDefiningOp<train::ReadOp>() != nullptr;
    if (rowwise.readsRows(operand.getOperandNumber())
            ? parameter || !hasSamples(value) ||
                  summing.contains(value.getDefiningOp())
            : !parameter)
      return false;
  }
  if (rowwise.getRowRule() == RowRule::Rows &&
      !llvm::all_of(op->getResults(), hasSamples))
    return false;
  // What leaves the task: rows of an F or D, sums of a W.
  bool sums = getKind(op) == TaskKind::Wgrad;
  return llvm::all_of(op->getUsers(), [&](Operation *user) {
    return llvm::is_contained(task, user) ||
           (executes(user) && sums == summing.contains(op));
  });
}

static bool isRowwise(ArrayRef<Operation *> task, int64_t samples) {
  llvm::SmallPtrSet<Operation *, 4> summing;
  for (Operation *op : task) {
    auto rowwise = dyn_cast<train::RowwiseOpInterface>(op);
    RowRule rule = rowwise ? rowwise.getRowRule() : RowRule::None;
    if (rule == RowRule::None)
      return false;
    if (rule == RowRule::Sum)
      summing.insert(op);
    if (!isRowwise(op, task, summing, samples))
      return false;
  }
  return true;
}

TaskCuts takt::getTaskCuts(ArrayRef<Operation *> task) {
  std::optional<TaskKind> kind = getKind(task.front());
  auto isProduct = [](Operation *op) {
    return hasGemm(op) && !isRecomputed(op);
  };
  auto found = llvm::find_if(task, isProduct);
  if (kind == TaskKind::Update || llvm::count_if(task, isProduct) != 1)
    return {};
  auto product = dyn_cast<train::CuttableOpInterface>(*found);
  if (!product)
    return {};
  TaskCuts cuts;
  cuts.product = product;
  product.getLegalCuts(cuts.options);
  mlir::ValueRange operands = product->getOperands();
  bool isSecond = true;
  if (kind == TaskKind::Wgrad) {
    cuts.gradientFirst = isGradient(operands[0]);
    isSecond = cuts.gradientFirst != isGradient(operands[1]);
  } else {
    isSecond = hasParameterSecond(product);
  }
  CutAxis samples = sampleAxis(*kind);
  for (const CutOption &option : cuts.options)
    if (option.axis == samples)
      cuts.rowwise = isRowwise(task, option.extent);
  bool comesFirst = llvm::none_of(
      operands, [&](mlir::Value operand) { return isWithin(task, operand); });
  llvm::erase_if(cuts.options, [&](const CutOption &option) {
    bool whole = cuts.rowwise && option.axis == samples;
    return option.extent < 2 || (!whole && (!comesFirst || !isSecond));
  });
  if (cuts.options.empty())
    return {};
  return cuts;
}
