//===- Replicate.cpp - a step over minibatches in turn --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Replicate.h"
#include "ReplicaParameters.h"
#include "Seeds.h"
#include "TaggingBuilder.h"
#include "mlir/IR/IRMapping.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/ValueNames.h"
#include "takt/Transforms/Verify.h"
#include "llvm/ADT/MapVector.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINREPLICATE
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

namespace {
class Replicator {
public:
  Replicator(ModuleOp module, func::FuncOp main, ArrayRef<int64_t> replicas,
             ArrayRef<int64_t> delays)
      : module(module), main(main), block(main.getBody().front()),
        replicas(replicas), delays(delays),
        minibatches(
            minibatchesOf(SmallVector<int>(replicas.begin(), replicas.end()))),
        parameters(module, replicas, delays), builder(block.getTerminator()),
        names(nameValues(module, main)), current(minibatches),
        results(block.getTerminator()->getNumOperands()) {}

  LogicalResult run();

private:
  LogicalResult collect();
  LogicalResult check(Operation &op) const;
  LogicalResult checkReads(train::ReadOp read);
  void addArguments();
  void addMinibatch(int64_t m);
  void addCopy(Operation *op, int64_t m);
  mlir::Value readIn(train::ReadOp read, Operation *reader, int64_t m);
  mlir::Value assemble(Versions &of, int64_t round, Operation *reader,
                       int64_t m);
  mlir::Value read(train::ParameterOp parameter, TaskKind kind);
  void divideGradients(int64_t m);
  void addUpdate(Operation *update, int64_t m, int64_t shard);
  mlir::Value meanGradient(Operation *update, int64_t m, int64_t shard);
  void writeUpdated(Operation *update, Operation *copy, int64_t round,
                    int64_t shard);
  void setResults();
  void finish();

  int64_t count(int64_t layer) const { return replicas[layer]; }
  int64_t rounds(int64_t layer) const { return minibatches / count(layer); }
  /// Tags what is built next as a part of the copy of `op` in minibatch m.
  void tagLike(Operation *op, int64_t m) {
    builder.tagWith(*getKind(op), getNode(op), nameInMinibatch(getTask(op), m),
                    getLayer(op), m);
  }
  void setNames(Operation *original, Operation *copy, int64_t m);

  ModuleOp module;
  func::FuncOp main;
  Block &block;
  ArrayRef<int64_t> replicas, delays;
  int64_t minibatches;
  ReplicaParameters parameters;
  TaggingBuilder builder;
  llvm::DenseMap<mlir::Value, std::string> names;
  SmallVector<Operation *> original, updates;
  llvm::MapVector<StringRef, SmallVector<Operation *, 2>> updatesOf; ///< a task
  std::vector<IRMapping> current;         ///< by minibatch
  llvm::StringMap<mlir::Value> constants; ///< reads of what is never written
  /// What a task has put together, or read, of a parameter.
  llvm::StringMap<mlir::Value> assembled;
  /// By gradient and minibatch: its parts; without one where a shard is empty.
  llvm::DenseMap<mlir::Value, std::vector<SmallVector<mlir::Value>>> gradients;
  /// Of the latest round, by gradient and shard.
  llvm::DenseMap<std::pair<mlir::Value, int64_t>, mlir::Value> means;
  std::vector<SmallVector<mlir::Value>> results; ///< by result, by minibatch
};
} // namespace

//===----------------------------------------------------------------------===//
// Checks
//===----------------------------------------------------------------------===//

LogicalResult Replicator::check(Operation &op) const {
  if (isa<train::DelayOp>(op))
    return op.emitError("the step is retimed already");
  if (op.hasAttr(kMicrobatchAttr))
    return op.emitError("the step is of several microbatches or minibatches "
                        "already");
  if (getKind(&op) != TaskKind::Update || !executes(&op))
    return success();
  if (!isUpdate(&op))
    return op.emitError("expected an optimizer's update: a step is replicated "
                        "before its tasks are cut or weights reconstructed");
  Operation *gradient = op.getOperand(kGradientOperand).getDefiningOp();
  if (!gradient || getLayer(gradient) != getLayer(&op))
    return op.emitError("expected the gradient to be made in the update's "
                        "layer");
  return success();
}

/// What replicas divide belongs to the updates of one layer.
LogicalResult Replicator::checkReads(train::ReadOp read) {
  Versions *of = parameters.find(read.getParameter());
  if (!of)
    return success();
  for (Operation *user : read->getUsers())
    if (getKind(user) == TaskKind::Update && getLayer(user) != of->layer)
      return user->emitError("the updates of two layers share '")
             << read.getParameter() << "', which replicas of one layer divide";
  return success();
}

