//===- LowerToProgram.cpp - from a scheduled module to a program ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/LowerToProgram.h"
#include "mlir/IR/DialectResourceBlobManager.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Target/StepExecutions.h"
#include "takt/Target/Validate.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/ValueNames.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace takt;

namespace {
/// Reads the module: its parameters, inputs and outputs go into the program,
/// its operations into a step.
class StepReader {
public:
  StepReader(ModuleOp module, const Schedule &schedule, Program &program)
      : module(module), schedule(schedule), program(program),
        trains(llvm::any_of(schedule.graph.tasks, [](const Task &task) {
          return task.kind != TaskKind::Forward;
        })) {}

  llvm::Expected<StepExecutions> read() {
    FailureOr<func::FuncOp> found = getMain(module);
    if (failed(found))
      return llvm::createStringError("the module has no training step");
    main = *found;
    names = nameValues(module, main);
    for (auto [index, task] : llvm::enumerate(schedule.graph.tasks))
      tasks[task.name] = index;
    if (llvm::Error error = readParameters())
      return std::move(error);
    readInputs();
    if (llvm::Error error = readKernels())
      return std::move(error);
    if (llvm::Error error = readWrites())
      return std::move(error);
    if (llvm::Error error = readOperands())
      return std::move(error);
    if (llvm::Error error = readOutputs())
      return std::move(error);
    return std::move(step);
  }

private:
  static llvm::Error fail(Operation *op, const Twine &message) {
    return llvm::createStringError("operation '" + getNode(op) + "' (" +
                                   op->getName().getStringRef() +
                                   "): " + message);
  }

  llvm::Error readParameters();
  llvm::Error readInitialValue(train::ParameterOp op, Parameter &parameter);
  void readInputs();
  llvm::Error readKernels();
  llvm::Error readWrites();
  llvm::Error readOperands();
  llvm::Error readOutputs();
  int addValue(const std::string &name, Type type, RegionClass kind);
  int addBinding(StringRef name, BindingKind kind, Type type);
  int64_t distanceOf(int parameter, TaskKind reader) const;
  RegionClass regionOf(ParameterKind kind) const;

  ModuleOp module;
  const Schedule &schedule;
  Program &program;
  func::FuncOp main;
  StepExecutions step;
  llvm::StringMap<int> tasks, parameters;
  llvm::DenseMap<mlir::Value, int> values;
  llvm::DenseMap<mlir::Value, std::string> names;
  std::vector<Operation *> operations; ///< of the step's kernels
  std::vector<bool> written, hasLayer; ///< by parameter
  /// Names of the loss and what it is compared with mean nothing in a forward
  /// graph.
  bool trains;
};
} // namespace

int StepReader::addValue(const std::string &name, Type type, RegionClass kind) {
  StepValue value;
  value.info.name = name;
  value.info.type = train::getElementType(type);
  llvm::append_range(value.info.dims, cast<ShapedType>(type).getShape());
  value.kind = kind;
  step.values.push_back(std::move(value));
  return step.values.size() - 1;
}

int StepReader::addBinding(StringRef name, BindingKind kind, Type type) {
  Binding binding;
  binding.name = name.str();
  binding.kind = kind;
  binding.type = train::getElementType(type);
  llvm::append_range(binding.dims, cast<ShapedType>(type).getShape());
  binding.region = program.regions.size();
  bool isInput = kind == BindingKind::Input || kind == BindingKind::Label;
  takt::Region region{isInput ? RegionClass::HostInput
                              : RegionClass::HostOutput,
                      kHostProcessor, uint64_t(train::getBytes(type)), 64};
  region.readable = isInput;
  region.writable = !isInput;
  program.regions.push_back(region);
  program.bindings.push_back(std::move(binding));
  return program.bindings.size() - 1;
}

RegionClass StepReader::regionOf(ParameterKind kind) const {
  switch (kind) {
  case ParameterKind::OptimizerState:
    return RegionClass::OptimizerState;
  case ParameterKind::State:
    return RegionClass::State;
  default:
    return RegionClass::Parameter;
  }
}

llvm::Error StepReader::readInitialValue(train::ParameterOp op,
                                         Parameter &parameter) {
  if (!op.getInitialValue())
    return llvm::Error::success();
  ElementsAttr value = *op.getInitialValue();
  ArrayRef<char> bytes;
  if (auto dense = dyn_cast<DenseElementsAttr>(value)) {
    bytes = dense.getRawData();
    parameter.splat = dense.isSplat();
  } else if (auto resource = dyn_cast<DenseResourceElementsAttr>(value)) {
    parameter.splat = false;
    if (AsmResourceBlob *blob = resource.getRawHandle().getBlob())
      bytes = blob->getData();
  }
  if (parameter.splat) {
    llvm::copy(bytes.take_front(parameter.splatBytes.size()),
               parameter.splatBytes.begin());
    return llvm::Error::success();
  }
  int64_t expected = train::getBytes(op.getType());
  if (int64_t(bytes.size()) != expected)
    return llvm::createStringError(
        "parameter '" + parameter.name + "' has " + Twine(bytes.size()) +
        " bytes of initial data, expected " + Twine(expected));
  parameter.dataOffset = program.data.add(
      {reinterpret_cast<const uint8_t *>(bytes.data()), bytes.size()});
  return llvm::Error::success();
}

