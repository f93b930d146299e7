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
#include "TensorParts.h"
#include "takt/Runtime/Kernels.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>
#include <queue>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

namespace {
/// The versions of a parameter that are still read, by the minibatch that makes
/// them; below 0 it is the initial value.
class History {
public:
  /// Fails if there is no memory for them.
  static Expected<History> create(ArrayRef<uint8_t> initial, size_t count) {
    History history;
    for (size_t i = 0; i < count; ++i) {
      Expected<AlignedMemory> memory = AlignedMemory::create(initial.size());
      if (!memory)
        return memory.takeError();
      std::memcpy(memory->data(), initial.data(), initial.size());
      history.slots.push_back(std::move(*memory));
    }
    return std::move(history);
  }

  const AlignedMemory &of(int64_t minibatch) const {
    return slots[(std::max<int64_t>(minibatch, -1) + 1) % slots.size()];
  }

private:
  std::vector<AlignedMemory> slots;
};

class Interpreter {
public:
  Interpreter(const Program &program, const RunOptions &options)
      : program(program), options(options),
        scalars(runTimeScalars(program, options)), index(program),
        recorder(program, options), values(program.values.size()),
        tasks(program.tasks.size()) {}

  Error prepare();
  Error run();
  RunResult finish();

private:
  Error allocateValues();
  Error allocateParameters();
  void groupKernels();
  Error orderTasks();
  Error checkHostCopies();
  Error checkOrder();

  void load(uint64_t minibatch);
  void store(uint64_t minibatch);
  Error runTask(ArrayRef<uint32_t> kernels, uint64_t minibatch);
  Error runKernel(uint32_t kernel, uint64_t minibatch);

