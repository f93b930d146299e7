//===- LinearProgram.cpp - programs made by hand for tests ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LinearProgram.h"
#include "takt/Machine/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/bit.h"
#include <algorithm>
#include <map>

using namespace llvm;
using namespace takt;
using takt::test::kSlots;

namespace {
enum TaskNumber { F, L, W, U, kTasks };
enum ValueNumber : uint32_t {
  X,
  Target,
  Weights,
  NewWeights,
  Y,
  Loss,
  Dy,
  Gradient,
  Half,
  NewHalf,
  HalfY
};

class Builder {
public:
  explicit Builder(const test::LinearOptions &options) : options(options) {}
  Program build();

private:
  void values();
  void parameter(StringRef name, ParameterKind kind, uint32_t read,
                 uint32_t write);
  TensorRef place(uint32_t value, uint32_t processor);
  TensorRef use(uint32_t value, TaskNumber task);
  void kernel(TaskNumber task, KernelId id, ArrayRef<uint32_t> words,
              ArrayRef<uint32_t> operands, ArrayRef<uint32_t> results);
  void carry(uint32_t value, TaskNumber from, TaskNumber to);
  void host(uint32_t binding, uint32_t value, TaskNumber task, Opcode op);
  void emit(TaskNumber task, unsigned position, Opcode op, uint32_t a,
            uint32_t b = 0);
  uint32_t semaphore(uint32_t writer, uint32_t waiter);
  uint32_t stage(TaskNumber task) const {
    constexpr std::array<uint32_t, kTasks> halves = {0, 1, 2, 2};
    return options.delay * halves[task] / 2;
  }
  /// By how many minibatches a value is older than its reader.
  uint32_t distance(uint32_t value, TaskNumber task) const {
    if (value == Weights || value == Half)
      return task == U ? 1 : 1 + options.delay;
    return 0;
  }
  /// Reader's and writer's number of a parameter name the same ring.
  static uint32_t ring(uint32_t value) {
    return value == NewWeights ? uint32_t(Weights)
           : value == NewHalf  ? uint32_t(Half)
                               : value;
  }

  test::LinearOptions options;
  Program program;
  std::map<std::pair<uint32_t, uint32_t>, TensorRef> rings;
  /// By processor: the loop's instructions by their place in a trip.
  std::map<uint32_t, std::multimap<unsigned, Instruction>> code;
};
} // namespace

std::vector<float> takt::test::initialWeights() {
  return {0.5f, -0.25f, 0.125f, 1.0f, -0.75f, 0.375f};
}

void Builder::values() {
  using test::kBatch, test::kInputs, test::kOutputs;
  auto add = [&](StringRef name, ArrayRef<int64_t> dims) {
    program.values.push_back(
        {name.str(), ElementType::F32, SmallVector<int64_t, 4>(dims)});
  };
  add("x", {kBatch, kInputs});
  add("target", {kBatch, kOutputs});
  add("weight", {kInputs, kOutputs});
  add("weight.new", {kInputs, kOutputs});
  add("y", {kBatch, kOutputs});
  add("loss", {});
  add("dy", {kBatch, kOutputs});
  add("dw", {kInputs, kOutputs});
  add("half", {kInputs, kOutputs / 2});
  add("half.new", {kInputs, kOutputs / 2});
  add("half_y", {kBatch, kOutputs / 2});
}

/// The ring of a value in a processor's memory; made at the first call.
TensorRef Builder::place(uint32_t value, uint32_t processor) {
  auto [it, isNew] = rings.try_emplace({ring(value), processor});
  TensorRef &ref = it->second;
  if (isNew) {
    constexpr uint64_t kStride = 64;
    ref.type = ElementType::F32;
    ref.dims = program.values[value].dims;
    bool isParameter = ring(value) == Weights || ring(value) == Half;
    ref.region = processor * 2 + isParameter;
    ref.offset = program.regions[ref.region].size;
    ref.slots = kSlots;
    ref.slotStride = kStride;
    ref.value = value;
    program.regions[ref.region].size += kSlots * kStride;
    if (isParameter)
      program.initializers.push_back({0, ref, 1, 0});
  }
  TensorRef result = ref;
  result.value = value;
  return result;
}

