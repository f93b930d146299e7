//===- ExecutorTest.cpp ---------------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs made by hand, run by the processors and by the reference
// interpreter, and compared with the formula of delayed SGD.
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/Executor.h"
#include "ErrorText.h"
#include "LinearProgram.h"
#include "takt/Runtime/Sequential.h"
#include "takt/Target/Validate.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/FormatVariadic.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <gtest/gtest.h>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {
const std::array<std::array<uint32_t, 4>, 4> kPlacements = {
    {{0, 0, 0, 0}, {0, 1, 1, 1}, {0, 1, 0, 1}, {0, 1, 2, 2}}};

std::vector<float> floats(const Array &array) {
  std::vector<float> values(array.elements());
  std::memcpy(values.data(), array.data.data(), array.data.size());
  return values;
}

/// What w(j+d+1) = w(j+d) - rate * gradient at w(j) gives, in double precision.
struct Formula {
  std::vector<double> losses, weights, gradient;

  Formula(const HostData &data, uint64_t iterations, uint32_t delay) {
    std::vector<float> initial = initialWeights();
    std::vector<std::vector<double>> versions(
        delay + 1, std::vector<double>(initial.begin(), initial.end()));
    for (uint64_t j = 0; j < iterations; ++j) {
      step(data, j, versions[j]);
      std::vector<double> next = versions.back();
      for (size_t i = 0; i < next.size(); ++i)
        next[i] -= kLearningRate * gradient[i];
      versions.push_back(next);
    }
    weights = versions.back();
  }

private:
  void step(const HostData &data, uint64_t j, const std::vector<double> &w) {
    std::vector<float> x(kBatch * kInputs), target(kBatch * kOutputs);
    data.fill(0, j, x.data());
    data.fill(1, j, target.data());
    gradient.assign(w.size(), 0);
    double loss = 0, n = kBatch * kOutputs;
    for (int64_t b = 0; b < kBatch; ++b)
      for (int64_t o = 0; o < kOutputs; ++o) {
        double error = -target[b * kOutputs + o];
        for (int64_t i = 0; i < kInputs; ++i)
          error += x[b * kInputs + i] * w[i * kOutputs + o];
        loss += error * error / n;
        for (int64_t i = 0; i < kInputs; ++i)
          gradient[i * kOutputs + o] += 2 * error / n * x[b * kInputs + i];
      }
    losses.push_back(loss);
  }
};

void expectNear(ArrayRef<float> found, ArrayRef<double> expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], 2e-5) << "element " << i;
}

class Placements
    : public testing::TestWithParam<std::tuple<size_t, uint32_t, int>> {};
} // namespace

TEST_P(Placements, TrainLikeTheFormulaAndTheInterpreter) {
  auto [placement, delay, iterations] = GetParam();
  Program program = linearProgram({kPlacements[placement], delay, true});
  EXPECT_EQ(toString(validate(program)), "");
  auto data = makeSyntheticData(program, 3);
  RunOptions options;
  options.iterations = iterations;
  options.data = data.get();
  options.keepAllOutputs = true;
  auto parallel = execute(program, options);
  ASSERT_EQ(errorText(parallel), "");
  auto sequential = executeSequentially(program, options);
  ASSERT_EQ(errorText(sequential), "");
  EXPECT_EQ(firstDifference(*parallel, *sequential), "");
  ASSERT_EQ(parallel->outputs.size(), 2u);
  EXPECT_EQ(parallel->outputs[1].dims[0], kBatch * iterations);

  Formula formula(*data, iterations, delay);
  std::vector<float> losses(parallel->losses.begin(), parallel->losses.end());
  expectNear(losses, formula.losses);
  ASSERT_EQ(parallel->parameters.size(), 1u);
  expectNear(floats(parallel->parameters[0]), formula.weights);
  ASSERT_EQ(parallel->gradients.size(), 1u);
  EXPECT_EQ(parallel->gradients[0].name, "weight");
  expectNear(floats(parallel->gradients[0]), formula.gradient);
  EXPECT_EQ(parallel->gradients[0].data, sequential->gradients[0].data);

  ASSERT_EQ(parallel->staleness.size(), 1u);
  EXPECT_EQ(parallel->staleness[0].updates,
            std::min<uint64_t>(delay, iterations - 1));
}

INSTANTIATE_TEST_SUITE_P(Linear, Placements,
                         testing::Combine(testing::Values(0, 1, 2, 3),
                                          testing::Values(0, 2, 4),
                                          testing::Values(1, 3, 40)));

TEST(Executor, WrongLagIsNotIdentical) {
  Program program = linearProgram({kPlacements[0], 2});
  // Forward reads a version that is newer by one than its delay says.
  for (Kernel &kernel : program.kernels)
    for (TensorRef &operand : kernel.operands)
      if (operand.lag == -3)
        operand.lag = -2;
  auto data = makeSyntheticData(program, 3);
  RunOptions options;
  options.iterations = 20;
  options.data = data.get();
  auto parallel = execute(program, options);
  auto sequential = executeSequentially(program, options);
  ASSERT_EQ(errorText(parallel), "");
  ASSERT_EQ(errorText(sequential), "");
  EXPECT_NE(firstDifference(*parallel, *sequential), "");
}

