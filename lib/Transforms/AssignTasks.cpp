//===- AssignTasks.cpp - layers and tasks of operations -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

// The rules are those of FormTasks.h, one function each. A task's place in the
// sequential order is one integer (position): F of layer l is l, and D, W, U of
// layer l among L are L + 3 (L - 1 - l) + {0, 1, 2}. "The latest producer" is
// then a maximum.
//
//===----------------------------------------------------------------------===//

#include "CutOptions.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Tags.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt;

namespace {
class TaskAssigner {
public:
  explicit TaskAssigner(ModuleOp module, func::FuncOp main)
      : module(module), block(main.getBody().front()) {}

  LogicalResult run();

private:
  LogicalResult collect();
  void numberLayers();
  void fuseForward();
  void fuseTowardsConsumers(ArrayRef<Operation *> orphans, int64_t fallback);
  void assignDgrad();
  void assignWgrad();
  void assignUpdates();
  void tag();

  int64_t position(TaskKind kind, int64_t layer) const;
  TaskKind kindAt(int64_t position) const;
  int64_t layerAt(int64_t position) const;
  int64_t latestProducer(Operation *op) const;
  int64_t earliestConsumer(Operation *op) const;
  int64_t layerOfNode(Operation *op) const;
  bool expandsGradient(Operation *op) const;

  ModuleOp module;
  Block &block;
  SmallVector<Operation *> byKind[4]; ///< that execute, in program order
  SmallVector<std::string> layers;
  /// Where an operation's task is in the sequential order.
  llvm::DenseMap<Operation *, int64_t> place;
  /// The layer of the forward operation of a node.
  llvm::StringMap<int64_t> nodeLayer;
};
} // namespace

int64_t TaskAssigner::position(TaskKind kind, int64_t layer) const {
  int64_t count = layers.size();
  if (kind == TaskKind::Forward)
    return layer;
  return count + 3 * (count - 1 - layer) + static_cast<int64_t>(kind) - 1;
}

TaskKind TaskAssigner::kindAt(int64_t position) const {
  int64_t count = layers.size();
  return position < count ? TaskKind::Forward
                          : static_cast<TaskKind>(1 + (position - count) % 3);
}

int64_t TaskAssigner::layerAt(int64_t position) const {
  int64_t count = layers.size();
  return position < count ? position : count - 1 - (position - count) / 3;
}

/// -1 without a producer that executes.
int64_t TaskAssigner::latestProducer(Operation *op) const {
  int64_t latest = -1;
  for (mlir::Value operand : op->getOperands())
    if (Operation *producer = operand.getDefiningOp())
      if (auto it = place.find(producer); it != place.end())
        latest = std::max(latest, it->second);
  return latest;
}

/// -1 without a consumer that has a place.
int64_t TaskAssigner::earliestConsumer(Operation *op) const {
  int64_t earliest = -1;
  for (Operation *user : op->getUsers())
    if (auto it = place.find(user); it != place.end())
      earliest = earliest < 0 ? it->second : std::min(earliest, it->second);
  return earliest;
}

/// The last layer for a node without a forward operation, so that what depends
/// on nothing known comes as early as it can.
int64_t TaskAssigner::layerOfNode(Operation *op) const {
  auto it = nodeLayer.find(getNode(op));
  return it == nodeLayer.end() ? layers.size() - 1 : it->second;
}

LogicalResult TaskAssigner::collect() {
  for (Operation &op : block) {
    if (!executes(&op))
      continue;
    std::optional<TaskKind> kind = getKind(&op);
    if (!kind)
      return op.emitError("expected a kind F, D, W or U in '")
             << kKindAttr << "' before tasks are formed";
    StringRef node = getNode(&op);
    if (node.empty())
      return op.emitError("expected a forward operation's name in '")
             << kNodeAttr << "' before tasks are formed";
    if (*kind == TaskKind::Forward && !nodeLayer.try_emplace(node, 0).second)
      return op.emitError("node '")
             << node << "' is already that of another forward operation";
    byKind[static_cast<int>(*kind)].push_back(&op);
  }
  return success();
}

void TaskAssigner::numberLayers() {
  for (Operation *op : byKind[0])
    if (hasGemm(op)) {
      place[op] = layers.size();
      layers.push_back(getNode(op).str());
    }
  if (layers.empty())
    layers.push_back(module.getSymName().value_or("model").str());
}

