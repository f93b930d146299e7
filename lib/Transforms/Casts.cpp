//===- Casts.cpp - casts of a training step -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Casts.h"
#include "takt/Dialect/Train/Train.h"
#include "llvm/ADT/DenseMap.h"

using namespace mlir;
using namespace takt;

static bool isKind(Operation *op, TaskKind kind) {
  return op && getKind(op) == kind;
}

static mlir::Type inF32(mlir::Type type) {
  return cast<RankedTensorType>(type).clone(
      Float32Type::get(type.getContext()));
}

/// From 16-bit floats to f32.
static bool widens(train::CastOp op) {
  return train::isShortFloatTensor(op.getX().getType()) &&
         op.getType() == inF32(op.getX().getType());
}

/// The W that makes what is cast and can make it in f32 as well; null if there
/// is none.
static Operation *widenedProducer(train::CastOp op) {
  Operation *producer = op.getX().getDefiningOp();
  if (!widens(op) || !isKind(op, TaskKind::Wgrad) ||
      !isKind(producer, TaskKind::Wgrad) || isa<train::CastOp>(producer) ||
      !isa<train::KernelOpInterface>(producer) ||
      producer->getNumResults() != 1)
    return nullptr;
  return llvm::all_of(producer->getUsers(),
                      [&](Operation *user) { return user == op; })
             ? producer
             : nullptr;
}

void takt::widenWeightGradients(Block &block, TaggingBuilder &builder) {
  SmallVector<train::CastOp> work;
  for (auto op : block.getOps<train::CastOp>())
    work.push_back(op);
  while (!work.empty()) {
    train::CastOp op = work.pop_back_val();
    Operation *producer = widenedProducer(op);
    if (!producer)
      continue;
    builder.setInsertionPoint(producer);
    builder.tagWith(TaskKind::Wgrad, getNode(producer));
    for (OpOperand &operand : producer->getOpOperands()) {
      mlir::Type type = operand.get().getType();
      if (!train::isShortFloatTensor(type))
        continue;
      auto wide = train::CastOp::create(builder, producer->getLoc(),
                                        inF32(type), operand.get());
      operand.set(wide);
      work.push_back(wide);
    }
    producer->getResult(0).setType(op.getType());
    op.replaceAllUsesWith(producer->getResult(0));
    op.erase();
  }
}

void takt::castAgain(Block &block, TaggingBuilder &builder) {
  // For look-ups only.
  llvm::DenseMap<std::tuple<Operation *, int, StringAttr>, mlir::Value> again;
  for (Operation &op : llvm::make_early_inc_range(block)) {
    std::optional<TaskKind> kind = getKind(&op);
    if (kind != TaskKind::Dgrad && kind != TaskKind::Wgrad)
      continue;
    for (OpOperand &operand : op.getOpOperands()) {
      auto from = operand.get().getDefiningOp<train::CastOp>();
      if (!isKind(from, TaskKind::Forward) ||
          !(widens(from) || from.getX().getDefiningOp<train::ReadOp>()))
        continue;
      auto node = op.getAttrOfType<StringAttr>(kNodeAttr);
      mlir::Value &copy = again[{from, static_cast<int>(*kind), node}];
      if (!copy) {
        builder.setInsertionPoint(&op);
        builder.tagWith(*kind, node.getValue());
        copy = train::CastOp::create(builder, from.getLoc(), from.getType(),
                                     from.getX());
      }
      operand.set(copy);
    }
  }
}
