//===- RuleSearch.h - the rules that give the best schedule -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_RULESEARCH_H
#define TAKT_LIB_SCHEDULING_PIPELINE_RULESEARCH_H

#include "ListRule.h"
#include <random>

namespace takt {

/// Looks for the rules whose schedule has the least makespan, and of these the
/// least span. Stops where neither can be less.
class RuleSearch {
public:
  /// `steps` is the effort: so many tasks are put into schedules, but sixteen
  /// schedules may be built at any rate.
  RuleSearch(const PipelineFrame &frame, int64_t steps);

  /// The same rule for all units, but for how many microbatches may be under
  /// way: that is the unit's round trip of a forward and its dgrad over the
  /// interval between microbatches, times a factor.
  void tryRegular();

  /// Changes the rules of a few units at a time, from several of the best found
  /// so far.
  void climb(uint64_t seed);

  const BuiltPipeline &best() const { return pool.front().built; }
  const ListRule &bestRule() const { return pool.front().rule; }
  bool atBound() const { return best().makespan <= bound; }

private:
  bool over() const {
    return !pool.empty() &&
           (stepsLeft <= 0 || (atBound() && best().span <= spanBound));
  }
  struct Tried {
    ListRule rule;
    BuiltPipeline built;
  };
  Tried attempt(ListRule rule);
  /// Keeps the best different ones, the best first.
  void keep(Tried tried);
  /// One of the rules that tryRegular() tries.
  struct Regular {
    int factor, holdUp;
    bool forwardFirst, laterUnitFirst;
  };
  /// In the order in which they are tried.
  std::vector<Regular> regularRules() const;
  bool hasRoom(int factorEighths) const;
  std::vector<int> warmUps(int factorEighths) const;
  int64_t stepsEach() const {
    return int64_t(frame.units) * frame.microbatches * kPipelineKinds;
  }
  ListRule change(ListRule rule, std::minstd_rand &random) const;

  const PipelineFrame &frame;
  int64_t stepsLeft;
  int64_t bound, spanBound;
  std::vector<Tried> pool;
};

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_RULESEARCH_H
