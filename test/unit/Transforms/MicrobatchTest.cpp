//===- MicrobatchTest.cpp - graphs of many microbatches -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The graph that is repeated without building operations is the one of the
// operations.
//
//===----------------------------------------------------------------------===//

#include "takt/Transforms/Microbatch.h"
#include "DescribeGraph.h"
#include "TestNetworks.h"
#include "takt/Scheduling/Microbatches.h"
#include "takt/Transforms/ClipNorm.h"

using namespace mlir;
using namespace takt;
using namespace takt::test;

namespace {

class MicrobatchTest : public testing::Test, protected StepFixture {
protected:
  TaskGraph graphOf(int microbatches) {
    OwningOpRef<ModuleOp> divided = module.get().clone();
    EXPECT_TRUE(succeeded(divideIntoMicrobatches(*divided, microbatches)));
    EXPECT_TRUE(!clips || succeeded(clipByNorm(*divided, 1)));
    FailureOr<TaskGraph> formed = formTasks(*divided);
    EXPECT_TRUE(succeeded(formed));
    return succeeded(formed) ? std::move(*formed) : TaskGraph();
  }

  void expectSameAsOperations() {
    TaskGraph three = graphOf(3), four = graphOf(4);
    for (int count : {3, 4, 5, 9, 21}) {
      SCOPED_TRACE(std::to_string(count) + " microbatches");
      TaskGraph repeated = repeatMicrobatches(three, four, count);
      EXPECT_EQ(llvm::toString(repeated.check()), "");
      TaskGraph built = graphOf(count);
      EXPECT_EQ(repeated.name, built.name);
      EXPECT_EQ(repeated.layers.size(), built.layers.size());
      expectSameLines(describeTasks(repeated), describeTasks(built));
      expectSameLines(describeValues(repeated), describeValues(built));
    }
  }

  static void expectSameLines(const std::vector<std::string> &a,
                              const std::vector<std::string> &b) {
    ASSERT_EQ(a.size(), b.size());
    for (auto [one, other] : llvm::zip_equal(a, b))
      ASSERT_EQ(one, other);
  }

  bool clips = false;
};

TEST_F(MicrobatchTest, RandomNetworks) {
  for (unsigned seed = 0; seed < 60; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    clips = seed % 3 == 0;
    differentiateAndForm(randomNetwork(seed), seed % 2 ? OptimizerKind::Momentum
                                                       : OptimizerKind::Adam);
    expectSameAsOperations();
  }
}

TEST_F(MicrobatchTest, RunningStatisticsGoFromOneToTheNext) {
  Network net;
  differentiateAndForm(
      net.text(net.gemm(net.batchNorm(net.gemm(net.input())))));
  expectSameAsOperations();
}

TEST_F(MicrobatchTest, NamesLikeMicrobatches) {
  std::string text = chain(2);
  for (auto [from, to] : {std::pair("fc0", "fc0.m1"), {"relu1", "m2.m2"}})
    for (size_t at = 0; (at = text.find(from, at)) != std::string::npos;
         at += StringRef(to).size())
      text.replace(at, StringRef(from).size(), to);
  differentiateAndForm(text);
  expectSameAsOperations();
}

} // namespace
