//===- Sequential.cpp - the reference interpreter -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/Sequential.h"
#include "AlignedMemory.h"
#include "ParameterIndex.h"
#include "Recorder.h"
#include "RunSupport.h"
#include "takt/Runtime/Kernels.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SetVector.h"
#include <cstring>
#include <deque>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

namespace {
/// A task with its kernels, and for an update the gradients that wait.
struct Task {
  std::vector<uint32_t> kernels;
  bool update = false;
  uint32_t delay = 0;
  /// Values that other tasks produce, and their instances of the last `delay`
  /// minibatches, oldest first.
  std::vector<uint32_t> inputs;
  std::deque<std::vector<std::vector<char>>> waiting;
};

class Interpreter {
public:
  Interpreter(const Program &program, const RunOptions &options)
      : program(program), options(options),
        scalars(runTimeScalars(program, options)), index(program),
        recorder(program, options), values(program.values.size()),
        parameters(program.parameters.size()), tasks(program.tasks.size()) {}

  Error prepare();
  Error run();
  RunResult finish();

private:
  Error allocateValues();
  Error allocateParameters();
  Error groupKernels();
  Error findDelay(Task &task, const TaskInfo &info);
  Error checkHostCopies();
  Error checkOrder();

  void load(uint64_t minibatch);
  void store(uint64_t minibatch);
  Error iterate(uint64_t t);
  Error runUpdate(Task &task, uint64_t t);
  Error runTask(const Task &task, uint64_t minibatch);
  Error runKernel(uint32_t kernel, uint64_t minibatch);
  void enqueue(Task &task);
  /// Puts an instance of an update's inputs into the environment.
  void show(const Task &task, const std::vector<std::vector<char>> &instance);
  void commit();

  char *operand(const TensorRef &ref) const {
    int32_t parameter = index.readBy(ref.value);
    return parameter == ParameterIndex::kNone ? values[ref.value].data()
                                              : parameters[parameter].data();
  }
  uint64_t bytesOf(uint32_t value) const {
    int32_t parameter = index.readBy(value);
    return parameter == ParameterIndex::kNone ? values[value].bytes()
                                              : parameters[parameter].bytes();
  }
  bool supplied(const HostCopy &copy) const {
    BindingKind kind = program.bindings[copy.binding].kind;
    return kind == BindingKind::Input || kind == BindingKind::Label;
  }

  const Program &program;
  const RunOptions &options;
  std::vector<double> scalars;
  ParameterIndex index;
  Recorder recorder;
  KernelLibrary kernels;
  std::vector<AlignedMemory> values;     ///< the environment
  std::vector<AlignedMemory> parameters; ///< as the iteration finds them
  std::vector<Task> tasks;
  /// Parameters that this iteration has written, to be read by the next.
  SetVector<uint32_t> written;
  uint32_t longestDelay = 0;
};
} // namespace

Error Interpreter::prepare() {
  if (Error error = allocateValues())
    return error;
  if (Error error = allocateParameters())
    return error;
  if (Error error = groupKernels())
    return error;
  if (Error error = checkHostCopies())
    return error;
  return checkOrder();
}

Error Interpreter::allocateValues() {
  for (auto [i, info] : enumerate(program.values)) {
    uint64_t bytes = elementBytes(info.type);
    for (int64_t d : info.dims)
      bytes *= d;
    Expected<AlignedMemory> memory = AlignedMemory::create(bytes);
    if (!memory)
      return memory.takeError();
    values[i] = std::move(*memory);
  }
  return Error::success();
}

Error Interpreter::allocateParameters() {
  for (uint32_t i = 0; i < program.parameters.size(); ++i) {
    Expected<Array> value = initialValue(program, i, options.weights);
    if (!value)
      return value.takeError();
    Expected<AlignedMemory> memory = AlignedMemory::create(value->data.size());
    if (!memory)
      return memory.takeError();
    std::memcpy(memory->data(), value->data.data(), value->data.size());
    parameters[i] = std::move(*memory);
  }
  return Error::success();
}

