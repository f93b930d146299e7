//===- Split.cpp - tasks cut in parts -------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Split.h"
#include "CutOptions.h"
#include "TaggingBuilder.h"
#include "mlir/IR/IRMapping.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/ValueNames.h"
#include "takt/Transforms/Verify.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/StringSwitch.h"

using namespace mlir;
using namespace takt;

namespace takt {
#define GEN_PASS_DEF_TRAINSPLIT
#include "takt/Transforms/Passes.h.inc"
} // namespace takt

SmallVector<NamedCut> takt::nameCuts(const TaskGraph &graph,
                                     ArrayRef<Cut> cuts) {
  SmallVector<NamedCut> named;
  for (const Cut &cut : cuts)
    named.push_back(
        {graph.tasks[cut.task].name, cut.axis, cut.at, cut.sliceAtProducer});
  return named;
}

static std::optional<CutAxis> parseAxis(StringRef name) {
  return llvm::StringSwitch<std::optional<CutAxis>>(name)
      .Case("channel", CutAxis::Channel)
      .Case("batch", CutAxis::Batch)
      .Case("reduction", CutAxis::Reduction)
      .Default(std::nullopt);
}

/// "8+16+24"
template <typename Numbers>
static bool parseNumbers(StringRef text, Numbers &numbers) {
  SmallVector<StringRef> fields;
  text.split(fields, '+');
  for (StringRef field : fields)
    if (field.getAsInteger(10, numbers.emplace_back()))
      return false;
  return true;
}

llvm::Expected<NamedCut> takt::parseCut(StringRef text) {
  auto fail = [&] {
    return llvm::createStringError("expected a cut as "
                                   "TASK:channel|batch|reduction:AT+… or "
                                   "TASK:AXIS:AT+…:PART+…, found '" +
                                   text + "'");
  };
  NamedCut cut;
  auto [rest, at] = text.rsplit(':');
  auto [task, axisText] = rest.rsplit(':');
  std::optional<CutAxis> axis = parseAxis(axisText);
  SmallVector<unsigned> sliced;
  if (!axis) {
    // The last field was PART+….
    if (!parseNumbers(at, sliced))
      return fail();
    std::tie(rest, at) = rest.rsplit(':');
    std::tie(task, axisText) = rest.rsplit(':');
    axis = parseAxis(axisText);
  }
  if (!axis || task.empty() || !parseNumbers(at, cut.at))
    return fail();
  cut.sliceAtProducer.resize(cut.at.size() + 1, false);
  for (unsigned part : sliced) {
    if (part > cut.at.size())
      return fail();
    cut.sliceAtProducer[part] = true;
  }
  cut.task = task.str();
  cut.axis = *axis;
  return cut;
}

namespace {
/// A cut, and what it cuts.
struct CutTask {
  const NamedCut *cut;
  SmallVector<Operation *> ops; ///< in program order
  TaskCuts legal;
  int64_t extent = 0;

  TaskKind kind() const { return *getKind(ops.front()); }
  int parts() const { return static_cast<int>(cut->at.size()) + 1; }
  int64_t begin(int part) const { return part == 0 ? 0 : cut->at[part - 1]; }
  int64_t end(int part) const {
    return part + 1 == parts() ? extent : cut->at[part];
  }
  bool slicesAtProducer(int part) const {
    return static_cast<size_t>(part) < cut->sliceAtProducer.size() &&
           cut->sliceAtProducer[part];
  }
  bool dividesSamples() const { return cut->axis == sampleAxis(kind()); }
  bool dividesAll() const { return legal.rowwise && dividesSamples(); }
  std::string partName(int part) const {
    return cut->task + "." + std::to_string(part);
  }
};

/// A value of a task all of which is divided: rows by part.
struct Rows {
  const CutTask *of;
  SmallVector<mlir::Value> parts;
};

class Splitter {
public:
  Splitter(ModuleOp module, func::FuncOp main)
      : module(module), symbols(module),
        builder(main.getBody().front().getTerminator()),
        names(nameValues(module, main)) {
    index(main.getBody().front());
  }

