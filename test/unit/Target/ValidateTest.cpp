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
#include "takt/Machine/Machine.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>

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
      {[](Program &p) { p.code[0][0].c = p.code[1][0].c = 0; },
       "scalar 0 says, expected 1"},
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
  program.kernels[kY].results[0].offset = 1024 - 12;
  EXPECT_THAT(messageOf(program), HasSubstr("ends outside region 3"));
  program = pipelineProgram();
  program.kernels[kUpdate].results[0].slotStride = uint64_t(1) << 63;
  EXPECT_THAT(messageOf(program), HasSubstr("ends outside region 5"));
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
  program = pipelineProgram();
  program.transfers[0].destination.region = 0;
  EXPECT_THAT(messageOf(program), HasSubstr("destination is in region 0"));
  program = pipelineProgram();
  program.regions[0].processor = 0;
  EXPECT_THAT(messageOf(program),
              HasSubstr("region 0 of class 'host_input' has the wrong owner"));
}

TEST(Validate, RegionsAllowWhatIsDoneWithThem) {
  enum { HostX, HostY, Local0, Local1, Scratch1, Weights1 };
  struct {
    int region;
    bool readable, writable;
    const char *message;
  } cases[] = {
      {HostX, false, true, "binding 'x' is read from region 0"},
      {HostY, true, false, "binding 'y' is written to region 1"},
      {Local0, true, false, "host copy is written to region 2"},
      {Local0, false, true, "an operand of 'relu' is read from region 2"},
      {Local1, true, false, "destination is written to region 3"},
      {Local1, false, true, "an operand of 'relu' is read from region 3"},
      {Scratch1, true, false, "a result of 'relu' is written to region 4"},
      {Scratch1, false, true, "an operand of 'mul' is read from region 4"},
      {Weights1, true, false, "a result of 'sgd' is written to region 5"},
      {Weights1, false, true, "an operand of 'mul' is read from region 5"},
  };
  for (auto &broken : cases) {
    Program program = pipelineProgram();
    program.regions[broken.region].readable = broken.readable;
    program.regions[broken.region].writable = broken.writable;
    EXPECT_THAT(messageOf(program), HasSubstr(broken.message));
  }
  // What is only needed one way may be closed the other way.
  Program program = pipelineProgram();
  program.regions[HostX].writable = program.regions[HostY].readable = false;
  EXPECT_EQ(messageOf(program), "");
}

TEST(Validate, RegionsFitTheMemory) {
  PipelineOptions options;
  Program program = pipelineProgram(options);
  Machine machine = cantFail(Machine::uniform(2));
  machine.classes.front().memoryBytes = 2176;
  program.machine = machine.canonicalText();
  EXPECT_EQ(messageOf(program), "");
  --machine.classes.front().memoryBytes;
  program.machine = machine.canonicalText();
  EXPECT_THAT(messageOf(program),
              HasSubstr("processor 1 have 2176 bytes, its memory 2175"));
  program = pipelineProgram();
  program.regions[3].size = (uint64_t(1) << 48) + 1;
  EXPECT_THAT(messageOf(program), HasSubstr("expected at most 2^48"));
  program = pipelineProgram();
  program.regions[3].alignment = 48;
  EXPECT_THAT(messageOf(program), HasSubstr("region 3 has alignment 48"));
}

TEST(Validate, BindingsFitTheirRegions) {
  using Change = void (*)(Program &);
  const std::pair<Change, const char *> cases[] = {
      {[](Program &p) { p.bindings[0].region = 1; },
       "binding 'x' is in a region of class 'host_output', expected "
       "'host_input'"},
      {[](Program &p) { p.bindings[1].region = 3; },
       "binding 'y' is in a region of class 'activation'"},
      {[](Program &p) { p.regions[0].size = 15; },
       "binding 'x' has 16 bytes, its region 15"},
      {[](Program &p) {
         p.bindings.push_back(p.bindings[0]);
         p.bindings.back().name = "z";
       },
       "bindings 'x' and 'z' share region 0"},
      {[](Program &p) { p.bindings[1].kind = BindingKind::Loss; },
       "binding 'y' is a loss, expected one floating-point number"},
      {[](Program &p) { p.hostCopies[0].binding = 1; },
       "binding 'y' goes the other way"},
      {[](Program &p) {
         p.hostCopies.push_back(p.hostCopies[1]);
         std::vector<Instruction> &code = p.code[1];
         code.insert(code.end() - 3, {Opcode::Store, 0, 1, 2});
         ++code.front().a;
       },
       "binding 'y' is stored twice"},
  };
  for (auto &[change, message] : cases) {
    Program program = pipelineProgram();
    change(program);
    EXPECT_THAT(messageOf(program), HasSubstr(message));
  }
}

