//===- Recompute.cpp - activations made again for backward ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// First, from the last forward operation to the first: whether it is made
// again, by which task, and before which operation. Then, in program order,
// they are built. An operation's consumers come behind it, so one walk each is
// enough.
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Recompute.h"
#include "CutOptions.h"
#include "TaggingBuilder.h"
#include "mlir/IR/IRMapping.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/ValueNames.h"
#include "takt/Transforms/Verify.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINRECOMPUTE
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

static bool isForward(Operation *op) {
  return op && executes(op) && getKind(op) == TaskKind::Forward;
}

static bool isBackward(Operation *op) {
  std::optional<TaskKind> kind = getKind(op);
  return executes(op) && (kind == TaskKind::Dgrad || kind == TaskKind::Wgrad);
}

static bool canRecompute(OpResult result) {
  Operation *op = result.getOwner();
  return isForward(op) && classOf(result) == ValueClass::Activation &&
         cast<train::KernelOpInterface>(op).canMakeAgain(
             result.getResultNumber());
}

/// Whether other tasks of the forward or backward pass read a value: then it is
/// kept, unless it is chosen to be made again.
static bool isPassedOn(OpResult value) {
  StringRef task = getTask(value.getOwner());
  return llvm::any_of(value.getUsers(), [&](Operation *user) {
    return executes(user) && getTask(user) != task;
  });
}

/// Whether what is made again takes a value as the forward pass made it, where
/// none is chosen.
static bool isKept(mlir::Value value, StringRef task) {
  auto result = dyn_cast<OpResult>(value);
  return !result || !isForward(result.getOwner()) || !canRecompute(result) ||
         getTask(result.getOwner()) != task || isPassedOn(result);
}

/// The operations of its task that give a value.
static SmallVector<Work, 2> workAgain(OpResult value) {
  StringRef task = getTask(value.getOwner());
  llvm::SetVector<Operation *> ops;
  ops.insert(value.getOwner());
  for (size_t i = 0; i < ops.size(); ++i)
    for (mlir::Value operand : ops[i]->getOperands())
      if (!isKept(operand, task))
        ops.insert(operand.getDefiningOp());
  SmallVector<Work, 2> work;
  for (Operation *op : ops)
    work.push_back(cast<train::KernelOpInterface>(op).getWork());
  return work;
}

FailureOr<std::vector<Recomputable>> takt::recomputableValues(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  auto names = nameValues(module, *main);
  std::vector<Recomputable> values;
  for (Operation &op : main->getBody().front())
    for (OpResult result : op.getResults())
      if (canRecompute(result) && llvm::any_of(result.getUsers(), isBackward))
        values.push_back({names[result], values.size(),
                          train::getBytes(result.getType()),
                          static_cast<int>(getLayer(&op)), workAgain(result)});
  return values;
}

namespace {
/// A task by its place in the sequential order of D and W: those of the last
/// layer come first.
struct BackwardTask {
  int64_t layer = -1;
  TaskKind kind = TaskKind::Wgrad;

  bool operator<(const BackwardTask &other) const {
    return std::pair(-layer, kind) < std::pair(-other.layer, other.kind);
  }
  bool operator==(const BackwardTask &other) const {
    return layer == other.layer && kind == other.kind;
  }
};

/// Who needs an operation again.
struct Need {
  BackwardTask task; ///< the first one, which makes it
  bool bySeveral = false;
  Operation *before = nullptr; ///< the first operation that reads it

  void add(BackwardTask by, Operation *reader) {
    if (!before) {
      task = by;
      before = reader;
      return;
    }
    bySeveral |= !(by == task);
    task = std::min(task, by);
    if (reader->isBeforeInBlock(before))
      before = reader;
  }
};

class Recomputer {
public:
  Recomputer(ModuleOp module, func::FuncOp main)
      : module(module), main(main), block(main.getBody().front()),
        builder(block.getTerminator()) {}

  LogicalResult run(ArrayRef<std::string> values);

private:
  LogicalResult choose(ArrayRef<std::string> values);
  void findNeeds();
  void need(mlir::Value value, BackwardTask task, Operation *reader);
  void build(Operation *op, const Need &need);

  bool isAtHand(mlir::Value value, StringRef task) const;
  void replaceReads();

  ModuleOp module;
  func::FuncOp main;
  Block &block;
  TaggingBuilder builder;
  llvm::DenseSet<mlir::Value> chosen;
  llvm::DenseSet<std::pair<int64_t, int>> tasks; ///< that there are
  llvm::MapVector<Operation *, Need> needs;      ///< the last operation first
  IRMapping again;
};
} // namespace