  LogicalResult check(ArrayRef<NamedCut> cuts);
  void run();

private:
  void index(Block &block);
  LogicalResult check(const NamedCut &cut);
  void divideProduct(const CutTask &cut);
  void divideAll(const CutTask &cut);
  mlir::Value buildPart(const CutTask &cut, int part);
  void tagPart(const CutTask &cut, int part);
  mlir::Value takeShare(const CutTask &cut, int part, mlir::Value whole,
                        int64_t axis);
  mlir::Value takePieces(const CutTask &cut, int part, mlir::Value whole,
                         const Rows &rows);
  mlir::Value sliceAtProducer(const CutTask &cut, int part, mlir::Value of,
                              RankedTensorType type, int64_t axis,
                              int64_t begin);
  mlir::Value sliceParameter(train::ReadOp read, const std::string &name,
                             RankedTensorType type, int64_t axis,
                             int64_t begin);
  mlir::Value join(const CutTask &cut, mlir::Value whole,
                   ArrayRef<mlir::Value> parts, int64_t axis);
  void setName(mlir::Value value, std::string name);
  mlir::Value buildSlice(Location loc, mlir::Value of, RankedTensorType type,
                         int64_t axis, int64_t begin);

  ModuleOp module;
  SymbolTable symbols;
  TaggingBuilder builder;
  llvm::DenseMap<mlir::Value, std::string> names;
  llvm::StringMap<SmallVector<Operation *>> tasks; ///< for look-ups only
  llvm::StringMap<train::WriteOp> writes;          ///< by parameter
  std::vector<CutTask> cutTasks;
  llvm::MapVector<mlir::Value, Rows> rowsOf; ///< by what joins them
  /// Slices that all parts with these samples read, for look-ups only.
  llvm::DenseMap<std::tuple<mlir::Value, int64_t, int64_t>, mlir::Value>
      samplesOf;
};
} // namespace

void Splitter::index(Block &block) {
  for (Operation &op : block) {
    if (auto write = dyn_cast<train::WriteOp>(op))
      writes[write.getParameter()] = write;
    if (StringRef task = getTask(&op); !task.empty())
      tasks[task].push_back(&op);
  }
}

LogicalResult Splitter::check(const NamedCut &cut) {
  auto it = tasks.find(cut.task);
  if (it == tasks.end())
    return module.emitError("there is no task '") << cut.task << "' to cut";
  CutTask task{&cut, it->second, getTaskCuts(it->second)};
  Operation *front = it->second.front();
  if (!task.legal.product)
    return front->emitError("task '")
           << cut.task << "' has not one matrix product that can be cut";
  for (const CutOption &option : task.legal.options)
    if (option.axis == cut.axis)
      task.extent = option.extent;
  if (task.extent == 0)
    return front->emitError("task '")
           << cut.task << "' cannot be cut along " << keyword(cut.axis);
  for (int part = 0; part < task.parts(); ++part)
    if (task.begin(part) >= task.end(part) || cut.at.empty())
      return front->emitError("cut of task '")
             << cut.task << "' at "
             << (part == 0 ? task.end(0) : cut.at[part - 1])
             << ", expected increasing indices from 1 to " << task.extent - 1;
  cutTasks.push_back(std::move(task));
  return success();
}

LogicalResult Splitter::check(ArrayRef<NamedCut> cuts) {
  llvm::StringSet<> seen;
  for (const NamedCut &cut : cuts) {
    if (!seen.insert(cut.task).second)
      return module.emitError("task '") << cut.task << "' is cut twice";
    if (failed(check(cut)))
      return failure();
  }
  return success();
}

