//===- LowerPlaceStepTest.cpp - rings, credits and addresses --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LowerInterpreter.h"
#include "LowerSteps.h"
#include "takt/Target/Simulate.h"
#include "takt/Target/StepRings.h"
#include "takt/Target/Validate.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"

using namespace takt;

namespace {
/// A random chain on random processors under a random schedule.
struct RandomCase {
  explicit RandomCase(uint32_t seed) : random(seed), chain(randomOptions()) {
    std::vector<int> processors;
    for (size_t task = 0; task < chain.graph.tasks.size(); ++task)
      processors.push_back(random() % chain.options.processors);
    int64_t minimum = 10 + random() % 60;
    schedule = chain.schedule(processors, minimum, random, random() % 15);
  }

  ChainOptions randomOptions() {
    ChainOptions options;
    options.processors = 1 + random() % 3;
    for (int l = 1 + random() % 3; l > 0; --l)
      options.delay.push_back(random() % 3 * 2);
    options.updateCycles = random() % 2 * 3;
    options.taskCycles = 4 + random() % 10;
    options.linkBytesPerCycle = 12 + random() % 4;
    options.linkLatency = random() % 3 * 7;
    return options;
  }

  std::mt19937 random;
  ChainProblem chain;
  Schedule schedule;
};

Program lower(const ChainProblem &chain, const Schedule &schedule) {
  return llvm::cantFail(chain.lower(schedule));
}

/// Sends in turn, with transfers that wait for their links.
Program lowerInTurn(RandomCase &test) {
  test.chain.addTransfers(test.schedule, test.random);
  return llvm::cantFail(test.chain.lower(test.schedule, SendTime::InTurn));
}

/// The value's ring among a kernel's operands.
const TensorRef *findOperand(const Program &program, llvm::StringRef task,
                             llvm::StringRef value) {
  for (const Kernel &kernel : program.kernels)
    for (const TensorRef &operand : kernel.operands)
      if (program.tasks[kernel.task].name == task &&
          program.values[operand.value].name == value)
        return &operand;
  return nullptr;
}
} // namespace

TEST(LowerPlaceStep, EveryReadFindsItsInstanceInAnyOrderOfEvents) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    RandomCase test(seed);
    Program program = lower(test.chain, test.schedule);
    for (int64_t iterations : {1, 2, 9})
      for (int run = 0; run < 3; ++run)
        ASSERT_EQ(runAdversarially(program, iterations, test.random), "")
            << "seed " << seed << ", " << iterations << " iterations";
  }
}

TEST(LowerPlaceStep, ProgramsAreProvedFreeOfDeadlockAndHazards) {
  for (uint32_t seed = 0; seed < 400; ++seed) {
    RandomCase test(seed);
    Program program = lower(test.chain, test.schedule);
    EXPECT_EQ(llvm::toString(checkDeadlockFree(program)), "") << seed;
    EXPECT_EQ(llvm::toString(checkHazards(program)), "") << seed;
  }
}

TEST(LowerPlaceStep, SendsInTurnAreLegalInAnyOrderOfEvents) {
  int later = 0;
  for (uint32_t seed = 0; seed < 400; ++seed) {
    RandomCase test(seed);
    Program program = lowerInTurn(test);
    EXPECT_EQ(llvm::toString(checkDeadlockFree(program)), "") << seed;
    EXPECT_EQ(llvm::toString(checkHazards(program)), "") << seed;
    for (int64_t iterations : {1, 2, 9})
      ASSERT_EQ(runAdversarially(program, iterations, test.random), "")
          << "seed " << seed << ", " << iterations << " iterations";
    later += program.code != lower(test.chain, test.schedule).code;
  }
  EXPECT_GT(later, 50);
}

