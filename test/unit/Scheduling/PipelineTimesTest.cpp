//===- PipelineTimesTest.cpp - times and memory of orders -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestPipelines.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace llvm;
using namespace takt;
using namespace takt::test;
using testing::ElementsAre;
using testing::HasSubstr;

namespace {

constexpr TaskKind F = TaskKind::Forward, D = TaskKind::Dgrad,
                   W = TaskKind::Wgrad;

/// Two stages of F 3, D 5, W 2 and a transfer of 1; one microbatch.
PipelineProblem twoStages() {
  PipelineProblem problem = uniformPipeline(2, 1, {3, 5, 2});
  problem.transferCycles = 1;
  return problem;
}

PipelineOrder twoStagesOrder() {
  PipelineOrder order;
  order.processorOf = {0, 1};
  order.order = {{{F, 0, 0}, {D, 0, 0}, {W, 0, 0}},
                 {{F, 1, 0}, {D, 1, 0}, {W, 1, 0}}};
  return order;
}

std::string timesError(const PipelineProblem &problem,
                       const PipelineOrder &order) {
  Expected<PipelineTimes> times = timePipeline(problem, order);
  if (!times)
    return toString(times.takeError());
  ADD_FAILURE() << "the order has times";
  return {};
}

TEST(PipelineTimesTest, FollowPrecedenceAndTransfers) {
  PipelineTimes times = cantFail(timePipeline(twoStages(), twoStagesOrder()));
  EXPECT_THAT(times.start[0], ElementsAre(0, 4));
  EXPECT_THAT(times.start[1], ElementsAre(13, 7));
  EXPECT_THAT(times.start[2], ElementsAre(18, 12));
  EXPECT_EQ(times.makespan, 20);
  EXPECT_EQ(times.span, 20);
  EXPECT_THAT(times.peakMemory, ElementsAre(100, 100));
}

TEST(PipelineTimesTest, FullBackwardHoldsItsGradientBack) {
  PipelineOrder order = twoStagesOrder();
  order.fullBackward = true;
  PipelineTimes times = cantFail(timePipeline(twoStages(), order));
  EXPECT_THAT(times.start[1], ElementsAre(15, 7));
  EXPECT_EQ(times.makespan, 22);
}

TEST(PipelineTimesTest, SpanIsOfOneProcessor) {
  PipelineProblem problem = uniformPipeline(2, 1, {10, 1, 1});
  PipelineOrder order = twoStagesOrder();
  std::swap(order.processorOf[0], order.processorOf[1]);
  std::swap(order.order[0], order.order[1]);
  PipelineTimes times = cantFail(timePipeline(problem, order));
  EXPECT_EQ(times.makespan, 23);
  EXPECT_EQ(times.span, 23);
  problem.stages[0].cycles = {10, 0, 0};
  times = cantFail(timePipeline(problem, order));
  EXPECT_EQ(times.makespan, 22);
  EXPECT_EQ(times.span, 21);
}

TEST(PipelineTimesTest, MemoryRisesAtStartsAndFallsAtEnds) {
  PipelineProblem problem = uniformPipeline(1, 2, {1, 1, 1});
  problem.stages[0].memory = {3, -2, -1};
  PipelineOrder order;
  order.processorOf = {0};
  order.order = {
      {{F, 0, 0}, {F, 0, 1}, {D, 0, 0}, {D, 0, 1}, {W, 0, 0}, {W, 0, 1}}};
  EXPECT_THAT(cantFail(timePipeline(problem, order)).peakMemory,
              ElementsAre(6));
  std::swap(order.order[0][1], order.order[0][2]);
  EXPECT_THAT(cantFail(timePipeline(problem, order)).peakMemory,
              ElementsAre(4));
  problem.stages[0].memory = {-1, 5, -4};
  EXPECT_THAT(cantFail(timePipeline(problem, order)).peakMemory,
              ElementsAre(8));
}

TEST(PipelineTimesTest, RefusesWhatIsNoOrder) {
  PipelineProblem problem = twoStages();
  PipelineOrder order = twoStagesOrder();
  order.order[0].pop_back();
  EXPECT_THAT(timesError(problem, order), HasSubstr("5 tasks, expected 6"));
  order.order[0].push_back({D, 0, 0});
  EXPECT_THAT(timesError(problem, order), HasSubstr("in the order twice"));
  order.order[0].back() = {W, 1, 0};
  EXPECT_THAT(timesError(problem, order),
              HasSubstr("on processor 0, but its stage on 1"));
  order.order[0].back() = {W, 0, 1};
  EXPECT_THAT(timesError(problem, order), HasSubstr("no task of the problem"));
  order = twoStagesOrder();
  std::swap(order.order[1][0], order.order[1][1]);
  EXPECT_THAT(timesError(problem, order), HasSubstr("waits for itself"));
  order = twoStagesOrder();
  order.processorOf.pop_back();
  EXPECT_THAT(timesError(problem, order), HasSubstr("places 1 stages of 2"));
  order = twoStagesOrder();
  order.order.pop_back();
  EXPECT_THAT(timesError(problem, order), HasSubstr("of 1 processors"));
}

TEST(PipelineTimesTest, RefusesAFullBackwardInTwoParts) {
  PipelineProblem problem = uniformPipeline(1, 2, {1, 1, 1});
  PipelineOrder order;
  order.processorOf = {0};
  order.order = {
      {{F, 0, 0}, {D, 0, 0}, {F, 0, 1}, {W, 0, 0}, {D, 0, 1}, {W, 0, 1}}};
  cantFail(timePipeline(problem, order));
  order.fullBackward = true;
  EXPECT_THAT(timesError(problem, order),
              HasSubstr("does not follow D of stage 0, microbatch 0"));
}

TEST(PipelineTimesTest, PlacesStages) {
  PipelineProblem problem = uniformPipeline(3, 1, {2, 2, 2}, 2);
  EXPECT_THAT(placeStages(problem, PipelinePlacement::Blocked),
              ElementsAre(0, 0, 1, 1, 2, 2));
  EXPECT_THAT(placeStages(problem, PipelinePlacement::Interleaved),
              ElementsAre(0, 1, 2, 0, 1, 2));
  EXPECT_THAT(placeStages(problem, PipelinePlacement::Vee),
              ElementsAre(0, 1, 2, 2, 1, 0));
}

TEST(PipelineTimesTest, BoundCountsWhatComesBeforeAndAfter) {
  // The last processor waits for three F; a W may end it.
  EXPECT_EQ(makespanBound(uniformPipeline(4, 8, {10, 10, 10}), {0, 1, 2, 3}),
            270);
  // Without W, three D follow its last task.
  EXPECT_EQ(makespanBound(uniformPipeline(4, 8, {10, 20, 0}), {0, 1, 2, 3}),
            330);
}

} // namespace
