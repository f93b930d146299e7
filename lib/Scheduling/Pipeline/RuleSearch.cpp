//===- RuleSearch.cpp - the rules that give the best schedule -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "RuleSearch.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace takt;

RuleSearch::RuleSearch(const PipelineFrame &frame, int64_t steps)
    : frame(frame), stepsLeft(steps),
      bound(makespanBound(frame.placed.problem, frame.placed.processorOf)),
      spanBound(*llvm::max_element(frame.work) * frame.microbatches) {}

RuleSearch::Tried RuleSearch::attempt(ListRule rule) {
  stepsLeft -= int64_t(frame.units) * frame.microbatches * kPipelineKinds;
  BuiltPipeline built = buildByRule(frame, rule);
  return {std::move(rule), std::move(built)};
}

void RuleSearch::keep(Tried tried) {
  constexpr size_t kPool = 8;
  auto before = [&](const Tried &other) {
    return !tried.built.isBetterThan(other.built);
  };
  auto place = llvm::find_if_not(pool, before);
  // Of equal times one will do.
  if (place != pool.begin() &&
      !std::prev(place)->built.isBetterThan(tried.built))
    return;
  pool.insert(place, std::move(tried));
  if (pool.size() > kPool)
    pool.pop_back();
}

std::vector<int> RuleSearch::warmUps(int factorEighths) const {
  int64_t interval = std::max<int64_t>(*llvm::max_element(frame.work), 1);
  std::vector<int> warmUps(frame.units);
  int64_t trip = 0;
  for (int u = frame.units - 1; u >= 0; --u) {
    const auto &cycles = frame.placed.units[u].cycles;
    trip += cycles[size_t(TaskKind::Forward)] +
            cycles[size_t(TaskKind::Dgrad)] + 2 * frame.transferAfter[u];
    int64_t inFlight =
        (trip * factorEighths + 8 * interval - 1) / (8 * interval);
    warmUps[u] = int(std::clamp<int64_t>(inFlight, 1, frame.microbatches));
  }
  return warmUps;
}

void RuleSearch::tryRegular() {
  // 12/8 of the round trip is 1F1B where F, D and W are equal; 0 stands for no
  // limit. Large problems may not come to the end of these.
  for (int factor : {12, 0,  24, 8,  16, 20, 10, 14, 18, 7,  9, 11,
                     13, 15, 17, 19, 21, 22, 23, 25, 26, 27, 28})
    for (int holdUp : {4, 0, 2, 1})
      for (bool forwardFirst : {false, true})
        for (bool laterUnitFirst : {true, false}) {
          if (over())
            return;
          if (!laterUnitFirst && frame.units == frame.processors)
            continue;
          ListRule rule;
          rule.laterUnitFirst = laterUnitFirst;
          std::vector<int> limits =
              factor > 0 ? warmUps(factor)
                         : std::vector<int>(frame.units, frame.microbatches);
          for (int limit : limits)
            rule.units.push_back({limit, forwardFirst ? 0 : 2, 1, 4, holdUp});
          keep(attempt(std::move(rule)));
        }
}

/// Of forwards and dgrads on one processor.
constexpr int kRanks = 4;

ListRule RuleSearch::change(ListRule rule, std::minstd_rand &random) const {
  int count = 1 + int(random() % 3);
  for (int i = 0; i < count; ++i) {
    UnitRule &unit = rule.units[random() % rule.units.size()];
    switch (random() % 8) {
    case 0:
      unit.forwardRank = int(random() % kRanks);
      break;
    case 1:
      unit.dgradRank = int(random() % kRanks);
      break;
    case 2:
      unit.forwardHoldUp = int(random() % 5);
      break;
    case 3:
      unit.wgradHoldUp = int(random() % 5);
      break;
    default:
      unit.warmUp = std::clamp(unit.warmUp + (random() % 2 == 0 ? 1 : -1), 1,
                               frame.microbatches);
    }
  }
  return rule;
}

void RuleSearch::climb(uint64_t seed) {
  std::minstd_rand random(static_cast<uint32_t>(seed) + 1);
  while (!over()) {
    size_t at = random() % pool.size();
    Tried tried = attempt(change(pool[at].rule, random));
    if (pool[at].built.isBetterThan(tried.built))
      continue;
    pool[at] = std::move(tried);
    if (pool[at].built.isBetterThan(pool.front().built))
      std::swap(pool[at], pool.front());
  }
}
