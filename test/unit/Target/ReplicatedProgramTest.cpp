//===- ReplicatedProgramTest.cpp - programs of layers with replicas -------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../Transforms/TestNetworks.h"
#include "CyclicOrder.h"
#include "LowerInterpreter.h"
#include "takt/Runtime/Executor.h"
#include "takt/Runtime/Sequential.h"
#include "takt/Scheduling/Replication.h"
#include "takt/Target/BindingTurns.h"
#include "takt/Target/LowerToProgram.h"
#include "takt/Target/Validate.h"
#include "takt/Transforms/Replicate.h"
#include "gtest/gtest.h"
#include <set>

using namespace takt;
using namespace takt::test;

namespace {

/// Layers with all that a step may have: state, biases of fewer rows than the
/// weights, masks, skips.
std::string randomLayers(std::minstd_rand &random, int layers) {
  Network net;
  std::string x = net.input();
  for (int i = 0; i < layers; ++i) {
    std::string before = x;
    x = net.gemm(x);
    if (random() % 2)
      x = net.batchNorm(x);
    if (random() % 2)
      x = net.bias(x);
    if (random() % 2)
      x = net.dropout(x);
    x = random() % 3 == 0 && i > 0 ? net.add(x, before) : net.relu(x);
  }
  return net.text(net.gemm(x));
}

class ReplicatedProgramTest : public testing::Test, protected StepFixture {
protected:
  /// Every replica on some processor, other layers may be on the same. Forward
  /// tasks come `lead` iterations before the others of their layer, which the
  /// delays allow; nullopt where the order waits for itself.
  std::optional<Schedule> place(const Problem &problem,
                                llvm::ArrayRef<int> replicas,
                                std::minstd_rand &random) {
    int processors = static_cast<int>(problem.machine->processors());
    Schedule schedule;
    schedule.replicas.assign(replicas.begin(), replicas.end());
    int64_t minibatches = minibatchesOf(replicas);
    std::vector<int> lead(replicas.size());
    int ahead = 0;
    for (int layer = int(replicas.size()) - 1; layer >= 0; --layer) {
      ahead += static_cast<int>(random() % 2);
      lead[layer] = ahead;
      int rounds = static_cast<int>(minibatches / replicas[layer]);
      schedule.delay.push_back(ahead * rounds + int(random() % 3));
    }
    std::reverse(schedule.delay.begin(), schedule.delay.end());
    schedule.graph = llvm::cantFail(replicate(graph, replicas, schedule.delay));
    std::vector<int> first(replicas.size());
    for (int &p : first)
      p = static_cast<int>(random() % processors);
    CyclicOrder order(processors);
    for (auto [index, task] : llvm::enumerate(schedule.graph.tasks)) {
      const Task &of =
          task.colocated < 0 ? task : schedule.graph.tasks[task.colocated];
      int replica = of.microbatch % replicas[task.layer];
      order[(first[task.layer] + replica) % processors].push_back(
          {static_cast<int>(index),
           task.kind == TaskKind::Forward ? lead[task.layer] : 0});
    }
    std::optional<Schedule> found =
        scheduleCyclicOrder(problem, schedule.graph, order, schedule.delay);
    if (found) {
      found->replicas = schedule.replicas;
      found->stage.assign(replicas.size(), 0);
    }
    return found;
  }

