//===- DifferentiateTest.cpp - gradients of whole networks ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Evaluator.h"
#include "TestNetworks.h"
#include "takt/Transforms/Split.h"
#include "takt/Transforms/Tags.h"
#include "gtest/gtest.h"

using namespace mlir;
using namespace takt;
using namespace takt::test;

namespace {

class DifferentiateTest : public testing::Test, protected StepFixture {
protected:
  void step(const std::string &text) { differentiate(inDouble(text)); }

  std::vector<Tensor> inputs(unsigned seed) {
    return randomInputs(*module, seed);
  }

  double loss(Evaluation evaluation, unsigned seed) {
    llvm::Error error = evaluation.run(*module, inputs(seed), 0);
    EXPECT_FALSE(bool(error)) << llvm::toString(std::move(error));
    return evaluation.results.front()[0];
  }
};

/// With learning rate 1 the step moves a weight by its gradient, which a
/// central difference of the loss gives too.
TEST_F(DifferentiateTest, GradientsAreThoseOfFiniteDifferences) {
  unsigned compared = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    step(randomNetwork(seed));
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
    Evaluation evaluation;
    evaluation.fillParameters(*module, seed);
    Evaluation stepped = evaluation;
    llvm::Error error = stepped.run(*module, inputs(seed), 1);
    ASSERT_FALSE(bool(error)) << llvm::toString(std::move(error));
    std::minstd_rand random(seed + 1);
    for (auto &[name, after] : stepped.written) {
      int64_t i = random() % after.size();
      double gradient = evaluation.parameters[name][i] - after[i];
      Evaluation up = evaluation, down = evaluation;
      const double h = 1e-6;
      up.parameters[name][i] += h;
      down.parameters[name][i] -= h;
      double difference = (loss(up, seed) - loss(down, seed)) / (2 * h);
      EXPECT_NEAR(gradient, difference, 1e-6 * (1 + std::abs(difference)))
          << "seed " << seed << ", " << name << "[" << i << "]";
      ++compared;
    }
  }
  EXPECT_GT(compared, 100u);
}

/// Cutting changes no result: exactly where parts are concatenated, up to
/// reassociation where they are added.
TEST_F(DifferentiateTest, CutStepsComputeTheSame) {
  unsigned cutsSeen = 0;
  for (unsigned seed = 0; seed < 40; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    step(randomNetwork(seed));
    ASSERT_FALSE(HasFatalFailure());
    FailureOr<TaskGraph> graph = formTasks(*module);
    ASSERT_TRUE(succeeded(graph));
    Evaluation whole;
    whole.fillParameters(*module, seed);
    ASSERT_FALSE(bool(whole.run(*module, inputs(seed), 0.1)));

    std::minstd_rand random(seed + 1);
    SmallVector<NamedCut> cuts;
    for (const Task &task : graph->tasks) {
      if (task.cuts.empty())
        continue;
      const CutOption &option = task.cuts[random() % task.cuts.size()];
      NamedCut cut{task.name, option.axis, {}, {}};
      for (int64_t at = 1 + random() % (option.extent - 1); at < option.extent;
           at += 1 + random() % 3)
        cut.at.push_back(at);
      for (size_t part = 0; part <= cut.at.size(); ++part)
        cut.sliceAtProducer.push_back(random() % 2 == 0);
      cuts.push_back(cut);
    }
    cutsSeen += cuts.size();
    ASSERT_TRUE(succeeded(split(*module, cuts)));
    Evaluation parts;
    parts.fillParameters(*module, seed);
    ASSERT_FALSE(bool(parts.run(*module, inputs(seed), 0.1)));
    for (auto &[name, expected] : whole.written)
      for (int64_t i = 0; i < expected.size(); ++i)
        ASSERT_NEAR(parts.written[name][i], expected[i],
                    1e-12 * (1 + std::abs(expected[i])))
            << name << "[" << i << "]";
  }
  EXPECT_GT(cutsSeen, 100u);
}

TEST_F(DifferentiateTest, NothingUnusedIsLeft) {
  for (unsigned seed = 0; seed < 40; ++seed) {
    step(randomNetwork(seed));
    for (Operation &op :
         getMain(*module)->getBody().front().without_terminator())
      if (executes(&op)) {
        EXPECT_FALSE(op.use_empty())
            << "seed " << seed << ": " << getNode(&op).str();
      }
  }
}

} // namespace