LogicalResult Replicator::collect() {
  for (Operation &op : block.without_terminator()) {
    if (failed(check(op)))
      return failure();
    original.push_back(&op);
    if (isUpdate(&op)) {
      updates.push_back(&op);
      updatesOf[getTask(&op)].push_back(&op);
    }
    auto write = dyn_cast<train::WriteOp>(op);
    if (!write)
      continue;
    Operation *writer = write.getValue().getDefiningOp();
    parameters.add(write, getKind(writer) == TaskKind::Forward,
                   getLayer(writer));
  }
  for (auto read : block.getOps<train::ReadOp>())
    if (failed(checkReads(read)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Minibatches
//===----------------------------------------------------------------------===//

void Replicator::addArguments() {
  unsigned old = block.getNumArguments();
  for (unsigned index = 0; index < old; ++index) {
    BlockArgument argument = block.getArgument(index);
    NamedAttrList attributes(main.getArgAttrDict(index));
    attributes.set(kNameAttr, builder.getStringAttr(names[argument]));
    for (int64_t m = 0; m < minibatches; ++m) {
      attributes.set(kMicrobatchAttr, builder.getI64IntegerAttr(m));
      (void)main.insertArgument(block.getNumArguments(), argument.getType(),
                                attributes.getDictionary(module.getContext()),
                                argument.getLoc());
      current[m].map(block.getArgument(index), block.getArguments().back());
    }
  }
}

/// Values have the names that takt::replicate gives them.
void Replicator::setNames(Operation *original, Operation *copy, int64_t m) {
  SmallVector<Attribute> all;
  for (OpResult result : original->getResults())
    all.push_back(builder.getStringAttr(nameInMinibatch(names[result], m)));
  if (!all.empty())
    copy->setAttr(kNameAttr,
                  all.size() == 1 ? all[0] : builder.getArrayAttr(all));
}

mlir::Value Replicator::read(train::ParameterOp parameter, TaskKind kind) {
  builder.tagWith(kind, "");
  return train::ReadOp::create(builder, parameter.getLoc(), parameter);
}

/// The parts of a weight that the update of a round made, as a whole.
mlir::Value Replicator::assemble(Versions &of, int64_t round, Operation *reader,
                                 int64_t m) {
  SmallVector<mlir::Value> parts;
  for (train::ParameterOp part : of.parts[round])
    if (part)
      parts.push_back(read(part, *getKind(reader)));
  if (parts.size() == 1)
    return parts[0];
  tagLike(reader, m);
  return train::ConcatOp::create(builder, reader->getLoc(),
                                 of.original.getTensorType(), parts,
                                 /*axis=*/0);
}

/// What a task of minibatch m reads of a parameter.
mlir::Value Replicator::readIn(train::ReadOp readOp, Operation *reader,
                               int64_t m) {
  StringRef name = readOp.getParameter();
  Versions *found = parameters.find(name);
  if (!found) {
    mlir::Value &value = constants[name];
    if (!value) {
      builder.tagWith(*getKind(readOp), "");
      value = builder.clone(*readOp)->getResult(0);
    }
    return value;
  }
  Versions &of = *found;
  mlir::Value &value = assembled[(getTask(reader) + "\n" + name).str()];
  if (value)
    return value;
  int64_t shards = count(of.layer), all = rounds(of.layer);
  if (of.isState) // of the minibatch before on this replica
    return value = read(of.parts[(m - shards + minibatches) % minibatches][0],
                        *getKind(reader));
  int64_t behind = (1 + delays[of.layer]) % all;
  return value = assemble(of, (m / shards + all - behind) % all, reader, m);
}

void Replicator::addCopy(Operation *op, int64_t m) {
  IRMapping &mapping = current[m];
  for (mlir::Value operand : op->getOperands())
    if (auto readOp = operand.getDefiningOp<train::ReadOp>())
      mapping.map(operand, readIn(readOp, op, m));
  tagLike(op, m);
  Operation *copy = builder.clone(*op, mapping);
  drawOthers(copy, m);
  setNames(op, copy, m);
}

/// Cuts each gradient of a minibatch into its shards' parts, in the task that
/// made it.
void Replicator::divideGradients(int64_t m) {
  for (Operation *update : updates) {
    int64_t layer = getLayer(update), shards = count(layer);
    mlir::Value gradient = update->getOperand(kGradientOperand);
    mlir::Value whole = current[m].lookup(gradient);
    auto &of = gradients[gradient];
    of.resize(minibatches);
    if (!of[m].empty())
      continue;
    of[m].assign(shards, nullptr);
    int64_t rows = train::getRows(gradient.getType());
    for (int64_t shard = 0; shard < shards; ++shard) {
      auto [begin, end] = rowsOfShard(rows, shard, shards);
      if (begin == end)
        continue;
      mlir::Value &part = of[m][shard];
      part = whole;
      if (end - begin < rows) {
        tagLike(gradient.getDefiningOp(), m);
        part = train::SliceOp::create(builder, gradient.getLoc(),
                                      withRows(gradient.getType(), end - begin),
                                      whole, builder.getI64IntegerAttr(0),
                                      builder.getI64IntegerAttr(begin));
      }
      auto result = cast<OpResult>(part);
      if (result.getOwner()->getNumResults() == 1)
        result.getOwner()->setAttr(
            kNameAttr, builder.getStringAttr(
                           nameOfShard(names[gradient], m, shard, shards)));
    }
  }
}

void Replicator::addMinibatch(int64_t m) {
  assembled.clear();
  for (Operation *op : original) {
    if (auto write = dyn_cast<train::WriteOp>(op)) {
      Versions &of = *parameters.find(write.getParameter());
      if (!of.isState)
        continue;
      builder.tagWith(TaskKind::Forward, "");
      train::WriteOp::create(builder, write.getLoc(),
                             of.parts[m][0].getSymName(),
                             current[m].lookup(write.getValue()));
    } else if (executes(op) && getKind(op) != TaskKind::Update) {
      addCopy(op, m);
    }
  }
  divideGradients(m);
  means.clear();
  // Shard by shard, as the task graph has them: of a parameter with fewer rows
  // than shards some have nothing.
  for (const auto &[task, ofTask] : updatesOf) {
    int64_t shards = count(getLayer(ofTask.front()));
    if ((m + 1) % shards == 0)
      for (int64_t shard = 0; shard < shards; ++shard)
        for (Operation *update : ofTask)
          addUpdate(update, m, shard);
  }
  for (auto [returned, of] :
       llvm::zip_equal(block.getTerminator()->getOperands(), results))
    of.push_back(current[m].lookup(returned));
}

/// The sum of a round's gradients in the order of minibatches, scaled.
mlir::Value Replicator::meanGradient(Operation *update, int64_t m,
                                     int64_t shard) {
  int64_t shards = count(getLayer(update));
  ArrayRef<SmallVector<mlir::Value>> of =
      gradients[update->getOperand(kGradientOperand)];
  if (shards == 1)
    return of[m][0];
  mlir::Value &mean = means[{update->getOperand(kGradientOperand), shard}];
  if (mean) // of another parameter with the same gradient
    return mean;
  SmallVector<mlir::Value> parts;
  for (const SmallVector<mlir::Value> &part : of.slice(m + 1 - shards, shards))
    parts.push_back(part[shard]);
  Type type = parts[0].getType();
  mlir::Value sum =
      train::SumOp::create(builder, update->getLoc(), type, parts);
  return mean = train::ScaleOp::create(
             builder, update->getLoc(), type, sum,
             builder.getF32FloatAttr(1.0f / static_cast<float>(shards)));
}

/// A shard of the update of the round that minibatch m completes; none where it
/// has no rows.
void Replicator::addUpdate(Operation *update, int64_t m, int64_t shard) {
  int64_t layer = getLayer(update), shards = count(layer);
  int64_t round = m / shards,
          before = (round + rounds(layer) - 1) % rounds(layer);
  IRMapping mapping;
  for (mlir::Value operand : update->getOperands()) {
    auto readOp = operand.getDefiningOp<train::ReadOp>();
    if (!readOp)
      continue;
    Versions &of = *parameters.find(readOp.getParameter());
    if (mlir::Value latest = of.latest[shard]) {
      mapping.map(operand, latest);
      continue;
    }
    train::ParameterOp part = of.parts[before][shard];
    if (!part)
      return;
    mapping.map(operand, read(part, TaskKind::Update));
  }
  builder.tagWith(TaskKind::Update, getNode(update),
                  nameOfShard(getTask(update), m, shard, shards), layer, m,
                  shards == 1 ? -1 : shard);
  mapping.map(update->getOperand(kGradientOperand),
              meanGradient(update, m, shard));
  Operation *copy = update->cloneWithoutRegions(mapping);
  for (auto [result, old] :
       llvm::zip_equal(copy->getResults(), update->getResults()))
    result.setType(
        withRows(old.getType(), train::getRows(copy->getOperand(0).getType())));
  builder.insert(copy);
  writeUpdated(update, copy, round, shard);
}

void Replicator::writeUpdated(Operation *update, Operation *copy, int64_t round,
                              int64_t shard) {
  builder.tagWith(TaskKind::Update, "");
  SmallVector<Attribute> resultNames;
  for (auto [result, old] :
       llvm::zip_equal(copy->getResults(), update->getResults())) {
    resultNames.push_back(builder.getStringAttr(names[old]));
    for (Operation *user : old.getUsers()) {
      auto write = dyn_cast<train::WriteOp>(user);
      if (!write)
        continue;
      Versions &of = *parameters.find(write.getParameter());
      if (of.original.getKind() == ParameterKind::OptimizerState)
        of.latest[shard] = result;
      int64_t layer = of.layer;
      resultNames.back() = builder.getStringAttr(
          nameOfShard(write.getParameter(), (round + 1) * count(layer) - 1,
                      shard, count(layer)));
      if (train::ParameterOp part = of.parts[round][shard])
        train::WriteOp::create(builder, write.getLoc(), part.getSymName(),
                               result);
    }
  }
  if (resultNames.size() > 1)
    copy->setAttr(kNameAttr, builder.getArrayAttr(resultNames));
}

//===----------------------------------------------------------------------===//
// The new step
//===----------------------------------------------------------------------===//

void Replicator::setResults() {
  SmallVector<mlir::Value> returned;
  SmallVector<DictionaryAttr> attributes;
  for (auto [index, of] : llvm::enumerate(results))
    for (auto [m, value] : llvm::enumerate(of)) {
      NamedAttrList list(main.getResultAttrDict(index));
      // Those of all minibatches have one name.
      if (!list.get(kNameAttr))
        list.set(kNameAttr,
                 builder.getStringAttr("output" + std::to_string(index)));
      list.set(kMicrobatchAttr, builder.getI64IntegerAttr(m));
      returned.push_back(value);
      attributes.push_back(list.getDictionary(module.getContext()));
    }
  block.getTerminator()->setOperands(returned);
  main.setFunctionType(
      FunctionType::get(module.getContext(), block.getArgumentTypes(),
                        block.getTerminator()->getOperandTypes()));
  main.setAllResultAttrs(attributes);
}

/// Removes what was copied.
void Replicator::finish() {
  unsigned old = block.getNumArguments() / (minibatches + 1);
  for (Operation *op : llvm::reverse(original))
    op->erase();
  for (unsigned index = 0; index < old; ++index)
    (void)main.eraseArgument(0);
  parameters.eraseOriginals();
  if (auto batch = module->getAttrOfType<IntegerAttr>("train.batch"))
    module->setAttr("train.batch",
                    builder.getI64IntegerAttr(batch.getInt() * minibatches));
  module->setAttr(kReplicasAttr, builder.getDenseI64ArrayAttr(replicas));
}

LogicalResult Replicator::run() {
  if (failed(collect()) || failed(parameters.create()))
    return failure();
  addArguments();
  for (int64_t m = 0; m < minibatches; ++m)
    addMinibatch(m);
  setResults();
  finish();
  return success();
}

static LogicalResult checkCounts(ModuleOp module, ArrayRef<int64_t> replicas,
                                 ArrayRef<int64_t> delays) {
  auto layers = module->getAttrOfType<ArrayAttr>(kLayersAttr);
  if (!layers)
    return module.emitError("layers get replicas after tasks are formed, but "
                            "there is no '")
           << kLayersAttr << "'";
  if (replicas.size() != layers.size() || delays.size() != layers.size())
    return module.emitError("expected a number of replicas and a delay for "
                            "each of ")
           << layers.size() << " layers, found " << replicas.size() << " and "
           << delays.size();
  for (auto [layer, count, delay] : llvm::zip_equal(layers, replicas, delays))
    if (count < 1 || count > kMaxReplicas || delay < 0 || delay > kMaxReplicas)
      return module.emitError("layer ")
             << layer << " has " << count << " replicas and delay " << delay
             << ", expected 1 to " << kMaxReplicas << " and 0 to "
             << kMaxReplicas;
  int64_t minibatches =
      minibatchesOf(SmallVector<int>(replicas.begin(), replicas.end()));
  if (minibatches > kMaxReplicatedMinibatches)
    return module.emitError("replicas that repeat after more than ")
           << kMaxReplicatedMinibatches << " minibatches";
  if (minibatches == 1)
    return module.emitError("expected a layer with more than one replica; "
                            "train-retime sets delays without replicas");
  return success();
}

LogicalResult takt::replicateStep(ModuleOp module, ArrayRef<int64_t> replicas,
                                  ArrayRef<int64_t> delays) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main) || failed(checkCounts(module, replicas, delays)) ||
      failed(verifyTasks(module)))
    return failure();
  return Replicator(module, *main, replicas, delays).run();
}

namespace {
struct TrainReplicate : public takt::impl::TrainReplicateBase<TrainReplicate> {
  using TrainReplicateBase::TrainReplicateBase;

  void runOnOperation() override {
    if (failed(replicateStep(
            getOperation(),
            SmallVector<int64_t>(replicas.begin(), replicas.end()),
            SmallVector<int64_t>(delays.begin(), delays.end()))))
      signalPassFailure();
  }
};
} // namespace