mlir::Value Splitter::buildSlice(Location loc, mlir::Value of,
                                 RankedTensorType type, int64_t axis,
                                 int64_t begin) {
  return train::SliceOp::create(builder, loc, type, of,
                                builder.getI64IntegerAttr(axis),
                                builder.getI64IntegerAttr(begin));
}

/// The names are those that applyCuts gives. Indices count from the beginning
/// of what is sliced.
static std::string sliceName(StringRef value, const CutTask &cut, int part,
                             int64_t begin, int64_t end) {
  if (cut.dividesSamples())
    return (value + ".rows" + Twine(begin) + "-" + Twine(end)).str();
  return (value + ".slice" + Twine(part) + " for " + cut.cut->task).str();
}

void Splitter::setName(mlir::Value value, std::string name) {
  value.getDefiningOp()->setAttr(kNameAttr, builder.getStringAttr(name));
  names[value] = std::move(name);
}

void Splitter::tagPart(const CutTask &cut, int part) {
  Operation *product = cut.legal.product;
  builder.tagWith(cut.kind(), getNode(product),
                  part == kWhole ? cut.cut->task + ".join" : cut.partName(part),
                  getLayer(product));
}

/// The read of a derived parameter, kept up to date behind the write of its
/// base if there is one.
mlir::Value Splitter::sliceParameter(train::ReadOp read,
                                     const std::string &name,
                                     RankedTensorType type, int64_t axis,
                                     int64_t begin) {
  Location loc = read.getLoc();
  auto base = symbols.lookup<train::ParameterOp>(read.getParameter());
  // A reconstruction begins as all of its weight, and the slice as its slice.
  if (base.getBase())
    base = symbols.lookup<train::ParameterOp>(*base.getBase());
  OpBuilder at(base);
  at.setInsertionPointAfter(base);
  auto derived = train::ParameterOp::create(at, base.getLoc(), name, type,
                                            base.getSymName(), axis, begin);
  symbols.insert(derived);
  mlir::Value part = train::ReadOp::create(builder, loc, derived);
  train::WriteOp write = writes.lookup(read.getParameter());
  if (!write)
    return part;

  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(write);
  mlir::Value next = write.getValue();
  Operation *update = next.getDefiningOp();
  builder.tagWith(TaskKind::Update, getNode(update), getTask(update),
                  getLayer(update));
  mlir::Value slice = buildSlice(loc, next, type, axis, begin);
  train::WriteOp::create(builder, loc, derived.getSymName(), slice);
  return part;
}

mlir::Value Splitter::sliceAtProducer(const CutTask &cut, int part,
                                      mlir::Value of, RankedTensorType type,
                                      int64_t axis, int64_t begin) {
  Operation *producer = of.getDefiningOp();
  int64_t end = begin + type.getShape()[axis];
  if (auto read = dyn_cast<train::ReadOp>(producer))
    return sliceParameter(read,
                          sliceName(read.getParameter(), cut, part, begin, end),
                          type, axis, begin);
  mlir::Value &shared = samplesOf[{of, begin, end}];
  if (cut.dividesSamples() && shared)
    return shared;
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(producer);
  builder.tagWith(*getKind(producer), getNode(producer), getTask(producer),
                  getLayer(producer));
  mlir::Value slice =
      buildSlice(cut.legal.product->getLoc(), of, type, axis, begin);
  setName(slice, sliceName(names[of], cut, part, begin, end));
  if (cut.dividesSamples())
    shared = slice;
  return slice;
}

/// `of` with another extent of an axis.
static RankedTensorType withExtent(mlir::Value of, int64_t axis,
                                   int64_t extent) {
  auto type = cast<RankedTensorType>(of.getType());
  SmallVector<int64_t> shape(type.getShape());
  shape[axis] = extent;
  return type.clone(shape);
}

