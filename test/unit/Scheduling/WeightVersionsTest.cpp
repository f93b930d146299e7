//===- WeightVersionsTest.cpp - copies of weights without a stash ---------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../../../lib/Scheduling/WeightVersions.h"
#include "TestGraphs.h"
#include "takt/Scheduling/Retiming.h"
#include "llvm/ADT/STLExtras.h"
#include "gtest/gtest.h"
#include <map>

using namespace takt;
using namespace takt::test;

namespace {

/// What reconstructWeights() does to a step: dgrads read an estimate of the
/// earlier weights, which their update keeps up.
void addReconstructions(TaskGraph &graph) {
  std::vector<Value> added;
  for (Value &value : graph.values) {
    auto isDgrad = [&](const Use &use) {
      return graph.tasks[use.task].kind == TaskKind::Dgrad;
    };
    if (value.kind != ValueClass::Weight || llvm::none_of(value.uses, isDgrad))
      continue;
    Value earlier = value;
    earlier.name += kEarlierSuffix;
    llvm::erase_if(earlier.uses, [&](const Use &use) {
      return graph.tasks[use.task].kind == TaskKind::Forward;
    });
    llvm::erase_if(value.uses, isDgrad);
    added.push_back(std::move(earlier));
  }
  llvm::append_range(graph.values, added);
}

/// Of each weight the instances of it and of its reconstruction that are alive
/// on a processor at the same time, counted cycle by cycle for as many
/// minibatches as it takes.
int64_t mostCopies(const Schedule &schedule) {
  const TaskGraph &graph = schedule.graph;
  constexpr int kMinibatches = 40;
  int64_t most = 0;
  std::map<std::pair<std::string, int>, std::map<int64_t, int64_t>> changes;
  for (const Value &value : graph.values) {
    if (value.kind != ValueClass::Weight || !value.sliceOf.empty())
      continue;
    llvm::StringRef name = value.name;
    name.consume_back(kEarlierSuffix);
    const Placement &update = schedule.tasks[value.producer];
    int64_t made = update.start + update.cycles;
    std::map<int, int64_t> lastRead = {{update.processor, made}};
    for (const Use &use : value.uses) {
      const Placement &reader = schedule.tasks[use.task];
      // What an update reads it replaces.
      int64_t end = use.task == value.producer ? update.start
                                               : reader.start + reader.cycles;
      end += distance(schedule, value, use) * schedule.interval;
      auto [it, isNew] = lastRead.try_emplace(reader.processor, end);
      it->second = std::max(it->second, end);
    }
    for (auto [processor, end] : lastRead)
      for (int64_t i = 0; i < kMinibatches; ++i) {
        int64_t shift = i * schedule.interval;
        auto &own = changes[{name.str(), processor}];
        own[made + shift] += 1;
        own[std::max(end, made + 1) + shift] -= 1;
      }
  }
  for (const auto &[place, times] : changes) {
    int64_t alive = 0;
    for (auto [time, change] : times)
      most = std::max(most, alive += change);
  }
  return most;
}

/// A layer at a time on processors enough for a few stages; some updates take
/// time, some layers are read by several.
Instance makeInstance(std::minstd_rand &random) {
  Instance instance = makeRandomInstance(random, /*maxLayers=*/7, 2, 6);
  for (Task &task : instance.graph.tasks)
    if (task.kind == TaskKind::Update)
      task.cycles = static_cast<int64_t>(random() % 20);
  addReconstructions(instance.graph);
  return instance;
}

TEST(WeightVersions, TwoCopiesOfAWeightAreEnough) {
  std::minstd_rand random(3);
  int64_t longer = 0, all = 0;
  for (int i = 0; i < 300; ++i) {
    SCOPED_TRACE("network " + std::to_string(i));
    Instance instance = makeInstance(random);
    Problem problem = instance.problem();
    Schedule schedule = scheduleOf("layerpipe2", problem);
    EXPECT_EQ(surplusCopies(schedule), 0);
    EXPECT_LE(mostCopies(schedule), 2);
    ScheduleOptions stash;
    stash.cuts = AllowedCuts::Dgrads;
    int64_t least = scheduleOf("layerpipe", problem, stash).interval;
    longer += schedule.interval > least;
    all += 1;
  }
  printf("%lld of %lld networks need more time for it\n",
         static_cast<long long>(longer), static_cast<long long>(all));
}

} // namespace
