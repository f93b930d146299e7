//===- RecomputeTest.cpp - activations made again -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Recompute.h"
#include "Evaluator.h"
#include "TestNetworks.h"
#include "takt/Transforms/Microbatch.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace takt;
using namespace takt::test;

namespace {

class RecomputeTest : public testing::Test, protected StepFixture {
protected:
  void step(const std::string &text) {
    differentiate(inDouble(text));
    ASSERT_FALSE(HasFatalFailure());
    ASSERT_TRUE(succeeded(assignTasks(*module)));
  }

  std::vector<Recomputable> values() {
    FailureOr<std::vector<Recomputable>> result = recomputableValues(*module);
    EXPECT_TRUE(succeeded(result));
    return succeeded(result) ? *result : std::vector<Recomputable>();
  }

  std::map<std::string, Tensor> train(unsigned seed) {
    Evaluation evaluation;
    evaluation.fillParameters(*module, seed);
    llvm::Error error =
        evaluation.run(*module, randomInputs(*module, seed), 0.1);
    EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
    return evaluation.written;
  }
};

/// Of random values in random networks: every weight has the same bits, and
/// nothing that is made again is read by the backward pass as it was.
TEST_F(RecomputeTest, TrainsAsWithoutIt) {
  size_t chosenInAll = 0;
  for (unsigned seed = 0; seed < 100; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    step(randomNetwork(seed));
    ASSERT_FALSE(HasFatalFailure());
    std::map<std::string, Tensor> plain = train(seed);
    std::minstd_rand random(seed + 1);
    std::vector<std::string> chosen;
    for (const Recomputable &value : values())
      if (random() % 3)
        chosen.push_back(value.value);
    chosenInAll += chosen.size();
    ASSERT_TRUE(succeeded(recompute(*module, chosen)));
    ASSERT_TRUE(succeeded(verify(*module)));
    EXPECT_TRUE(succeeded(verifyStep(*module)));
    EXPECT_TRUE(succeeded(verifyTasks(*module)));

    std::map<std::string, Tensor> again = train(seed);
    ASSERT_EQ(plain.size(), again.size());
    for (auto &[name, expected] : plain)
      for (int64_t i = 0; i < expected.size(); ++i)
        ASSERT_EQ(again[name][i], expected[i]) << name << "[" << i << "]";

    form();
    for (const takt::Value &value : graph.values)
      if (llvm::is_contained(chosen, value.name))
        for (const Use &use : value.uses)
          EXPECT_EQ(graph.tasks[use.task].kind, TaskKind::Forward)
              << value.name << " for " << graph.tasks[use.task].name;
  }
  EXPECT_GT(chosenInAll, 100u);
}

/// An operation is built again once, whoever needs it.
TEST_F(RecomputeTest, MakesEachOperationOnce) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    step(randomNetwork(seed));
    ASSERT_FALSE(HasFatalFailure());
    std::vector<std::string> all;
    for (const Recomputable &value : values())
      all.push_back(value.value);
    ASSERT_TRUE(succeeded(recompute(*module, all)));
    llvm::StringMap<int> times;
    for (Operation &op : getMain(*module)->getBody().front())
      if (isRecomputed(&op))
        EXPECT_EQ(++times[getNode(&op)], 1) << getNode(&op).str();
  }
}

/// What D(l+1) needs of layer l is made there; where W(l+1) needs it first and
/// D(l) later, still by D(l+1), so that D(l) does not wait for W(l+1).
TEST_F(RecomputeTest, BelongsToTheFirstDgradThatNeedsIt) {
  step(chain(4));
  ASSERT_TRUE(succeeded(recompute(*module, {"relu1.F.relu"})));
  for (Operation &op : getMain(*module)->getBody().front())
    if (isRecomputed(&op)) {
      EXPECT_EQ(getTask(&op), "fc2.D") << getNode(&op).str();
    }
  form();
  const Task &dgrad = graph.tasks[graph.find("fc2.D")];
  // Its own product is the one that a cut divides.
  ASSERT_GE(dgrad.work.size(), 3u);
  EXPECT_FALSE(dgrad.work[0].recomputed);
  EXPECT_EQ(dgrad.work[0].kind, TaskKind::Dgrad);
  EXPECT_TRUE(dgrad.work[1].recomputed);
  EXPECT_EQ(dgrad.work[1].kind, TaskKind::Forward);
  EXPECT_FALSE(dgrad.cuts.empty());
  for (const takt::Value &value : graph.values)
    if (value.name == "relu1.again.relu") {
      EXPECT_EQ(value.kind, ValueClass::Activation);
      EXPECT_EQ(graph.tasks[value.producer].name, "fc2.D");
    }
}

/// A value whose only reader is a wgrad is made by it.
TEST_F(RecomputeTest, OfOneWgradIsItsOwn) {
  test::Network net;
  std::string a = net.gemm(net.input());
  step(net.text(net.gemm(net.add(a, a))));
  ASSERT_FALSE(HasFatalFailure());
  ASSERT_EQ(values().size(), 1u);
  ASSERT_TRUE(succeeded(recompute(*module, {values().front().value})));
  int again = 0;
  for (Operation &op : getMain(*module)->getBody().front())
    if (isRecomputed(&op)) {
      ++again;
      EXPECT_EQ(getTask(&op), "fc1.W");
    }
  EXPECT_EQ(again, 2); // the product and the sum
}

/// Consecutive layers that keep nothing start from what was kept before them.
TEST_F(RecomputeTest, ChainsGoBackToWhatIsKept) {
  step(chain(5));
  ASSERT_TRUE(succeeded(recompute(*module, {"relu1.F.relu", "relu2.F.relu"})));
  std::vector<std::string> again;
  for (Operation &op : getMain(*module)->getBody().front())
    if (isRecomputed(&op))
      again.push_back(getNode(&op).str() + " in " + getTask(&op).str());
  EXPECT_THAT(again, testing::ElementsAre("fc1 in fc3.D", "relu1 in fc3.D",
                                          "fc2 in fc3.D", "relu2 in fc3.D"));
}

TEST_F(RecomputeTest, IsCopiedToEveryMicrobatch) {
  step(chain(3));
  ASSERT_TRUE(succeeded(recompute(*module, {"relu1.F.relu"})));
  ASSERT_TRUE(succeeded(divideIntoMicrobatches(*module, 3)));
  EXPECT_TRUE(succeeded(verifyTasks(*module)));
  form();
  int again = 0;
  for (const Task &task : graph.tasks)
    again += llvm::count_if(task.work,
                            [](const Work &work) { return work.recomputed; });
  EXPECT_EQ(again, 3 * 2);
}

} // namespace
