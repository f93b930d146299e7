//===- ValueNames.cpp - names of what flows between tasks -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/ValueNames.h"
#include "UniqueNames.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Tags.h"

using namespace mlir;
using namespace takt;

static std::string argumentName(func::FuncOp main, unsigned index) {
  auto attr = main.getArgAttrOfType<StringAttr>(index, kNameAttr);
  std::string name = attr ? attr.str() : "arg" + std::to_string(index);
  auto minibatch = main.getArgAttrOfType<IntegerAttr>(index, kMicrobatchAttr);
  return minibatch ? name + ".m" + std::to_string(minibatch.getInt()) : name;
}

static std::string resultName(OpResult result) {
  Operation *op = result.getOwner();
  if (auto name = op->getAttrOfType<StringAttr>(kNameAttr))
    return name.str();
  if (auto all = op->getAttrOfType<ArrayAttr>(kNameAttr);
      all && all.size() == op->getNumResults())
    if (auto name = dyn_cast<StringAttr>(all[result.getResultNumber()]))
      return name.str();
  StringRef kind = isRecomputed(op)
                       ? "again"
                       : letter(getKind(op).value_or(TaskKind::Forward));
  std::string name =
      (getNode(op) + "." + kind + "." + op->getName().stripDialect()).str();
  if (result.getResultNumber() > 0)
    name += "#" + std::to_string(result.getResultNumber());
  return name;
}

llvm::DenseMap<mlir::Value, std::string> takt::nameValues(ModuleOp module,
                                                          func::FuncOp main) {
  llvm::DenseMap<mlir::Value, std::string> names;
  UniqueNames unique;
  for (auto parameter : module.getOps<train::ParameterOp>())
    unique.unique(parameter.getSymName());
  Block &block = main.getBody().front();
  for (BlockArgument argument : block.getArguments())
    names[argument] =
        unique.unique(argumentName(main, argument.getArgNumber()));
  for (Operation &op : block)
    if (executes(&op))
      for (OpResult result : op.getResults())
        names[result] = unique.unique(resultName(result));
  return names;
}
