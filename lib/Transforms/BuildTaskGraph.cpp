//===- BuildTaskGraph.cpp - the task graph of a step with tasks -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CutOptions.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Scheduling/Replication.h"
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/ValueNames.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"

using namespace mlir;
using namespace takt;

namespace {
/// Who reads and writes a parameter.
struct Accesses {
  SmallVector<OpOperand *> readers; ///< of operations that execute
  Operation *writer = nullptr;      ///< that computes the next version
};

class GraphBuilder {
public:
  GraphBuilder(ModuleOp module, func::FuncOp main)
      : module(module), main(main), block(main.getBody().front()),
        names(nameValues(module, main)) {}

  FailureOr<TaskGraph> run();

private:
  LogicalResult readLayers();
  LogicalResult collectTasks();
  void collectWork();
  void collectCuts();
  void colocateUpdates();
  void colocateShards();
  LogicalResult collectAccesses();
  void addInputs();
  void addParameters();
  void addParameter(train::ParameterOp parameter, const Accesses &accesses);
  void addResults();
  void countParameterBytes(train::ParameterOp parameter,
                           const Accesses &accesses);
  Use makeUse(OpOperand &operand, int distance, bool delayed) const;
  void addUses(mlir::Value value, int producer, SmallVectorImpl<Use> &uses);
  void addValue(std::string name, ValueClass kind, int producer, Type type,
                SmallVector<Use> uses);

  int task(Operation *op) const { return taskOf.lookup(op); }

  ModuleOp module;
  func::FuncOp main;
  Block &block;
  TaskGraph graph;
  llvm::DenseMap<Operation *, int> taskOf; ///< of operations that execute
  SmallVector<SmallVector<Operation *>> opsOf;
  SmallVector<int> replicas; ///< by layer; empty: the step is of one minibatch
  llvm::StringSet<> counted; ///< tensors whose bytes are a layer's already
  SmallVector<Operation *> productOf; ///< of tasks that may be cut
  llvm::StringMap<Accesses> accesses; ///< by parameter; for look-ups only
  llvm::DenseMap<mlir::Value, std::string> names;
};
} // namespace

/// The kind in "LAYER.K" or "LAYER.K.PART"; nullopt where the name is not such.
static std::optional<TaskKind> kindOfTask(StringRef name, StringRef layer) {
  if (!name.consume_front(layer) || !name.consume_front(".") || name.empty() ||
      (name.size() > 1 && name[1] != '.'))
    return std::nullopt;
  size_t kind = StringRef("FDWU").find(name[0]);
  return kind == StringRef::npos ? std::nullopt
                                 : std::optional(static_cast<TaskKind>(kind));
}

LogicalResult GraphBuilder::readLayers() {
  auto layers = module->getAttrOfType<ArrayAttr>(kLayersAttr);
  if (!layers || !llvm::all_of(layers, llvm::IsaPred<StringAttr>))
    return module.emitError("expected the layers' names in '")
           << kLayersAttr << "'";
  for (auto name : layers.getAsRange<StringAttr>())
    graph.layers.push_back({name.str()});
  graph.name = module.getSymName().value_or("").str();
  auto counts = module->getAttrOfType<DenseI64ArrayAttr>(kReplicasAttr);
  if (!counts)
    return success();
  if (counts.size() != int64_t(layers.size()) ||
      llvm::any_of(counts.asArrayRef(),
                   [](int64_t n) { return n < 1 || n > 4096; }))
    return module.emitError("expected 1 to 4096 replicas of each of ")
           << layers.size() << " layers in '" << kReplicasAttr << "'";
  replicas.assign(counts.asArrayRef().begin(), counts.asArrayRef().end());
  graph.minibatches = static_cast<int>(minibatchesOf(replicas));
  return success();
}

/// Whether updates wait for each other: one takes what another one makes for
/// it.
static bool areUpdatesCoupled(Block &block) {
  return llvm::any_of(block, [](Operation &op) {
    return executes(&op) && getKind(&op) == TaskKind::Update &&
           llvm::any_of(op.getOperands(), [&](mlir::Value operand) {
             Operation *producer = operand.getDefiningOp();
             return producer && executes(producer) &&
                    getKind(producer) == TaskKind::Update &&
                    getLayer(producer) != getLayer(&op);
           });
  });
}