/// A part's samples from the parts of the task that makes them.
mlir::Value Splitter::takePieces(const CutTask &cut, int part,
                                 mlir::Value whole, const Rows &rows) {
  SmallVector<mlir::Value> pieces;
  for (auto [j, from] : llvm::enumerate(rows.parts)) {
    int64_t first = rows.of->begin(static_cast<int>(j));
    int64_t begin = std::max(cut.begin(part), first);
    int64_t end = std::min(cut.end(part), rows.of->end(static_cast<int>(j)));
    if (begin >= end)
      continue;
    RankedTensorType type = withExtent(whole, 0, end - begin);
    pieces.push_back(
        type == from.getType()
            ? from
            : sliceAtProducer(cut, part, from, type, 0, begin - first));
  }
  if (pieces.size() == 1)
    return pieces[0];
  tagPart(cut, part);
  return train::ConcatOp::create(
      builder, cut.legal.product->getLoc(),
      withExtent(whole, 0, cut.end(part) - cut.begin(part)), pieces,
      builder.getI64IntegerAttr(0));
}

/// The share of a value, along an axis of it, that a part needs.
mlir::Value Splitter::takeShare(const CutTask &cut, int part, mlir::Value whole,
                                int64_t axis) {
  int64_t begin = cut.begin(part);
  RankedTensorType type = withExtent(whole, axis, cut.end(part) - begin);
  tagPart(cut, part);
  if (cut.slicesAtProducer(part) && whole.getDefiningOp()) {
    auto rows = rowsOf.find(whole);
    if (cut.dividesSamples() && rows != rowsOf.end() &&
        rows->second.of->extent == cut.extent)
      return takePieces(cut, part, whole, rows->second);
    return sliceAtProducer(cut, part, whole, type, axis, begin);
  }
  return buildSlice(cut.legal.product->getLoc(), whole, type, axis, begin);
}

/// Of a matrix product alone.
mlir::Value Splitter::buildPart(const CutTask &cut, int part) {
  auto product = cast<train::CuttableOpInterface>(cut.legal.product);
  SmallVector<mlir::Value> operands;
  for (OpOperand &operand : product->getOpOperands()) {
    int64_t axis =
        product.getSlicedAxis(cut.cut->axis, operand.getOperandNumber());
    operands.push_back(axis < 0 ? operand.get()
                                : takeShare(cut, part, operand.get(), axis));
  }
  tagPart(cut, part);
  mlir::Value result = product.buildPart(
      builder, cut.cut->axis, cut.begin(part), cut.end(part), operands);
  setName(result, cut.partName(part));
  return result;
}

/// Adds the parts where `axis` is negative, otherwise concatenates them.
mlir::Value Splitter::join(const CutTask &cut, mlir::Value whole,
                           ArrayRef<mlir::Value> parts, int64_t axis) {
  tagPart(cut, kWhole);
  Location loc = whole.getLoc();
  mlir::Value joined;
  if (axis < 0)
    joined = train::SumOp::create(builder, loc, whole.getType(), parts);
  else
    joined = train::ConcatOp::create(builder, loc, whole.getType(), parts,
                                     builder.getI64IntegerAttr(axis));
  setName(joined, names[whole]);
  whole.replaceAllUsesWith(joined);
  return joined;
}

void Splitter::divideProduct(const CutTask &cut) {
  Operation *product = cut.legal.product;
  builder.setInsertionPoint(product);
  SmallVector<mlir::Value> parts;
  for (int part = 0; part < cut.parts(); ++part)
    parts.push_back(buildPart(cut, part));
  join(cut, product->getResult(0), parts,
       cast<train::CuttableOpInterface>(product).getConcatenatedAxis(
           cut.cut->axis));
  for (Operation *op : cut.ops)
    if (op != product)
      setTask(op, cut.cut->task + ".join", getLayer(op));
  product->erase();
}

