//===- ObjectiveTest.cpp - objectives and Pareto fronts -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Objective.h"
#include "TestGraphs.h"
#include "llvm/ADT/STLExtras.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

using namespace takt;
using namespace takt::test;
using testing::HasSubstr;

namespace {

Objective objective(llvm::StringRef text) {
  return llvm::cantFail(parseObjective(text));
}

std::string refusal(llvm::StringRef text) {
  llvm::Expected<Objective> parsed = parseObjective(text);
  return parsed ? "" : llvm::toString(parsed.takeError());
}

TEST(ObjectiveTest, ParsesCriteriaAndTolerances) {
  Objective parsed = objective("interval:5%, traffic,energy:0.5%");
  ASSERT_EQ(parsed.size(), 3u);
  EXPECT_EQ(parsed[0].criterion, Criterion::Interval);
  EXPECT_EQ(parsed[0].tolerance, 50);
  EXPECT_EQ(parsed[1].criterion, Criterion::Traffic);
  EXPECT_EQ(parsed[1].tolerance, 0);
  EXPECT_EQ(parsed[2].criterion, Criterion::Energy);
  EXPECT_EQ(parsed[2].tolerance, 5);
  EXPECT_EQ(objective("memory,staleness").size(), 2u);
}

TEST(ObjectiveTest, RefusesWhatIsNoObjective) {
  EXPECT_THAT(refusal(""), HasSubstr("found ''"));
  EXPECT_THAT(refusal("speed"), HasSubstr("found 'speed', expected interval"));
  EXPECT_THAT(refusal("interval,"), HasSubstr("found ''"));
  EXPECT_THAT(refusal("interval,interval"), HasSubstr("twice"));
  for (llvm::StringRef bad :
       {"interval:", "interval:5", "interval:x%", "interval:-1%",
        "interval:1001%", "interval:nan%", "interval:5%%"})
    EXPECT_THAT(refusal(bad), HasSubstr("found '" + bad.str() + "'"));
}

std::vector<Figures> randomFigures(std::minstd_rand &random, size_t count) {
  std::vector<Figures> all(count);
  for (Figures &f : all) {
    f.interval = 1 + random() % 6;
    f.memory = 1 + random() % 6;
    f.traffic = random() % 6;
    f.staleness = random() % 3;
    f.energy = 1 + random() % 3;
  }
  return all;
}

bool beats(const Figures &a, const Figures &b) {
  return a.interval <= b.interval && a.memory <= b.memory &&
         a.traffic <= b.traffic &&
         std::tie(a.interval, a.memory, a.traffic) !=
             std::tie(b.interval, b.memory, b.traffic);
}

TEST(ObjectiveTest, FrontIsWhatNothingBeats) {
  std::minstd_rand random(1);
  for (int round = 0; round < 300; ++round) {
    std::vector<Figures> all = randomFigures(random, 1 + round % 30);
    std::vector<size_t> front = paretoFront(all);
    for (auto [index, one] : llvm::enumerate(all)) {
      bool beaten = llvm::any_of(
          all, [&, &one = one](const Figures &f) { return beats(f, one); });
      // Of equal ones one stands for all.
      bool shown = llvm::any_of(front, [&, &one = one](size_t i) {
        return !beats(all[i], one) && !beats(one, all[i]) &&
               all[i].interval == one.interval && all[i].memory == one.memory;
      });
      EXPECT_EQ(shown, !beaten) << round << " " << index;
    }
    for (size_t i = 1; i < front.size(); ++i)
      EXPECT_LE(all[front[i - 1]].interval, all[front[i]].interval);
  }
}

TEST(ObjectiveTest, BestIsWithinEachToleranceOfWhatIsLeft) {
  std::minstd_rand random(2);
  Objective order = objective("traffic:50%,interval:20%,memory");
  for (int round = 0; round < 300; ++round) {
    std::vector<Figures> all = randomFigures(random, 1 + round % 30);
    const Figures &best = all[chooseBest(all, order)];
    auto least = [&](auto figure, auto isLeft) {
      double value = std::numeric_limits<double>::max();
      for (const Figures &f : all)
        if (isLeft(f))
          value = std::min(value, figure(f));
      return value;
    };
    auto traffic = [](const Figures &f) { return f.traffic; };
    auto interval = [](const Figures &f) { return f.interval; };
    auto memory = [](const Figures &f) { return f.memory; };
    double mostTraffic = 1.5 * least(traffic, [](auto &) { return true; });
    auto first = [&](const Figures &f) { return f.traffic <= mostTraffic; };
    double mostInterval = 1.2 * least(interval, first);
    auto second = [&](const Figures &f) {
      return first(f) && f.interval <= mostInterval;
    };
    EXPECT_TRUE(second(best));
    EXPECT_EQ(best.memory, least(memory, second));
  }
}

TEST(ObjectiveTest, SchedulesObeyTheirObjective) {
  std::minstd_rand random(3);
  int cheaper = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 6, 2, 4);
    Problem problem = instance.problem();
    ScheduleOptions options;
    Figures fast = figures(problem, scheduleOf("layerpipe", problem));
    options.objective = objective("interval:20%,traffic");
    Figures thrifty =
        figures(problem, scheduleOf("layerpipe", problem, options));
    EXPECT_LE(thrifty.interval, 1.2 * fast.interval);
    EXPECT_LE(thrifty.traffic, fast.traffic);
    cheaper += thrifty.traffic < fast.traffic;
    options.objective = objective("traffic,interval");
    EXPECT_EQ(
        figures(problem, scheduleOf("layerpipe", problem, options)).traffic, 0);
  }
  EXPECT_GT(cheaper, 5);
}

