//===- Split.cpp - D tasks cut in two -------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Split.h"
#include "CutOptions.h"
#include "TaggingBuilder.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/ValueNames.h"
#include "takt/Transforms/Verify.h"
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
    named.push_back({graph.tasks[cut.task].name,
                     cut.axis,
                     cut.at,
                     {cut.sliceAtProducer[0], cut.sliceAtProducer[1]}});
  return named;
}

llvm::Expected<NamedCut> takt::parseCut(StringRef text) {
  auto fail = [&] {
    return llvm::createStringError("expected a cut as "
                                   "TASK:channel|batch|reduction:AT or "
                                   "TASK:AXIS:AT:0|1|01, found '" +
                                   text + "'");
  };
  NamedCut cut;
  auto [rest, last] = text.rsplit(':');
  std::optional<CutAxis> axis;
  auto parseAxis = [&](StringRef name) {
    axis = llvm::StringSwitch<std::optional<CutAxis>>(name)
               .Case("channel", CutAxis::Channel)
               .Case("batch", CutAxis::Batch)
               .Case("reduction", CutAxis::Reduction)
               .Default(std::nullopt);
    return axis.has_value();
  };
  auto [task, axisText] = rest.rsplit(':');
  if (!parseAxis(axisText)) {
    // The last field was SLICED.
    if (last != "0" && last != "1" && last != "01")
      return fail();
    cut.sliceAtProducer[0] = last.contains('0');
    cut.sliceAtProducer[1] = last.contains('1');
    std::tie(rest, last) = rest.rsplit(':');
    std::tie(task, axisText) = rest.rsplit(':');
    if (!parseAxis(axisText))
      return fail();
  }
  if (task.empty() || last.getAsInteger(10, cut.at))
    return fail();
  cut.task = task.str();
  cut.axis = *axis;
  return cut;
}

namespace {
class Splitter {
public:
  Splitter(ModuleOp module, func::FuncOp main)
      : module(module), symbols(module),
        builder(main.getBody().front().getTerminator()),
        names(nameValues(module, main)) {
    index(main.getBody().front());
  }

  LogicalResult check(ArrayRef<NamedCut> cuts);
  void apply(const NamedCut &cut);

private:
  void index(Block &block);
  LogicalResult check(const NamedCut &cut);
  mlir::Value buildPart(const NamedCut &cut, int part, int64_t begin,
                        int64_t end);
  mlir::Value sliceOperand(const NamedCut &cut, int part, OpOperand &operand,
                           int64_t begin, int64_t end);
  mlir::Value sliceParameter(train::ReadOp read, const std::string &name,
                             RankedTensorType type, int64_t axis,
                             int64_t begin);
  void setName(mlir::Value value, std::string name);
  mlir::Value buildSlice(Location loc, mlir::Value of, RankedTensorType type,
                         int64_t axis, int64_t begin);