TensorRef Builder::use(uint32_t value, TaskNumber task) {
  TensorRef ref = place(value, options.processor[task]);
  ref.lag = -static_cast<int32_t>(distance(value, task));
  return ref;
}

void Builder::emit(TaskNumber task, unsigned position, Opcode op, uint32_t a,
                   uint32_t b) {
  Instruction instruction{op};
  instruction.stage = static_cast<uint16_t>(stage(task));
  instruction.a = a;
  instruction.b = b;
  code[options.processor[task]].emplace(task * 10 + position, instruction);
}

void Builder::kernel(TaskNumber task, KernelId id, ArrayRef<uint32_t> words,
                     ArrayRef<uint32_t> operands, ArrayRef<uint32_t> results) {
  Kernel kernel;
  kernel.id = id;
  kernel.task = task;
  kernel.words.assign(words.begin(), words.end());
  for (uint32_t value : operands)
    kernel.operands.push_back(use(value, task));
  for (uint32_t value : results)
    kernel.results.push_back(place(value, options.processor[task]));
  emit(task, 5, Opcode::Execute, program.kernels.size());
  program.kernels.push_back(kernel);
}

uint32_t Builder::semaphore(uint32_t writer, uint32_t waiter) {
  program.semaphores.push_back({writer, waiter});
  return program.semaphores.size() - 1;
}

/// Sends a value to another processor when its producer has run, and makes its
/// consumer wait for it. `from` writes instance j, `to` reads j - distance.
void Builder::carry(uint32_t value, TaskNumber from, TaskNumber to) {
  uint32_t sender = options.processor[from], receiver = options.processor[to];
  if (sender == receiver)
    return;
  uint32_t read = value == NewWeights ? uint32_t(Weights)
                  : value == NewHalf  ? uint32_t(Half)
                                      : value;
  uint32_t back = distance(read, to);
  uint32_t arrival = semaphore(sender, receiver);
  uint32_t completion = semaphore(sender, sender);
  uint32_t freed = semaphore(receiver, sender);
  uint32_t transfer = program.transfers.size();
  program.transfers.push_back(
      {place(value, sender), place(value, receiver), arrival, completion});
  emit(from, 2, Opcode::Wait, completion, kSlots);
  // The slot held instance j - slots, whose last reader is minibatch
  // j - slots + distance.
  emit(from, 6, Opcode::Wait, freed, kSlots - back);
  emit(from, 7, Opcode::Send, transfer);
  if (back == 0)
    emit(to, 1, Opcode::Receive, transfer);
  else
    emit(to, 1, Opcode::Wait, arrival, back);
  emit(to, 9, Opcode::Signal, freed);
}

void Builder::host(uint32_t binding, uint32_t value, TaskNumber task,
                   Opcode op) {
  uint32_t index = program.hostCopies.size();
  program.hostCopies.push_back(
      {binding, place(value, options.processor[task])});
  emit(task, op == Opcode::Load ? 0 : 8, op, index);
}

void Builder::parameter(StringRef name, ParameterKind kind, uint32_t read,
                        uint32_t write) {
  Parameter parameter;
  parameter.name = name.str();
  parameter.kind = kind;
  parameter.delay = options.delay;
  parameter.home = place(read, options.processor[U]);
  parameter.readValue = read;
  parameter.writeValue = write;
  parameter.axis = 1;
  parameter.splat = false;
  program.parameters.push_back(parameter);
}

