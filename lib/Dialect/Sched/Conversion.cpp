//===- Conversion.cpp - task graphs to text and back ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Dialect/Sched/Conversion.h"
#include "mlir/IR/BuiltinTypes.h"
#include "takt/Dialect/ElementTypes.h"
#include "takt/Scheduling/Replication.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt;
using namespace takt::sched;

//===----------------------------------------------------------------------===//
// Task graph to problem
//===----------------------------------------------------------------------===//

static Attribute workAttr(OpBuilder &builder, const takt::Work &work) {
  const Gemm &gemm = work.gemm;
  return WorkAttr::get(builder.getContext(), gemm.m, gemm.n, gemm.k, gemm.count,
                       work.elementwise, work.bytesIn, work.bytesOut,
                       mlirType(builder, work.type), work.rowBytesIn, work.rows,
                       work.recomputed);
}

static void createTask(OpBuilder &builder, Location loc, const TaskGraph &graph,
                       const takt::Task &task) {
  SmallVector<Attribute> works, cuts;
  for (const takt::Work &work : task.work)
    works.push_back(workAttr(builder, work));
  for (const CutOption &cut : task.cuts)
    cuts.push_back(CutOptionAttr::get(builder.getContext(),
                                      static_cast<Axis>(cut.axis), cut.extent));
  FlatSymbolRefAttr colocated;
  if (task.colocated >= 0)
    colocated = FlatSymbolRefAttr::get(builder.getContext(),
                                       graph.tasks[task.colocated].name);
  auto unit = [&](bool is) { return is ? builder.getUnitAttr() : UnitAttr(); };
  TaskOp::create(
      builder, loc, builder.getStringAttr(task.name),
      KindAttr::get(builder.getContext(), static_cast<Kind>(task.kind)),
      builder.getI64IntegerAttr(task.layer), builder.getArrayAttr(works),
      cuts.empty() ? ArrayAttr() : builder.getArrayAttr(cuts), colocated,
      task.cycles ? builder.getI64IntegerAttr(*task.cycles) : IntegerAttr(),
      builder.getI64IntegerAttr(task.memory),
      builder.getI64IntegerAttr(task.microbatch), unit(task.rowwise),
      unit(task.gradientFirst));
}

static void createValue(OpBuilder &builder, Location loc,
                        const TaskGraph &graph, const takt::Value &value) {
  MLIRContext *context = builder.getContext();
  auto taskRef = [&](int task) {
    return FlatSymbolRefAttr::get(context, graph.tasks[task].name);
  };
  SmallVector<Attribute> uses;
  for (const Use &use : value.uses)
    uses.push_back(UseAttr::get(context, taskRef(use.task), use.distance,
                                use.delayed,
                                static_cast<sched::Reader>(use.reader)));
  ValueOp::create(
      builder, loc, builder.getStringAttr(value.name),
      ClassAttr::get(context, static_cast<Class>(value.kind)),
      value.producer >= 0 ? taskRef(value.producer) : FlatSymbolRefAttr(),
      builder.getI64IntegerAttr(value.bytes), builder.getArrayAttr(uses),
      builder.getI64IntegerAttr(value.rows));
}

ProblemOp takt::sched::fromTaskGraph(OpBuilder &builder, Location loc,
                                     const TaskGraph &graph) {
  ProblemOp problem = ProblemOp::create(
      builder, loc,
      builder.getStringAttr(graph.name.empty() ? "problem" : graph.name));
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&problem.getBody());
  for (const Layer &layer : graph.layers)
    LayerOp::create(builder, loc, builder.getStringAttr(layer.name),
                    builder.getI64IntegerAttr(layer.parameterBytes),
                    builder.getI64IntegerAttr(layer.optimizerBytes));
  for (const takt::Task &task : graph.tasks)
    createTask(builder, loc, graph, task);
  for (const takt::Value &value : graph.values)
    createValue(builder, loc, graph, value);
  return problem;
}

//===----------------------------------------------------------------------===//
// Problem to task graph
//===----------------------------------------------------------------------===//

namespace {
/// Reads a problem: first the tasks' names, then what refers to them.
class ProblemReader {
public:
  explicit ProblemReader(ProblemOp problem) : problem(problem) {}

