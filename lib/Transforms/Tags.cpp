//===- Tags.cpp - kinds, nodes, tasks and layers on operations ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Tags.h"
#include "UniqueNames.h"
#include "takt/Dialect/Train/Train.h"

using namespace mlir;
using namespace takt;

std::optional<TaskKind> takt::getKind(Operation *op) {
  auto attr = op->getAttrOfType<StringAttr>(kKindAttr);
  if (!attr)
    return std::nullopt;
  for (TaskKind kind :
       {TaskKind::Forward, TaskKind::Dgrad, TaskKind::Wgrad, TaskKind::Update})
    if (attr.getValue() == letter(kind))
      return kind;
  return std::nullopt;
}

void takt::setKind(Operation *op, TaskKind kind) {
  op->setAttr(kKindAttr, StringAttr::get(op->getContext(), letter(kind)));
}

static StringRef getString(Operation *op, StringRef name) {
  auto attr = op->getAttrOfType<StringAttr>(name);
  return attr ? attr.getValue() : StringRef();
}

StringRef takt::getNode(Operation *op) { return getString(op, kNodeAttr); }

void takt::setNode(Operation *op, StringRef node) {
  op->setAttr(kNodeAttr, StringAttr::get(op->getContext(), node));
}

StringRef takt::getTask(Operation *op) { return getString(op, kTaskAttr); }

int64_t takt::getLayer(Operation *op) {
  auto attr = op->getAttrOfType<IntegerAttr>(kLayerAttr);
  return attr ? attr.getValue().trySExtValue().value_or(-1) : -1;
}

void takt::setTask(Operation *op, StringRef task, int64_t layer) {
  Builder builder(op->getContext());
  op->setAttr(kTaskAttr, builder.getStringAttr(task));
  op->setAttr(kLayerAttr, builder.getI64IntegerAttr(layer));
}

bool takt::executes(Operation *op) { return isa<train::KernelOpInterface>(op); }

bool takt::isRecomputed(Operation *op) { return op->hasAttr(kRecomputedAttr); }

bool takt::hasGemm(Operation *op) {
  auto kernel = dyn_cast<train::KernelOpInterface>(op);
  return kernel && kernel.getWork().gemm.count > 0;
}

bool takt::isUpdate(Operation *op) {
  return isa<train::SgdOp, train::MomentumOp, train::AdamOp>(op);
}

StringRef takt::getLocationName(Location loc) {
  if (auto name = dyn_cast<NameLoc>(loc))
    return name.getName();
  if (auto fused = dyn_cast<FusedLoc>(loc))
    for (Location part : fused.getLocations())
      if (StringRef name = getLocationName(part); !name.empty())
        return name;
  return {};
}

FailureOr<func::FuncOp> takt::getMain(ModuleOp module) {
  auto functions = module.getOps<func::FuncOp>();
  if (!llvm::hasSingleElement(functions))
    return module.emitError("expected one function, found ")
           << llvm::range_size(functions);
  func::FuncOp main = *functions.begin();
  if (!main.getBody().hasOneBlock())
    return main.emitError("expected the function to be a single block, found ")
           << llvm::range_size(main.getBody()) << " blocks";
  return main;
}

static std::string nodeName(Operation *op, UniqueNames &names) {
  StringRef name = getLocationName(op->getLoc());
  return names.unique(name.empty() ? op->getName().stripDialect() : name);
}

LogicalResult takt::tagForward(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  Block &block = main->getBody().front();
  UniqueNames names;
  // Layers are named after weighted operations, so those choose first when an
  // ONNX node became several operations.
  for (Operation &op : block)
    if (hasGemm(&op))
      setNode(&op, nodeName(&op, names));
  for (Operation &op : block.without_terminator()) {
    setKind(&op, TaskKind::Forward);
    if (executes(&op) && !hasGemm(&op))
      setNode(&op, nodeName(&op, names));
  }
  return success();
}