/// Where all share one link, sends at once often make a program slower than its
/// schedule; in turn they hardly ever do.
TEST(LowerPlaceStep, SendsInTurnKeepTheSchedule) {
  int late = 0, lateInTurn = 0, cases = 0;
  for (uint32_t seed = 0; seed < 3000; ++seed) {
    std::mt19937 random(seed);
    ChainOptions options;
    options.processors = 3;
    options.topology = Topology::Bus;
    options.delay.resize(3 + random() % 3, 4);
    options.taskCycles = 10 + random() % 20;
    options.linkBytesPerCycle = 12 + random() % 4;
    options.updateCycles = 2;
    options.linkLatency = random() % 2 * 5;
    ChainProblem chain(options);
    std::vector<int> processors;
    for (size_t task = 0; task < chain.graph.tasks.size(); ++task)
      processors.push_back(random() % 3);
    Schedule schedule = chain.schedule(processors, 10, random, 10);
    if (!chain.addTransfers(schedule, random))
      continue;
    ++cases;
    auto interval = [&](SendTime sendTime) {
      return llvm::cantFail(
                 simulate(llvm::cantFail(chain.lower(schedule, sendTime))))
          .interval;
    };
    late += interval(SendTime::AtOnce) > uint64_t(schedule.interval);
    lateInTurn += interval(SendTime::InTurn) > uint64_t(schedule.interval);
  }
  EXPECT_GT(cases, 500);
  EXPECT_GT(late, 20);
  EXPECT_LT(10 * lateInTurn, late);
}

/// The interpreter must be able to fail: without any one of its waits or
/// signals, or with a slot less in a ring, some program of many is wrong.
TEST(LowerPlaceStep, InterpreterFindsWhatIsMissing) {
  auto failures = [](auto &&damage) {
    int found = 0;
    for (uint32_t seed = 0; seed < 120; ++seed) {
      RandomCase test(seed);
      Program program = lower(test.chain, test.schedule);
      damage(program);
      for (int run = 0; run < 4; ++run)
        found += !runAdversarially(program, 9, test.random).empty();
    }
    return found;
  };
  auto drop = [](Opcode op) {
    return [op](Program &program) {
      for (std::vector<Instruction> &code : program.code)
        for (Instruction &instruction : code)
          if (instruction.op == op)
            instruction.op = Opcode::Nop;
    };
  };
  EXPECT_EQ(failures([](Program &) {}), 0);
  EXPECT_GT(failures(drop(Opcode::Wait)), 0);
  EXPECT_GT(failures(drop(Opcode::Receive)), 0);
  EXPECT_GT(failures(drop(Opcode::Signal)), 0);
  EXPECT_GT(failures(drop(Opcode::Load)), 0);
  EXPECT_GT(failures([](Program &program) {
              // Credits for one instance too many.
              for (std::vector<Instruction> &code : program.code)
                for (Instruction &instruction : code)
                  if (instruction.op == Opcode::Wait)
                    ++instruction.b;
            }),
            0);
  EXPECT_GT(failures([](Program &program) {
              for (Kernel &kernel : program.kernels) {
                for (TensorRef &ref : kernel.operands)
                  ref.slots = std::max<uint32_t>(ref.slots - 1, 1);
                for (TensorRef &ref : kernel.results)
                  ref.slots = std::max<uint32_t>(ref.slots - 1, 1);
              }
            }),
            0);
}

TEST(LowerPlaceStep, NeverStallsAtPredictedTimes) {
  // Credits and completions are there when the schedule's times say so.
  for (uint32_t seed = 0; seed < 200; ++seed) {
    RandomCase test(seed);
    Problem problem = test.chain.problem();
    StepRings rings(test.chain.step, problem, test.schedule);
    int64_t interval = test.schedule.interval;
    for (auto [value, all] : llvm::enumerate(rings.rings)) {
      if (test.chain.step.values[value].kernel < 0)
        continue;
      const Placement &producer = test.schedule.tasks[rings.producerOf(value)];
      for (const Ring &ring : all) {
        if (ring.isHome)
          continue;
        TransferPlacement sent = rings.transferOf(value, ring.processor);
        EXPECT_LT(ring.lastReadEnd,
                  producer.start + producer.cycles + ring.slots * interval);
        EXPECT_LT(sent.start + sent.cycles + sent.latency,
                  producer.start + all.front().slots * interval);
        EXPECT_GE(ring.creditStage(), 0);
      }
    }
  }
}