TEST(Validate, NumbersInRange) {
  using Change = void (*)(Program &);
  const std::pair<Change, const char *> cases[] = {
      {[](Program &p) { p.batch = 0; }, "the batch is 0, expected at least 1"},
      {[](Program &p) { p.batch = UINT64_MAX; }, "the batch is"},
      {[](Program &p) { p.interval = 0; }, "the interval is 0"},
      {[](Program &p) { p.scalars.pop_back(); }, "1 run-time scalars"},
      {[](Program &p) { p.scalars[0].value = NAN; },
       "scalar 'learning_rate' is not finite"},
      {[](Program &p) { p.scalars[1].value = 1e300; }, "no whole number"},
      {[](Program &p) { p.scalars[1].value = 1.5; }, "no whole number"},
      {[](Program &p) { p.scalars[1].value = -1; }, "no whole number"},
      {[](Program &p) {
         p.scalars.resize(8, {"constant", 0});
         p.scalars.push_back({"clip_norm", -1});
       },
       "gradients are clipped to a norm below 0"},
      {[](Program &p) { p.kernels[kG].id = KernelId::ClipFactor; },
       "gradients are clipped, but no run-time scalar is their largest norm"},
      {[](Program &p) { p.parameters[0].delay = 65536; },
       "parameter 'w' has delay 65536, expected at most 65535"},
      {[](Program &p) { p.parameters[0].lead = p.parameters[0].delay + 2; },
       "expected a lead of at most"},
      {[](Program &p) { p.parameters[0].update = 1; },
       "parameter 'w' is made by update 1 of an iteration, expected at most 0"},
      {[](Program &p) { p.parameters[0].lastUpdate = 1; }, "with lag"},
      {[](Program &p) { p.semaphores[0].initial = uint64_t(1) << 32; },
       "a semaphore starts at more than"},
      {[](Program &p) { p.kernels[kG].cycles = (uint64_t(1) << 40) + 1; },
       "kernel takes 1099511627777 cycles"},
      {[](Program &p) { p.transfers[0].latency = UINT64_MAX; }, "latency"},
      {[](Program &p) { p.tasks[1].start = UINT64_MAX; },
       "task 'second.F' starts in cycle"},
      {[](Program &p) { p.tasks[1].cycles = UINT64_MAX; },
       "task 'second.F' takes"},
  };
  for (auto &[change, message] : cases) {
    Program program = pipelineProgram();
    change(program);
    EXPECT_THAT(messageOf(program), HasSubstr(message));
  }
}

TEST(Validate, TasksRunWhereTheyAreSaidTo) {
  Program program = pipelineProgram();
  program.tasks[2].processor = 0;
  EXPECT_THAT(messageOf(program),
              HasSubstr("processor 1, pc 5: executes task 'second.W', which is "
                        "processor 0's"));
}

//===----------------------------------------------------------------------===//
// Values and parameters
//===----------------------------------------------------------------------===//

TEST(Validate, ValuesAreMadeOnce) {
  Program program = pipelineProgram();
  program.kernels[kK].results[0].value = H;
  EXPECT_THAT(messageOf(program),
              HasSubstr("value 'h' is the result of two kernels"));
  program = pipelineProgram();
  program.kernels[kRelu].results[0].value = X;
  program.transfers[0].source.value = program.transfers[0].destination.value =
      X;
  EXPECT_THAT(messageOf(program),
              HasSubstr("value 'x' is loaded from binding 'x' and also made"));
  program = pipelineProgram();
  program.transfers[0].destination.value = H;
  EXPECT_THAT(messageOf(program),
              HasSubstr("sends 'a' to where 'h' is expected"));
}

