//===- PipelineProgram.cpp - a program made by hand -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PipelineProgram.h"
#include "takt/Machine/Machine.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {
enum RegionNumber : uint32_t {
  HostX,
  HostY,
  Local0,
  Local1,
  Scratch1,
  Weights1
};
enum TaskNumber : uint32_t { F0, F1, W1, U1 };

class Builder {
public:
  explicit Builder(const PipelineOptions &options) : options(options) {}
  Program build();

private:
  TensorRef at(uint32_t value, uint32_t region, uint64_t offset,
               uint32_t slots = 1, int32_t lag = 0);
  void records();
  void kernel(KernelId id, TaskNumber task, uint64_t cycles,
              ArrayRef<TensorRef> operands, const TensorRef &result);
  void kernels();
  void emit(uint32_t processor, Opcode op, uint32_t a = 0, uint32_t b = 0);
  void code();

  PipelineOptions options;
  Program program;
};
} // namespace

TensorRef Builder::at(uint32_t value, uint32_t region, uint64_t offset,
                      uint32_t slots, int32_t lag) {
  TensorRef ref;
  ref.dims = {4};
  ref.region = region;
  ref.offset = offset;
  ref.slots = slots;
  ref.slotStride = 64;
  ref.lag = lag;
  ref.value = value;
  return ref;
}

void Builder::records() {
  program.model = "pipeline";
  program.machine = cantFail(Machine::uniform(2)).canonicalText();
  program.interval = 12;
  program.regions = {{RegionClass::HostInput, kHostProcessor, 64, 64},
                     {RegionClass::HostOutput, kHostProcessor, 64, 64},
                     {RegionClass::Activation, 0, 1024, 64},
                     {RegionClass::Activation, 1, 1024, 64},
                     {RegionClass::Scratch, 1, 128, 64},
                     {RegionClass::Parameter, 1, 1024, 64}};
  program.bindings = {{"x", BindingKind::Input, HostX, ElementType::F32, {4}},
                      {"y", BindingKind::Output, HostY, ElementType::F32, {4}}};
  program.scalars = {{"learning_rate", 0.1}, {"iterations", 1}};
  program.semaphores = {{0, 1}, {0, 0}, {1, 0}};
  for (const char *name : {"x", "a", "h", "k", "y", "g", "w", "w.new"})
    program.values.push_back({name, ElementType::F32, {4}});
  program.layers = {"first", "second"};
  program.tasks = {{"first.F", TaskKind::Forward, 0, 0, 0, 10},
                   {"second.F", TaskKind::Forward, 1, 1, 12, 6},
                   {"second.W", TaskKind::Wgrad, 1, 1, 18, 2},
                   {"second.U", TaskKind::Update, 1, 1, 20, 4}};
}

void Builder::kernel(KernelId id, TaskNumber task, uint64_t cycles,
                     ArrayRef<TensorRef> operands, const TensorRef &result) {
  Kernel kernel;
  kernel.id = id;
  kernel.task = task;
  kernel.cycles = cycles;
  if (id == KernelId::Sgd)
    kernel.words = {0, 0x3F800000, 0};
  kernel.operands.assign(operands.begin(), operands.end());
  kernel.results = {result};
  program.kernels.push_back(kernel);
}

void Builder::kernels() {
  int32_t lag = -1 - int32_t(options.delay);
  uint32_t versions = options.delay + 1;
  TensorRef x = at(X, Local0, 0), a = at(A, Local0, 64, options.sourceSlots);
  TensorRef arrived = at(A, Local1, 0, options.arrivalSlots);
  TensorRef h = at(H, Scratch1, 0), k = at(K, Scratch1, 64),
            g = at(G, Scratch1, 0), y = at(Y, Local1, 512);
  TensorRef newW = at(NewW, Weights1, 0, versions);
  kernel(KernelId::Relu, F0, options.reluCycles, {x}, a);
  kernel(KernelId::Relu, F1, 2, {arrived}, h);
  kernel(KernelId::Relu, F1, 1, {arrived}, k);
  kernel(KernelId::Mul, F1, 3, {h, at(W, Weights1, 0, versions, lag)}, y);
  kernel(KernelId::Mul, W1, 2, {y, k}, g);
  kernel(KernelId::Sgd, U1, 4, {at(W, Weights1, 0, versions, -1), g}, newW);
  program.transfers = {{a, arrived, kArrival, kCompletion,
                        options.transferCycles, options.transferLatency}};
  program.hostCopies = {{0, x}, {1, y}};

  Parameter w;
  w.name = "w";
  w.kind = ParameterKind::Trainable;
  w.layer = 1;
  w.delay = options.delay;
  w.home = newW;
  w.readValue = W;
  w.writeValue = NewW;
  program.parameters = {w};
  program.initializers = {{0, newW, 0, 0}};
}

void Builder::emit(uint32_t processor, Opcode op, uint32_t a, uint32_t b) {
  Instruction instruction{op};
  instruction.stage = processor == 1 ? options.stage : 0;
  instruction.a = a;
  instruction.b = b;
  program.code[processor].push_back(instruction);
}

void Builder::code() {
  program.code.resize(2);
  emit(0, Opcode::Load, 0);
  emit(0, Opcode::Wait, kCompletion, options.sourceSlots);
  emit(0, Opcode::Execute, kRelu);
  emit(0, Opcode::Wait, kCredit, options.arrivalSlots);
  emit(0, Opcode::Send, 0);
  emit(1, Opcode::Receive, 0);
  for (uint32_t number : {kH, kK, kY, kG})
    emit(1, Opcode::Execute, number);
  emit(1, Opcode::Signal, kCredit);
  emit(1, Opcode::Execute, kUpdate);
  emit(1, Opcode::Store, 1);
  for (std::vector<Instruction> &stream : program.code) {
    stream.push_back({Opcode::Checkpoint});
    stream.insert(stream.begin(), {Opcode::Loop, 0, 0, uint32_t(stream.size()),
                                   options.stage, 1});
    stream.push_back({Opcode::EndLoop});
    stream.push_back({Opcode::Halt});
  }
}

Program Builder::build() {
  records();
  kernels();
  code();
  return program;
}

Program takt::test::pipelineProgram(const PipelineOptions &options) {
  return Builder(options).build();
}

Instruction &takt::test::find(Program &program, uint32_t processor, Opcode op,
                              uint32_t operand) {
  return *find_if(program.code[processor], [&](const Instruction &i) {
    return i.op == op && i.a == operand;
  });
}

void takt::test::erase(Program &program, uint32_t processor, Opcode op,
                       uint32_t operand) {
  std::vector<Instruction> &code = program.code[processor];
  size_t pc = &find(program, processor, op, operand) - code.data();
  code.erase(code.begin() + pc);
  --code.front().a;
}
