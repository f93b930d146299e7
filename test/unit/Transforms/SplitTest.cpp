//===- SplitTest.cpp - a split step has the graph that applyCuts gives ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Split.h"
#include "DescribeGraph.h"
#include "TestNetworks.h"
#include "takt/Transforms/Recompute.h"
#include "takt/Transforms/Retime.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace takt;
using namespace takt::test;

namespace {

class SplitTest : public testing::Test, protected StepFixture {
protected:
  /// Has the backward pass make some of the activations again.
  void recomputeSome(std::minstd_rand &random) {
    auto values = recomputableValues(*module);
    ASSERT_TRUE(succeeded(values));
    std::vector<std::string> chosen;
    for (const Recomputable &value : *values)
      if (random() % 2)
        chosen.push_back(value.value);
    ASSERT_TRUE(succeeded(recompute(*module, chosen)));
    form();
  }

  /// The graph of the split step is the cut graph.
  void expectSameAsApplyCuts(ArrayRef<Cut> cuts) {
    llvm::Expected<TaskGraph> expected = applyCuts(graph, cuts);
    ASSERT_TRUE(bool(expected)) << llvm::toString(expected.takeError());
    ASSERT_TRUE(succeeded(split(*module, nameCuts(graph, cuts))));
    EXPECT_TRUE(succeeded(verify(*module)));
    EXPECT_TRUE(succeeded(verifyStep(*module)));
    EXPECT_TRUE(succeeded(verifyTasks(*module)));
    FailureOr<TaskGraph> actual = formTasks(*module);
    ASSERT_TRUE(succeeded(actual));
    expectSame(describeTasks(*actual), describeTasks(*expected));
    expectSame(describeValues(*actual), describeValues(*expected));
  }
};

/// All axes, and all ways to slice at the producer, on every D of a network
/// with a skip.
TEST_F(SplitTest, SplitStepHasTheCutGraph) {
  test::Network net;
  std::string a = net.relu(net.gemm(net.input()));
  std::string b = net.relu(net.gemm(a));
  std::string text = net.text(net.gemm(net.relu(net.add(net.gemm(b), a))));
  int products = 0;
  for (CutAxis axis : {CutAxis::Channel, CutAxis::Batch, CutAxis::Reduction})
    for (int sliced = 0; sliced < 8; ++sliced) {
      SCOPED_TRACE("axis " + std::to_string(int(axis)) + " sliced " +
                   std::to_string(sliced));
      differentiateAndForm(text);
      SmallVector<Cut> cuts;
      for (auto [index, task] : llvm::enumerate(graph.tasks))
        if (llvm::any_of(task.cuts, [&](const CutOption &option) {
              return option.axis == axis;
            }))
          cuts.push_back({int(index),
                          axis,
                          {1, 3},
                          {bool(sliced & 1), bool(sliced & 2), sliced > 3}});
      products += static_cast<int>(cuts.size());
      expectSameAsApplyCuts(cuts);
    }
  // All axes of F and D, and the wgrads' rows; 4 F, 3 D and 4 W.
  EXPECT_GE(products, 8 * (2 * (4 + 3) + 4));
}

TEST_F(SplitTest, RandomNetworksToo) {
  unsigned cutsSeen = 0;
  for (unsigned seed = 0; seed < 200; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    differentiateAndForm(randomNetwork(seed));
    std::minstd_rand random(seed + 1);
    if (seed % 2)
      recomputeSome(random);
    SmallVector<Cut> cuts;
    for (auto [index, task] : llvm::enumerate(graph.tasks)) {
      if (task.cuts.empty() || random() % 2)
        continue;
      // By samples, the axis that neighbours share, more often than others.
      const CutOption *option = &task.cuts[random() % task.cuts.size()];
      for (const CutOption &other : task.cuts)
        if (other.axis == sampleAxis(task.kind) && random() % 2)
          option = &other;
      Cut cut{int(index), option->axis, {}, {}};
      for (int64_t at = 1 + random() % 2; at < option->extent;
           at += 1 + random() % 4)
        cut.at.push_back(at);
      if (cut.at.empty())
        cut.at.push_back(1);
      for (int part = 0; part < cut.parts(); ++part)
        cut.sliceAtProducer.push_back(random() % 4 != 0);
      cuts.push_back(cut);
    }
    cutsSeen += cuts.size();
    expectSameAsApplyCuts(cuts);
  }
  EXPECT_GT(cutsSeen, 100u);
}

TEST_F(SplitTest, DelaysReachDerivedWeights) {
  differentiateAndForm(chain(3));
  ASSERT_TRUE(succeeded(
      split(*module, {{"fc1.D", CutAxis::Channel, {3}, {true, false}}})));
  ASSERT_TRUE(succeeded(retime(*module, {4, 2, 0})));
  std::map<std::string, int64_t> delays;
  for (auto parameter : module->getOps<train::ParameterOp>())
    delays[parameter.getSymName().str()] = parameter.getDelayOrZero();
  EXPECT_EQ(delays,
            (std::map<std::string, int64_t>{{"fc0.weight", 4},
                                            {"fc1.weight", 2},
                                            {"fc1.weight.slice0 for fc1.D", 2},
                                            {"fc2.weight", 0}}));
  SmallVector<int64_t> seen;
  for (Operation &op : getMain(*module)->getBody().front())
    if (auto delay = dyn_cast<train::DelayOp>(op))
      seen.push_back(delay.getDelay());
  llvm::sort(seen);
  EXPECT_EQ(seen, (SmallVector<int64_t>{2, 4}));
  EXPECT_TRUE(succeeded(verifyStep(*module)));
  EXPECT_TRUE(succeeded(verifyTasks(*module)));
}

TEST(ParseCutTest, RoundTripsWhatItAccepts) {
  llvm::Expected<NamedCut> cut = parseCut("a:b.D:reduction:7+9:0+2");
  ASSERT_TRUE(bool(cut));
  EXPECT_EQ(cut->task, "a:b.D");
  EXPECT_EQ(cut->axis, CutAxis::Reduction);
  EXPECT_THAT(cut->at, testing::ElementsAre(7, 9));
  EXPECT_THAT(cut->sliceAtProducer, testing::ElementsAre(true, false, true));
  llvm::Expected<NamedCut> plain = parseCut("x.D:batch:1");
  ASSERT_TRUE(bool(plain));
  EXPECT_THAT(plain->sliceAtProducer, testing::ElementsAre(false, false));
}

TEST(ParseCutTest, RejectsWhatItDoesNotKnow) {
  for (StringRef text : {"", "x.D", "x.D:channel", "x.D:channel:", ":channel:1",
                         "x.D:rows:1", "x.D:channel:1:2", "x.D:channel:one"}) {
    llvm::Expected<NamedCut> cut = parseCut(text);
    EXPECT_FALSE(bool(cut)) << text.str();
    if (!cut) {
      EXPECT_THAT(llvm::toString(cut.takeError()),
                  testing::HasSubstr("found '" + text.str() + "'"));
    }
  }
}

} // namespace