/// Tasks in sequential order, microbatch by microbatch: all F, then D, W, U of
/// the last layer … the first; the parts of a task as they stand in the
/// program, and their join. Updates that wait for each other come last, as they
/// stand in the program.
LogicalResult GraphBuilder::collectTasks() {
  llvm::MapVector<StringRef, SmallVector<Operation *>> byName;
  std::vector<Task> tasks;
  for (Operation &op : block) {
    if (!executes(&op))
      continue;
    StringRef name = ::getTask(&op);
    int64_t layer = getLayer(&op);
    if (name.empty() || layer < 0 || layer >= int64_t(graph.layers.size()))
      return op.emitError("expected a task in '")
             << kTaskAttr << "' and a layer below " << graph.layers.size()
             << " in '" << kLayerAttr << "'";
    SmallVector<Operation *> &ops = byName[name];
    ops.push_back(&op);
    if (ops.size() > 1)
      continue;
    std::optional<TaskKind> kind = kindOfTask(name, graph.layers[layer].name);
    if (!kind)
      return op.emitError("task '")
             << name << "' is not named after its layer '"
             << graph.layers[layer].name << "' and a kind";
    Task &task = tasks.emplace_back();
    task.name = name.str();
    task.kind = *kind;
    task.layer = static_cast<int>(layer);
    if (auto microbatch = op.getAttrOfType<IntegerAttr>(kMicrobatchAttr))
      task.microbatch = static_cast<int>(microbatch.getInt());
  }

  // Its operations may stand before the parts.
  auto isJoin = [&](const Task &t) {
    return t.name ==
           graph.layers[t.layer].name + "." + letter(t.kind).str() + ".join";
  };
  auto order = llvm::to_vector(llvm::seq<unsigned>(0, tasks.size()));
  bool coupled = areUpdatesCoupled(block);
  auto key = [&](unsigned i) {
    const Task &t = tasks[i];
    bool forward = t.kind == TaskKind::Forward;
    bool isLast = coupled && t.kind == TaskKind::Update;
    return std::tuple(t.microbatch, !forward, isLast,
                      forward  ? t.layer
                      : isLast ? 0
                               : -t.layer,
                      t.kind, isJoin(t), i);
  };
  llvm::sort(order, [&](unsigned a, unsigned b) { return key(a) < key(b); });
  auto operations = byName.takeVector();
  for (auto [index, old] : llvm::enumerate(order)) {
    graph.tasks.push_back(std::move(tasks[old]));
    opsOf.push_back(std::move(operations[old].second));
    for (Operation *op : opsOf.back())
      taskOf[op] = index;
  }
  return success();
}

/// Bytes of operands with a row per sample.
static int64_t rowBytesIn(Operation *op) {
  auto rowwise = dyn_cast<train::RowwiseOpInterface>(op);
  if (!rowwise || rowwise.getRowRule() == train::RowRule::None)
    return 0;
  int64_t bytes = 0;
  for (OpOperand &operand : op->getOpOperands())
    if (rowwise.readsRows(operand.getOperandNumber()))
      bytes += train::getBytes(operand.get().getType());
  return bytes;
}

/// The matrix products first, since the first one is what a cut divides; those
/// that are made again are behind them.
void GraphBuilder::collectWork() {
  auto rank = [](Operation *op) {
    return hasGemm(op) ? (isRecomputed(op) ? 1 : 0) : 2;
  };
  for (auto [task, ops] : llvm::zip_equal(graph.tasks, opsOf)) {
    auto ordered = ops;
    llvm::stable_sort(
        ordered, [&](Operation *a, Operation *b) { return rank(a) < rank(b); });
    for (Operation *op : ordered) {
      Work work = cast<train::KernelOpInterface>(op).getWork();
      work.recomputed = isRecomputed(op);
      work.kind = work.recomputed ? TaskKind::Forward : task.kind;
      work.rowBytesIn = rowBytesIn(op);
      if (isUpdate(op) && replicas.empty())
        work.rows = train::getRows(op->getOperand(0).getType());
      task.work.push_back(work);
    }
  }
}

