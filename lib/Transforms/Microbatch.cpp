//===- Microbatch.cpp - a step of several microbatches --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Microbatch.h"
#include "Seeds.h"
#include "TaggingBuilder.h"
#include "mlir/IR/IRMapping.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINMICROBATCH
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

namespace {
class Divider {
public:
  Divider(ModuleOp module, func::FuncOp main, int64_t count)
      : module(module), main(main), block(main.getBody().front()), count(count),
        builder(block.getTerminator()) {}

  LogicalResult run() {
    if (failed(findParts()))
      return failure();
    for (int64_t m = 0; m < count; ++m)
      addMicrobatch(m);
    addUpdates();
    setResults();
    for (Operation *op : llvm::reverse(original))
      op->erase();
    setSamples();
    return success();
  }

private:
  LogicalResult findParts();
  void addMicrobatch(int64_t m);
  void addCopy(Operation *op, int64_t m);
  void mapSlices(Operation *op, int64_t m);
  mlir::Value sliceOf(BlockArgument argument, Operation *reader, int64_t m);
  void scaleLossGradient(Operation *copy);
  void accumulate(int64_t m);
  void addUpdates();
  mlir::Value meanLoss(ArrayRef<mlir::Value> losses);
  void setResults();
  void setSamples();

  bool hasSamples(Type type) const {
    auto tensor = cast<RankedTensorType>(type);
    return tensor.getRank() > 0 && tensor.getDimSize(0) == batch;
  }
  /// The same type with the samples of all microbatches.
  RankedTensorType whole(Type type) const {
    auto tensor = cast<RankedTensorType>(type);
    auto dims = llvm::to_vector(tensor.getShape());
    dims[0] *= count;
    return RankedTensorType::get(dims, tensor.getElementType());
  }
  static std::string named(StringRef name, int64_t m) {
    return (name + ".m" + Twine(m)).str();
  }
  /// Tags what is built next as a part of the copy of `op` in microbatch m.
  void tagLike(Operation *op, int64_t m, const Twine &suffix) {
    builder.tagWith(*getKind(op), named((getNode(op) + suffix).str(), m),
                    named(getTask(op), m), getLayer(op), m);
  }

  ModuleOp module;
  func::FuncOp main;
  Block &block;
  int64_t count, batch = 0;
  TaggingBuilder builder;
  SmallVector<Operation *> original;
  Operation *lossOp = nullptr;
  llvm::StringMap<mlir::Value> stateNow; ///< by parameter, as F left it
  /// Gradients of updates, in program order, and their sums so far.
  llvm::MapVector<mlir::Value, mlir::Value> sums;
  SmallVector<SmallVector<mlir::Value>> results; ///< by result, by microbatch
  IRMapping current, reads;
  llvm::DenseMap<std::pair<mlir::Value, StringAttr>, mlir::Value> slices;
};
} // namespace

LogicalResult Divider::findParts() {
  auto samples = module->getAttrOfType<IntegerAttr>("train.batch");
  if (!samples || samples.getInt() < 1)
    return module.emitError("expected the number of samples in 'train.batch'");
  batch = samples.getInt();
  for (Operation &op : block.without_terminator()) {
    original.push_back(&op);
    if (isa<train::DelayOp>(op))
      return op.emitError("the step is retimed already");
    if (op.hasAttr(kMicrobatchAttr))
      return op.emitError("the step is divided into microbatches already");
    if (isUpdate(&op))
      sums[op.getOperand(kGradientOperand)] = nullptr;
  }
  if (sums.empty())
    return main.emitError("a forward pass is not divided into microbatches");
  Operation *terminator = block.getTerminator();
  lossOp = terminator->getOperand(0).getDefiningOp();
  results.resize(terminator->getNumOperands());
  return success();
}

/// The samples of microbatch m, in the task of whoever reads them.
mlir::Value Divider::sliceOf(BlockArgument argument, Operation *reader,
                             int64_t m) {
  auto task = reader->getAttrOfType<StringAttr>(kTaskAttr);
  mlir::Value &slice = slices[{argument, task}];
  if (slice)
    return slice;
  auto name =
      main.getArgAttrOfType<StringAttr>(argument.getArgNumber(), kNameAttr);
  builder.tagWith(*getKind(reader),
                  named((name ? name.getValue() : StringRef("input")).str() +
                            " for " + getTask(reader).str(),
                        m),
                  named(getTask(reader), m), getLayer(reader), m);
  return slice = train::SliceOp::create(builder, argument.getLoc(),
                                        argument.getType(), argument,
                                        /*axis=*/0, /*begin=*/m * batch);
}

void Divider::mapSlices(Operation *op, int64_t m) {
  for (mlir::Value operand : op->getOperands())
    if (auto argument = dyn_cast<BlockArgument>(operand);
        argument && hasSamples(argument.getType()))
      current.map(operand, sliceOf(argument, op, m));
}

/// All microbatches' gradients are of the mean of their losses.
void Divider::scaleLossGradient(Operation *copy) {
  for (OpResult gradient : copy->getResults().drop_front()) {
    auto scaled = train::ScaleOp::create(
        builder, copy->getLoc(), gradient.getType(), gradient,
        builder.getF32FloatAttr(1.0f / static_cast<float>(count)));
    current.map(lossOp->getResult(gradient.getResultNumber()),
                scaled.getResult());
  }
}

