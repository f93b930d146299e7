//===- LowerSteps.cpp - steps and schedules made by hand ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LowerSteps.h"
#include "llvm/ADT/STLExtras.h"
#include <map>
#include <set>

using namespace takt;

static Machine machineOf(const ChainOptions &options) {
  Machine machine = llvm::cantFail(Machine::uniform(options.processors));
  machine.interconnect.topology = options.topology;
  machine.interconnect.bytesPerCycle = options.linkBytesPerCycle;
  machine.interconnect.latencyCycles = options.linkLatency;
  machine.classes.front().memoryBytes = options.memoryBytes;
  return machine;
}

/// Reads of parameters are completed once their versions exist; until then they
/// have this name and the parameter's number as their value.
constexpr uint32_t kParameter = UINT32_MAX;

static StepUse read(int parameter, int distance) {
  return {parameter, distance, kParameter};
}
static StepUse use(int value) { return {value, 0, uint32_t(value)}; }

// Every layer has three parameters, in this order.
static int weight(int layer) { return 3 * layer; }
static int momentum(int layer) { return 3 * layer + 1; }
static int mean(int layer) { return 3 * layer + 2; }

ChainProblem::ChainProblem(const ChainOptions &options)
    : options(options), machine(machineOf(options)),
      cost(llvm::cantFail(createCostModel("macs"))) {
  int layers = options.delay.size();
  std::vector<int> x = {addInput("x", BindingKind::Input)};
  int label = addInput("label", BindingKind::Label);
  for (int layer = 0; layer < layers; ++layer)
    x.push_back(addForward(layer, x.back()));
  int dy = addLoss(x.back(), label);
  for (int layer = layers - 1; layer >= 0; --layer)
    dy = addBackward(layer, x[layer], dy);
  for (StepKernel &kernel : step.kernels)
    for (StepUse &operand : kernel.operands)
      if (operand.name == kParameter) {
        const Parameter &parameter = program.parameters[operand.value];
        operand.value = parameter.writeValue;
        operand.name = parameter.readValue;
      }
  for (const StepValue &value : step.values)
    program.values.push_back(value.info);
  program.scalars = {{"learning_rate", 0.1}, {"iterations", 1}};
  addGraphValues();
}

/// Returns the layer's output.
int ChainProblem::addForward(int layer, int x) {
  std::string n = std::to_string(layer);
  graph.layers.push_back({"l" + n});
  addParameter("w" + n, ParameterKind::Trainable);
  addParameter("v" + n, ParameterKind::OptimizerState);
  addParameter("mean" + n, ParameterKind::State);
  program.parameters[weight(layer)].delay = options.delay[layer];
  int task = addTask(layer, TaskKind::Forward);
  int gemm = addKernel(task, KernelId::Gemm,
                       {use(x), read(weight(layer), 1 + options.delay[layer])});
  int h = addResult(gemm, "h" + n, RegionClass::Activation);
  int norm =
      addKernel(task, KernelId::BatchNorm, {use(h), read(mean(layer), 1)});
  int y = addResult(norm, "y" + n, RegionClass::Activation);
  setVersion(mean(layer), addResult(norm, "mean" + n, RegionClass::State));
  return y;
}

/// Returns the gradient of the loss, which is in the last F.
int ChainProblem::addLoss(int y, int label) {
  int loss = addKernel(graph.tasks.size() - 1, KernelId::SoftmaxCrossEntropy,
                       {use(y), use(label)});
  int value = addResult(loss, "loss", RegionClass::Activation);
  step.outputs.push_back({value, int(program.bindings.size())});
  program.bindings.push_back({"loss",
                              BindingKind::Loss,
                              uint32_t(program.regions.size()),
                              ElementType::F32,
                              {4, 4}});
  program.regions.push_back({RegionClass::HostOutput, kHostProcessor, 64, 64});
  return addResult(loss, "dy", RegionClass::Gradient);
}

