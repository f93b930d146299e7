//===- ValidateTest.cpp ---------------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One sound program is accepted; each test breaks one thing and expects the
// message that names it.
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Validate.h"
#include "PipelineProgram.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace takt;
using namespace takt::test;
using testing::HasSubstr;

namespace {
std::string messageOf(const Program &program) {
  return toString(validate(program));
}

TEST(Validate, AcceptsSoundPrograms) {
  EXPECT_EQ(messageOf(pipelineProgram()), "");
  for (uint32_t delay : {0, 1, 5}) {
    PipelineOptions options;
    options.delay = delay;
    EXPECT_EQ(messageOf(pipelineProgram(options)), "") << delay;
  }
  for (uint32_t slots : {1, 2, 3}) {
    PipelineOptions options;
    options.arrivalSlots = options.sourceSlots = slots;
    EXPECT_EQ(messageOf(pipelineProgram(options)), "") << slots;
  }
}

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

TEST(Validate, IndicesInRange) {
  using Change = void (*)(Program &);
  const std::pair<Change, const char *> cases[] = {
      {[](Program &p) { p.kernels[kY].operands[0].region = 9; }, "region"},
      {[](Program &p) { p.kernels[kY].operands[0].value = 99; }, "value"},
      {[](Program &p) { p.kernels[kY].task = 77; }, "task is 77"},
      {[](Program &p) { p.transfers[0].arrival = 8; }, "semaphore is 8"},
      {[](Program &p) { p.hostCopies[0].binding = 5; }, "binding is 5"},
      {[](Program &p) { p.initializers[0].parameter = 1; }, "parameter of"},
      {[](Program &p) { p.code[0][0].c = p.code[1][0].c = 7; }, "scalar"},
      {[](Program &p) { p.parameters[0].readValue = 50; }, "read value"},
      {[](Program &p) { p.tasks[2].layer = 2; }, "layer of task 'second.W'"},
      {[](Program &p) { p.regions[3].processor = 2; }, "processor of region"},
      {[](Program &p) { find(p, 1, Opcode::Execute, kY).a = 6; },
       "kernel is 6, expected less than 6"},
      {[](Program &p) { find(p, 0, Opcode::Wait, kCredit).a = 3; },
       "semaphore is 3"},
  };
  for (auto &[change, message] : cases) {
    Program program = pipelineProgram();
    change(program);
    EXPECT_THAT(messageOf(program), HasSubstr(message));
  }
}

TEST(Validate, RingsInsideRegions) {
  Program program = pipelineProgram();
  program.kernels[kY].results[0].offset = 2048 - 12;
  EXPECT_THAT(messageOf(program), HasSubstr("ends outside region 3"));
  program = pipelineProgram();
  program.kernels[kUpdate].results[0].slotStride = uint64_t(1) << 63;
  EXPECT_THAT(messageOf(program), HasSubstr("ends outside region 3"));
  program = pipelineProgram();
  program.kernels[kUpdate].results[0].slotStride = 12;
  EXPECT_THAT(messageOf(program), HasSubstr("which is no ring"));
  program = pipelineProgram();
  program.kernels[kY].results[0].offset = 514;
  EXPECT_THAT(messageOf(program), HasSubstr("which is no ring"));
  program = pipelineProgram();
  program.kernels[kY].results[0].slots = 0;
  EXPECT_THAT(messageOf(program), HasSubstr("which is no ring"));
}

TEST(Validate, ShapesThatFitMemory) {
  Program program = pipelineProgram();
  program.kernels[kY].results[0].dims = {int64_t(1) << 40, int64_t(1) << 40};
  EXPECT_THAT(messageOf(program), HasSubstr("more than 2^48 bytes"));
  program.kernels[kY].results[0].dims.assign(9, 1);
  EXPECT_THAT(messageOf(program), HasSubstr("more than 8 dimensions"));
  program.kernels[kY].results[0].dims = {0};
  EXPECT_THAT(messageOf(program), HasSubstr("a dimension of 0"));
  program.kernels[kY].results[0].dims = {4};
  program.kernels[kY].results[0].type = static_cast<ElementType>(0);
  EXPECT_THAT(messageOf(program), HasSubstr("unknown element type"));
}

TEST(Validate, TensorsHaveTheirValuesShapes) {
  Program program = pipelineProgram();
  program.values[Y].dims = {2, 2};
  EXPECT_THAT(messageOf(program),
              HasSubstr("has another shape than its value 'y'"));
}

TEST(Validate, RegionsBelongToTheProcessor) {
  Program program = pipelineProgram();
  program.kernels[kH].operands[0].region = 2;
  EXPECT_THAT(messageOf(program),
              HasSubstr("is in region 2, which processor 1 does not own"));
}

TEST(Validate, KernelsFitTheirShapes) {
  Program program = pipelineProgram();
  program.kernels[kUpdate].words = {};
  EXPECT_THAT(messageOf(program), HasSubstr("processor 1, pc 7: sgd:"));
}

TEST(Validate, DescriptorsUsedOnce) {
  Program program = pipelineProgram();
  find(program, 1, Opcode::Execute, kK).a = kH;
  EXPECT_THAT(messageOf(program), HasSubstr("kernel 1 is executed twice"));
  program = pipelineProgram();
  program.kernels.push_back(program.kernels[kH]);
  EXPECT_THAT(messageOf(program), HasSubstr("kernel 6 is used by no"));
  program = pipelineProgram();
  erase(program, 1, Opcode::Store, 1);
  EXPECT_THAT(messageOf(program), HasSubstr("host copy 1 is used by no"));
}

TEST(Validate, CodeWellFormed) {
  Program program = pipelineProgram();
  ++program.code[0].front().a;
  EXPECT_THAT(messageOf(program), HasSubstr("the loop has 7 instructions"));
  program = pipelineProgram();
  ++program.code[1].front().b;
  EXPECT_THAT(messageOf(program), HasSubstr("other trips than processor 0's"));
  program = pipelineProgram();
  program.code[0][3].stage = 2;
  EXPECT_THAT(messageOf(program), HasSubstr("stage 2 out of range"));
  program = pipelineProgram();
  program.code[0][3].c = 1;
  EXPECT_THAT(messageOf(program), HasSubstr("a reserved field is 1"));
  program = pipelineProgram();
  std::swap(program.code[0][5], program.code[0][6]);
  EXPECT_THAT(messageOf(program), HasSubstr("a checkpoint that is not"));
  program = pipelineProgram();
  program.code[0].pop_back();
  EXPECT_THAT(messageOf(program), HasSubstr("expected a loop, end_loop"));
  program = pipelineProgram();
  program.code.pop_back();
  EXPECT_THAT(messageOf(program), HasSubstr("the machine has 2 processors"));
}

TEST(Validate, SemaphoresHaveOneWriter) {
  Program program = pipelineProgram();
  program.semaphores[kCredit].writer = 0;
  EXPECT_THAT(messageOf(program), HasSubstr("writes semaphore 2"));
  program = pipelineProgram();
  program.transfers[0].completion = kArrival;
  EXPECT_THAT(messageOf(program), HasSubstr("is written by 2 instructions"));
  program = pipelineProgram();
  program.semaphores[kCredit].waiter = 1;
  EXPECT_THAT(messageOf(program), HasSubstr("waits on semaphore 2"));
}

TEST(Validate, LagsFollowFromDelays) {
  Program program = pipelineProgram();
  program.kernels[kY].operands[1].lag = -3;
  EXPECT_THAT(messageOf(program),
              HasSubstr("reads 'w' with lag -3, expected -2"));
  program = pipelineProgram();
  program.kernels[kUpdate].operands[0].lag = -2;
  EXPECT_THAT(messageOf(program),
              HasSubstr("reads 'w' with lag -2, expected -1"));
  program = pipelineProgram();
  program.kernels[kH].operands[0].lag = -1;
  EXPECT_THAT(messageOf(program),
              HasSubstr("reads 'a' with lag -1, expected 0"));
}

//===----------------------------------------------------------------------===//
// Deadlock
//===----------------------------------------------------------------------===//

TEST(Validate, WaitForLaterTrip) {
  Program program = pipelineProgram();
  find(program, 0, Opcode::Wait, kCredit).b = 0;
  std::string message = messageOf(program);
  EXPECT_THAT(message, HasSubstr("wait at processor 0, pc 4 of stage 0 waits "
                                 "for a later trip"));
  EXPECT_THAT(message, HasSubstr("signal at processor 1, pc 6 of stage 1"));
}

TEST(Validate, CrossedWaits) {
  PipelineOptions options;
  options.stage = 0;
  Program program = pipelineProgram(options);
  EXPECT_EQ(messageOf(program), "");
  find(program, 0, Opcode::Wait, kCredit).b = 0;
  std::string message = messageOf(program);
  EXPECT_THAT(message, HasSubstr("deadlock"));
  EXPECT_THAT(message, HasSubstr("wait at processor 0, pc 4"));
  EXPECT_THAT(message, HasSubstr("receive at processor 1, pc 1"));
  // An initial credit has the same effect as a count.
  program.semaphores[kCredit].initial = 1;
  EXPECT_EQ(messageOf(program), "");
}

TEST(Validate, WaitForNobody) {
  Program program = pipelineProgram();
  erase(program, 1, Opcode::Signal, kCredit);
  EXPECT_THAT(messageOf(program),
              HasSubstr("waits on semaphore 2, which nobody writes"));
}

//===----------------------------------------------------------------------===//
// Hazards
//===----------------------------------------------------------------------===//

TEST(Validate, MissingReceive) {
  Program program = pipelineProgram();
  erase(program, 1, Opcode::Receive, 0);
  EXPECT_THAT(messageOf(program), HasSubstr("nobody waits for the arrival"));
}

TEST(Validate, LateReceive) {
  Program program = pipelineProgram();
  std::swap(program.code[1][1], program.code[1][2]);
  EXPECT_THAT(messageOf(program), HasSubstr("reads 'a' before"));
}

TEST(Validate, MissingCredit) {
  Program program = pipelineProgram();
  erase(program, 0, Opcode::Wait, kCredit);
  EXPECT_THAT(messageOf(program), HasSubstr("without a credit"));
}

TEST(Validate, CreditBeforeLastReader) {
  Program program = pipelineProgram();
  std::swap(find(program, 1, Opcode::Signal, kCredit),
            find(program, 1, Opcode::Execute, kG));
  EXPECT_EQ(messageOf(program), "") << "g does not read a";
  erase(program, 1, Opcode::Signal, kCredit);
  std::vector<Instruction> &code = program.code[1];
  code.insert(code.begin() + 2, {Opcode::Signal, 0, 1, kCredit});
  ++code.front().a;
  EXPECT_THAT(messageOf(program), HasSubstr("without a credit"));
}

TEST(Validate, CreditForTooManySlots) {
  for (uint32_t slots : {1, 2, 3}) {
    PipelineOptions options;
    options.arrivalSlots = slots;
    Program program = pipelineProgram(options);
    ++find(program, 0, Opcode::Wait, kCredit).b;
    EXPECT_THAT(messageOf(program), HasSubstr("without a credit"));
    --find(program, 0, Opcode::Wait, kCredit).b;
    program.semaphores[kCredit].initial = 1;
    EXPECT_THAT(messageOf(program), HasSubstr("without a credit"));
  }
}

TEST(Validate, OverwrittenWhileSent) {
  Program program = pipelineProgram();
  find(program, 0, Opcode::Wait, kCompletion).b = 3;
  EXPECT_THAT(messageOf(program), HasSubstr("may overwrite 'a'"));
  program = pipelineProgram();
  program.semaphores[kCompletion].initial = 1;
  EXPECT_THAT(messageOf(program), HasSubstr("may overwrite 'a'"));
  program = pipelineProgram();
  erase(program, 0, Opcode::Wait, kCompletion);
  EXPECT_THAT(messageOf(program), HasSubstr("may overwrite 'a'"));
}

TEST(Validate, ArrivalSemaphoreThatStartsEarly) {
  Program program = pipelineProgram();
  program.semaphores[kArrival].initial = 1;
  EXPECT_THAT(messageOf(program), HasSubstr("reads 'a' before"));
}

TEST(Validate, TooFewVersions) {
  for (uint32_t delay : {1, 4}) {
    PipelineOptions options;
    options.delay = delay;
    Program program = pipelineProgram(options);
    for (TensorRef *ref :
         {&program.kernels[kY].operands[1],
          &program.kernels[kUpdate].operands[0],
          &program.kernels[kUpdate].results[0], &program.parameters[0].home,
          &program.initializers[0].target})
      --ref->slots;
    EXPECT_THAT(messageOf(program), HasSubstr("has overwritten it"));
  }
}

TEST(Validate, RingsOfDifferentDepth) {
  Program program = pipelineProgram();
  --program.kernels[kUpdate].results[0].slots;
  EXPECT_THAT(messageOf(program), HasSubstr("of another size or depth"));
  program = pipelineProgram();
  --program.initializers[0].target.slots;
  EXPECT_THAT(messageOf(program), HasSubstr("of another size or depth"));
}

TEST(Validate, MissingInitialVersions) {
  Program program = pipelineProgram();
  program.initializers.clear();
  EXPECT_THAT(messageOf(program), HasSubstr("reads an initial value"));
}

TEST(Validate, ShortLivedOverlap) {
  Program program = pipelineProgram();
  program.kernels[kK].results[0].offset = 0;
  program.kernels[kG].operands[1].offset = 0;
  program.kernels[kG].results[0].offset = 64;
  program.kernels[kUpdate].operands[1].offset = 64;
  EXPECT_THAT(messageOf(program),
              HasSubstr("reads 'h' where something else is"));
}

TEST(Validate, ResultOverOperand) {
  Program program = pipelineProgram();
  program.kernels[kG].results[0].offset = 64;
  program.kernels[kUpdate].operands[1].offset = 64;
  EXPECT_THAT(messageOf(program), HasSubstr("writes 'g' over its operand 'k'"));
}

TEST(Validate, LongLivedOverlap) {
  Program program = pipelineProgram();
  for (TensorRef *ref :
       {&program.kernels[kY].results[0], &program.kernels[kG].operands[0],
        &program.hostCopies[1].local})
    ref->offset = 64 + 12;
  EXPECT_THAT(messageOf(program), HasSubstr("overlap"));
}

TEST(Validate, RingOfAnotherValue) {
  Program program = pipelineProgram();
  program.kernels[kG].operands[0].value = X;
  EXPECT_THAT(messageOf(program), HasSubstr("touches 'x' in the ring of 'y'"));
}
} // namespace