  FailureOr<TaskGraph> read() {
    graph.name = problem.getSymName().str();
    layers = llvm::range_size(problem.getBody().getOps<LayerOp>());
    for (TaskOp op : problem.getBody().getOps<TaskOp>())
      if (!indices.try_emplace(op.getSymName(), indices.size()).second)
        return op.emitOpError("is the second task of that name"), failure();
    for (Operation &op : problem.getBody().getOps())
      if (failed(readPart(&op)))
        return failure();
    return std::move(graph);
  }

private:
  LogicalResult readPart(Operation *op) {
    if (auto layer = dyn_cast<LayerOp>(op)) {
      graph.layers.push_back({layer.getName().str(),
                              static_cast<int64_t>(layer.getParameterBytes()),
                              static_cast<int64_t>(layer.getOptimizerBytes())});
      return success();
    }
    if (auto task = dyn_cast<TaskOp>(op))
      return readTask(task);
    if (auto value = dyn_cast<ValueOp>(op))
      return readValue(value);
    return success();
  }

  FailureOr<int> index(Operation *op, FlatSymbolRefAttr name) {
    auto found = indices.find(name.getValue());
    if (found == indices.end())
      return op->emitOpError("names task ")
                 << name << ", which the problem does not have",
             failure();
    return found->second;
  }

  LogicalResult readTask(TaskOp op) {
    takt::Task task;
    task.name = op.getSymName().str();
    task.kind = static_cast<TaskKind>(op.getKind());
    int64_t layer = op.getLayer();
    if (layer < 0 || layer >= layers)
      return op.emitOpError("is of layer ")
             << layer << ", but the problem has " << layers << " layers (C1)";
    task.layer = static_cast<int>(layer);
    for (auto work : op.getWork().getAsRange<WorkAttr>()) {
      FailureOr<takt::Work> read = readWork(op, task.kind, work);
      if (failed(read))
        return failure();
      task.work.push_back(*read);
    }
    if (ArrayAttr cuts = op.getCutsAttr())
      for (auto cut : cuts.getAsRange<CutOptionAttr>())
        task.cuts.push_back(
            {static_cast<CutAxis>(cut.getAxis()), cut.getExtent()});
    task.rowwise = op.getRowwise();
    task.gradientFirst = op.getGradientFirst();
    if (FlatSymbolRefAttr with = op.getColocatedAttr()) {
      FailureOr<int> other = index(op, with);
      if (failed(other))
        return failure();
      task.colocated = *other;
    }
    if (IntegerAttr cycles = op.getCyclesAttr())
      task.cycles = cycles.getInt();
    task.memory = static_cast<int64_t>(op.getMemory());
    int64_t microbatch = op.getMicrobatch();
    if (microbatch < 0 || microbatch > (1 << 20))
      return op.emitOpError("is of microbatch ")
             << microbatch << ", expected 0 to 1048576";
    task.microbatch = static_cast<int>(microbatch);
    graph.tasks.push_back(std::move(task));
    return success();
  }

  static FailureOr<takt::Work> readWork(TaskOp op, TaskKind kind,
                                        WorkAttr attr) {
    takt::Work work;
    work.recomputed = attr.getRecomputed();
    work.kind = work.recomputed ? TaskKind::Forward : kind;
    work.gemm = {attr.getM(), attr.getN(), attr.getK(), attr.getCount()};
    work.elementwise = attr.getElementwise();
    work.bytesIn = attr.getBytesIn();
    work.bytesOut = attr.getBytesOut();
    work.rowBytesIn = attr.getRowsIn();
    work.rows = attr.getRows();
    for (int64_t size : {attr.getM(), attr.getN(), attr.getK(), attr.getCount(),
                         work.elementwise, work.bytesIn, work.bytesOut,
                         work.rowBytesIn, work.rows})
      if (size < 0)
        return op.emitOpError("has work with a negative size ") << size,
               failure();
    std::optional<ElementType> type = elementType(attr.getType());
    if (!type)
      return op.emitOpError("has work of type ")
                 << attr.getType() << ", expected an element type",
             failure();
    work.type = *type;
    return work;
  }

  LogicalResult readValue(ValueOp op) {
    takt::Value value;
    value.name = op.getName().str();
    value.kind = static_cast<ValueClass>(op.getValueClass());
    value.bytes = op.getBytes();
    value.rows = static_cast<int64_t>(op.getRows());
    value.producer = -1;
    if (FlatSymbolRefAttr producer = op.getProducerAttr()) {
      FailureOr<int> task = index(op, producer);
      if (failed(task))
        return failure();
      value.producer = *task;
    }
    for (auto use : op.getUses().getAsRange<UseAttr>()) {
      FailureOr<int> task = index(op, use.getTask());
      if (failed(task))
        return failure();
      value.uses.push_back({*task, static_cast<int>(use.getDistance()),
                            use.getDelayed(),
                            static_cast<takt::Reader>(use.getReader())});
    }
    graph.values.push_back(std::move(value));
    return success();
  }