/// Returns the gradient for the layer before, or -1.
int ChainProblem::addBackward(int layer, int x, int dy) {
  std::string n = std::to_string(layer);
  int dx = -1;
  if (layer > 0) {
    int gemm =
        addKernel(addTask(layer, TaskKind::Dgrad), KernelId::Gemm,
                  {use(dy), read(weight(layer), 1 + options.delay[layer])});
    dx = addResult(gemm, "dx" + n, RegionClass::Gradient);
  }
  int gemm = addKernel(addTask(layer, TaskKind::Wgrad), KernelId::Gemm,
                       {use(x), use(dy)});
  int dw = addResult(gemm, "dw" + n, RegionClass::Gradient);
  int update =
      addKernel(addTask(layer, TaskKind::Update), KernelId::Momentum,
                {read(weight(layer), 1), use(dw), read(momentum(layer), 1)});
  setVersion(weight(layer), addResult(update, "w" + n, RegionClass::Parameter));
  setVersion(momentum(layer),
             addResult(update, "v" + n, RegionClass::OptimizerState));
  return dx;
}

int ChainProblem::addValue(const std::string &name, RegionClass kind) {
  StepValue value;
  value.info = {name, ElementType::F32, {4, 4}};
  value.kind = kind;
  step.values.push_back(value);
  return step.values.size() - 1;
}

int ChainProblem::addTask(int layer, TaskKind kind) {
  Task task;
  task.name = "l" + std::to_string(layer) + "." + letter(kind).str();
  task.kind = kind;
  task.layer = layer;
  graph.tasks.push_back(task);
  return graph.tasks.size() - 1;
}

int ChainProblem::addKernel(int task, KernelId id,
                            std::vector<StepUse> operands) {
  StepKernel kernel;
  kernel.id = id;
  kernel.task = task;
  kernel.operands.assign(operands.begin(), operands.end());
  step.kernels.push_back(kernel);
  return step.kernels.size() - 1;
}

int ChainProblem::addResult(int kernel, const std::string &name,
                            RegionClass kind) {
  int value = addValue(name, kind);
  step.values[value].kernel = kernel;
  step.kernels[kernel].results.push_back(value);
  return value;
}

int ChainProblem::addInput(const std::string &name, BindingKind kind) {
  int value = addValue(name, RegionClass::Activation);
  step.values[value].input = program.bindings.size();
  program.bindings.push_back(
      {name, kind, uint32_t(program.regions.size()), ElementType::F32, {4, 4}});
  program.regions.push_back({RegionClass::HostInput, kHostProcessor, 64, 64});
  return value;
}

int ChainProblem::addParameter(const std::string &name, ParameterKind kind) {
  Parameter parameter;
  parameter.name = name;
  parameter.kind = kind;
  parameter.readValue = addValue(name + ".read", RegionClass::Parameter);
  program.parameters.push_back(parameter);
  return program.parameters.size() - 1;
}

void ChainProblem::setVersion(int parameter, int value) {
  program.parameters[parameter].writeValue = value;
  step.values[value].parameter = parameter;
}

void ChainProblem::addGraphValues() {
  std::vector<llvm::SmallVector<Use, 3>> uses(step.values.size());
  for (const StepKernel &kernel : step.kernels)
    for (const StepUse &use : kernel.operands)
      uses[use.value].push_back({kernel.task, use.distance, false});
  for (auto [index, value] : llvm::enumerate(step.values))
    if (value.kernel >= 0)
      graph.values.push_back({value.info.name,
                              ValueClass::Activation,
                              step.kernels[value.kernel].task,
                              64,
                              uses[index],
                              {}});
}

int64_t ChainProblem::transferTime(int from, int to) const {
  return machine.transferCycles(from, to, 64) +
         machine.transferLatency(from, to);
}

/// When everything that a task needs from its own minibatch is there.
int64_t ChainProblem::earliest(const Schedule &schedule, int task) const {
  int64_t at = 0;
  const Placement &here = schedule.tasks[task];
  for (const Value &value : graph.values)
    for (const Use &use : value.uses) {
      if (use.task != task || use.distance > 0 || value.producer == task)
        continue;
      const Placement &from = schedule.tasks[value.producer];
      at = std::max(at, from.start + from.cycles +
                            transferTime(from.processor, here.processor));
    }
  return at;
}

bool ChainProblem::holds(const Schedule &schedule) const {
  for (const Value &value : graph.values)
    for (const Use &use : value.uses) {
      const Placement &from = schedule.tasks[value.producer];
      const Placement &to = schedule.tasks[use.task];
      if (use.task != value.producer &&
          to.start + use.distance * schedule.interval <
              from.start + from.cycles +
                  transferTime(from.processor, to.processor))
        return false;
    }
  return true;
}