  ModuleOp module;
  SymbolTable symbols;
  TaggingBuilder builder;
  llvm::DenseMap<mlir::Value, std::string> names;
  llvm::StringMap<SmallVector<Operation *>> tasks; ///< for look-ups only
  llvm::StringMap<train::WriteOp> writes;          ///< by parameter
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
  Operation *gemm = it->second.front();
  SmallVector<CutOption> options = getCutOptions(it->second);
  if (options.empty())
    return gemm->emitError("task '")
           << cut.task << "' is not one matrix product of kind D, which is "
           << "what can be cut";
  for (const CutOption &option : options) {
    if (option.axis != cut.axis)
      continue;
    if (cut.at > 0 && cut.at < option.extent)
      return success();
    return gemm->emitError("cut of task '")
           << cut.task << "' at " << cut.at << ", expected 1 to "
           << option.extent - 1;
  }
  return gemm->emitError("task '")
         << cut.task << "' cannot be cut along " << keyword(cut.axis);
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

/// The names are those that applyCuts gives.
static std::string sliceName(StringRef value, const NamedCut &cut, int part) {
  return (value + ".slice" + Twine(part) + " for " + cut.task).str();
}

void Splitter::setName(mlir::Value value, std::string name) {
  value.getDefiningOp()->setAttr(kNameAttr, builder.getStringAttr(name));
  names[value] = std::move(name);
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

/// The share of an operand that a part needs; the operand itself where a part
/// needs all of it.
mlir::Value Splitter::sliceOperand(const NamedCut &cut, int part,
                                   OpOperand &operand, int64_t begin,
                                   int64_t end) {
  Operation *gemm = operand.getOwner();
  int64_t axis = cast<train::CuttableOpInterface>(gemm).getSlicedAxis(
      cut.axis, operand.getOperandNumber());
  mlir::Value whole = operand.get();
  if (axis < 0)
    return whole;
  auto wholeType = cast<RankedTensorType>(whole.getType());
  SmallVector<int64_t> shape(wholeType.getShape());
  shape[axis] = end - begin;
  auto type = RankedTensorType::get(shape, wholeType.getElementType());
  Operation *producer = whole.getDefiningOp();
  if (!cut.sliceAtProducer[part] || !producer)
    return buildSlice(gemm->getLoc(), whole, type, axis, begin);

  if (auto read = dyn_cast<train::ReadOp>(producer))
    return sliceParameter(read, sliceName(read.getParameter(), cut, part), type,
                          axis, begin);
  OpBuilder::InsertionGuard guard(builder);
  builder.setInsertionPointAfter(producer);
  builder.tagWith(TaskKind::Dgrad, getNode(gemm), getTask(producer),
                  getLayer(producer));
  mlir::Value slice = buildSlice(gemm->getLoc(), whole, type, axis, begin);
  setName(slice, sliceName(names[whole], cut, part));
  // The producer's task may be one that is yet to be cut.
  tasks[getTask(producer)].push_back(slice.getDefiningOp());
  return slice;
}

mlir::Value Splitter::buildPart(const NamedCut &cut, int part, int64_t begin,
                                int64_t end) {
  Operation *gemm = tasks[cut.task].front();
  std::string name = cut.task + "." + std::to_string(part);
  auto tag = [&] {
    builder.tagWith(TaskKind::Dgrad, getNode(gemm), name, getLayer(gemm));
  };
  SmallVector<mlir::Value> operands;
  for (OpOperand &operand : gemm->getOpOperands()) {
    tag();
    operands.push_back(sliceOperand(cut, part, operand, begin, end));
  }
  tag();
  mlir::Value result = cast<train::CuttableOpInterface>(gemm).buildPart(
      builder, cut.axis, begin, end, operands);
  setName(result, name);
  return result;
}

void Splitter::apply(const NamedCut &cut) {
  ArrayRef<Operation *> ops = tasks[cut.task];
  Operation *gemm = ops.front();
  auto cuttable = cast<train::CuttableOpInterface>(gemm);
  SmallVector<CutOption> options;
  cuttable.getLegalCuts(options);
  int64_t extent = llvm::find_if(options, [&](const CutOption &option) {
                     return option.axis == cut.axis;
                   })->extent;

  builder.setInsertionPoint(gemm);
  mlir::Value parts[] = {buildPart(cut, 0, 0, cut.at),
                         buildPart(cut, 1, cut.at, extent)};
  std::string join = cut.task + ".join";
  builder.tagWith(TaskKind::Dgrad, getNode(gemm), join, getLayer(gemm));
  Type type = gemm->getResult(0).getType();
  int64_t axis = cuttable.getConcatenatedAxis(cut.axis);
  mlir::Value joined;
  if (axis < 0)
    joined = train::SumOp::create(builder, gemm->getLoc(), type, parts);
  else
    joined = train::ConcatOp::create(builder, gemm->getLoc(), type, parts,
                                     builder.getI64IntegerAttr(axis));
  setName(joined, names[gemm->getResult(0)]);
  for (Operation *op : ops.drop_front())
    setTask(op, join, getLayer(op));
  gemm->getResult(0).replaceAllUsesWith(joined);
  gemm->erase();
  tasks.erase(cut.task);
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
  for (const NamedCut &cut : cuts)
    splitter.apply(cut);
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
