//===- FormTasksTest.cpp - fusing and pruning on small networks -----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestNetworks.h"
#include "takt/Transforms/Tags.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace takt;
using namespace takt::test;
using testing::ElementsAre;

namespace {

class FormTasksTest : public testing::Test, protected Fixture {
protected:
  /// The graph of a training step with SGD and a squared error.
  void form(const std::string &text) {
    module = parse(text);
    ASSERT_TRUE(module);
    DifferentiateOptions options;
    options.loss = LossKind::MeanSquaredError;
    ASSERT_TRUE(succeeded(differentiate(*module, options)));
    FailureOr<TaskGraph> formed = formTasks(*module);
    ASSERT_TRUE(succeeded(formed));
    graph = std::move(*formed);
  }

  std::vector<std::string> taskNames() const {
    std::vector<std::string> names;
    for (const Task &task : graph.tasks)
      names.push_back(task.name);
    return names;
  }

  /// "TASK@DISTANCE", with a star when delayed, of every use.
  std::vector<std::string> uses(StringRef name) const {
    std::vector<std::string> uses;
    for (const takt::Value &value : graph.values)
      if (value.name == name)
        for (const Use &use : value.uses)
          uses.push_back(graph.tasks[use.task].name + "@" +
                         std::to_string(use.distance) +
                         (use.delayed ? "*" : ""));
    return uses;
  }

  /// The tasks of the operations of a node, in program order.
  std::vector<std::string> tasksOf(StringRef node) {
    std::vector<std::string> tasks;
    for (Operation &op : getMain(*module)->getBody().front())
      if (getNode(&op) == node && executes(&op))
        tasks.push_back(getTask(&op).str());
    return tasks;
  }