/// Occupies a task's cycles; false where they are taken. A task without
/// duration must not stand inside another.
static bool occupy(std::vector<int> &owner, const Placement &at, int task) {
  int64_t n = owner.size();
  if (at.cycles > n)
    return false;
  int64_t first = at.start % n;
  if (at.cycles == 0)
    return owner[first] < 0 || owner[first] != owner[(first + n - 1) % n];
  for (int64_t c = 0; c < at.cycles; ++c)
    if (owner[(first + c) % n] >= 0)
      return false;
  for (int64_t c = 0; c < at.cycles; ++c)
    owner[(first + c) % n] = task;
  return true;
}

Schedule ChainProblem::schedule(llvm::ArrayRef<int> processors, int64_t minimum,
                                std::mt19937 &random, int64_t slack) const {
  Schedule result;
  result.scheduler = "hand";
  result.graph = graph;
  result.delay = options.delay;
  for (int64_t interval = minimum;; ++interval) {
    result.interval = interval;
    result.tasks.assign(graph.tasks.size(), {});
    std::vector<std::vector<int>> owner(options.processors,
                                        std::vector<int>(interval, -1));
    bool placed = true;
    for (auto [index, task] : llvm::enumerate(graph.tasks)) {
      Placement &at = result.tasks[index];
      at.processor = processors[index];
      at.cycles = task.kind == TaskKind::Update ? options.updateCycles
                                                : options.taskCycles;
      at.start = earliest(result, index) + int64_t(random() % (slack + 1));
      int64_t last = at.start + interval;
      while (at.start < last && !occupy(owner[at.processor], at, index))
        ++at.start;
      placed &= at.start < last;
    }
    for (auto [index, at] : llvm::enumerate(result.tasks))
      if (at.cycles == 0)
        placed &= occupy(owner[at.processor], at, index);
    if (placed && holds(result))
      return result;
  }
}

bool ChainProblem::addTransfers(Schedule &schedule,
                                std::mt19937 &random) const {
  using Cycle = std::pair<int64_t, int64_t>; // of a link, in the interval
  std::set<Cycle> taken;
  bool areAlone = true;
  auto cyclesOf = [&](const TransferPlacement &transfer) {
    std::vector<Cycle> result;
    for (int64_t link : machine.linksHeld(transfer.from, transfer.to))
      for (int64_t cycle = 0; cycle < transfer.cycles; ++cycle)
        result.push_back({link, (transfer.start + cycle) % schedule.interval});
    return result;
  };
  auto isFree = [&](const TransferPlacement &transfer) {
    std::set<Cycle> own;
    return llvm::all_of(cyclesOf(transfer), [&](const Cycle &cycle) {
      return taken.count(cycle) == 0 && own.insert(cycle).second;
    });
  };
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    const Placement &from = schedule.tasks[value.producer];
    std::map<int, int64_t> due; // by destination
    for (const Use &use : value.uses) {
      const Placement &to = schedule.tasks[use.task];
      int64_t time = to.start + use.distance * schedule.interval;
      auto [it, isNew] = due.try_emplace(to.processor, time);
      it->second = std::min(it->second, time);
    }
    due.erase(from.processor);
    for (auto [to, time] : due) {
      int64_t end = from.start + from.cycles;
      int64_t starts = time - end - transferTime(from.processor, to) + 1;
      int64_t first = int64_t(random() % uint64_t(starts));
      TransferPlacement transfer{
          static_cast<int>(index),
          from.processor,
          to,
          end + first,
          machine.transferCycles(from.processor, to, value.bytes),
          machine.transferLatency(from.processor, to)};
      for (int64_t more = 1; more < starts && !isFree(transfer); ++more)
        transfer.start = end + (first + more) % starts;
      areAlone &= isFree(transfer);
      llvm::for_each(cyclesOf(transfer),
                     [&](const Cycle &cycle) { taken.insert(cycle); });
      schedule.transfers.push_back(transfer);
    }
  }
  return areAlone;
}

llvm::Expected<Program> ChainProblem::lower(const Schedule &schedule,
                                            SendTime sendTime) const {
  Program result = program;
  result.interval = schedule.interval;
  result.machine = machine.canonicalText();
  if (llvm::Error error =
          placeStep(step, problem(), schedule, result, sendTime))
    return std::move(error);
  return std::move(result);
}
