//===- BalancedAssignments.h - tasks to processors, evenly ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_BALANCEDASSIGNMENTS_H
#define TAKT_LIB_SCHEDULING_BALANCEDASSIGNMENTS_H

#include "ChainFamily.h"
#include "Deadline.h"
#include "StagePartition.h"

namespace takt {

/// Assignments of tasks, some cut, to the first processors of a machine: of the
/// chain family or outside it, straight, or with layers shared out by samples,
/// whichever is the shortest, then has few bytes. How they are found:
/// docs/scheduling.md, layerpipe.
class BalancedAssignments {
public:
  BalancedAssignments(const Problem &problem, const Deadline &deadline,
                      const StagePartition &partition, int processors)
      : problem(problem), deadline(deadline), partition(partition),
        family(problem, processors) {
    findLeast();
  }

  /// Few bytes at an interval `tolerance` thousandths above the least.
  Assignment assign(int tolerance) const { return candidates(tolerance)[0]; }
  /// All that are found there, at least one, fewest bytes first.
  std::vector<Assignment> candidates(int tolerance) const;
  /// For which an assignment is known, and no shorter one.
  int64_t leastInterval() const { return least; }
  /// By how many thousandths that of the chain and of what is near it is
  /// longer, rounded up.
  int chainTolerance() const;

private:
  void findLeast();
  bool isFarFromBound() const;
  void leaveChain(std::optional<Assignment> start);
  Assignment spread() const;
  std::optional<Assignment> shareLayers();
  int64_t evenShare() const; ///< of the work, for each processor
  int64_t lowerBound() const;

  const Problem &problem;
  const Deadline &deadline;
  const StagePartition &partition; ///< over the whole machine
  ChainFamily family;
  int64_t least = 0; ///< interval that an assignment is known for
  int64_t leastNearChain = 0;
  /// Outside the chain family and the partition, by falling intervals.
  std::vector<Assignment> balanced;
};

/// The last stage has no delay: of its last layer, F, W and U follow each other
/// within an interval.
int64_t undelayedLoop(const Problem &problem);
/// The same where parts of them may be at work at the same time.
int64_t undelayedLoop(const Assignment &assignment);

/// An interval that is `tolerance` thousandths longer.
int64_t relaxed(int64_t interval, int tolerance);

/// The layers of a straight pipeline's stages, each on one processor.
Assignment wholeLayers(const Problem &problem, const StagePartition &partition);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_BALANCEDASSIGNMENTS_H