/// All operations for some samples at a time. What nobody needs the join of is
/// dropped when all cuts are made.
void Splitter::divideAll(const CutTask &cut) {
  llvm::DenseMap<mlir::Value, SmallVector<mlir::Value>> within;
  llvm::DenseMap<std::pair<mlir::Value, int>, mlir::Value> shares;
  for (Operation *op : cut.ops) {
    auto rowwise = cast<train::RowwiseOpInterface>(op);
    bool adds = rowwise.getRowRule() == train::RowRule::Sum;
    builder.setInsertionPoint(op);
    SmallVector<SmallVector<mlir::Value>> results(op->getNumResults());
    for (int part = 0; part < cut.parts(); ++part) {
      IRMapping mapping;
      for (OpOperand &operand : op->getOpOperands()) {
        mlir::Value whole = operand.get();
        if (!rowwise.readsRows(operand.getOperandNumber()))
          continue;
        auto own = within.find(whole);
        mlir::Value &share = shares[{whole, part}];
        if (own != within.end())
          share = own->second[part];
        else if (!share)
          share = takeShare(cut, part, whole, 0);
        mapping.map(whole, share);
      }
      Operation *clone = op->cloneWithoutRegions(mapping);
      for (auto [index, result] : llvm::enumerate(clone->getResults())) {
        if (!adds)
          result.setType(
              withExtent(result, 0, cut.end(part) - cut.begin(part)));
        results[index].push_back(result);
      }
      builder.tagWith(cut.kind(), getNode(op), cut.partName(part),
                      getLayer(op));
      builder.insert(clone);
      if (clone->getNumResults() == 1)
        setName(clone->getResult(0),
                names[op->getResult(0)] + "." + std::to_string(part));
    }
    for (auto [whole, parts] : llvm::zip_equal(op->getResults(), results)) {
      within[whole] = parts;
      if (whole.use_empty())
        continue;
      // Who reads the whole, of this task or of others yet to be cut, finds the
      // parts behind it.
      mlir::Value joined = join(cut, whole, parts, adds ? -1 : 0);
      if (!adds)
        rowsOf[joined] = {&cut, parts};
      within[joined] = parts;
    }
  }
  for (Operation *op : llvm::reverse(cut.ops))
    op->erase();
}

/// In the sequential order of tasks, so that who reads what a cut task makes
/// finds its parts.
void Splitter::run() {
  auto key = [](const CutTask &task) {
    int64_t layer = getLayer(task.legal.product);
    bool forward = task.kind() == TaskKind::Forward;
    return std::tuple(!forward, forward ? layer : -layer, task.kind());
  };
  llvm::stable_sort(cutTasks, [&](const CutTask &a, const CutTask &b) {
    return key(a) < key(b);
  });
  for (const CutTask &cut : cutTasks)
    if (cut.dividesAll())
      divideAll(cut);
    else
      divideProduct(cut);
  for (auto &[joined, rows] : rowsOf)
    if (joined.use_empty())
      joined.getDefiningOp()->erase();
}

LogicalResult takt::split(ModuleOp module, ArrayRef<NamedCut> cuts) {
  FailureOr<func::FuncOp> main = getMain(module);
  if (failed(main))
    return failure();
  if (!module->hasAttr(kLayersAttr))
    return module.emitError("tasks are cut after they are formed, but there is "
                            "no '")
           << kLayersAttr << "'";
  if (failed(verifyTasks(module)))
    return failure();
  Splitter splitter(module, *main);
  if (failed(splitter.check(cuts)))
    return failure();
  splitter.run();
  return success();
}

namespace {
struct TrainSplit : public takt::impl::TrainSplitBase<TrainSplit> {
  using TrainSplitBase::TrainSplitBase;

  void runOnOperation() override {
    SmallVector<NamedCut> named;
    for (const std::string &text : cuts) {
      llvm::Expected<NamedCut> cut = parseCut(text);
      if (!cut) {
        getOperation().emitError(llvm::toString(cut.takeError()));
        return signalPassFailure();
      }
      named.push_back(std::move(*cut));
    }
    if (failed(split(getOperation(), named)))
      signalPassFailure();
  }
};
} // namespace