  bool isUpdated(const Parameter &parameter) const {
    return parameter.writeValue != parameter.readValue;
  }
  /// What a task of that kind finds under a value's number.
  char *operand(uint32_t value, TaskKind reader, uint64_t minibatch) const {
    int32_t p = index.readBy(value);
    if (p == ParameterIndex::kNone)
      return result(value, minibatch);
    const Parameter &parameter = program.parameters[p];
    int64_t distance =
        isUpdated(parameter) ? readDistance(parameter, reader) : 0;
    return parameters[p].of(int64_t(minibatch) - distance).data();
  }
  /// Where a task puts that value: a parameter's next version, or the value.
  char *result(uint32_t value, uint64_t minibatch) const {
    int32_t p = index.writtenBy(value);
    return p == ParameterIndex::kNone ? values[value].data()
                                      : parameters[p].of(minibatch).data();
  }
  uint64_t bytesOf(uint32_t value) const {
    int32_t parameter = index.readBy(value);
    return parameter == ParameterIndex::kNone
               ? values[value].bytes()
               : parameters[parameter].of(0).bytes();
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
  std::vector<AlignedMemory> values; ///< of the minibatch that runs
  std::vector<History> parameters;
  std::vector<std::vector<uint32_t>> tasks; ///< their kernels
  std::vector<size_t> order;                ///< of tasks, in a minibatch
};
} // namespace

Error Interpreter::prepare() {
  if (Error error = allocateValues())
    return error;
  if (Error error = allocateParameters())
    return error;
  groupKernels();
  if (Error error = orderTasks())
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
  for (auto [i, parameter] : enumerate(program.parameters)) {
    Expected<InitialValue> value = initialValue(program, i, options.weights);
    if (!value)
      return value.takeError();
    // From the oldest that is read to the one being made.
    uint64_t distance =
        isUpdated(parameter) ? readDistance(parameter, TaskKind::Forward) : 0;
    Expected<History> history = History::create(
        value->view().data, std::min(distance, options.iterations) + 1);
    if (!history)
      return history.takeError();
    parameters.push_back(std::move(*history));
  }
  return Error::success();
}

void Interpreter::groupKernels() {
  for (uint32_t k = 0; k < program.kernels.size(); ++k)
    tasks[program.kernels[k].task].push_back(k);
}

/// Tasks follow each other as the program lists them, but for those that read
/// what an update of the same minibatch makes: they, and whoever needs them,
/// wait for that.
Error Interpreter::orderTasks() {
  std::vector<int64_t> producer(program.values.size(), -1);
  for (auto [task, kernels] : enumerate(tasks))
    for (uint32_t k : kernels)
      for (const TensorRef &ref : program.kernels[k].results)
        producer[ref.value] = task;
  std::vector<SmallVector<uint32_t, 4>> after(tasks.size());
  std::vector<uint32_t> waiting(tasks.size());
  auto wait = [&](size_t task, int64_t before) {
    after[before].push_back(task);
    ++waiting[task];
  };
  for (auto [task, kernels] : enumerate(tasks))
    for (uint32_t k : kernels)
      for (const TensorRef &ref : program.kernels[k].operands) {
        int32_t p = index.readBy(ref.value);
        int64_t before = producer[ref.value];
        if (p != ParameterIndex::kNone) {
          const Parameter &parameter = program.parameters[p];
          TaskKind kind = program.tasks[task].kind;
          if (isUpdated(parameter) && readDistance(parameter, kind) == 0)
            wait(task, producer[parameter.writeValue]);
        } else if (before >= 0 && size_t(before) < task) {
          wait(task, before);
        }
      }
  std::priority_queue<size_t, std::vector<size_t>, std::greater<>> ready;
  for (auto [task, count] : enumerate(waiting))
    if (count == 0)
      ready.push(task);
  while (!ready.empty()) {
    order.push_back(ready.top());
    ready.pop();
    for (uint32_t task : after[order.back()])
      if (--waiting[task] == 0)
        ready.push(task);
  }
  if (order.size() == tasks.size())
    return Error::success();
  size_t stuck =
      find_if(waiting, [](uint32_t n) { return n > 0; }) - waiting.begin();
  return createStringError("task '" + program.tasks[stuck].name +
                           "' waits for itself");
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
  for (size_t task : order)
    for (uint32_t k : tasks[task]) {
      auto fail = [&](const TensorRef &ref, const Twine &why) {
        return createStringError("task '" + program.tasks[task].name +
                                 "', value '" + program.values[ref.value].name +
                                 "': " + why);
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
            (p != ParameterIndex::kNone &&
             parameters[p].of(0).bytes() != bytes))
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
      recorder.store(copy.binding, minibatch,
                     operand(copy.local.value, TaskKind::Forward, minibatch));
}

Error Interpreter::runKernel(uint32_t k, uint64_t minibatch) {
  const Kernel &kernel = program.kernels[k];
  TaskKind kind = program.tasks[kernel.task].kind;
  SmallVector<TensorView, 8> operands, results;
  for (const TensorRef &ref : kernel.operands)
    operands.push_back(
        {ref.type, ref.dims, operand(ref.value, kind, minibatch)});
  for (const TensorRef &ref : kernel.results)
    results.push_back({ref.type, ref.dims, result(ref.value, minibatch)});
  if (options.keepGradients && isOptimizer(kernel.id) &&
      minibatch + 1 == options.iterations) {
    int32_t p = index.writtenBy(kernel.results[0].value);
    if (p != ParameterIndex::kNone)
      recorder.gradient(p, kernel.operands[1], operands[1].data);
  }
  return timedCall(options.profile, k, [&] {
    return kernels.run(k, kernel.id, kernel.words, operands, results,
                       index.contextOf(program, kernel, minibatch, scalars));
  });
}

Error Interpreter::runTask(ArrayRef<uint32_t> kernels, uint64_t minibatch) {
  for (uint32_t k : kernels)
    if (Error error = runKernel(k, minibatch))
      return createStringError("minibatch " + Twine(minibatch) + ", task '" +
                               program.tasks[program.kernels[k].task].name +
                               "': " + toString(std::move(error)));
  return Error::success();
}

Error Interpreter::run() {
  for (uint64_t minibatch = 0; minibatch < options.iterations; ++minibatch) {
    load(minibatch);
    for (size_t task : order)
      if (Error error = runTask(tasks[task], minibatch))
        return error;
    store(minibatch);
    if (options.profile)
      options.profile->endIteration(0);
  }
  return Error::success();
}

RunResult Interpreter::finish() {
  RunResult result;
  recorder.finish(result);
  if (!options.keepParameters)
    return result;
  std::vector<Part> parts;
  for (auto [number, parameter, history] :
       enumerate(program.parameters, parameters)) {
    if (!isReturned(parameter, options.weights))
      continue;
    const AlignedMemory &memory = history.of(int64_t(options.iterations) - 1);
    const auto *bytes = reinterpret_cast<const uint8_t *>(memory.data());
    parts.push_back({static_cast<uint32_t>(number),
                     {parameter.name,
                      parameter.home.type,
                      parameter.home.dims,
                      {bytes, bytes + memory.bytes()}}});
  }
  result.parameters = joinParts(program, std::move(parts));
  return result;
}

Expected<RunResult> takt::executeSequentially(const Program &program,
                                              const RunOptions &options) {
  if (Error error = checkOptions(program, options))
    return std::move(error);
  Interpreter interpreter(program, options);
  if (Error error = interpreter.prepare())
    return std::move(error);
  if (options.onInitialized)
    options.onInitialized();
  if (Error error = interpreter.run())
    return std::move(error);
  return interpreter.finish();
}