  ProblemOp problem;
  TaskGraph graph;
  int64_t layers = 0;
  llvm::StringMap<int> indices;
};
} // namespace

FailureOr<TaskGraph> takt::sched::toTaskGraph(ProblemOp problem) {
  return ProblemReader(problem).read();
}

//===----------------------------------------------------------------------===//
// Schedule to text
//===----------------------------------------------------------------------===//

ScheduleOp takt::sched::fromSchedule(OpBuilder &builder, Location loc,
                                     ProblemOp problem,
                                     const Schedule &schedule) {
  auto i64 = [&](int64_t value) { return builder.getI64IntegerAttr(value); };
  auto str = [&](StringRef text) { return builder.getStringAttr(text); };
  MLIRContext *context = builder.getContext();
  ScheduleOp op = ScheduleOp::create(
      builder, loc, FlatSymbolRefAttr::get(problem.getSymNameAttr()),
      str(schedule.scheduler),
      ScheduleSemanticsAttr::get(
          context, static_cast<ScheduleSemantics>(schedule.semantics)),
      ScheduleStatusAttr::get(context,
                              static_cast<ScheduleStatus>(schedule.status)),
      i64(schedule.interval), i64(schedule.stages),
      WeightsAttr::get(context, static_cast<Weights>(schedule.weights)));
  OpBuilder::InsertionGuard guard(builder);
  builder.createBlock(&op.getBody());
  auto tasks = llvm::to_vector(problem.getBody().getOps<TaskOp>());
  for (const Cut &cut : schedule.cuts) {
    SmallVector<bool> slices(ArrayRef<bool>(cut.sliceAtProducer));
    slices.resize(cut.parts(), false);
    CutOp::create(builder, loc, tasks[cut.task].getSymNameAttr(),
                  AxisAttr::get(context, static_cast<Axis>(cut.axis)),
                  DenseI64ArrayAttr::get(context, cut.at),
                  DenseBoolArrayAttr::get(context, slices));
  }
  for (auto [layer, stage, delay] :
       llvm::enumerate(schedule.stage, schedule.delay))
    StageOp::create(
        builder, loc, i64(stage), i64(delay),
        i64(schedule.replicas.empty() ? 1 : schedule.replicas[layer]));
  for (auto [index, lead] : llvm::enumerate(schedule.lead))
    if (lead != 0)
      LeadOp::create(builder, loc, str(schedule.graph.values[index].name),
                     i64(lead));
  for (auto [task, place] :
       llvm::zip_equal(schedule.graph.tasks, schedule.tasks))
    PlaceOp::create(builder, loc, str(task.name), i64(place.processor),
                    i64(place.start), i64(place.cycles));
  for (const TransferPlacement &transfer : schedule.transfers)
    TransferOp::create(
        builder, loc, str(schedule.graph.values[transfer.value].name),
        i64(transfer.from), i64(transfer.to), i64(transfer.start),
        i64(transfer.cycles), i64(transfer.latency));
  return op;
}

//===----------------------------------------------------------------------===//
// Text to schedule
//===----------------------------------------------------------------------===//

namespace {
/// Reads a schedule: the cuts give the graph that the places refer to.
class ScheduleReader {
public:
  ScheduleReader(ScheduleOp op, const TaskGraph &problem)
      : op(op), problem(problem) {}

  FailureOr<Schedule> read() {
    schedule.scheduler = op.getScheduler().str();
    schedule.semantics = static_cast<Semantics>(op.getSemantics());
    schedule.status = static_cast<SolveStatus>(op.getStatus());
    schedule.interval = op.getInterval();
    schedule.stages = static_cast<int>(op.getStages());
    schedule.weights = static_cast<WeightVersions>(op.getWeights());
    if (failed(readCuts()) || failed(readStages()) || failed(readPlaces()) ||
        failed(readValues()))
      return failure();
    return std::move(schedule);
  }

private:
  LogicalResult readCuts() {
    for (CutOp cut : op.getBody().getOps<CutOp>()) {
      int task = problem.find(cut.getTask());
      if (task < 0)
        return cut.emitOpError("names task '")
               << cut.getTask() << "', which the problem does not have (C1)";
      ArrayRef<bool> slices = cut.getSliceAtProducer();
      if (slices.size() != cut.getAt().size() + 1)
        return cut.emitOpError("expects ")
               << cut.getAt().size() + 1 << " slice flags, found "
               << slices.size();
      takt::Cut read{task, static_cast<CutAxis>(cut.getAxis()), {}, {}};
      read.at.assign(cut.getAt().begin(), cut.getAt().end());
      read.sliceAtProducer.assign(slices.begin(), slices.end());
      schedule.cuts.push_back(std::move(read));
    }
    return setGraph(applyCuts(problem, schedule.cuts));
  }

