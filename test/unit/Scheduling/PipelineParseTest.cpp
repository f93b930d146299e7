//===- PipelineParseTest.cpp - pipeline problems as text ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/PipelineGraph.h"
#include "gtest/gtest.h"

using namespace takt;

namespace {
llvm::Expected<PipelineProblem> parse(llvm::StringRef text) {
  return parsePipeline(llvm::MemoryBufferRef(text, "dir/p.yaml"));
}

std::string failure(llvm::StringRef text) {
  llvm::Expected<PipelineProblem> problem = parse(text);
  if (problem)
    return "accepted";
  return llvm::toString(problem.takeError());
}

/// A problem of one processor with these lines at its end.
std::string withLines(const std::string &lines) {
  return "takt-pipeline: 1\nprocessors: 1\nmicrobatches: 2\n"
         "stages:\n  - {forward: 1, dgrad: 1, wgrad: 1}\n" +
         lines;
}

TEST(PipelineParse, ReadsEveryKey) {
  auto problem = parse(R"(takt-pipeline: 1
processors: 2
microbatches: 8
stages:   # in order
  - {forward: 10, dgrad: 11, wgrad: 12, memory: {forward: 1.5, dgrad: -0.25, wgrad: -1.25}}
  - {forward: 1, dgrad: 2, wgrad: 3}
repeat_last_stage: 2
transfer_cycles: 7
memory_limit: [4, 2.125]
)");
  ASSERT_TRUE(bool(problem)) << llvm::toString(problem.takeError());
  EXPECT_EQ(problem->name, "p");
  EXPECT_EQ(problem->processors, 2);
  EXPECT_EQ(problem->microbatches, 8);
  ASSERT_EQ(problem->stages.size(), 4u);
  EXPECT_EQ(problem->chunks(), 2);
  EXPECT_EQ(problem->stages[0].cycles, (std::array<int64_t, 3>{10, 11, 12}));
  EXPECT_EQ(problem->memoryScale, 1000);
  EXPECT_EQ(problem->stages[0].memory,
            (std::array<int64_t, 3>{1500, -250, -1250}));
  for (int stage : {1, 2, 3})
    EXPECT_EQ(problem->stages[stage].cycles, (std::array<int64_t, 3>{1, 2, 3}));
  EXPECT_EQ(problem->transferCycles, 7);
  EXPECT_EQ(problem->memoryLimit, (std::vector<int64_t>{4000, 2125}));
}

TEST(PipelineParse, OneLimitIsForAll) {
  auto problem = parse("takt-pipeline: 1\nprocessors: 2\nmicrobatches: 1\n"
                       "stages: [{forward: 1, dgrad: 1, wgrad: 1}]\n"
                       "repeat_last_stage: 1\nmemory_limit: 3\n");
  ASSERT_TRUE(bool(problem)) << llvm::toString(problem.takeError());
  EXPECT_EQ(problem->memoryLimit, (std::vector<int64_t>{3, 3}));
  EXPECT_EQ(problem->memoryScale, 1);
}

TEST(PipelineParse, SaysWhereAndWhatIsWrong) {
  auto expectFailure = [](const std::string &text, const char *part) {
    std::string message = failure(text);
    EXPECT_NE(message.find(part), std::string::npos) << message;
    EXPECT_EQ(message.rfind("dir/p.yaml:", 0), 0u) << message;
  };
  expectFailure("", "expected a pipeline problem");
  expectFailure("- 1\n", "expected a pipeline problem");
  expectFailure("takt-pipeline: 2\n", "expected 1");
  expectFailure(withLines("colour: 3\n"), "6:1: unknown key 'colour'");
  expectFailure(withLines("transfer_cycles: 1\ntransfer_cycles: 1\n"),
                "duplicated mapping key");
  expectFailure(withLines("transfer_cycles: -1\n"), "expected an integer");
  expectFailure(withLines("repeat_last_stage: 65536\n"), "stages");
  expectFailure(withLines("memory_limit: -1\n"), "negative");
  expectFailure(withLines("memory_limit: 0.0000001\n"), "decimal");
  expectFailure(withLines("memory_limit: [1, 2]\n"), "lists 2 limits");
  expectFailure(withLines("memory_limit: {forward: 1}\n"), "memory_limit");
  expectFailure("takt-pipeline: 1\nprocessors: 2\nmicrobatches: 1\n"
                "stages: [{forward: 1, dgrad: 1, wgrad: 1}]\n",
                "a multiple of its 2 processors");
  expectFailure("takt-pipeline: 1\nprocessors: 0\nmicrobatches: 1\n"
                "stages: [{forward: 1, dgrad: 1, wgrad: 1}]\n",
                "2:13: expected an integer from 1");
  expectFailure("takt-pipeline: 1\nprocessors: 1\nmicrobatches: 1048576\n"
                "stages: [{forward: 1099511627776, dgrad: 1099511627776, "
                "wgrad: 1099511627776}]\n",
                "total work");
  expectFailure(
      "takt-pipeline: 1\nprocessors: 1\nmicrobatches: 1\nstages: []\n",
      "at least one stage");
  expectFailure("takt-pipeline: 1\nprocessors: 1\nmicrobatches: 1\n"
                "stages: [{forward: 1, dgrad: 1}]\n",
                "missing required key 'wgrad'");
}

/// One processor after the other, everything of a microbatch at once.
PipelineOrder depthFirst(const PipelineProblem &problem) {
  PipelineOrder order;
  order.processorOf = placeStages(problem, PipelinePlacement::Interleaved);
  order.order.resize(problem.processors);
  int stages = static_cast<int>(problem.stages.size());
  auto add = [&](TaskKind kind, int stage, int m) {
    order.order[order.processorOf[stage]].push_back({kind, stage, m});
  };
  for (int m = 0; m < problem.microbatches; ++m) {
    for (int stage = 0; stage < stages; ++stage)
      add(TaskKind::Forward, stage, m);
    for (int stage = stages - 1; stage >= 0; --stage) {
      add(TaskKind::Dgrad, stage, m);
      add(TaskKind::Wgrad, stage, m);
    }
  }
  return order;
}

TEST(PipelineGraph, ScheduleOfAnOrderVerifies) {
  auto pipeline = parse(R"(takt-pipeline: 1
processors: 2
microbatches: 3
stages:
  - {forward: 4, dgrad: 5, wgrad: 2, memory: {forward: 2, dgrad: -1, wgrad: -1}}
repeat_last_stage: 3
transfer_cycles: 1
memory_limit: [4, 4]
)");
  ASSERT_TRUE(bool(pipeline)) << llvm::toString(pipeline.takeError());
  TaskGraph graph = pipelineGraph(*pipeline);
  EXPECT_EQ(graph.tasks.size(), 4u * 3 * 3);
  Machine machine = pipelineMachine(*pipeline);
  auto cost = llvm::cantFail(createCostModel("macs"));
  Problem problem{&graph, &machine, cost.get()};
  ASSERT_FALSE(bool(check(problem)));
  PipelineOrder order = depthFirst(*pipeline);
  auto times = timePipeline(*pipeline, order);
  ASSERT_TRUE(bool(times)) << llvm::toString(times.takeError());
  // Both stages of a processor hold one microbatch.
  EXPECT_EQ(times->peakMemory, (std::vector<int64_t>{4, 4}));
  Schedule schedule = pipelineSchedule(*pipeline, graph, order, *times);
  EXPECT_EQ(llvm::toString(verify(problem, schedule)), "");
  EXPECT_EQ(schedule.interval, times->makespan);
  EXPECT_EQ(peakMemory(problem, schedule), times->peakMemory);
  // A task a cycle early, and a limit a unit too low, are both found.
  Schedule early = schedule;
  for (Placement &place : early.tasks)
    if (place.start > 0)
      place.start -= 1;
  EXPECT_NE(llvm::toString(verify(problem, early)), "");
  machine.classes.front().memoryBytes = 3;
  EXPECT_NE(llvm::toString(verify(problem, schedule)).find("holds up to 4"),
            std::string::npos);
}

TEST(PipelineGraph, RefusesOrdersThatWait) {
  auto pipeline = llvm::cantFail(parse(withLines("")));
  PipelineOrder order = depthFirst(pipeline);
  std::swap(order.order[0][0], order.order[0][1]); // D before its F
  auto times = timePipeline(pipeline, order);
  ASSERT_FALSE(bool(times));
  EXPECT_EQ(llvm::toString(times.takeError()),
            "the order waits for itself: processor 0 at D of stage 0, "
            "microbatch 0");
  order = depthFirst(pipeline);
  order.order[0].pop_back();
  times = timePipeline(pipeline, order);
  ASSERT_FALSE(bool(times));
  EXPECT_EQ(llvm::toString(times.takeError()),
            "the order has 5 tasks, expected 6");
}
} // namespace
