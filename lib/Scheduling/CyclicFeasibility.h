//===- CyclicFeasibility.h - whether start times exist ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Given who runs where, is there a periodic schedule at all? Exact, by branch
// and bound over the order of what shares a resource.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_CYCLICFEASIBILITY_H
#define TAKT_LIB_SCHEDULING_CYCLICFEASIBILITY_H

#include "Deadline.h"
#include <cstdint>
#include <vector>

namespace takt {

/// Activities that repeat every `interval` cycles: tasks and transfers.
struct CyclicProblem {
  struct Precedence {
    int from, to;
    int64_t least; ///< start of `to` less start of `from`
  };
  struct Pair {
    int first, second;
  };

  int64_t interval = 1;
  std::vector<int64_t> cycles; ///< by activity
  std::vector<Precedence> precedences;
  /// What may not overlap modulo the interval: it shares a resource.
  std::vector<Pair> exclusive;
};

/// What an exact search may still do: steps, and until when.
class Effort {
public:
  Effort(int64_t steps, const Deadline &deadline)
      : steps(steps), deadline(deadline) {}

  bool isSpent() const { return steps <= 0; }
  /// Looks at the clock now and then.
  void spend(int64_t amount);

private:
  int64_t steps;
  int64_t sinceLook = 0;
  const Deadline &deadline;
};

enum class Feasibility : uint8_t { Feasible, Infeasible, Unknown };

/// Whether there are start times, and which; Unknown if the effort is spent or
/// times would not fit into 62 bits.
///
/// Two activities of one resource are apart if, for some integer k,
///     c(u) <= s(v) - s(u) - k·T <= T - c(v);
/// the longest paths between them leave a range for k. Ranges of one value are
/// propagated, then the smallest one is branched on. Where one of the two may
/// be any number of intervals later than the other, a single, large k stands
/// for all: what must follow it moves along.
Feasibility findCyclicStarts(const CyclicProblem &problem, Effort &effort,
                             std::vector<int64_t> &start);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_CYCLICFEASIBILITY_H