TEST(Validate, ParametersLiveInTheirHomes) {
  Program program = pipelineProgram();
  program.parameters[0].home.offset = 512;
  EXPECT_THAT(messageOf(program),
              HasSubstr("parameter 'w' is updated elsewhere than in its home"));
  program = pipelineProgram();
  program.parameters[0].home.region = 3;
  EXPECT_THAT(messageOf(program),
              HasSubstr("has its home in a region of class 'activation', "
                        "expected 'parameter'"));
  program = pipelineProgram();
  program.parameters[0].home.offset = 1024 - 16;
  EXPECT_THAT(messageOf(program), HasSubstr("ends outside region 5"));
  program = pipelineProgram();
  program.parameters[0].writeValue = program.initializers[0].target.value = Y;
  EXPECT_THAT(messageOf(program), HasSubstr("updated elsewhere"));
  program = pipelineProgram();
  program.parameters[0].writeValue = X;
  program.initializers[0].target.value = X;
  EXPECT_THAT(messageOf(program), HasSubstr("written as 'x', which no kernel"));
}

/// Its parts follow each other, and are alike.
TEST(Validate, PartsMakeUpOneTensor) {
  auto withPart = [](void (*change)(Parameter &)) {
    Program program = pipelineProgram();
    Parameter part = program.parameters[0];
    part.begin = part.home.dims[0];
    part.home.offset = 512;
    part.home.slots = 1;
    part.kind = ParameterKind::Trainable;
    part.delay = 0;
    part.home.value = part.readValue = part.writeValue = program.values.size();
    change(part);
    program.values.push_back({"part", part.home.type, part.home.dims});
    program.initializers.push_back({1, part.home});
    program.parameters.push_back(part);
    return messageOf(program);
  };
  EXPECT_EQ(withPart([](Parameter &) {}), "");
  // Another version of the same part.
  EXPECT_EQ(withPart([](Parameter &p) { p.begin = 0; }), "");
  const char *message = "the parts of parameter 'w' do not make up one tensor";
  EXPECT_THAT(withPart([](Parameter &p) { ++p.begin; }), HasSubstr(message));
  EXPECT_THAT(withPart([](Parameter &p) { --p.begin; }), HasSubstr(message));
  EXPECT_THAT(withPart([](Parameter &p) {
                p.begin = 0;
                --p.home.dims[0];
              }),
              HasSubstr(message));
  EXPECT_THAT(withPart([](Parameter &p) { p.home.dims.push_back(1); }),
              HasSubstr(message));
  EXPECT_THAT(withPart([](Parameter &p) { p.begin = INT64_MAX; }),
              HasSubstr(message));
  EXPECT_EQ(withPart([](Parameter &p) {
              p.name = "another";
              p.begin = 0;
            }),
            "");
}

/// Every minibatch of an iteration has all of them.
TEST(Validate, MinibatchesHaveAllBindings) {
  Program program = pipelineProgram();
  Binding again = program.bindings[0];
  Region host = program.regions[again.region];
  again.region = program.regions.size();
  program.regions.push_back(host);
  program.bindings.push_back(again);
  EXPECT_THAT(messageOf(program),
              HasSubstr("bindings of one name are not of as many minibatches"));
}

TEST(Validate, ConstantsHaveTheirInitialValues) {
  Program program = pipelineProgram();
  Parameter constant = program.parameters[0];
  constant.name = "c";
  constant.kind = ParameterKind::Constant;
  constant.delay = 0;
  constant.home.offset = 512;
  constant.home.slots = 1;
  constant.home.value = constant.readValue = constant.writeValue =
      program.values.size();
  program.values.push_back({"c", ElementType::F32, {4}});
  program.parameters.push_back(constant);
  EXPECT_THAT(messageOf(program),
              HasSubstr("parameter 'c' is never updated and has no initial "
                        "value in its home"));
  program.initializers.push_back({1, constant.home});
  EXPECT_EQ(messageOf(program), "");
  program.initializers.back().parameter = 0;
  EXPECT_THAT(messageOf(program),
              HasSubstr("fills 'c' with what is not its part of 'w'"));
  program.initializers.back().parameter = 1;
  program.parameters[1].delay = 1;
  EXPECT_THAT(messageOf(program), HasSubstr("delay 1, expected at most 0"));
  program.parameters[1].delay = 0;
  program.parameters[1].readValue = program.parameters[1].writeValue =
      program.initializers.back().target.value = H;
  EXPECT_THAT(messageOf(program), HasSubstr("read as 'h', which something"));
  program.parameters[1].readValue = W;
  EXPECT_THAT(messageOf(program),
              HasSubstr("parameters 'w' and 'c' share value 'w'"));
}