/// A parameter has the value that reads of it name, and, where the step writes
/// it, the one that carries its versions; that is known once kernels are.
llvm::Error StepReader::readParameters() {
  llvm::StringSet<> used;
  main.walk([&](Operation *op) {
    if (auto read = dyn_cast<train::ReadOp>(op); read && !read->use_empty())
      used.insert(read.getParameter());
    if (auto write = dyn_cast<train::WriteOp>(op))
      used.insert(write.getParameter());
  });
  for (auto op : module.getOps<train::ParameterOp>()) {
    if (!used.count(op.getSymName()))
      continue;
    Parameter parameter;
    parameter.name = op.getTensorName().str();
    parameter.kind = op.getKind();
    parameter.delay = op.getDelayOrZero();
    parameter.lead = op.getLeadOrZero();
    parameter.update = op.getUpdateOrZero();
    parameter.lastUpdate = op.getLastUpdateOrZero();
    parameter.begin = op.getBegin().value_or(0);
    if (parameter.kind == ParameterKind::Derived) {
      auto base = parameters.find(*op.getBase());
      if (base == parameters.end())
        return llvm::createStringError("parameter '" + parameter.name +
                                       "' is derived from '" + *op.getBase() +
                                       "', which is not declared before it");
      parameter.base = base->second;
      parameter.axis = *op.getAxis();
    }
    if (llvm::Error error = readInitialValue(op, parameter))
      return error;
    int read =
        addValue(op.getSymName().str(), op.getType(), regionOf(op.getKind()));
    step.values[read].parameter = program.parameters.size();
    parameter.readValue = parameter.writeValue = read;
    parameters[op.getSymName()] = program.parameters.size();
    program.parameters.push_back(std::move(parameter));
  }
  written.resize(program.parameters.size());
  hasLayer.resize(program.parameters.size());
  return llvm::Error::success();
}

void StepReader::readInputs() {
  for (BlockArgument argument : main.getArguments()) {
    Type type = argument.getType();
    // Minibatches of one step have arguments of the same name.
    unsigned index = argument.getArgNumber();
    auto given = main.getArgAttrOfType<StringAttr>(index, kNameAttr);
    std::string name = main.getArgAttr(index, kMicrobatchAttr) && given
                           ? given.str()
                           : names[argument];
    int value = addValue(names[argument], type, RegionClass::Activation);
    bool isLabel = trains && (name == "label" || name == "target");
    step.values[value].input = addBinding(
        name, isLabel ? BindingKind::Label : BindingKind::Input, type);
    values[argument] = value;
  }
}

llvm::Error StepReader::readKernels() {
  for (Operation &op : main.getBody().front())
    if (executes(&op)) {
      if (!tasks.count(getTask(&op)))
        return fail(&op, "task '" + getTask(&op) + "' was not scheduled");
      operations.push_back(&op);
    }
  llvm::stable_sort(operations, [&](Operation *a, Operation *b) {
    return tasks[getTask(a)] < tasks[getTask(b)];
  });
  for (Operation *op : operations) {
    auto kernelOp = cast<train::KernelOpInterface>(op);
    StepKernel kernel;
    kernel.id = kernelOp.getKernelId();
    kernel.task = tasks[getTask(op)];
    TaskKind kind = schedule.graph.tasks[kernel.task].kind;
    kernelOp.getKernelWords(kernel.words);
    kernel.work = kernelOp.getWork();
    kernel.work.kind = kind;
    for (OpResult result : op->getResults()) {
      int value = addValue(names[result], result.getType(),
                           kind == TaskKind::Forward ? RegionClass::Activation
                                                     : RegionClass::Gradient);
      step.values[value].kernel = step.kernels.size();
      values[result] = value;
      kernel.results.push_back(value);
    }
    step.kernels.push_back(std::move(kernel));
  }
  return llvm::Error::success();
}

/// What is written to a parameter carries its versions from then on.
llvm::Error StepReader::readWrites() {
  for (auto write : main.getOps<train::WriteOp>()) {
    int index = parameters.lookup(write.getParameter());
    Parameter &parameter = program.parameters[index];
    auto value = values.find(write.getValue());
    if (value == values.end() || step.values[value->second].kernel < 0 ||
        step.values[value->second].parameter >= 0)
      return llvm::createStringError(
          "parameter '" + parameter.name +
          "': its next version is not the result of an operation of its own");
    step.values[parameter.readValue].parameter = -1;
    StepValue &version = step.values[value->second];
    version.parameter = index;
    version.kind = regionOf(parameter.kind);
    version.info.name = write.getParameter().str();
    parameter.writeValue = value->second;
    parameter.layer =
        schedule.graph.tasks[step.kernels[version.kernel].task].layer;
    written[index] = hasLayer[index] = true;
  }
  return llvm::Error::success();
}