LogicalResult Recomputer::choose(ArrayRef<std::string> values) {
  llvm::StringMap<mlir::Value> byName;
  auto names = nameValues(module, main);
  for (Operation &op : block)
    for (OpResult result : op.getResults())
      if (canRecompute(result))
        byName[names[result]] = result;
  for (const std::string &name : values) {
    auto it = byName.find(name);
    if (it == byName.end())
      return module.emitError("there is no activation '")
             << name << "' that can be made again";
    if (!llvm::any_of(it->second.getUsers(), isBackward))
      return it->second.getDefiningOp()->emitError("value '")
             << name << "' is not read by the backward pass";
    chosen.insert(it->second);
  }
  return success();
}

bool Recomputer::isAtHand(mlir::Value value, StringRef task) const {
  return !chosen.contains(value) && isKept(value, task);
}

void Recomputer::need(mlir::Value value, BackwardTask task, Operation *reader) {
  needs[value.getDefiningOp()].add(task, reader);
}

void Recomputer::findNeeds() {
  for (Operation &op : block)
    if (isBackward(&op))
      tasks.insert({getLayer(&op), int(*getKind(&op))});
  for (Operation &op : block)
    if (isBackward(&op))
      for (mlir::Value operand : op.getOperands())
        if (chosen.contains(operand))
          need(operand, {getLayer(&op), *getKind(&op)}, &op);
  for (Operation &op : llvm::reverse(block)) {
    auto it = needs.find(&op);
    if (it == needs.end())
      continue;
    Need &of = it->second;
    if (of.bySeveral && of.task.kind == TaskKind::Wgrad &&
        tasks.contains({of.task.layer, int(TaskKind::Dgrad)}))
      of.task.kind = TaskKind::Dgrad;
    Need copy = of; // what follows may grow the map
    for (mlir::Value operand : op.getOperands())
      if (!isAtHand(operand, getTask(&op)))
        need(operand, copy.task, copy.before);
  }
}

void Recomputer::build(Operation *op, const Need &need) {
  ArrayAttr layers = module->getAttrOfType<ArrayAttr>(kLayersAttr);
  StringRef layer = cast<StringAttr>(layers[need.task.layer]).getValue();
  builder.tagWith(need.task.kind, getNode(op),
                  (layer + "." + letter(need.task.kind)).str(),
                  need.task.layer);
  builder.setInsertionPoint(need.before);
  SmallVector<mlir::Value> operands;
  for (mlir::Value operand : op->getOperands())
    operands.push_back(isAtHand(operand, getTask(op)) ? operand
                                                      : again.lookup(operand));
  Operation *copy =
      cast<train::KernelOpInterface>(op).makeAgain(builder, operands);
  copy->setAttr(kRecomputedAttr, builder.getUnitAttr());
  for (auto [old, result] : llvm::zip(op->getResults(), copy->getResults()))
    again.map(old, result);
}

void Recomputer::replaceReads() {
  for (Operation &op : block)
    if (isBackward(&op) && !isRecomputed(&op))
      for (OpOperand &operand : op.getOpOperands())
        if (chosen.contains(operand.get()))
          operand.set(again.lookup(operand.get()));
}

LogicalResult Recomputer::run(ArrayRef<std::string> values) {
  if (failed(choose(values)))
    return failure();
  findNeeds();
  SmallVector<Operation *> forward;
  for (Operation &op : block)
    if (needs.contains(&op))
      forward.push_back(&op);
  for (Operation *op : forward)
    build(op, needs[op]);
  replaceReads();
  return success();
}

LogicalResult takt::recompute(ModuleOp module, ArrayRef<std::string> values) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main) || failed(verifyTasks(module)))
    return failure();
  for (Operation &op : main->getBody().front())
    if (isa<train::DelayOp>(op) || op.hasAttr(kMicrobatchAttr) ||
        isRecomputed(&op))
      return op.emitError("values are made again before a step is divided into "
                          "microbatches or retimed, and once");
  return Recomputer(module, *main).run(values);
}

namespace {
struct TrainRecompute : takt::impl::TrainRecomputeBase<TrainRecompute> {
  using TrainRecomputeBase::TrainRecomputeBase;

  void runOnOperation() override {
    SmallVector<std::string> names(values.begin(), values.end());
    if (failed(recompute(getOperation(), names)))
      signalPassFailure();
  }
};
} // namespace
