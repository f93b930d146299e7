//===- CyclicFeasibility.cpp - whether start times exist ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CyclicFeasibility.h"
#include <algorithm>
#include <limits>
#include <optional>

using namespace takt;

void Effort::spend(int64_t amount) {
  constexpr int64_t kBetweenLooks = 1000000;
  steps -= amount;
  sinceLook += amount;
  if (sinceLook < kBetweenLooks)
    return;
  sinceLook = 0;
  if (deadline.isOver())
    steps = 0;
}

namespace {
constexpr int64_t kNone = std::numeric_limits<int64_t>::min();
constexpr int64_t kMaxTime = int64_t(1) << 60;

int64_t floorDiv(int64_t a, int64_t b) {
  return a / b - (a % b != 0 && a < 0 ? 1 : 0);
}
int64_t ceilDiv(int64_t a, int64_t b) { return -floorDiv(-a, b); }

class StartSearch {
public:
  StartSearch(const CyclicProblem &problem, Effort &effort)
      : problem(problem), effort(effort), n(problem.cycles.size()),
        interval(problem.interval) {}

  Feasibility run(std::vector<int64_t> &start);

private:
  /// Longest paths between all activities, and which pairs are still open.
  struct Node {
    std::vector<int64_t> longest; ///< kNone: no path
    std::vector<CyclicProblem::Pair> open;
    int64_t largest = 0; ///< precedence that was added
  };
  /// The values that k may have; nullopt at a side: any.
  struct Range {
    std::optional<int64_t> low, high;
  };

  int64_t &at(Node &node, int from, int to) {
    return node.longest[from * n + to];
  }
  bool add(Node &node, int from, int to, int64_t least);
  bool separate(Node &node, CyclicProblem::Pair pair, int64_t k);
  Range rangeOf(Node &node, CyclicProblem::Pair pair);
  bool decideUnbounded(Node &node, CyclicProblem::Pair pair, Range range);
  bool propagate(Node &node);
  Feasibility branch(Node node);

  const CyclicProblem &problem;
  Effort &effort;
  const int64_t n, interval;
  bool isBeyondRange = false;
  std::vector<int64_t> found;
};
} // namespace

/// False if the precedence closes a loop of positive length.
bool StartSearch::add(Node &node, int from, int to, int64_t least) {
  if (at(node, from, to) >= least)
    return true;
  if (int64_t back = at(node, to, from); back != kNone && back + least > 0)
    return false;
  effort.spend(n * n);
  node.largest = std::max(node.largest, least);
  for (int i = 0; i < n; ++i) {
    int64_t before = at(node, i, from);
    if (before == kNone)
      continue;
    for (int j = 0; j < n; ++j)
      if (int64_t after = at(node, to, j); after != kNone)
        at(node, i, j) = std::max(at(node, i, j), before + least + after);
  }
  return true;
}

/// The first activity runs, in its k-th interval after the second's, before it.
bool StartSearch::separate(Node &node, CyclicProblem::Pair pair, int64_t k) {
  auto [u, v] = pair;
  return add(node, u, v, k * interval + problem.cycles[u]) &&
         add(node, v, u, problem.cycles[v] - (k + 1) * interval);
}

StartSearch::Range StartSearch::rangeOf(Node &node, CyclicProblem::Pair pair) {
  auto [u, v] = pair;
  Range range;
  if (int64_t least = at(node, u, v); least != kNone)
    range.low = ceilDiv(least + problem.cycles[v], interval) - 1;
  if (int64_t least = at(node, v, u); least != kNone)
    range.high = floorDiv(-least - problem.cycles[u], interval);
  return range;
}

/// One of the two, and all that must follow it, may be any number of intervals
/// later: so many that every solution has one as late. Of all solutions with
/// the same positions in the interval, the least one takes less than an
/// interval more than each precedence on a path of at most n of them.
bool StartSearch::decideUnbounded(Node &node, CyclicProblem::Pair pair,
                                  Range range) {
  int64_t far = (n + 1) * (node.largest / interval + 2);
  if (far > kMaxTime / (n + 2) / interval) {
    isBeyondRange = true;
    return false;
  }
  int64_t k = 0;
  if (range.low)
    k = std::max(*range.low, far);
  else if (range.high)
    k = std::min(*range.high, -far);
  return separate(node, pair, k);
}

/// Fixes what has one value left, until nothing changes. False if a pair has
/// none.
bool StartSearch::propagate(Node &node) {
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < node.open.size();) {
      if (effort.isSpent())
        return false;
      CyclicProblem::Pair pair = node.open[i];
      Range range = rangeOf(node, pair);
      bool isBounded = range.low && range.high;
      if (isBounded && *range.low > *range.high)
        return false;
      if (isBounded && *range.low < *range.high) {
        ++i;
        continue;
      }
      node.open[i] = node.open.back();
      node.open.pop_back();
      changed = true;
      if (!(isBounded ? separate(node, pair, *range.low)
                      : decideUnbounded(node, pair, range)))
        return false;
    }
  }
  return true;
}

Feasibility StartSearch::branch(Node node) {
  bool isConsistent = propagate(node);
  if (effort.isSpent() || isBeyondRange)
    return Feasibility::Unknown;
  if (!isConsistent)
    return Feasibility::Infeasible;
  if (node.open.empty()) {
    found.assign(n, 0);
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j)
        found[j] = std::max(found[j], at(node, i, j));
    return Feasibility::Feasible;
  }
  auto width = [&](CyclicProblem::Pair pair) {
    Range range = rangeOf(node, pair);
    return *range.high - *range.low;
  };
  auto narrowest = std::min_element(
      node.open.begin(), node.open.end(),
      [&](const auto &a, const auto &b) { return width(a) < width(b); });
  CyclicProblem::Pair pair = *narrowest;
  Range range = rangeOf(node, pair);
  *narrowest = node.open.back();
  node.open.pop_back();
  for (int64_t k = *range.low; k <= *range.high; ++k) {
    Node next = node;
    effort.spend(n * n);
    if (!separate(next, pair, k))
      continue;
    Feasibility result = branch(std::move(next));
    if (result != Feasibility::Infeasible)
      return result;
  }
  return Feasibility::Infeasible;
}

Feasibility StartSearch::run(std::vector<int64_t> &start) {
  Node node;
  node.longest.assign(n * n, kNone);
  for (int i = 0; i < n; ++i)
    at(node, i, i) = 0;
  for (const CyclicProblem::Precedence &p : problem.precedences) {
    if (std::abs(p.least) > kMaxTime / (n + 2))
      return Feasibility::Unknown;
    if (p.from == p.to ? p.least > 0 : !add(node, p.from, p.to, p.least))
      return Feasibility::Infeasible;
  }
  for (CyclicProblem::Pair pair : problem.exclusive) {
    int64_t u = problem.cycles[pair.first], v = problem.cycles[pair.second];
    if (u + v > interval)
      return Feasibility::Infeasible;
    if (u + v > 0)
      node.open.push_back(pair);
  }
  for (int64_t cycles : problem.cycles)
    if (cycles > interval)
      return Feasibility::Infeasible;
  Feasibility result = branch(std::move(node));
  if (result == Feasibility::Feasible)
    start = std::move(found);
  return result;
}

Feasibility takt::findCyclicStarts(const CyclicProblem &problem, Effort &effort,
                                   std::vector<int64_t> &start) {
  return StartSearch(problem, effort).run(start);
}
