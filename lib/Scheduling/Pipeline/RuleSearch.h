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
  /// `steps` is the effort: so many tasks are put into schedules. At least one
  /// schedule is built.
  RuleSearch(const PipelineFrame &frame, int64_t steps);

  /// The same rule for all units, but for how many microbatches may be under
  /// way: that is the unit's round trip of a forward and its dgrad over the
  /// interval between microbatches, times a factor.
  void tryRegular();

  /// From the best found so far, one change to one unit after the other.
  void climb(uint64_t seed);

  const BuiltPipeline &best() const { return bestBuilt; }
  bool atBound() const { return bestBuilt.makespan <= bound; }

private:
  bool over() const {
    return stepsLeft <= 0 || (atBound() && bestBuilt.span <= spanBound);
  }
  /// Whether it is no worse than the best; that is then the best.
  bool attempt(const ListRule &rule);
  std::vector<int> warmUps(int factorEighths) const;
  ListRule change(std::minstd_rand &random) const;

  const PipelineFrame &frame;
  int64_t stepsLeft;
  int64_t bound, spanBound;
  ListRule bestRule;
  BuiltPipeline bestBuilt;
};

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_RULESEARCH_H
