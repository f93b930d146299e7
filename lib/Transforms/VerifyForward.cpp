//===- VerifyForward.cpp - what differentiation relies on -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/SymbolTable.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINVERIFYFORWARD
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

/// F1.
static LogicalResult verifyModule(ModuleOp module, func::FuncOp main) {
  auto batch = module->getAttrOfType<IntegerAttr>("train.batch");
  if (!batch || !batch.getValue().isStrictlyPositive())
    return module.emitError("expected a positive batch size in 'train.batch'");
  if (main.getNumResults() == 0)
    return main.emitError("expected at least one result of @main");
  return success();
}

/// F2.
static LogicalResult verifyStaticTypes(Operation &op) {
  if (op.getDialect() != op.getContext()->getLoadedDialect("train") &&
      !op.hasTrait<OpTrait::IsTerminator>())
    return op.emitError("expected operations of the train dialect only");
  for (mlir::Value result : op.getResults()) {
    auto tensor = dyn_cast<RankedTensorType>(result.getType());
    if (!tensor || !tensor.hasStaticShape())
      return op.emitError("expected a tensor of static shape, found ")
             << result.getType();
  }
  return success();
}

/// F3 and F4.
static LogicalResult verifyAccess(Operation &op, const SymbolTable &symbols) {
  if (auto kind = getKind(&op); kind && *kind != TaskKind::Forward)
    return op.emitError("expected a forward graph, found an operation of kind ")
           << letter(*kind);
  if (isa<train::DelayOp>(op))
    return op.emitError("expected a forward graph, found a delay");
  StringRef name;
  Type type;
  if (auto read = dyn_cast<train::ReadOp>(op)) {
    name = read.getParameter();
    type = op.getResult(0).getType();
  } else if (auto write = dyn_cast<train::WriteOp>(op)) {
    name = write.getParameter();
    type = write.getValue().getType();
  } else {
    return success();
  }
  auto parameter = symbols.lookup<train::ParameterOp>(name);
  if (!parameter)
    return op.emitError("there is no parameter '") << name << "'";
  if (parameter.getType() != type)
    return op.emitError("parameter '")
           << name << "' is of type " << parameter.getType() << ", found "
           << type;
  if (isa<train::WriteOp>(op) && parameter.getKind() != ParameterKind::State)
    return op.emitError("a forward graph writes state only, parameter '")
           << name << "' is none";
  return success();
}

LogicalResult takt::verifyForward(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main) || failed(verifyModule(module, *main)))
    return failure();
  SymbolTable symbols(module);
  for (Operation &op : main->getBody().front())
    if (failed(verifyStaticTypes(op)) || failed(verifyAccess(op, symbols)))
      return failure();
  return success();
}

namespace {
struct TrainVerifyForward
    : public takt::impl::TrainVerifyForwardBase<TrainVerifyForward> {
  void runOnOperation() override {
    if (failed(verifyForward(getOperation())))
      return signalPassFailure();
    markAllAnalysesPreserved();
  }
};
} // namespace
