//===- SimulateTest.cpp ---------------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Simulated times against ones worked out by hand.
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Simulate.h"
#include "PipelineProgram.h"
#include "takt/Machine/Machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace takt;
using namespace takt::test;
using testing::HasSubstr;

namespace {
SimulationResult timesOf(const PipelineOptions &pipeline,
                         uint64_t minibatches = 0) {
  return cantFail(simulate(pipelineProgram(pipeline), {minibatches}));
}

// The first value arrives at 10 + 4 + 3, and processor 1 works 12 cycles on
// each.
TEST(Simulate, ReceiverIsSlowest) {
  SimulationResult result = timesOf({});
  EXPECT_EQ(result.interval, 12u);
  EXPECT_EQ(result.totalCycles, 17 + 12 * result.minibatches);
  EXPECT_THAT(result.busyCycles, testing::ElementsAre(10, 12));
  EXPECT_DOUBLE_EQ(result.utilization, 22 / 24.0);
  for (uint64_t minibatches : {1, 2, 3, 10})
    EXPECT_EQ(timesOf({}, minibatches).totalCycles, 17 + 12 * minibatches);
}

TEST(Simulate, SenderIsSlowest) {
  PipelineOptions options;
  options.reluCycles = 20;
  SimulationResult result = timesOf(options);
  EXPECT_EQ(result.interval, 20u);
  EXPECT_EQ(result.totalCycles, 20 * result.minibatches + 4 + 3 + 12);
}

TEST(Simulate, LinkIsSlowest) {
  PipelineOptions options;
  options.transferCycles = 30;
  SimulationResult result = timesOf(options);
  EXPECT_EQ(result.interval, 30u);
  EXPECT_EQ(result.totalCycles, 10 + 30 * result.minibatches + 3 + 12);
}

// One slot: the next send leaves when the credit is back, 4 + 3 cycles on the
// way and 8 until processor 1 has read what is there.
TEST(Simulate, CreditsHoldTheSenderBack) {
  PipelineOptions options;
  options.arrivalSlots = 1;
  SimulationResult result = timesOf(options);
  EXPECT_EQ(result.interval, 15u);
  EXPECT_EQ(result.totalCycles, 17 + 15 * (result.minibatches - 1) + 12);
}

// One slot on the sender's side: the kernel starts when the link is free.
TEST(Simulate, CompletionHoldsTheSenderBack) {
  PipelineOptions options;
  options.sourceSlots = 1;
  options.transferCycles = 6;
  EXPECT_EQ(timesOf(options).interval, 16u);
}

// y goes back to processor 0 over the same bus, or over a link of its own.
TEST(Simulate, BusIsShared) {
  PipelineOptions options;
  options.transferCycles = 8;
  Program program = pipelineProgram(options);
  TensorRef back = program.kernels[kRelu].operands[0];
  back.offset = 512;
  back.value = Y;
  program.semaphores.push_back({1, 0});
  program.semaphores.push_back({1, 1});
  program.transfers.push_back({program.kernels[kY].results[0], back, 3, 4, 8});
  Instruction &store = find(program, 1, Opcode::Store, 1);
  store.op = Opcode::Send;
  EXPECT_EQ(cantFail(simulate(program)).interval, 12u);

  Machine machine = cantFail(Machine::uniform(2));
  machine.interconnect.topology = Topology::Bus;
  program.machine = machine.canonicalText();
  SimulationResult result = cantFail(simulate(program));
  EXPECT_EQ(result.interval, 16u);
  EXPECT_EQ(result.communicationBytes, 32u);
}

TEST(Simulate, MemoryBytesAndStaleness) {
  PipelineOptions options;
  options.delay = 3;
  SimulationResult result = timesOf(options);
  EXPECT_THAT(result.peakMemory, testing::ElementsAre(1024, 2048 + 128));
  EXPECT_EQ(result.communicationBytes, 16u);
  EXPECT_THAT(result.staleness, testing::ElementsAre(testing::Pair("w", 3)));
}

TEST(Simulate, DeadlockNamesBothSides) {
  PipelineOptions options;
  options.stage = 0;
  Program program = pipelineProgram(options);
  find(program, 0, Opcode::Wait, kCredit).b = 0;
  std::string message = toString(simulate(program).takeError());
  EXPECT_THAT(message, HasSubstr("deadlock"));
  EXPECT_THAT(message, HasSubstr("processor 0 waits at pc 4 in trip 0 for "
                                 "processor 1"));
  EXPECT_THAT(message, HasSubstr("processor 1 waits at pc 1 in trip 0 for "
                                 "processor 0"));
}

// The first send has left its link after 14 cycles, and so on.
TEST(Simulate, FenceWaitsForSends) {
  Program program = pipelineProgram();
  std::vector<Instruction> &code = program.code[0];
  code.insert(code.end() - 3, {Opcode::Fence});
  ++code.front().a;
  SimulationResult result = cantFail(simulate(program));
  EXPECT_EQ(result.interval, 14u);
  EXPECT_EQ(result.totalCycles, 14 * result.minibatches + 3 + 12);
}

// A wait behind the last kernel belongs to its trip, with and without a
// checkpoint behind it.
TEST(Simulate, TrailingWaitBelongsToItsTrip) {
  PipelineOptions options;
  options.stage = 0;
  options.transferCycles = 30;
  for (bool hasCheckpoint : {true, false}) {
    Program program = pipelineProgram(options);
    Instruction wait = find(program, 0, Opcode::Wait, kCompletion);
    wait.b = 0;
    std::vector<Instruction> &code = program.code[0];
    code.insert(code.end() - 3, wait);
    ++code.front().a;
    if (!hasCheckpoint)
      for (uint32_t p : {0, 1})
        erase(program, p, Opcode::Checkpoint, 0);
    // Without its reader's time: what is left is the sender's end.
    for (Instruction &i : program.code[1])
      if (i.op == Opcode::Execute || i.op == Opcode::Receive ||
          i.op == Opcode::Signal || i.op == Opcode::Store)
        i.op = Opcode::Nop;
    find(program, 0, Opcode::Wait, kCredit).op = Opcode::Nop;
    SimulationResult result = cantFail(simulate(program, {10}));
    EXPECT_EQ(result.totalCycles, 400u) << hasCheckpoint;
    EXPECT_EQ(result.interval, 40u) << hasCheckpoint;
  }
}

TEST(Simulate, RefusesMoreCyclesThanFit) {
  PipelineOptions options;
  options.reluCycles = uint64_t(1) << 40;
  Expected<SimulationResult> result =
      simulate(pipelineProgram(options), {uint64_t(1) << 24});
  EXPECT_THAT(toString(result.takeError()), HasSubstr("more than 2^63 cycles"));
}

TEST(Simulate, RefusesRunsWithoutEnd) {
  Expected<SimulationResult> result =
      simulate(pipelineProgram(), {uint64_t(1) << 62});
  EXPECT_THAT(toString(result.takeError()), HasSubstr("more than 2^34 steps"));
}
} // namespace