/// The front has the fastest schedule that either scheduler finds alone, and
/// one processor's, which moves nothing.
TEST(ObjectiveTest, FrontOfSchedulers) {
  std::minstd_rand random(4);
  int several = 0;
  for (int round = 0; round < 20; ++round) {
    SCOPED_TRACE("round " + std::to_string(round));
    Instance instance = makeRandomInstance(random, 6, 2, 4);
    Problem problem = instance.problem();
    auto front = paretoSchedules({"layerpipe", "pipedream"}, problem, {});
    ASSERT_TRUE(bool(front)) << llvm::toString(front.takeError());
    for (const Schedule &schedule : *front)
      EXPECT_EQ(llvm::toString(verify(problem, schedule)), "");
    int64_t fastest = std::min(scheduleOf("layerpipe", problem).interval,
                               scheduleOf("pipedream", problem).interval);
    EXPECT_LE(front->front().interval, fastest);
    EXPECT_TRUE(llvm::any_of(*front, [](const Schedule &schedule) {
      return schedule.transfers.empty();
    }));
    several += front->size() > 2;
  }
  EXPECT_GT(several, 10);
}

TEST(ObjectiveTest, FrontOfNothingSaysWhy) {
  Instance instance(makeChain({product(4, 4, 4), product(4, 4, 4)}), 2);
  auto front = paretoSchedules({"fastest"}, instance.problem(), {});
  ASSERT_FALSE(bool(front));
  EXPECT_THAT(llvm::toString(front.takeError()), HasSubstr("'fastest'"));
}

TEST(EnergyTest, CountsWhatTheScheduleMovesAndHowLongItTakes) {
  Instance instance(makeChain({product(4, 4, 4), product(4, 4, 4)}), 2);
  Problem problem = instance.problem();
  instance.machine.energy = {/*mac=*/1000, /*memoryByte=*/0, /*linkByte=*/0,
                             /*processorCycle=*/0};
  // F of both, D of the second, W of both: 5 products of 64.
  Schedule s = scheduleOf("pipedream", problem);
  EXPECT_DOUBLE_EQ(metrics(problem, s).energyPicojoules, 5 * 64);
  instance.machine.energy = {0, 0, /*linkByte=*/2000, 0};
  Metrics moved = metrics(problem, s);
  EXPECT_GT(moved.communicationBytes, 0);
  EXPECT_DOUBLE_EQ(moved.energyPicojoules, 2.0 * moved.communicationBytes);
  instance.machine.energy = {0, 0, 0, /*processorCycle=*/500};
  EXPECT_DOUBLE_EQ(metrics(problem, s).energyPicojoules,
                   0.5 * 2 * double(s.interval));
}

} // namespace
