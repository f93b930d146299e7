//===- Processor.cpp - interprets one instruction stream ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Processor.h"
#include "llvm/ADT/StringExtras.h"
#include <cstring>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

void Processor::run() {
  if (machine.resumed)
    resume();
  while (pc < code.size()) {
    const Instruction &instruction = code[pc];
    minibatch = inLoop ? trip - instruction.stage : 0;
    bool idle = inLoop && instruction.op != Opcode::EndLoop &&
                (trip < instruction.stage || minibatch >= minibatches);
    if (idle)
      ++pc;
    else if (machine.synchronizer.hasFailed() || !step(instruction))
      break;
  }
  machine.synchronizer.finish(number);
}

bool Processor::step(const Instruction &instruction) {
  Synchronizer &synchronizer = machine.synchronizer;
  bool goOn = true;
  switch (instruction.op) {
  case Opcode::Execute:
    goOn = execute(instruction.a);
    break;
  case Opcode::Load:
    load(instruction.a);
    break;
  case Opcode::Store:
    store(instruction.a);
    break;
  case Opcode::Send:
    goOn = send(instruction.a);
    break;
  case Opcode::Receive:
    goOn = synchronizer.wait(
        number, pc, program.transfers[instruction.a].arrival, minibatch + 1);
    break;
  case Opcode::Wait:
    // The first b minibatches find the semaphore far enough.
    if (minibatch + 1 > instruction.b)
      goOn = synchronizer.wait(number, pc, instruction.a,
                               minibatch + 1 - instruction.b);
    break;
  case Opcode::Signal:
    synchronizer.add(instruction.a);
    break;
  case Opcode::Barrier:
    goOn = synchronizer.barrier(number, pc, instruction.a);
    break;
  case Opcode::Loop:
    return beginLoop(instruction);
  case Opcode::EndLoop:
    endLoop();
    return true;
  case Opcode::Checkpoint:
    goOn = checkpoint();
    break;
  case Opcode::Fence: // a send is complete when it has been executed
  case Opcode::Nop:
    break;
  case Opcode::Halt:
    if (instruction.a != 0)
      fail("halted with status " + Twine(instruction.a));
    return false;
  }
  ++pc;
  return goOn;
}

bool Processor::fail(const Twine &message) {
  machine.synchronizer.fail(createStringError(
      "processor " + Twine(number) + ", pc " + Twine(pc) + ": " + message));
  return false;
}

bool Processor::execute(uint32_t index) {
  const Kernel &kernel = program.kernels[index];
  auto view = [&](const TensorRef &ref) {
    return TensorView{ref.type, ref.dims,
                      machine.memory.address(ref, minibatch)};
  };
  SmallVector<TensorView, 8> operands(map_range(kernel.operands, view));
  SmallVector<TensorView, 8> results(map_range(kernel.results, view));
  machine.versions.beforeKernel(index, minibatch);
  if (machine.options.keepGradients && isOptimizer(kernel.id) &&
      minibatch + 1 == machine.options.iterations) {
    int32_t parameter = machine.parameters.writtenBy(kernel.results[0].value);
    if (parameter != ParameterIndex::kNone)
      machine.recorder.gradient(parameter, kernel.operands[1],
                                operands[1].data);
  }
  KernelContext context =
      machine.parameters.contextOf(program, kernel, minibatch, machine.scalars);
  Error error = timedCall(machine.options.profile, index, [&] {
    return kernels.run(index, kernel.id, kernel.words, operands, results,
                       context);
  });
  if (error)
    return fail("minibatch " + Twine(minibatch) + ", task '" +
                program.tasks[kernel.task].name +
                "': " + toString(std::move(error)));
  return true;
}

bool Processor::send(uint32_t index) {
  const Transfer &transfer = program.transfers[index];
  machine.versions.beforeTransfer(index, minibatch);
  std::memcpy(machine.memory.address(transfer.destination, minibatch),
              machine.memory.address(transfer.source, minibatch),
              transfer.source.bytes());
  machine.synchronizer.add(transfer.arrival);
  machine.synchronizer.add(transfer.completion);
  return true;
}

void Processor::load(uint32_t index) {
  const HostCopy &copy = program.hostCopies[index];
  machine.options.data->fill(copy.binding, minibatch,
                             machine.memory.address(copy.local, minibatch));
}

void Processor::store(uint32_t index) {
  const HostCopy &copy = program.hostCopies[index];
  machine.recorder.store(copy.binding, minibatch,
                         machine.memory.address(copy.local, minibatch));
}

bool Processor::checkpoint() {
  const CheckpointOptions &options = machine.options.checkpoint;
  if (options.directory.empty() || !inLoop)
    return true;
  uint64_t done = trip + 1;
  if (done != machine.options.iterations &&
      (options.every == 0 || done % options.every != 0))
    return true;
  // Each processor writes only its own entry; the last to arrive saves.
  machine.state.pc[number] = static_cast<uint32_t>(pc);
  return machine.synchronizer.meet(number, pc, [&]() -> Error {
    machine.state.trips = done;
    return saveCheckpoint(options, machine.state);
  });
}

size_t Processor::matchingEnd(size_t loop) const {
  size_t end = loop + 1;
  while (end < code.size() && code[end].op != Opcode::EndLoop)
    ++end;
  return end;
}

uint64_t Processor::tripCount(const Instruction &loop,
                              uint64_t &minibatches) const {
  // Scalars are the host's: nothing but a whole number in range is a count.
  constexpr double kMaxCount = int64_t(1) << 53;
  double scalar = machine.scalars[loop.c];
  minibatches = scalar >= 0 && scalar <= kMaxCount ? scalar : 0;
  return minibatches + loop.b;
}

bool Processor::beginLoop(const Instruction &instruction) {
  if (inLoop)
    return fail("a loop inside a loop");
  loopStart = pc;
  trip = 0;
  trips = tripCount(instruction, minibatches);
  inLoop = trips != 0;
  pc = inLoop ? pc + 1 : matchingEnd(pc) + 1;
  return true;
}

void Processor::endLoop() {
  if (machine.options.profile)
    machine.options.profile->endIteration(number);
  if (inLoop && ++trip < trips) {
    pc = loopStart + 1;
    return;
  }
  inLoop = false;
  trip = 0;
  ++pc;
}

void Processor::resume() {
  pc = machine.state.pc[number];
  for (size_t i = 0; i < pc; ++i) {
    if (code[i].op == Opcode::Loop)
      loopStart = i;
    if (code[i].op == Opcode::Loop || code[i].op == Opcode::EndLoop)
      inLoop = code[i].op == Opcode::Loop;
  }
  if (inLoop)
    trips = tripCount(code[loopStart], minibatches);
  trip = machine.state.trips - 1;
  ++pc;
}