void GraphBuilder::collectCuts() {
  productOf.resize(graph.tasks.size());
  for (auto [task, ops, product] :
       llvm::zip_equal(graph.tasks, opsOf, productOf)) {
    // Parts are not cut again.
    if (task.name !=
        graph.layers[task.layer].name + "." + letter(task.kind).str())
      continue;
    TaskCuts cuts = getTaskCuts(ops);
    product = cuts.product;
    llvm::append_range(task.cuts, cuts.options);
    task.rowwise = cuts.rowwise;
    task.gradientFirst = cuts.gradientFirst;
  }
}

/// Shard k of an update is with the wgrad of replica k, in the round of which
/// the update's minibatch is the last one.
void GraphBuilder::colocateShards() {
  llvm::DenseMap<std::pair<int, int>, int> wgrad; ///< layer, minibatch
  for (auto [index, task, ops] : llvm::enumerate(graph.tasks, opsOf)) {
    if (task.kind == TaskKind::Wgrad)
      wgrad[{task.layer, task.microbatch}] = index;
    if (task.kind != TaskKind::Update)
      continue;
    auto shard = ops.front()->getAttrOfType<IntegerAttr>(kShardAttr);
    int replica = shard ? static_cast<int>(shard.getInt()) : 0;
    auto home = wgrad.find(
        {task.layer, task.microbatch + 1 - replicas[task.layer] + replica});
    task.colocated = home == wgrad.end() ? -1 : home->second;
  }
}

/// An update is where the layer's gradient is accumulated: with the wgrads of
/// all microbatches, or with the join, the last, of a wgrad's parts.
void GraphBuilder::colocateUpdates() {
  if (!replicas.empty())
    return colocateShards();
  SmallVector<int> wgrad(graph.layers.size(), -1);
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    int &home = wgrad[task.layer];
    bool isWgrad = task.kind == TaskKind::Wgrad;
    if (isWgrad &&
        (home < 0 || graph.tasks[home].microbatch == task.microbatch))
      home = index;
    else if (isWgrad || task.kind == TaskKind::Update)
      task.colocated = home;
  }
}

LogicalResult GraphBuilder::collectAccesses() {
  for (Operation &op : block) {
    if (auto read = dyn_cast<train::ReadOp>(op)) {
      for (OpOperand &use : read->getUses())
        if (executes(use.getOwner()))
          accesses[read.getParameter()].readers.push_back(&use);
    } else if (auto write = dyn_cast<train::WriteOp>(op)) {
      Operation *writer = write.getValue().getDefiningOp();
      if (!writer || !executes(writer))
        return write.emitError("expected parameter '")
               << write.getParameter()
               << "' to be written with an operation's result";
      accesses[write.getParameter()].writer = writer;
    }
  }
  return success();
}

/// One use per task and distance, in the order of tasks.
static void mergeUses(SmallVectorImpl<Use> &uses) {
  auto key = [](const Use &u) {
    return std::tuple(u.task, u.distance, u.delayed);
  };
  llvm::sort(uses, [&](const Use &a, const Use &b) {
    return std::tuple(key(a), a.reader) < std::tuple(key(b), b.reader);
  });
  SmallVector<Use> merged;
  for (const Use &use : uses) {
    if (merged.empty() || key(merged.back()) != key(use))
      merged.push_back(use);
    else if (merged.back().reader != use.reader)
      merged.back().reader = Reader::Both;
  }
  uses = std::move(merged);
}

void GraphBuilder::addValue(std::string name, ValueClass kind, int producer,
                            Type type, SmallVector<Use> uses) {
  if (uses.empty())
    return;
  mergeUses(uses);
  takt::Value value;
  value.name = std::move(name);
  value.kind = kind;
  value.producer = producer;
  value.bytes = train::getBytes(type);
  bool isDivided =
      producer >= 0 && (kind == ValueClass::WeightGradient ||
                        graph.tasks[producer].kind == TaskKind::Update);
  if (isDivided && replicas.empty())
    value.rows = train::getRows(type);
  value.uses.assign(uses.begin(), uses.end());
  graph.values.push_back(std::move(value));
}

/// A use by a task with cuts says whether it is that of the product.
Use GraphBuilder::makeUse(OpOperand &operand, int distance,
                          bool delayed) const {
  int at = task(operand.getOwner());
  Reader reader = graph.tasks[at].cuts.empty()          ? Reader::Unknown
                  : productOf[at] == operand.getOwner() ? Reader::Product
                                                        : Reader::Fused;
  return {at, distance, delayed, reader};
}