Program Builder::build() {
  using test::kBatch, test::kOutputs;
  uint32_t processors =
      *std::max_element(options.processor.begin(), options.processor.end()) + 1;
  program.model = "linear";
  program.machine = cantFail(Machine::uniform(processors)).canonicalText();
  program.interval = 10;
  program.batch = kBatch;
  values();
  for (uint32_t p = 0; p < processors; ++p) {
    program.regions.push_back({RegionClass::Activation, p, 0, 64});
    program.regions.push_back({RegionClass::Parameter, p, 0, 64});
  }
  auto bind = [&](uint32_t value, BindingKind kind) {
    bool isInput = kind == BindingKind::Input || kind == BindingKind::Label;
    uint32_t region = program.regions.size();
    program.regions.push_back(
        {isInput ? RegionClass::HostInput : RegionClass::HostOutput,
         kHostProcessor, 64, 64});
    program.bindings.push_back({program.values[value].name, kind, region,
                                ElementType::F32, program.values[value].dims});
  };
  bind(X, BindingKind::Input);
  bind(Target, BindingKind::Label);
  bind(Loss, BindingKind::Loss);
  bind(Y, BindingKind::Output);
  program.scalars = {{"learning_rate", test::kLearningRate}, {"iterations", 1}};
  program.layers = {"linear"};
  for (auto [name, kind, p] :
       {std::tuple("linear.F", TaskKind::Forward, options.processor[F]),
        std::tuple("loss.F", TaskKind::Forward, options.processor[L]),
        std::tuple("linear.W", TaskKind::Wgrad, options.processor[W]),
        std::tuple("linear.U", TaskKind::Update, options.processor[U])})
    program.tasks.push_back({name, kind, 0, p, 0, 1});

  const uint32_t one = bit_cast<uint32_t>(1.0f), zero = 0;
  parameter("weight", ParameterKind::Trainable, Weights, NewWeights);
  host(0, X, F, Opcode::Load);
  if (options.processor[F] != options.processor[W])
    host(0, X, W, Opcode::Load);
  host(1, Target, L, Opcode::Load);
  kernel(F, KernelId::Gemm, {0, 0, one, zero}, {X, Weights}, {Y});
  kernel(L, KernelId::MeanSquaredError, {}, {Y, Target}, {Loss, Dy});
  kernel(W, KernelId::Gemm, {1, 0, one, zero}, {X, Dy}, {Gradient});
  kernel(U, KernelId::Sgd, {zero, one, zero}, {Weights, Gradient},
         {NewWeights});
  if (options.derived) {
    parameter("half", ParameterKind::Derived, Half, NewHalf);
    bind(HalfY, BindingKind::Output);
    kernel(U, KernelId::Slice, {1, 0}, {NewWeights}, {NewHalf});
    kernel(F, KernelId::Gemm, {0, 0, one, zero}, {X, Half}, {HalfY});
    host(4, HalfY, F, Opcode::Store);
    carry(NewHalf, U, F);
  }
  host(2, Loss, L, Opcode::Store);
  host(3, Y, F, Opcode::Store);
  carry(Y, F, L);
  carry(Dy, L, W);
  carry(Gradient, W, U);
  carry(NewWeights, U, F);

  std::vector<uint8_t> data;
  for (float weight : test::initialWeights())
    append_range(data, bit_cast<std::array<uint8_t, 4>>(weight));
  program.data = InitialData(std::move(data));
  for (uint32_t p = 0; p < processors; ++p) {
    const auto &body = code[p];
    std::vector<Instruction> &stream = program.code.emplace_back();
    stream.push_back({Opcode::Loop, 0, 0,
                      static_cast<uint32_t>(body.size() + 1), stage(U), 1});
    for (const auto &[place, instruction] : body)
      stream.push_back(instruction);
    stream.push_back({Opcode::Checkpoint});
    stream.push_back({Opcode::EndLoop});
    stream.push_back({Opcode::Halt});
  }
  return program;
}

Program takt::test::linearProgram(const LinearOptions &options) {
  return Builder(options).build();
}