  OwningOpRef<ModuleOp> module;
  TaskGraph graph;
};

TEST_F(FormTasksTest, ChainHasNoDgradOfItsFirstLayer) {
  form(chain(3));
  EXPECT_THAT(taskNames(),
              ElementsAre("fc0.F", "fc1.F", "fc2.F", "fc2.D", "fc2.W", "fc2.U",
                          "fc1.D", "fc1.W", "fc1.U", "fc0.W", "fc0.U"));
  EXPECT_THAT(tasksOf("relu1"), ElementsAre("fc1.F", "fc2.D"));
  EXPECT_THAT(tasksOf("relu2"), ElementsAre("fc2.F", "fc2.F"))
      << "what follows the loss stays in its task";
}

TEST_F(FormTasksTest, WeightsAreReadDelayedExceptByTheirUpdate) {
  form(chain(2));
  EXPECT_THAT(uses("fc0.weight"), ElementsAre("fc0.F@1*", "fc0.U@1"));
  EXPECT_THAT(uses("fc1.weight"),
              ElementsAre("fc1.F@1*", "fc1.D@1*", "fc1.U@1"));
  EXPECT_THAT(uses("x"), ElementsAre("fc0.F@0", "fc0.W@0"));
  EXPECT_THAT(uses("relu0.F.relu"),
              ElementsAre("fc1.F@0", "fc1.D@0", "fc1.W@0"));
}

TEST_F(FormTasksTest, UpdatesStayWithTheirWgrad) {
  form(chain(3));
  for (const Task &task : graph.tasks) {
    if (task.kind == TaskKind::Update) {
      ASSERT_GE(task.colocated, 0) << task.name;
      EXPECT_EQ(graph.tasks[task.colocated].kind, TaskKind::Wgrad);
      EXPECT_EQ(graph.tasks[task.colocated].layer, task.layer);
    } else {
      EXPECT_EQ(task.colocated, -1) << task.name;
    }
  }
}

TEST_F(FormTasksTest, SkipJoinsTheLatestLayer) {
  test::Network net;
  std::string a = net.relu(net.gemm(net.input()));
  std::string b = net.relu(net.gemm(a));
  std::string c = net.gemm(b);
  form(net.text(net.gemm(net.relu(net.add(c, a)))));
  EXPECT_THAT(tasksOf("add2"), ElementsAre("fc2.F"))
      << "addition passes its gradient on as it is";
  // relu0 has two uses: the sum of its gradients waits for the later, fc1.D.
  EXPECT_THAT(tasksOf("relu0"), ElementsAre("fc0.F", "fc1.D", "fc1.D"));
  EXPECT_THAT(tasksOf("relu3"), ElementsAre("fc2.F", "fc3.D"));
  EXPECT_THAT(uses("relu3.D.relu_dgrad"),
              ElementsAre("fc2.D@0", "fc2.W@0", "fc1.D@0"));
}

TEST_F(FormTasksTest, ConcatJoinsTheLatestBranch) {
  test::Network net;
  std::string a = net.gemm(net.input()), b = net.gemm(net.input());
  form(net.text(net.concatGemm(a, b)));
  EXPECT_THAT(tasksOf("concat0"), ElementsAre("fc1.F", "fc2.D", "fc2.D"));
  EXPECT_EQ(graph.find("fc0.D"), -1);
  EXPECT_EQ(graph.find("fc1.D"), -1);
}

TEST_F(FormTasksTest, SharedWeightIsUpdatedByItsEarliestLayer) {
  test::Network net;
  std::string a = net.relu(net.gemm(net.input()));
  form(net.text(net.gemm(net.gemm(a), "fc0.weight")));
  EXPECT_EQ(graph.find("fc2.U"), -1);
  EXPECT_THAT(uses("fc0.weight"),
              ElementsAre("fc0.F@1*", "fc2.F@1*", "fc2.D@1*", "fc0.U@1"));
  EXPECT_THAT(uses("fc2.W.gemm"), ElementsAre("fc0.W@0"));
  std::vector<std::string> sum;
  for (Operation &op : getMain(*module)->getBody().front())
    if (isa<train::SumOp>(op))
      sum.push_back(getTask(&op).str());
  EXPECT_THAT(sum, ElementsAre("fc0.W"));
}

TEST_F(FormTasksTest, WhatPrecedesTheFirstLayerJoinsIt) {
  test::Network net;
  form(net.text(net.gemm(net.relu(net.bias(net.input())))));
  EXPECT_THAT(taskNames(), ElementsAre("fc0.F", "fc0.D", "fc0.W", "fc0.U"));
  EXPECT_THAT(tasksOf("bias0"), ElementsAre("fc0.F"));
  // The gradient of relu1 is bias0's as it stands; the W of its own names the
  // operation that it came from.
  EXPECT_THAT(tasksOf("relu1"), ElementsAre("fc0.F", "fc0.D", "fc0.W"));
}

TEST_F(FormTasksTest, ModelWithoutMatrixProductsIsOneLayer) {
  test::Network net;
  form(net.text(net.relu(net.bias(net.input()))));
  EXPECT_THAT(taskNames(), ElementsAre("net.F", "net.W", "net.U"));
}

TEST_F(FormTasksTest, MatrixProductComesFirstInWork) {
  form(chain(3));
  for (const Task &task : graph.tasks)
    if (task.kind != TaskKind::Update) {
      ASSERT_FALSE(task.work.empty());
      EXPECT_EQ(task.work[0].gemm.macs().value_or(-1), 4 * 8 * 8) << task.name;
      EXPECT_EQ(task.work[0].kind, task.kind);
    }
}

TEST_F(FormTasksTest, AllButUpdatesCanBeCut) {
  form(chain(3));
  for (const Task &task : graph.tasks)
    EXPECT_EQ(task.cuts.empty(), task.kind == TaskKind::Update) << task.name;
}

/// An oracle that knows no rule: in the tasks' order every operation has its
/// operands computed, whatever the network.
TEST_F(FormTasksTest, SequentialOrderRespectsEveryOperand) {
  for (unsigned seed = 0; seed < 200; ++seed) {
    form(randomNetwork(seed));
    if (HasFatalFailure())
      FAIL() << "seed " << seed;
    for (Operation &op : getMain(*module)->getBody().front()) {
      if (!executes(&op))
        continue;
      int at = graph.find(getTask(&op));
      ASSERT_GE(at, 0);
      for (mlir::Value operand : op.getOperands())
        if (Operation *producer = operand.getDefiningOp();
            producer && executes(producer)) {
          EXPECT_LE(graph.find(getTask(producer)), at)
              << "seed " << seed << ": " << getTask(producer).str() << " to "
              << getTask(&op).str();
        }
    }
  }
}

TEST_F(FormTasksTest, GraphGrowsLinearlyWithTheChain) {
  auto size = [&](int layers) {
    form(chain(layers));
    size_t operations =
        getMain(*module)->getBody().front().getOperations().size();
    size_t uses = 0;
    for (const takt::Value &value : graph.values)
      uses += value.uses.size();
    return std::array<size_t, 4>{operations, graph.tasks.size(),
                                 graph.values.size(), uses};
  };
  auto one = size(100), two = size(200), twenty = size(2000);
  for (size_t i = 0; i < one.size(); ++i)
    EXPECT_EQ(twenty[i] - two[i], 18 * (two[i] - one[i])) << "figure " << i;
}

TEST_F(FormTasksTest, ForwardGraphHasForwardTasksOnly) {
  module = parse(chain(2));
  ASSERT_TRUE(module);
  ASSERT_TRUE(succeeded(tagForward(*module)));
  FailureOr<TaskGraph> formed = formTasks(*module);
  ASSERT_TRUE(succeeded(formed));
  graph = std::move(*formed);
  EXPECT_THAT(taskNames(), ElementsAre("fc0.F", "fc1.F"));
  EXPECT_THAT(uses("fc0.weight"), testing::IsEmpty())
      << "nothing writes it, so it is no value";
}

} // namespace