void TaskAssigner::fuseForward() {
  SmallVector<Operation *> orphans;
  for (Operation *op : byKind[0]) {
    if (place.count(op))
      continue;
    int64_t latest = latestProducer(op);
    if (latest >= 0)
      place[op] = latest;
    else
      orphans.push_back(op);
  }
  fuseTowardsConsumers(orphans, 0);
  for (Operation *op : byKind[0])
    nodeLayer[getNode(op)] = place[op];
}

/// Operations without a producer that has a place, in program order: each goes
/// to its first consumer. Backwards, so that a chain of them finds one.
void TaskAssigner::fuseTowardsConsumers(ArrayRef<Operation *> orphans,
                                        int64_t fallback) {
  for (Operation *op : llvm::reverse(orphans)) {
    int64_t earliest = earliestConsumer(op);
    place[op] = earliest < 0 ? fallback : earliest;
  }
}

/// Whether a gradient is smaller before an operation than behind it, as before
/// the dgrad of a pool.
bool TaskAssigner::expandsGradient(Operation *op) const {
  int64_t largest = 0;
  for (mlir::Value operand : op->getOperands()) {
    auto it = place.find(operand.getDefiningOp());
    if (it != place.end() && kindAt(it->second) == TaskKind::Dgrad)
      largest = std::max(largest, train::getBytes(operand.getType()));
  }
  return largest > 0 && train::getBytes(op->getResult(0).getType()) > largest;
}

/// Whether a gradient is among its operands. What has none, like an
/// activation's cast, only prepares what another operation takes.
static bool takesGradient(Operation *op) {
  return llvm::any_of(op->getOperands(), [](mlir::Value operand) {
    auto result = dyn_cast<OpResult>(operand);
    return result && classOf(result) == ValueClass::Gradient;
  });
}

void TaskAssigner::assignDgrad() {
  SmallVector<Operation *> orphans;
  for (Operation *op : byKind[1]) {
    int64_t latest = latestProducer(op);
    if (hasGemm(op) || expandsGradient(op))
      place[op] = std::max(latest, position(TaskKind::Dgrad, layerOfNode(op)));
    else if (latest >= 0 && takesGradient(op))
      place[op] = latest;
    else
      orphans.push_back(op);
  }
  fuseTowardsConsumers(orphans, position(TaskKind::Dgrad, layers.size() - 1));
}

void TaskAssigner::assignWgrad() {
  for (Operation *op : byKind[2]) {
    int64_t layer = layerOfNode(op);
    // The sum of a shared parameter's gradients waits for the earliest layer,
    // also where these are a D's own, as those of what is only added.
    int64_t latest = latestProducer(op);
    if (latest >= 0 && kindAt(latest) != TaskKind::Forward)
      layer = std::min(layer, layerAt(latest));
    place[op] = position(TaskKind::Wgrad, layer);
  }
}

/// The W whose gradient an update takes, through a delay if there is one, or an
/// update whose new weight is passed on.
static Operation *gradientProducer(Operation *op) {
  for (mlir::Value operand : op->getOperands()) {
    Operation *producer = operand.getDefiningOp();
    if (producer && isa<train::DelayOp>(producer))
      producer = producer->getOperand(0).getDefiningOp();
    if (producer && executes(producer))
      return producer;
  }
  return nullptr;
}

void TaskAssigner::assignUpdates() {
  for (Operation *op : byKind[3]) {
    Operation *producer = gradientProducer(op);
    int64_t layer = producer ? layerAt(place.lookup(producer)) : 0;
    place[op] = position(TaskKind::Update, layer);
  }
}

void TaskAssigner::tag() {
  for (ArrayRef<Operation *> ops : byKind)
    for (Operation *op : ops) {
      int64_t at = place[op];
      int64_t layer = layerAt(at);
      setTask(op, layers[layer] + "." + letter(kindAt(at)).str(), layer);
    }
  SmallVector<StringRef> names(layers.begin(), layers.end());
  module->setAttr(kLayersAttr, Builder(module).getStrArrayAttr(names));
}

LogicalResult TaskAssigner::run() {
  if (failed(collect()))
    return failure();
  numberLayers();
  fuseForward();
  assignDgrad();
  assignWgrad();
  assignUpdates();
  tag();
  return success();
}

LogicalResult takt::assignTasks(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  return TaskAssigner(module, *main).run();
}