  LogicalResult setGraph(llvm::Expected<TaskGraph> graph) {
    if (!graph)
      return op.emitOpError() << llvm::toString(graph.takeError());
    schedule.graph = std::move(*graph);
    return success();
  }

  LogicalResult readStages() {
    for (StageOp stage : op.getBody().getOps<StageOp>()) {
      schedule.stage.push_back(static_cast<int>(stage.getStage()));
      schedule.delay.push_back(static_cast<int>(stage.getDelay()));
      // replicate() says what a count may be.
      schedule.replicas.push_back(static_cast<int>(
          std::clamp<int64_t>(stage.getReplicas(), 0, 1 << 20)));
    }
    if (schedule.stage.size() != problem.layers.size())
      return op.emitOpError("has stages for ")
             << schedule.stage.size() << " layers, expected "
             << problem.layers.size();
    if (llvm::all_of(schedule.replicas, [](int count) { return count == 1; }))
      schedule.replicas.clear();
    return schedule.replicas.empty()
               ? success()
               : setGraph(replicate(schedule.graph, schedule.replicas,
                                    schedule.delay));
  }

  LogicalResult readPlaces() {
    llvm::StringMap<int> indices;
    for (const takt::Task &task : schedule.graph.tasks)
      indices.try_emplace(task.name, indices.size());
    std::vector<bool> placed(schedule.graph.tasks.size());
    schedule.tasks.resize(schedule.graph.tasks.size());
    for (PlaceOp place : op.getBody().getOps<PlaceOp>()) {
      auto found = indices.find(place.getTask());
      if (found == indices.end())
        return place.emitOpError("places task '")
               << place.getTask() << "', which the problem does not have";
      if (placed[found->second])
        return place.emitOpError("places task '")
               << place.getTask() << "' a second time";
      placed[found->second] = true;
      schedule.tasks[found->second] = {static_cast<int>(place.getProcessor()),
                                       static_cast<int64_t>(place.getStart()),
                                       static_cast<int64_t>(place.getCycles())};
    }
    for (auto [index, done] : llvm::enumerate(placed))
      if (!done)
        return op.emitOpError("does not place task '")
               << schedule.graph.tasks[index].name << "'";
    return success();
  }

  /// What the schedule says of values.
  LogicalResult readValues() {
    llvm::StringMap<int> indices;
    for (const takt::Value &value : schedule.graph.values)
      indices.try_emplace(value.name, indices.size());
    return success(succeeded(readLeads(indices)) &&
                   succeeded(readTransfers(indices)));
  }

  LogicalResult readLeads(const llvm::StringMap<int> &indices) {
    for (LeadOp lead : op.getBody().getOps<LeadOp>()) {
      auto found = indices.find(lead.getValue());
      if (found == indices.end())
        return lead.emitOpError("names value '")
               << lead.getValue() << "', which the problem does not have";
      schedule.lead.resize(schedule.graph.values.size());
      schedule.lead[found->second] = static_cast<int>(lead.getUpdates());
    }
    return success();
  }

  LogicalResult readTransfers(const llvm::StringMap<int> &indices) {
    for (TransferOp transfer : op.getBody().getOps<TransferOp>()) {
      auto found = indices.find(transfer.getValue());
      if (found == indices.end())
        return transfer.emitOpError("carries value '")
               << transfer.getValue() << "', which the problem does not have";
      schedule.transfers.push_back(
          {found->second, static_cast<int>(transfer.getSource()),
           static_cast<int>(transfer.getDestination()),
           static_cast<int64_t>(transfer.getStart()),
           static_cast<int64_t>(transfer.getCycles()),
           static_cast<int64_t>(transfer.getLatency())});
    }
    return success();
  }

  ScheduleOp op;
  const TaskGraph &problem;
  Schedule schedule;
};
} // namespace

FailureOr<Schedule> takt::sched::toSchedule(ScheduleOp schedule,
                                            const TaskGraph &problem) {
  return ScheduleReader(schedule, problem).read();
}