/// By how many iterations a reader comes after the update whose result it
/// reads; 0 for what is never updated.
int64_t StepReader::distanceOf(int parameter, TaskKind reader) const {
  return written[parameter]
             ? readDistance(program.parameters[parameter], reader)
             : 0;
}

llvm::Error StepReader::readOperands() {
  for (auto [index, op] : llvm::enumerate(operations)) {
    StepKernel &kernel = step.kernels[index];
    TaskKind kind = schedule.graph.tasks[kernel.task].kind;
    for (mlir::Value operand : op->getOperands()) {
      Operation *producer = operand.getDefiningOp();
      if (producer && isa<train::DelayOp>(producer))
        operand = producer->getOperand(0);
      if (auto read = operand.getDefiningOp<train::ReadOp>()) {
        int parameter = parameters.lookup(read.getParameter());
        Parameter &info = program.parameters[parameter];
        if (!hasLayer[parameter])
          info.layer = schedule.graph.tasks[kernel.task].layer;
        hasLayer[parameter] = true;
        kernel.operands.push_back({int(info.writeValue),
                                   int(distanceOf(parameter, kind)),
                                   info.readValue});
        continue;
      }
      auto value = values.find(operand);
      if (value == values.end())
        return fail(op, "an operand is computed by no task");
      kernel.operands.push_back({value->second, 0, uint32_t(value->second)});
    }
  }
  return llvm::Error::success();
}

llvm::Error StepReader::readOutputs() {
  Operation *end = main.getBody().front().getTerminator();
  for (OpOperand &operand : end->getOpOperands()) {
    unsigned index = operand.getOperandNumber();
    auto name = main.getResultAttrOfType<StringAttr>(index, kNameAttr);
    std::string text = name ? name.str() : "output" + std::to_string(index);
    auto value = values.find(operand.get());
    if (value == values.end() || step.values[value->second].kernel < 0)
      return llvm::createStringError("output '" + text +
                                     "' is not the result of an operation");
    int binding = addBinding(text,
                             trains && text == "loss" ? BindingKind::Loss
                                                      : BindingKind::Output,
                             operand.get().getType());
    step.outputs.push_back({value->second, binding});
  }
  return llvm::Error::success();
}

/// Their numbers are fixed, so those in front of one that is needed are there.
static std::vector<ScalarInfo> runTimeScalars(ModuleOp module,
                                              const LowerOptions &options) {
  std::optional<double> clipNorm;
  module.walk([&](train::ClipFactorOp op) {
    clipNorm = op.getLimit().convertToDouble();
  });
  const LearningRateSchedule &rate = options.rateSchedule;
  bool scalesLoss = options.lossScale != 1 || clipNorm;
  bool hasSchedule = !rate.isConstant() || scalesLoss;
  std::vector<ScalarInfo> scalars = {{"learning_rate", options.learningRate},
                                     {"iterations", 1}};
  if (options.delayScalingSteps > 0 || hasSchedule)
    scalars.push_back(
        {"delay_scaling", static_cast<double>(options.delayScalingSteps)});
  if (hasSchedule) {
    constexpr llvm::StringLiteral names[] = {"warmup", "decay", "decay_period",
                                             "decay_factor"};
    for (auto [name, value] : llvm::zip_equal(names, rate.scalars()))
      scalars.push_back({name.str(), value});
  }
  if (scalesLoss)
    scalars.push_back({"loss_scale", options.lossScale});
  if (clipNorm)
    scalars.push_back({"clip_norm", *clipNorm});
  return scalars;
}

llvm::Expected<Program> takt::lowerToProgram(ModuleOp module,
                                             const Problem &problem,
                                             const Schedule &schedule,
                                             const LowerOptions &options) {
  Program program;
  program.model = module.getSymName().value_or("").str();
  program.schedule = schedule.scheduler;
  program.machine = problem.machine->canonicalText();
  program.interval = schedule.interval;
  if (auto batch = module->getAttrOfType<IntegerAttr>("train.batch"))
    program.batch = batch.getInt();
  program.scalars = runTimeScalars(module, options);
  llvm::Expected<StepExecutions> step =
      StepReader(module, schedule, program).read();
  if (!step)
    return step.takeError();
  for (const StepValue &value : step->values)
    program.values.push_back(value.info);
  if (llvm::Error error =
          placeStep(*step, problem, schedule, program, options.sendTime))
    return std::move(error);
  if (llvm::Error error = validate(program))
    return std::move(error);
  return std::move(program);
}
