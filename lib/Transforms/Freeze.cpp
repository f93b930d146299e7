//===- Freeze.cpp - parameters that are not trained -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Freeze.h"
#include "NamePatterns.h"
#include "takt/Transforms/Passes.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINFREEZE
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

LogicalResult takt::freeze(ModuleOp module, ArrayRef<std::string> patterns) {
  // All patterns before any parameter, so that they may overlap.
  llvm::SetVector<Operation *> frozen;
  for (const std::string &pattern : patterns) {
    auto matches = matchTrainable(module, "freeze", pattern);
    if (failed(matches))
      return failure();
    frozen.insert(matches->begin(), matches->end());
  }
  auto constant = train::ParameterKindAttr::get(module.getContext(),
                                                ParameterKind::Constant);
  for (Operation *op : frozen) {
    cast<train::ParameterOp>(op).setKindAttr(constant);
    cast<train::ParameterOp>(op).setFrozen(true);
  }
  auto isTrainable = [](train::ParameterOp parameter) {
    return parameter.getKind() == ParameterKind::Trainable;
  };
  if (!frozen.empty() &&
      llvm::none_of(module.getOps<train::ParameterOp>(), isTrainable))
    return module.emitError("freeze: all ")
           << frozen.size()
           << " trainable parameters are frozen, expected one to be left";
  return success();
}

namespace {
struct TrainFreeze : public takt::impl::TrainFreezeBase<TrainFreeze> {
  using TrainFreezeBase::TrainFreezeBase;

  void runOnOperation() override {
    std::vector<std::string> chosen(patterns.begin(), patterns.end());
    if (failed(freeze(getOperation(), chosen)))
      signalPassFailure();
  }
};
} // namespace