TEST(Validate, SlicesFollowTheirParameter) {
  Program program = pipelineProgram();
  Parameter slice = program.parameters[0];
  slice.name = "slice";
  slice.kind = ParameterKind::Derived;
  slice.begin = 2;
  slice.home.dims = {2};
  slice.home.offset = 512;
  slice.home.value = slice.readValue = slice.writeValue = program.values.size();
  program.values.push_back({"slice", ElementType::F32, {2}});
  program.parameters.push_back(slice);
  program.initializers.push_back({0, slice.home, 0, 2});
  EXPECT_EQ(messageOf(program), "");
  program.initializers.back().begin = 1;
  EXPECT_THAT(messageOf(program), HasSubstr("fills 'slice' with what is not"));
  program.initializers.back().begin = 2;
  program.parameters[1].begin = 3;
  EXPECT_THAT(messageOf(program), HasSubstr("dimension 0 is 2 of 4"));
  program.parameters[1].begin = UINT64_MAX;
  EXPECT_THAT(messageOf(program), HasSubstr("dimension 0 is 2 of 4"));
  program.parameters[1].begin = 2;
  program.parameters[1].delay = 0;
  EXPECT_THAT(messageOf(program), HasSubstr("has delay 0, its base 1"));
  program.parameters[1].base = 1;
  EXPECT_THAT(messageOf(program), HasSubstr("is derived itself"));
}

TEST(Validate, InitialDataInsideTheFile) {
  Program program = pipelineProgram();
  program.parameters[0].splat = false;
  program.data = InitialData(std::vector<uint8_t>(16));
  EXPECT_EQ(messageOf(program), "");
  for (uint64_t offset : {uint64_t(1), UINT64_MAX}) {
    program.parameters[0].dataOffset = offset;
    EXPECT_THAT(messageOf(program),
                HasSubstr("initial value of parameter 'w' ends outside"));
  }
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
  erase(program, 1, Opcode::Checkpoint, 0);
  EXPECT_THAT(messageOf(program),
              HasSubstr("processor 1 differs from processor 0 in whether"));
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
  EXPECT_THAT(
      message,
      HasSubstr("wait on semaphore 2 at processor 0, pc 4, stage 0 waits "
                "for a later trip"));
  EXPECT_THAT(message,
              HasSubstr("signal to semaphore 2 at processor 1, pc 6, stage 1"));
}

TEST(Validate, CrossedWaits) {
  PipelineOptions options;
  options.stage = 0;
  Program program = pipelineProgram(options);
  EXPECT_EQ(messageOf(program), "");
  find(program, 0, Opcode::Wait, kCredit).b = 0;
  std::string message = messageOf(program);
  EXPECT_THAT(message, HasSubstr("deadlock"));
  EXPECT_THAT(message, HasSubstr("wait on semaphore 2 at processor 0, pc 4"));
  EXPECT_THAT(message, HasSubstr("receive of 'a' at processor 1, pc 1"));
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
  --program.parameters[0].home.slots;
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
  program.kernels[kG].results[0].offset = 64 + 8;
  program.kernels[kUpdate].operands[1].offset = 64 + 8;
  EXPECT_THAT(messageOf(program), HasSubstr("writes 'g' over its operand 'k'"));
}

/// A product may replace an operand that ends there, but none that is kept.
TEST(Validate, ResultInPlaceOfOperand) {
  Program program = pipelineProgram();
  TensorRef &g = program.kernels[kG].results[0];
  TensorRef &read = program.kernels[kUpdate].operands[1];
  g.offset = read.offset = program.kernels[kG].operands[1].offset;
  EXPECT_EQ(messageOf(program), "");
  g.region = read.region = program.kernels[kG].operands[0].region;
  g.offset = read.offset = program.kernels[kG].operands[0].offset;
  EXPECT_THAT(messageOf(program), HasSubstr("touches 'g' in the ring of 'y'"));
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