Error Interpreter::groupKernels() {
  for (uint32_t k = 0; k < program.kernels.size(); ++k)
    tasks[program.kernels[k].task].kernels.push_back(k);
  for (auto [info, task] : zip(program.tasks, tasks)) {
    task.update = info.kind == TaskKind::Update;
    if (!task.update)
      continue;
    if (Error error = findDelay(task, info))
      return error;
    longestDelay = std::max(longestDelay, task.delay);
  }
  return Error::success();
}

/// Finds the delay of an update task and what it takes from other tasks.
Error Interpreter::findDelay(Task &task, const TaskInfo &info) {
  std::vector<bool> own(program.values.size());
  const Parameter *first = nullptr;
  for (uint32_t k : task.kernels) {
    for (const TensorRef &ref : program.kernels[k].operands)
      if (!own[ref.value] && index.readBy(ref.value) == ParameterIndex::kNone &&
          index.writtenBy(ref.value) == ParameterIndex::kNone &&
          !is_contained(task.inputs, ref.value))
        task.inputs.push_back(ref.value);
    for (const TensorRef &ref : program.kernels[k].results) {
      own[ref.value] = true;
      int32_t p = index.writtenBy(ref.value);
      if (p == ParameterIndex::kNone)
        continue;
      if (program.parameters[p].kind == ParameterKind::Derived)
        p = program.parameters[p].base;
      const Parameter &parameter = program.parameters[p];
      if (parameter.kind != ParameterKind::Trainable)
        continue;
      if (first && first->delay != parameter.delay)
        return createStringError(
            "task '" + info.name + "' updates '" + first->name +
            "' with delay " + Twine(first->delay) + " and '" + parameter.name +
            "' with delay " + Twine(parameter.delay));
      first = &parameter;
    }
  }
  task.delay = first ? first->delay : 0;
  return Error::success();
}

/// What the host copies is as large as its value.
Error Interpreter::checkHostCopies() {
  for (const HostCopy &copy : program.hostCopies) {
    uint32_t value = copy.local.value;
    uint64_t bytes = supplied(copy) ? values[value].bytes() : bytesOf(value);
    if (bytes != static_cast<uint64_t>(copy.local.bytes()))
      return createStringError(
          "value '" + program.values[value].name + "': the host copies " +
          Twine(copy.local.bytes()) + " bytes, it has " + Twine(bytes));
  }
  return Error::success();
}

/// Every operand is a parameter, the host's, or of an earlier kernel, and as
/// large as its value.
Error Interpreter::checkOrder() {
  std::vector<bool> known(program.values.size());
  for (const HostCopy &copy : program.hostCopies)
    if (supplied(copy))
      known[copy.local.value] = true;
  for (auto [info, task] : zip(program.tasks, tasks))
    for (uint32_t k : task.kernels) {
      auto fail = [&, &info = info](const TensorRef &ref, const Twine &why) {
        return createStringError("task '" + info.name + "', value '" +
                                 program.values[ref.value].name + "': " + why);
      };
      const Kernel &kernel = program.kernels[k];
      for (const TensorRef &ref : kernel.operands) {
        int32_t p = index.readBy(ref.value);
        bool isParameter = p != ParameterIndex::kNone;
        if (!isParameter && !known[ref.value])
          return fail(ref, "no earlier task produces it");
        uint64_t bytes = bytesOf(ref.value);
        if (bytes != static_cast<uint64_t>(ref.bytes()))
          return fail(ref, "read as " + Twine(ref.bytes()) + " bytes, it has " +
                               Twine(bytes));
      }
      for (const TensorRef &ref : kernel.results) {
        known[ref.value] = true;
        int32_t p = index.writtenBy(ref.value);
        uint64_t bytes = values[ref.value].bytes();
        if (bytes != static_cast<uint64_t>(ref.bytes()) ||
            (p != ParameterIndex::kNone && parameters[p].bytes() != bytes))
          return fail(ref, "written as " + Twine(ref.bytes()) +
                               " bytes, it has " + Twine(bytes));
      }
    }
  return Error::success();
}

void Interpreter::load(uint64_t minibatch) {
  for (const HostCopy &copy : program.hostCopies)
    if (supplied(copy))
      options.data->fill(copy.binding, minibatch,
                         values[copy.local.value].data());
}

void Interpreter::store(uint64_t minibatch) {
  for (const HostCopy &copy : program.hostCopies)
    if (!supplied(copy))
      recorder.store(copy.binding, minibatch, operand(copy.local));
}