TEST(Executor, InitialWeightsAreReplacedByName) {
  Program program = linearProgram({kPlacements[1], 0});
  auto data = makeSyntheticData(program, 3);
  Array weight{"weight", ElementType::F64, {kInputs, kOutputs}, {}};
  std::vector<double> zeros(kInputs * kOutputs, 0);
  weight.data.resize(zeros.size() * sizeof(double));
  RunOptions options;
  options.data = data.get();
  options.weights = weight;
  options.learningRate = 0;
  auto result = execute(program, options);
  ASSERT_EQ(errorText(result), "");
  expectNear(floats(result->parameters[0]), zeros);

  weight.dims = {kOutputs, kInputs};
  options.weights = weight;
  expectError(execute(program, options),
              "weights 'weight' are <f8 2x3, the program's parameter "
              "is <f4 3x2");
}

TEST(Executor, FailingKernelNamesProcessorAndTask) {
  Program program = linearProgram({kPlacements[3], 2});
  program.scalars.clear(); // SGD misses its learning rate
  for (auto &code : program.code)
    code.front() = {Opcode::Nop};
  auto data = makeSyntheticData(program, 3);
  RunOptions options;
  options.data = data.get();
  for (auto &code : program.code)
    llvm::erase_if(code, [](const Instruction &instruction) {
      return instruction.op == Opcode::EndLoop;
    });
  auto result = execute(program, options);
  ASSERT_FALSE(static_cast<bool>(result));
  std::string message = toString(result.takeError());
  EXPECT_TRUE(StringRef(message).starts_with("processor 2, pc ")) << message;
  EXPECT_TRUE(StringRef(message).contains("task 'linear.U': sgd: ")) << message;
}

TEST(Executor, HaltStatusIsAnError) {
  Program program = linearProgram({kPlacements[0], 0});
  program.code[0].back().a = 7;
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  expectError(execute(program, options), "halted with status 7");
}

TEST(Executor, DeadlockIsReported) {
  Program program = linearProgram({kPlacements[1], 0});
  // Before sending y, processor 0 waits until processor 1 is done with it.
  auto send = llvm::find_if(program.code[0], [](const Instruction &i) {
    return i.op == Opcode::Send;
  });
  ASSERT_EQ(std::prev(send)->op, Opcode::Wait);
  std::prev(send)->b = 0;
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.iterations = 5;
  options.data = data.get();
  auto result = execute(program, options);
  std::string message = errorText(result);
  EXPECT_TRUE(
      StringRef(message).starts_with("deadlock: processor 0 waits at pc "))
      << message;
  EXPECT_TRUE(StringRef(message).contains(" to be 1, it is 0; processor 1 "
                                          "waits at pc "))
      << message;
}

TEST(Executor, WaitingForAnEndedProcessorIsADeadlock) {
  Program program = linearProgram({kPlacements[1], 0});
  auto &code = program.code[0];
  code.insert(code.begin(), Instruction{Opcode::Halt});
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  expectError(execute(program, options),
              "deadlock: processor 0 has ended; processor 1 waits at pc ");
}

TEST(Executor, RecordsThatNothingUsesAreRefused) {
  Program program = linearProgram({kPlacements[0], 0});
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  // Validation does not look at it: none of its indices is in range.
  Kernel kernel = program.kernels.front();
  kernel.task = 1000;
  kernel.operands.front().value = 1000;
  program.kernels.push_back(kernel);
  expectError(execute(program, options),
              "kernel 4 of the program is used by no instruction");
  expectError(executeSequentially(program, options),
              "kernel 4 of the program is used by no instruction");
}

TEST(Executor, DelaysThatNoPipelineHasAreRefused) {
  Program program = linearProgram({kPlacements[0], 0});
  program.parameters[0].delay = UINT32_MAX;
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  expectError(
      executeSequentially(program, options),
      "parameter 'weight' has delay 4294967295, expected at most 65535");
}

TEST(Executor, ParametersInTheHostsMemoryAreRefused) {
  Program program = linearProgram({kPlacements[0], 0});
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  program.parameters[0].home.region = program.bindings[0].region;
  expectError(execute(program, options),
              "parameter 'weight' is in the host's memory");
}

TEST(Executor, BarriersHoldEveryProcessor) {
  Program program = linearProgram({kPlacements[3], 2});
  for (auto &code : program.code) {
    Instruction barrier{Opcode::Barrier};
    barrier.a = 5;
    code.insert(code.begin() + 1, barrier);
  }
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.iterations = 30;
  options.data = data.get();
  auto result = execute(program, options);
  ASSERT_EQ(errorText(result), "");
  program.code[0].erase(program.code[0].begin() + 1);
  expectError(execute(program, options), "waits at pc 1 at barrier 5");
}

TEST(Executor, TooLargeMemoryIsAnError) {
  Program program = linearProgram({kPlacements[0], 0});
  program.regions[0].size = uint64_t(1) << 60;
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  expectError(execute(program, options),
              "processor 0: cannot allocate 1152921504606846976 bytes");
}

TEST(Sequential, ReadBeforeProductionIsAnError) {
  Program program = linearProgram({kPlacements[0], 0});
  std::swap(program.kernels[0].task, program.kernels[1].task);
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  expectError(executeSequentially(program, options),
              "task 'linear.F', value 'y': no earlier task produces it");
}

TEST(Sequential, HostCopyOfAnotherSizeIsAnError) {
  Program program = linearProgram({kPlacements[0], 0});
  auto data = makeSyntheticData(program, 0);
  RunOptions options;
  options.data = data.get();
  program.values[0].dims = {1};
  expectError(executeSequentially(program, options),
              "value 'x': the host copies 48 bytes, it has 4");
}