/// Uses of the same minibatch by other tasks, also through a delay: the delay
/// of a gradient counts in the distance of the updated weight.
void GraphBuilder::addUses(mlir::Value value, int producer,
                           SmallVectorImpl<Use> &uses) {
  for (OpOperand &use : value.getUses()) {
    Operation *user = use.getOwner();
    if (isa<train::DelayOp>(user))
      addUses(user->getResult(0), producer, uses);
    else if (executes(user) && task(user) != producer)
      uses.push_back(makeUse(use, 0, false));
  }
}

void GraphBuilder::addInputs() {
  for (BlockArgument argument : block.getArguments()) {
    SmallVector<Use> uses;
    addUses(argument, -1, uses);
    addValue(names[argument], ValueClass::Input, -1, argument.getType(),
             std::move(uses));
  }
}

void GraphBuilder::countParameterBytes(train::ParameterOp parameter,
                                       const Accesses &accesses) {
  int first = accesses.writer ? task(accesses.writer) : -1;
  if (first < 0)
    for (OpOperand *reader : accesses.readers) {
      int at = task(reader->getOwner());
      first = first < 0 ? at : std::min(first, at);
    }
  if (first < 0 || parameter.getKind() == ParameterKind::Derived)
    return;
  // Of a part's versions the first.
  std::string part = (parameter.getTensorName() + "\n" +
                      Twine(parameter.getBegin().value_or(0)))
                         .str();
  if (!counted.insert(part).second)
    return;
  Layer &layer = graph.layers[graph.tasks[first].layer];
  (parameter.getKind() == ParameterKind::OptimizerState
       ? layer.optimizerBytes
       : layer.parameterBytes) += train::getBytes(parameter.getType());
}

/// The next version of a parameter, as its writer makes it. What nothing writes
/// is a constant in its readers' memory and no value.
void GraphBuilder::addParameter(train::ParameterOp parameter,
                                const Accesses &accesses) {
  if (!accesses.writer)
    return;
  int producer = task(accesses.writer);
  bool updated = graph.tasks[producer].kind == TaskKind::Update;
  bool weight = updated && parameter.getKind() != ParameterKind::OptimizerState;
  SmallVector<Use> uses;
  for (OpOperand *reader : accesses.readers) {
    int at = task(reader->getOwner());
    TaskKind kind = graph.tasks[at].kind;
    // Of several minibatches, distances count the delays.
    if (replicas.empty())
      uses.push_back(makeUse(*reader, 1, weight && kind != TaskKind::Update));
    else
      uses.push_back(makeUse(
          *reader, static_cast<int>(parameter.getReadDistance(kind)), false));
  }
  addValue(parameter.getSymName().str(),
           weight ? ValueClass::Weight : ValueClass::State, producer,
           parameter.getType(), std::move(uses));
}

void GraphBuilder::addParameters() {
  for (auto parameter : module.getOps<train::ParameterOp>()) {
    auto it = accesses.find(parameter.getSymName());
    if (it == accesses.end())
      continue;
    countParameterBytes(parameter, it->second);
    addParameter(parameter, it->second);
  }
}

void GraphBuilder::addResults() {
  for (Operation &op : block) {
    if (!executes(&op))
      continue;
    for (OpResult result : op.getResults()) {
      SmallVector<Use> uses;
      addUses(result, task(&op), uses);
      addValue(names[result], classOf(result), task(&op), result.getType(),
               std::move(uses));
    }
  }
}

FailureOr<TaskGraph> GraphBuilder::run() {
  if (failed(readLayers()) || failed(collectTasks()) ||
      failed(collectAccesses()))
    return failure();
  collectWork();
  collectCuts();
  colocateUpdates();
  addInputs();
  addParameters();
  addResults();
  if (llvm::Error error = graph.check())
    return module.emitError(llvm::toString(std::move(error)));
  return std::move(graph);
}

FailureOr<TaskGraph> takt::buildTaskGraph(ModuleOp module) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  return GraphBuilder(module, *main).run();
}

FailureOr<TaskGraph> takt::formTasks(ModuleOp module) {
  if (!module->hasAttr(kLayersAttr) && failed(assignTasks(module)))
    return failure();
  return buildTaskGraph(module);
}
