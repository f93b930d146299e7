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

/// Schedules that are built of problems of any size.
static constexpr int64_t kFewest = 16;

RuleSearch::RuleSearch(const PipelineFrame &frame, int64_t steps)
    : frame(frame), stepsLeft(std::max(steps, kFewest * stepsEach())),
      bound(makespanBound(frame.placed.problem, frame.placed.processorOf)),
      spanBound(*llvm::max_element(frame.work) * frame.microbatches) {}

RuleSearch::Tried RuleSearch::attempt(ListRule rule) {
  stepsLeft -= stepsEach();
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

/// 12/8 of the round trip is 1F1B where F, D and W are equal; 0 stands for no
/// limit.
static constexpr int kFactors[] = {12, 0,  24, 8,  16, 20, 10, 14,
                                   18, 7,  9,  11, 13, 15, 17, 19,
                                   21, 22, 23, 25, 26, 27, 28};

/// Stands for 0 where factors are compared.
static constexpr int kNoLimit = 64;

/// Whether what the factor lets be under way has room on every processor.
bool RuleSearch::hasRoom(int factorEighths) const {
  std::vector<int> inFlight = warmUps(factorEighths);
  for (const PipelineResource &resource : frame.resources) {
    std::vector<int64_t> held(frame.processors, 0);
    for (int u = 0; u < frame.units; ++u)
      held[frame.placed.units[u].processor] +=
          resource.change[u][size_t(TaskKind::Forward)].net * inFlight[u];
    for (auto [each, limit] : llvm::zip_equal(held, resource.limit))
      if (each > limit)
        return false;
  }
  return true;
}

std::vector<RuleSearch::Regular> RuleSearch::regularRules() const {
  std::vector<Regular> rules;
  for (int factor : kFactors)
    for (int holdUp : {4, 0, 2, 1})
      for (bool forwardFirst : {false, true})
        for (bool laterUnitFirst : {true, false})
          if (laterUnitFirst || frame.units != frame.processors)
            rules.push_back({factor, holdUp, forwardFirst, laterUnitFirst});
  if (stepsLeft / stepsEach() >= int64_t(rules.size()))
    return rules;
  // Not all can be tried: of each sort first those factors that come close to
  // what there is room for.
  int nearest = *llvm::max_element(kFactors);
  while (nearest > 1 && !hasRoom(nearest))
    --nearest;
  llvm::stable_sort(rules, [&](const Regular &a, const Regular &b) {
    auto key = [&](const Regular &rule) {
      int factor = rule.factor > 0 ? rule.factor : kNoLimit;
      return std::make_tuple(-rule.holdUp, rule.forwardFirst,
                             !rule.laterUnitFirst, std::abs(factor - nearest));
    };
    return key(a) < key(b);
  });
  return rules;
}

void RuleSearch::tryRegular() {
  for (const Regular &regular : regularRules()) {
    if (over())
      return;
    ListRule rule;
    rule.laterUnitFirst = regular.laterUnitFirst;
    std::vector<int> limits =
        regular.factor > 0 ? warmUps(regular.factor)
                           : std::vector<int>(frame.units, frame.microbatches);
    for (int limit : limits)
      rule.units.push_back(
          {limit, regular.forwardFirst ? 0 : 2, 1, 4, regular.holdUp});
    keep(attempt(std::move(rule)));
  }
}

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