  Program lower(const Problem &problem, const Schedule &schedule) {
    EXPECT_TRUE(succeeded(
        replicateStep(*module,
                      llvm::SmallVector<int64_t>(schedule.replicas.begin(),
                                                 schedule.replicas.end()),
                      llvm::SmallVector<int64_t>(schedule.delay.begin(),
                                                 schedule.delay.end()))));
    llvm::Expected<Program> program =
        lowerToProgram(*module, problem, schedule, {});
    if (program)
      return std::move(*program);
    ADD_FAILURE() << llvm::toString(program.takeError());
    return {};
  }
};

/// The processors compute bit for bit what the interpreter does, in whatever
/// order they advance, with the staleness that the delays promise.
TEST_F(ReplicatedProgramTest, TrainsAsTheSequentialInterpreter) {
  std::unique_ptr<CostModel> cost = llvm::cantFail(createCostModel("roofline"));
  int mixed = 0, run = 0;
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    std::minstd_rand random(seed + 1);
    constexpr OptimizerKind kOptimizers[] = {
        OptimizerKind::Sgd, OptimizerKind::Momentum, OptimizerKind::Adam,
        OptimizerKind::AdamW};
    differentiateAndForm(randomLayers(random, 1 + int(random() % 3)),
                         kOptimizers[random() % 4]);
    std::vector<int> replicas;
    for (size_t layer = 0; layer < graph.layers.size(); ++layer)
      replicas.push_back(1 + static_cast<int>(random() % 3));
    replicas[random() % replicas.size()] = 2 + int(random() % 2);
    Machine machine = llvm::cantFail(Machine::uniform(3 + int(random() % 4)));
    machine.interconnect.latencyCycles = static_cast<int64_t>(random() % 3 * 9);
    Problem problem{&graph, &machine, cost.get()};
    std::optional<Schedule> schedule = place(problem, replicas, random);
    if (!schedule)
      continue;
    ++run;
    mixed += minibatchesOf(replicas) == 6;
    Program program = lower(problem, *schedule);
    ASSERT_FALSE(program.code.empty());
    EXPECT_EQ(BindingTurns(program).minibatches(), minibatchesOf(replicas));

    RunOptions options;
    options.iterations = 9; // more than the largest delay
    options.keepAllOutputs = true;
    std::unique_ptr<HostData> data = makeSyntheticData(program, seed);
    options.data = data.get();
    RunResult parallel = llvm::cantFail(execute(program, options));
    RunResult sequential =
        llvm::cantFail(executeSequentially(program, options));
    EXPECT_EQ(firstDifference(parallel, sequential), "");
    EXPECT_EQ(parallel.losses.size(), 9u * minibatchesOf(replicas));
    EXPECT_EQ(parallel.parameters.size(), sequential.parameters.size());
    for (const ObservedStaleness &observed : parallel.staleness)
      for (const Parameter &parameter : program.parameters)
        if (parameter.name == observed.parameter) {
          EXPECT_EQ(observed.updates, parameter.delay) << parameter.name;
        }
    std::mt19937 chance(seed);
    EXPECT_EQ(runAdversarially(program, 4, chance), "");
  }
  EXPECT_GT(run, 40);
  EXPECT_GT(mixed, 5);
}

/// Puts version `b` where version `a` is.
void putTogether(Program &program, const Parameter &a, const Parameter &b) {
  TensorRef from = b.home, to = a.home;
  auto move = [&](TensorRef &ref) {
    if (ref.region == from.region && ref.offset == from.offset)
      ref.offset = to.offset;
  };
  for (Kernel &kernel : program.kernels) {
    llvm::for_each(kernel.operands, move);
    llvm::for_each(kernel.results, move);
  }
  for (Initializer &initializer : program.initializers)
    move(initializer.target);
  for (Parameter &parameter : program.parameters)
    move(parameter.home);
}

/// One layer of three replicas beside one of one, which makes three versions
/// of its weight in an iteration: without delay no two are in use at once, and
/// they are in one place; with one no place can be spared.
TEST_F(ReplicatedProgramTest, VersionsShareWhatPlacesTheyCan) {
  std::unique_ptr<CostModel> cost = llvm::cantFail(createCostModel("macs"));
  Machine machine = llvm::cantFail(Machine::uniform(4));
  for (int delay : {0, 1}) {
    differentiateAndForm(chain(2), OptimizerKind::Sgd);
    Problem problem{&graph, &machine, cost.get()};
    std::vector<int> replicas = {3, 1}, delays = {0, delay};
    TaskGraph all = llvm::cantFail(replicate(graph, replicas, delays));
    CyclicOrder order(4);
    for (auto [index, task] : llvm::enumerate(all.tasks)) {
      const Task &of = task.colocated < 0 ? task : all.tasks[task.colocated];
      order[task.layer == 1 ? 3 : of.microbatch % 3].push_back({int(index)});
    }
    Schedule schedule = *scheduleCyclicOrder(problem, all, order, delays);
    schedule.replicas = replicas;
    Program program = lower(problem, schedule);
    std::vector<const Parameter *> versions;
    std::set<uint64_t> offsets;
    for (const Parameter &parameter : program.parameters)
      if (parameter.name == "fc1.weight") {
        versions.push_back(&parameter);
        offsets.insert(parameter.home.offset);
      }
    ASSERT_EQ(versions.size(), 3u);
    EXPECT_EQ(offsets.size(), delay == 0 ? 1u : 3u);
    std::mt19937 chance(1);
    EXPECT_EQ(runAdversarially(program, 4, chance), "");
    if (delay == 0)
      continue;
    Program wrong = program;
    putTogether(wrong, *versions[0], *versions[1]);
    EXPECT_NE(llvm::toString(validate(wrong)).find("overlap"),
              std::string::npos);
    EXPECT_NE(runAdversarially(wrong, 4, chance), "");
  }
}

