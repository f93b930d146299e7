//===- RandomProblemsTest.cpp - every scheduler on random problems --------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Chains and graphs with skips on 1 to 6 processors, alike or not, with all
// kinds of links, with memory that is just enough or not quite, as whole
// minibatches or in microbatches. Whatever a scheduler returns must pass
// verify(); what it refuses must be refused for want of memory.
//
// Problem i depends on i alone. TAKT_RANDOM_PROBLEMS and TAKT_RANDOM_FIRST, set
// by ./dev random, say how many to take and from which on.
//
//===----------------------------------------------------------------------===//

#include "TestGraphs.h"
#include "TestLinks.h"
#include "TestMicrobatches.h"
#include "takt/Scheduling/Pipeline.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "gtest/gtest.h"
#include <cstdlib>
#include <map>

using namespace takt;
using namespace takt::test;

namespace {
constexpr int kProblems = 2000;

int fromEnvironment(const char *name, int otherwise) {
  const char *text = std::getenv(name);
  return text ? std::atoi(text) : otherwise;
}

/// Draws one problem.
class Draw {
public:
  explicit Draw(int number) : random(number * 7919 + 1) { random.discard(10); }

  Instance run() {
    bool divisible = one(2);
    TaskGraph graph = one(3) ? chain(divisible)
                             : makeRandomGraph(random, 1 + below(6), divisible);
    if (one(4)) // work without a product, on processors with vector units
      for (Task &task : graph.tasks)
        task.work.push_back({task.kind, {}, below(40)});
    if (one(4))
      graph = inMicrobatches(graph, 1 + below(4));
    if (one(8))
      dropDurations(graph);
    Instance instance(std::move(graph), 1 + below(6));
    if (one(4))
      addFastProcessor(instance.machine);
    if (one(2))
      connectRandomly(instance.machine, random);
    if (one(4))
      limitMemory(instance);
    return instance;
  }

private:
  int below(int count) { return static_cast<int>(random() % count); }
  bool one(int in) { return below(in) == 0; }

  TaskGraph chain(bool divisible) {
    std::vector<LayerSpec> layers;
    for (int count = 1 + below(6); count > 0; --count) {
      layers.push_back(randomProduct(random, 8));
      layers.back().divisible = divisible;
    }
    return makeChain(layers);
  }

  void dropDurations(TaskGraph &graph) {
    for (Task &task : graph.tasks)
      if (!one(3)) {
        task.work.clear();
        task.cuts.clear();
      }
  }

  /// From what all processors together need at the least, once of everything
  /// that lasts, to what one processor needs for all.
  void limitMemory(Instance &instance) {
    Problem problem = instance.problem();
    int64_t lasting = 0;
    for (const Value &value : instance.graph.values)
      if (value.kind == ValueClass::Weight || value.kind == ValueClass::State)
        lasting += value.bytes;
    int64_t low = lasting / instance.machine.processors();
    int64_t high = *llvm::max_element(
        peakMemory(problem, scheduleOf("sequential", problem)));
    int64_t limit = low + (high - low) * (3 + below(18)) / 18;
    for (ProcessorClass &on : instance.machine.classes)
      on.memoryBytes = std::max<int64_t>(1, limit);
  }

  std::minstd_rand random;
};

/// What became of a scheduler's attempts.
struct Tally {
  int solved = 0, limited = 0, refused = 0;
};

/// Of the schedule's own demand of memory, or of microbatches.
bool isRefusal(llvm::StringRef message, bool isLimited) {
  return message.contains("microbatches, expected at least") ||
         (isLimited && (message.contains("memory") ||
                        message.contains("works only from a limit")));
}

class RandomProblemsTest : public testing::Test {
protected:
  void solve(llvm::StringRef name, const Instance &instance);

  std::map<std::string, Tally> tallies;
};

void RandomProblemsTest::solve(llvm::StringRef name, const Instance &instance) {
  Problem problem = instance.problem();
  bool isLimited = instance.machine.classes[0].memoryBytes > 0;
  ScheduleOptions options;
  // Searches that would take a second for a larger problem.
  if (name == "ilp" || name == "auto" || name == "zb-auto")
    options.timeLimitSeconds = 0.01;
  llvm::Expected<Schedule> found = schedule(name, problem, options);
  Tally &tally = tallies[name.str()];

  if (!found) {
    std::string message = llvm::toString(found.takeError());
    EXPECT_TRUE(isRefusal(message, isLimited)) << name.str() << ": " << message;
    ++tally.refused;
    return;
  }
  ++tally.solved;
  tally.limited += isLimited;
  // schedule() has verified it; here the status must be right too.
  EXPECT_GE(found->interval, leastBound(problem)) << name.str();
  EXPECT_LE(found->lowerBound, found->interval) << name.str();
  if (found->status == SolveStatus::Optimal && found->lowerBound == 0) {
    EXPECT_EQ(found->interval, bounds(problem, *found).best()) << name.str();
  }
}

TEST_F(RandomProblemsTest, EverySchedulerIsLegalOrRefusesForMemory) {
  int count = fromEnvironment("TAKT_RANDOM_PROBLEMS", kProblems);
  ASSERT_GT(count, 0) << "TAKT_RANDOM_PROBLEMS: expected a positive number";
  int first = fromEnvironment("TAKT_RANDOM_FIRST", 0);
  for (int number : llvm::seq(first, first + count)) {
    SCOPED_TRACE("problem " + std::to_string(number));
    Instance instance = Draw(number).run();
    ASSERT_EQ(llvm::toString(instance.graph.check()), "");
    bool isDivided = instance.graph.isDivided();
    // zb-auto, which auto runs too, takes as long as all others.
    bool takesLong = isDivided && number % 16 != 0;
    for (const SchedulerInfo &info : schedulers())
      if (!isDivided || info.semantics == Semantics::Synchronous ||
          (info.takesMicrobatches && (info.name != "auto" || !takesLong)))
        solve(info.name, instance);
    if (isDivided)
      for (const PipelineScheduler &info : pipelineSchedulers())
        if (info.name != "auto" && info.name != "ilp" &&
            (info.name != "zb-auto" || !takesLong))
          solve(info.name, instance);
  }
  for (const auto &[name, tally] : tallies) {
    printf("%-20s %6d scheduled, %5d of them within a limit, %5d refused for "
           "memory\n",
           name.c_str(), tally.solved, tally.limited, tally.refused);
    EXPECT_GT(tally.solved, 0) << name;
  }
  if (count >= kProblems)
    for (llvm::StringRef name : {"layerpipe", "modulo", "ilp", "auto"}) {
      EXPECT_GT(tallies[name.str()].limited, count / 40) << name.str();
      EXPECT_GT(tallies[name.str()].refused, count / 100) << name.str();
    }
}

} // namespace