void Interpreter::enqueue(Task &task) {
  std::vector<std::vector<char>> &instance = task.waiting.emplace_back();
  for (uint32_t value : task.inputs) {
    const char *data = values[value].data();
    instance.emplace_back(data, data + values[value].bytes());
  }
}

void Interpreter::show(const Task &task,
                       const std::vector<std::vector<char>> &instance) {
  for (auto [value, bytes] : zip(task.inputs, instance))
    std::memcpy(values[value].data(), bytes.data(), bytes.size());
}

/// Makes what the iteration wrote the parameters of the next.
void Interpreter::commit() {
  for (uint32_t p : written)
    std::swap(parameters[p], values[program.parameters[p].writeValue]);
  written.clear();
}

Error Interpreter::runKernel(uint32_t k, uint64_t minibatch) {
  const Kernel &kernel = program.kernels[k];
  SmallVector<TensorView, 8> operands, results;
  for (const TensorRef &ref : kernel.operands)
    operands.push_back({ref.type, ref.dims, operand(ref)});
  for (const TensorRef &ref : kernel.results) {
    results.push_back({ref.type, ref.dims, values[ref.value].data()});
    int32_t p = index.writtenBy(ref.value);
    if (p != ParameterIndex::kNone)
      written.insert(p);
  }
  if (isOptimizer(kernel.id) && minibatch + 1 == options.iterations) {
    int32_t p = index.writtenBy(kernel.results[0].value);
    if (p != ParameterIndex::kNone)
      recorder.gradient(p, kernel.operands[1], operands[1].data);
  }
  return kernels.run(k, kernel.id, kernel.words, operands, results,
                     {minibatch, scalars});
}

Error Interpreter::runTask(const Task &task, uint64_t minibatch) {
  for (uint32_t k : task.kernels)
    if (Error error = runKernel(k, minibatch))
      return createStringError("minibatch " + Twine(minibatch) + ", task '" +
                               program.tasks[program.kernels[k].task].name +
                               "': " + toString(std::move(error)));
  return Error::success();
}

/// In iteration t, an update with delay d applies the gradient of minibatch
/// t - d.
Error Interpreter::runUpdate(Task &task, uint64_t t) {
  if (task.delay == 0)
    return t < options.iterations ? runTask(task, t) : Error::success();
  bool draining = t >= options.iterations;
  if (!draining)
    enqueue(task);
  if (t < task.delay || t - task.delay >= options.iterations)
    return Error::success();
  show(task, task.waiting.front());
  task.waiting.pop_front();
  Error error = runTask(task, t - task.delay);
  // Later tasks of this iteration expect their own minibatch.
  if (!draining)
    show(task, task.waiting.back());
  return error;
}

Error Interpreter::iterate(uint64_t t) {
  bool draining = t >= options.iterations;
  if (!draining)
    load(t);
  for (Task &task : tasks) {
    if (task.update) {
      if (Error error = runUpdate(task, t))
        return error;
    } else if (!draining) {
      if (Error error = runTask(task, t))
        return error;
    }
  }
  if (!draining)
    store(t);
  commit();
  return Error::success();
}

Error Interpreter::run() {
  for (uint64_t t = 0; t < options.iterations + longestDelay; ++t)
    if (Error error = iterate(t))
      return error;
  return Error::success();
}

RunResult Interpreter::finish() {
  RunResult result;
  for (auto [parameter, memory] : zip(program.parameters, parameters)) {
    if (!isTrained(parameter.kind))
      continue;
    const auto *bytes = reinterpret_cast<const uint8_t *>(memory.data());
    result.parameters.push_back({parameter.name,
                                 arrayType(parameter.home.type),
                                 parameter.home.dims,
                                 {bytes, bytes + memory.bytes()}});
  }
  recorder.finish(result);
  return result;
}

Expected<RunResult> takt::executeSequentially(const Program &program,
                                              const RunOptions &options) {
  if (Error error = checkOptions(program, options))
    return std::move(error);
  Interpreter interpreter(program, options);
  if (Error error = interpreter.prepare())
    return std::move(error);
  if (Error error = interpreter.run())
    return std::move(error);
  return interpreter.finish();
}