void Divider::addCopy(Operation *op, int64_t m) {
  mapSlices(op, m);
  tagLike(op, m, "");
  Operation *copy = builder.clone(*op, current);
  drawOthers(copy, m);
  if (op == lossOp && op->getNumResults() > 1) {
    tagLike(op, m, ".mean");
    scaleLossGradient(copy);
  }
}

/// Adds this microbatch's gradients to the sums of those before, each in the
/// task that made it.
void Divider::accumulate(int64_t m) {
  for (auto &[gradient, sum] : sums) {
    mlir::Value now = current.lookup(gradient);
    if (m > 0) {
      tagLike(gradient.getDefiningOp(), m, ".sum");
      now = train::AddOp::create(builder, gradient.getLoc(), gradient.getType(),
                                 sum, now);
    }
    sum = now;
  }
}

void Divider::addMicrobatch(int64_t m) {
  current = reads;
  slices.clear();
  for (Operation *op : original) {
    if (getKind(op) == TaskKind::Update)
      continue;
    if (auto read = dyn_cast<train::ReadOp>(op)) {
      // What F has written it reads again, all else is the same for all.
      builder.tagWith(*getKind(op), "");
      auto written = stateNow.find(read.getParameter());
      if (written != stateNow.end())
        current.map(read.getResult(), written->second);
      else if (m == 0)
        reads.map(read.getResult(), builder.clone(*op)->getResult(0));
      if (written == stateNow.end())
        current.map(read.getResult(), reads.lookup(read.getResult()));
    } else if (auto write = dyn_cast<train::WriteOp>(op)) {
      stateNow[write.getParameter()] = current.lookup(write.getValue());
    } else {
      addCopy(op, m);
    }
  }
  accumulate(m);
  for (auto [returned, of] :
       llvm::zip_equal(block.getTerminator()->getOperands(), results)) {
    auto argument = dyn_cast<BlockArgument>(returned);
    of.push_back(argument ? returned : current.lookup(returned));
  }
}

/// Updates once, on the sums; what F writes is written once, too.
void Divider::addUpdates() {
  IRMapping mapping;
  for (auto [gradient, sum] : sums)
    mapping.map(gradient, sum);
  for (Operation *op : original) {
    if (getKind(op) == TaskKind::Update) {
      builder.tagWith(TaskKind::Update, getNode(op), getTask(op), getLayer(op),
                      count - 1);
      builder.clone(*op, mapping);
    } else if (auto write = dyn_cast<train::WriteOp>(op)) {
      builder.tagWith(*getKind(op), "");
      IRMapping last;
      last.map(write.getValue(), stateNow.lookup(write.getParameter()));
      builder.clone(*op, last);
    }
  }
}

/// Added up from microbatch to microbatch, then scaled.
mlir::Value Divider::meanLoss(ArrayRef<mlir::Value> losses) {
  Type type = losses.front().getType();
  mlir::Value sum = losses.front();
  for (int64_t m = 1; m < count; ++m) {
    tagLike(lossOp, m, ".total");
    sum = train::AddOp::create(builder, lossOp->getLoc(), type, sum, losses[m]);
  }
  tagLike(lossOp, count - 1, ".loss");
  return train::ScaleOp::create(
      builder, lossOp->getLoc(), type, sum,
      builder.getF32FloatAttr(1.0f / static_cast<float>(count)));
}

/// The mean loss; other results of all samples.
void Divider::setResults() {
  Operation *terminator = block.getTerminator();
  for (unsigned index = 0; index < results.size(); ++index) {
    ArrayRef<mlir::Value> of = results[index];
    mlir::Value returned = terminator->getOperand(index);
    Operation *op = returned.getDefiningOp();
    if (!op)
      continue; // an input is a result as it is
    mlir::Value result = of.back();
    if (op == lossOp && index == 0) {
      result = meanLoss(of);
    } else if (hasSamples(returned.getType())) {
      tagLike(op, count - 1, ".all");
      result = train::ConcatOp::create(builder, op->getLoc(),
                                       whole(returned.getType()), of,
                                       /*axis=*/0);
    }
    terminator->setOperand(index, result);
  }
}

void Divider::setSamples() {
  for (BlockArgument argument : block.getArguments())
    if (hasSamples(argument.getType()))
      argument.setType(whole(argument.getType()));
  main.setFunctionType(
      FunctionType::get(module.getContext(), block.getArgumentTypes(),
                        block.getTerminator()->getOperandTypes()));
  module->setAttr("train.batch", builder.getI64IntegerAttr(batch * count));
}

LogicalResult takt::divideIntoMicrobatches(ModuleOp module, int64_t count) {
  if (count < 1)
    return module.emitError("expected at least 1 microbatch, found ") << count;
  if (count == 1)
    return success();
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  return Divider(module, *main, count).run();
}

namespace {
struct TrainMicrobatchPass
    : takt::impl::TrainMicrobatchBase<TrainMicrobatchPass> {
  using TrainMicrobatchBase::TrainMicrobatchBase;

  void runOnOperation() override {
    if (failed(verifyTasks(getOperation())) ||
        failed(divideIntoMicrobatches(getOperation(), count)))
      signalPassFailure();
  }
};
} // namespace