TEST(LowerPlaceStep, SequentialStepNeedsOneSlotOfEverything) {
  ChainOptions options;
  options.delay = {0, 0};
  ChainProblem chain(options);
  std::mt19937 random(0);
  Schedule schedule =
      chain.schedule(std::vector<int>(chain.graph.tasks.size()), 51, random, 0);
  Program program = lower(chain, schedule);
  for (const Kernel &kernel : program.kernels)
    for (const TensorRef &operand : kernel.operands) {
      // Batch norm must not overwrite the statistics that it reads.
      bool isMean = program.values[operand.value].name.find("mean") == 0;
      EXPECT_EQ(operand.slots, isMean ? 2u : 1u)
          << program.values[operand.value].name;
    }
  EXPECT_EQ(program.code.front().front().b, 0u);
  EXPECT_TRUE(program.transfers.empty());
}

TEST(LowerPlaceStep, WeightRingsFollowTheDelay) {
  // F, D, W and U of one layer on one processor, in this order in the body:
  // update j + d + 1 must not overwrite what minibatch j + d + 1 reads.
  for (int delay : {0, 2, 4}) {
    ChainOptions options;
    options.delay = {delay, 0};
    ChainProblem chain(options);
    std::mt19937 random(0);
    Schedule schedule = chain.schedule(
        std::vector<int>(chain.graph.tasks.size()), 50, random, 0);
    Program program = lower(chain, schedule);
    const TensorRef *weight = findOperand(program, "l0.F", "w0.read");
    ASSERT_NE(weight, nullptr);
    EXPECT_EQ(weight->lag, -(1 + delay));
    EXPECT_EQ(weight->slots, unsigned(1 + delay));
    EXPECT_EQ(findOperand(program, "l0.U", "w0.read")->lag, -1);
  }
}

TEST(LowerPlaceStep, TaskCyclesAreTheSumOfItsKernels) {
  RandomCase test(7);
  Program program = lower(test.chain, test.schedule);
  std::vector<uint64_t> sum(program.tasks.size());
  for (const Kernel &kernel : program.kernels)
    sum[kernel.task] += kernel.cycles;
  for (auto [task, cycles] : llvm::zip_equal(program.tasks, sum))
    EXPECT_EQ(task.cycles, cycles) << task.name;
}

TEST(LowerPlaceStep, EverySlotOfEveryCopyIsInitialized) {
  RandomCase test(11);
  Program program = lower(test.chain, test.schedule);
  auto isInitialized = [&](const TensorRef &ref) {
    return llvm::any_of(program.initializers, [&](const Initializer &init) {
      return init.target.region == ref.region &&
             init.target.offset == ref.offset && init.target.slots == ref.slots;
    });
  };
  for (const Parameter &parameter : program.parameters)
    EXPECT_TRUE(isInitialized(parameter.home)) << parameter.name;
  for (const Kernel &kernel : program.kernels)
    for (const TensorRef &operand : kernel.operands)
      EXPECT_EQ(operand.lag < 0, isInitialized(operand));
}

TEST(LowerPlaceStep, NamesWhatDoesNotFit) {
  ChainOptions options;
  options.delay = {0, 4};
  options.memoryBytes = 1024;
  ChainProblem chain(options);
  std::mt19937 random(0);
  Schedule schedule =
      chain.schedule(std::vector<int>(chain.graph.tasks.size()), 60, random, 0);
  llvm::Expected<Program> program = chain.lower(schedule);
  ASSERT_FALSE(bool(program));
  std::string message = llvm::toString(program.takeError());
  EXPECT_NE(message.find("processor 0 needs"), std::string::npos) << message;
  EXPECT_NE(message.find("but has 1024"), std::string::npos) << message;
  EXPECT_NE(message.find("w1 (320)"), std::string::npos) << message;
}

TEST(LowerPlaceStep, RefusesAnIntervalOfZero) {
  ChainOptions options;
  options.delay = {0};
  ChainProblem chain(options);
  std::mt19937 random(0);
  Schedule schedule =
      chain.schedule(std::vector<int>(chain.graph.tasks.size()), 60, random, 0);
  schedule.interval = 0;
  EXPECT_EQ(llvm::toString(chain.lower(schedule).takeError()),
            "the schedule has an interval of 0 cycles, expected at least 1");
}