/// With delay 0, r replicas compute plain training on r times the samples: the
/// mean of r gradients is that of all samples.
TEST_F(ReplicatedProgramTest, WithoutDelayIsALargerBatch) {
  // The same step with one replica, on the samples of three minibatches.
  std::unique_ptr<CostModel> cost = llvm::cantFail(createCostModel("macs"));
  auto train = [&](bool replicated) {
    std::string text = chain(2);
    if (!replicated)
      for (size_t at = 0; (at = text.find("4x8", at)) != std::string::npos;)
        text.replace(at, 3, "12x8");
    size_t dense = 0;
    for (int fill = 1;
         (dense = text.find("dense<0.1>", dense)) != std::string::npos; ++fill)
      text.replace(dense, 10, "dense<0." + std::to_string(fill) + ">");
    differentiateAndForm(text, OptimizerKind::Sgd);
    Machine machine = llvm::cantFail(Machine::uniform(3));
    Problem problem{&graph, &machine, cost.get()};
    std::minstd_rand random(1);
    Schedule schedule;
    Program program;
    if (replicated) {
      std::vector<int> none(graph.layers.size(), 0),
          three(graph.layers.size(), 3);
      schedule.replicas = three;
      schedule.graph = llvm::cantFail(replicate(graph, three, none));
      CyclicOrder order(3);
      for (auto [index, task] : llvm::enumerate(schedule.graph.tasks)) {
        const Task &of =
            task.colocated < 0 ? task : schedule.graph.tasks[task.colocated];
        order[of.microbatch % 3].push_back({int(index)});
      }
      Schedule placed =
          *scheduleCyclicOrder(problem, schedule.graph, order, none);
      placed.replicas = three;
      program = lower(problem, placed);
    } else {
      schedule = llvm::cantFail(takt::schedule("sequential", problem, {}));
      program = llvm::cantFail(lowerToProgram(*module, problem, schedule, {}));
    }
    // 24 samples: rows of x and target that differ from each other.
    std::vector<Array> arrays;
    for (const char *name : {"x", "target"}) {
      Array array{name, ElementType::F32, {24, 8}, {}};
      std::vector<float> numbers(24 * 8);
      for (size_t i = 0; i < numbers.size(); ++i)
        numbers[i] = float(i * 37 % 101) / 50 - 1 + (name[0] == 't');
      array.data.resize(numbers.size() * sizeof(float));
      std::memcpy(array.data.data(), numbers.data(), array.data.size());
      arrays.push_back(std::move(array));
    }
    SamplingOptions sampling;
    sampling.shuffle = false;
    auto data = llvm::cantFail(ArrayData::create(program, arrays, sampling));
    RunOptions options;
    options.iterations = 2;
    options.data = data.get();
    return llvm::cantFail(execute(program, options));
  };
  RunResult large = train(false), parts = train(true);
  ASSERT_EQ(large.parameters.size(), parts.parameters.size());
  for (auto [a, b] : llvm::zip_equal(large.parameters, parts.parameters)) {
    EXPECT_EQ(a.name, b.name);
    ASSERT_EQ(a.dims, b.dims);
    for (int64_t i = 0; i < a.elements(); ++i) {
      float x, y;
      std::memcpy(&x, a.data.data() + i * 4, 4);
      std::memcpy(&y, b.data.data() + i * 4, 4);
      EXPECT_NEAR(x, y, 1e-5) << a.name << " " << i;
    }
  }
  EXPECT_EQ(large.losses.size(), 2u);
  ASSERT_EQ(parts.losses.size(), 6u);
  for (int i = 0; i < 2; ++i)
    EXPECT_NEAR(large.losses[i],
                (parts.losses[3 * i] + parts.losses[3 * i + 1] +
                 parts.losses[3 * i + 2]) /
                    3,
                1e-4);
}

} // namespace
