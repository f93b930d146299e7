//===- ReplicateTest.cpp - a replicated step has replicate()'s graph ------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Replicate.h"
#include "DescribeGraph.h"
#include "TestNetworks.h"
#include "takt/Scheduling/Replication.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"

using namespace mlir;
using namespace takt;
using namespace takt::test;

namespace {

class ReplicateTest : public testing::Test, protected StepFixture {
protected:
  /// The graph of the replicated step is the replicated graph.
  void expectSameAsReplicate(ArrayRef<int> replicas, ArrayRef<int> delays) {
    llvm::Expected<TaskGraph> expected = replicate(graph, replicas, delays);
    ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
    ASSERT_FALSE(bool(expected->check()));
    // Tasks of several minibatches are not cut.
    for (Task &task : expected->tasks)
      task.cuts.clear();
    ASSERT_TRUE(succeeded(replicateStep(
        *module, SmallVector<int64_t>(replicas.begin(), replicas.end()),
        SmallVector<int64_t>(delays.begin(), delays.end()))));
    EXPECT_TRUE(succeeded(verify(*module)));
    EXPECT_TRUE(succeeded(verifyStep(*module)));
    EXPECT_TRUE(succeeded(verifyTasks(*module)));
    FailureOr<TaskGraph> actual = formTasks(*module);
    ASSERT_TRUE(succeeded(actual));
    EXPECT_EQ(actual->minibatches, expected->minibatches);
    for (auto [a, b] : llvm::zip_equal(actual->layers, expected->layers)) {
      EXPECT_EQ(a.parameterBytes, b.parameterBytes) << a.name;
      EXPECT_EQ(a.optimizerBytes, b.optimizerBytes) << a.name;
    }
    for (auto [a, b] : llvm::zip(actual->tasks, expected->tasks))
      EXPECT_EQ(a.microbatch, b.microbatch) << a.name;
    expectSame(describeTasks(*actual), describeTasks(*expected));
    expectSame(describeValues(*actual), describeValues(*expected));
  }
};

/// All counts and delays of two layers, of whose weights of 8 rows some
/// replicas have more than others.
TEST_F(ReplicateTest, ReplicatedStepHasTheReplicatedGraph) {
  for (OptimizerKind optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam})
    for (int first : {1, 2, 3})
      for (int second : {1, 2, 4})
        for (int delay : {0, 1, 2, 5}) {
          if (first * second == 1)
            continue;
          SCOPED_TRACE(std::to_string(first) + " and " +
                       std::to_string(second) + " replicas, delay " +
                       std::to_string(delay));
          differentiateAndForm(chain(2), optimizer);
          expectSameAsReplicate({first, second}, {delay, 0});
        }
}

/// Shards are in order even where the first of a layer's updates lacks some.
TEST_F(ReplicateTest, ShardsAreInOrderWhicheverUpdateIsFirst) {
  Network biasFirst, biasLast;
  for (const std::string &text :
       {biasFirst.text(biasFirst.gemm(biasFirst.bias(biasFirst.input()))),
        biasLast.text(biasLast.bias(biasLast.gemm(biasLast.input())))})
    for (int replicas : {5, 6, 7, 11}) {
      SCOPED_TRACE(replicas);
      differentiateAndForm(text);
      expectSameAsReplicate({replicas}, {1});
    }
}

TEST_F(ReplicateTest, WeightsWithFewerRowsThanReplicasHaveFewerShards) {
  Network net;
  std::string text = net.text(net.bias(net.gemm(net.input())));
  differentiateAndForm(text); // weights of 8 rows and of 4
  expectSameAsReplicate({5}, {1});
  differentiateAndForm(text);
  expectSameAsReplicate({11}, {2});
  int updates = 0;
  FailureOr<TaskGraph> formed = formTasks(*module);
  for (const Task &task : formed->tasks)
    updates += task.kind == TaskKind::Update;
  EXPECT_EQ(updates, 8); // not 11: three shards have no rows
}

TEST_F(ReplicateTest, EveryReplicaHasItsOwnRunningStatistics) {
  Network net;
  std::string text = net.text(net.gemm(net.batchNorm(net.gemm(net.input()))));
  differentiateAndForm(text);
  expectSameAsReplicate({2, 4}, {1, 0});
  SmallVector<std::string> means;
  for (auto parameter : module->getOps<train::ParameterOp>())
    if (parameter.getTensorName() == "bn0.mean")
      means.push_back((parameter.getSymName() + " " +
                       Twine(parameter.getUpdateOrZero()) + " of " +
                       Twine(parameter.getLastUpdateOrZero()))
                          .str());
  // The first one is the result: the last of replica 0.
  EXPECT_THAT(means,
              testing::ElementsAre("bn0.mean.m2 1 of 1", "bn0.mean.m0 0 of 1",
                                   "bn0.mean.m3 1 of 1", "bn0.mean.m1 0 of 1"));
}

TEST_F(ReplicateTest, RandomNetworksToo) {
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    differentiateAndForm(randomNetwork(seed), seed % 2 ? OptimizerKind::Momentum
                                                       : OptimizerKind::Adam);
    std::minstd_rand random(seed + 1);
    std::vector<int> replicas, delays;
    for (size_t layer = 0; layer < graph.layers.size(); ++layer) {
      replicas.push_back(layer == 0 ? 2 : 1 + static_cast<int>(random() % 4));
      delays.push_back(static_cast<int>(random() % 4));
    }
    expectSameAsReplicate(replicas, delays);
  }
}

TEST_F(ReplicateTest, RefusesWhatItCannotDo) {
  differentiateAndForm(chain(2));
  std::string text;
  ScopedDiagnosticHandler handler(
      &context, [&](Diagnostic &diagnostic) { text = diagnostic.str(); });
  EXPECT_TRUE(failed(replicateStep(*module, {2}, {0, 0})));
  EXPECT_EQ(text, "expected a number of replicas and a delay for each of 2 "
                  "layers, found 1 and 2");
  EXPECT_TRUE(failed(replicateStep(*module, {2, 0}, {0, 0})));
  EXPECT_EQ(text, "layer \"fc1\" has 0 replicas and delay 0, expected 1 to "
                  "4096 and 0 to 4096");
  EXPECT_TRUE(failed(replicateStep(*module, {4093, 4091}, {0, 0})));
  EXPECT_EQ(text, "replicas that repeat after more than 65536 minibatches");
  EXPECT_TRUE(failed(replicateStep(*module, {1, 1}, {0, 0})));
  EXPECT_EQ(text, "expected a layer with more than one replica; train-retime "
                  "sets delays without replicas");
  EXPECT_TRUE(succeeded(replicateStep(*module, {2, 1}, {0, 0})));
  EXPECT_TRUE(failed(replicateStep(*module, {2, 1}, {0, 0})));
  EXPECT_EQ(text, "the step is of several microbatches or minibatches already");
}

} // namespace
