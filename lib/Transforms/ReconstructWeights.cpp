//===- ReconstructWeights.cpp - earlier weights without a stash -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/ReconstructWeights.h"
#include "TaggingBuilder.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Scheduling/Retiming.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Verify.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINRECONSTRUCTWEIGHTS
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

namespace {
class Reconstructor {
public:
  Reconstructor(ModuleOp module, func::FuncOp main)
      : symbols(module), block(main.getBody().front()),
        builder(block.getTerminator()) {}

  LogicalResult run();

private:
  LogicalResult reconstruct(train::WriteOp write);
  FailureOr<train::ParameterOp> declare(train::ParameterOp weight);

  SymbolTable symbols;
  Block &block;
  TaggingBuilder builder;
  /// Operands of kind D and W that are a weight, by its name; for look-ups
  /// only.
  llvm::StringMap<SmallVector<OpOperand *>> readers;
};
} // namespace

/// The parameter of the reconstruction, right behind its weight.
FailureOr<train::ParameterOp>
Reconstructor::declare(train::ParameterOp weight) {
  std::string name = (weight.getSymName() + kEarlierSuffix).str();
  if (Operation *other = symbols.lookup(name)) {
    InFlightDiagnostic diagnostic =
        weight.emitError("the reconstruction of a weight needs a parameter '")
        << name << "', but the name is taken";
    diagnostic.attachNote(other->getLoc()) << "by this";
    return diagnostic;
  }
  OpBuilder at(weight);
  at.setInsertionPointAfter(weight);
  auto earlier = train::ParameterOp::create(
      at, weight.getLoc(), name, weight.getTensorType(), weight.getSymName(),
      /*axis=*/0, /*begin=*/0);
  symbols.insert(earlier);
  return earlier;
}

LogicalResult Reconstructor::reconstruct(train::WriteOp write) {
  auto weight = symbols.lookup<train::ParameterOp>(write.getParameter());
  ArrayRef<OpOperand *> uses = readers[write.getParameter()];
  Operation *update = write.getValue().getDefiningOp();
  if (weight.getKind() != ParameterKind::Trainable || uses.empty())
    return success();
  if (weight.getTensorType().getRank() == 0)
    return weight.emitError("unsupported: a weight of rank 0 that dgrad reads "
                            "cannot be reconstructed");
  FailureOr<train::ParameterOp> earlier = declare(weight);
  if (failed(earlier))
    return failure();

  // At the first reader, which is before the update.
  builder.setInsertionPointToStart(&block);
  builder.tagWith(TaskKind::Forward, "");
  Location loc = weight.getLoc();
  mlir::Value old = train::ReadOp::create(builder, loc, *earlier);
  for (OpOperand *use : uses)
    use->set(old);

  builder.tagWith(TaskKind::Update, getNode(update), getTask(update),
                  getLayer(update));
  builder.setInsertionPoint(update);
  mlir::Value faded = train::FadeOp::create(builder, loc, old.getType(), old,
                                            update->getOperand(0));
  builder.setInsertionPointAfter(write);
  mlir::Value next = train::ReconstructOp::create(builder, loc, old.getType(),
                                                  faded, write.getValue());
  train::WriteOp::create(builder, loc, earlier->getSymName(), next);
  return success();
}

LogicalResult Reconstructor::run() {
  SmallVector<train::WriteOp> writes;
  for (Operation &op : block) {
    std::optional<TaskKind> kind = getKind(&op);
    if (auto write = dyn_cast<train::WriteOp>(op))
      if (isUpdate(write.getValue().getDefiningOp()))
        writes.push_back(write);
    if (kind != TaskKind::Dgrad && kind != TaskKind::Wgrad)
      continue;
    for (OpOperand &operand : op.getOpOperands())
      if (auto read = operand.get().getDefiningOp<train::ReadOp>())
        readers[read.getParameter()].push_back(&operand);
  }
  for (train::WriteOp write : writes)
    if (failed(reconstruct(write)))
      return failure();
  return success();
}

LogicalResult takt::reconstructWeights(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main) || failed(verifyStep(module)))
    return failure();
  return Reconstructor(module, *main).run();
}

namespace {
struct TrainReconstructWeights
    : public takt::impl::TrainReconstructWeightsBase<TrainReconstructWeights> {
  void runOnOperation() override {
    if (failed(reconstructWeights(getOperation())))
      signalPassFailure();
  }
};
} // namespace
