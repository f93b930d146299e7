//===- CycleRatio.cpp - the longest loop for its distance -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "CycleRatio.h"
#include "llvm/ADT/STLExtras.h"
#include <cmath>
#include <tuple>

using namespace takt;

int64_t CycleRatio::run() {
  // Edges sorted along the order of tasks: one pass then settles all paths that
  // do not go round.
  llvm::sort(edges, [](const Edge &a, const Edge &b) {
    return std::tie(a.from, a.to, a.distance) <
           std::tie(b.from, b.to, b.distance);
  });
  guess();
  while (improve())
    ;
  return numerator / denominator + (numerator % denominator != 0);
}

bool CycleRatio::takeRatio(int64_t cycles, int64_t distance) {
  // Every cycle has a distance: those of 0 go along the order of tasks.
  if (__int128(cycles) * denominator <= __int128(numerator) * distance)
    return false;
  numerator = cycles;
  denominator = distance;
  return true;
}

/// For each node an edge that leaves it for a node that has one too; -1 where a
/// path from it must end, and no cycle passes.
std::vector<int> CycleRatio::leavingEdges() const {
  std::vector<int> leaving(time.size(), 0);
  std::vector<std::vector<int>> entering(time.size());
  for (auto [index, edge] : llvm::enumerate(edges)) {
    ++leaving[edge.from];
    entering[edge.to].push_back(edge.from);
  }
  std::vector<int> dead;
  for (size_t node = 0; node < leaving.size(); ++node)
    if (leaving[node] == 0)
      dead.push_back(static_cast<int>(node));
  for (size_t i = 0; i < dead.size(); ++i)
    for (int from : entering[dead[i]])
      if (--leaving[from] == 0)
        dead.push_back(from);
  std::vector<int> edge(time.size(), -1);
  for (auto [index, e] : llvm::enumerate(edges))
    if (leaving[e.from] > 0 && leaving[e.to] > 0)
      edge[e.from] = static_cast<int>(index);
  return edge;
}

/// Takes the best ratio of the policy's cycles, and gives each node that leads
/// to that cycle its value under it. Returns the ratio.
double CycleRatio::evaluate(const std::vector<int> &policy,
                            std::vector<double> &value) {
  std::vector<int> visit(time.size(), -1);
  int root = -1;
  double best = -1;
  for (int start = 0; start < static_cast<int>(time.size()); ++start) {
    int node = start;
    while (policy[node] >= 0 && visit[node] < 0) {
      visit[node] = start;
      node = edges[policy[node]].to;
    }
    if (policy[node] < 0 || visit[node] != start)
      continue;
    int64_t cycles = 0, distance = 0;
    int at = node;
    do {
      cycles += time[at];
      distance += edges[policy[at]].distance;
      at = edges[policy[at]].to;
    } while (at != node);
    double ratio = double(cycles) / double(distance);
    takeRatio(cycles, distance);
    if (ratio > best)
      std::tie(best, root) = std::pair(ratio, node);
  }
  std::vector<std::vector<int>> entering(time.size());
  for (size_t node = 0; node < policy.size(); ++node)
    if (policy[node] >= 0 && static_cast<int>(node) != root)
      entering[edges[policy[node]].to].push_back(static_cast<int>(node));
  std::vector<int> reached = {root};
  for (size_t i = 0; root >= 0 && i < reached.size(); ++i)
    for (int node : entering[reached[i]]) {
      const Edge &edge = edges[policy[node]];
      value[node] = value[edge.to] + double(time[node]) - best * edge.distance;
      reached.push_back(node);
    }
  return best;
}

/// Howard, "Dynamic programming and Markov processes", 1960, as Dasdan, TODAES
/// 9(4), 2004, has it for cycle ratios.
void CycleRatio::guess() {
  // What floating point cannot tell apart could go on for ever.
  constexpr int kMaxRounds = 100;
  constexpr double kNear = 1e-9;
  std::vector<int> policy = leavingEdges();
  std::vector<bool> lives(time.size());
  for (size_t node = 0; node < policy.size(); ++node)
    lives[node] = policy[node] >= 0;
  std::vector<double> value(time.size(), 0);
  for (int round = 0; round < kMaxRounds; ++round) {
    double ratio = evaluate(policy, value);
    bool changed = false;
    // Against their order, so that one round reaches along all of a path.
    for (int index = static_cast<int>(edges.size()) - 1; index >= 0; --index) {
      const Edge &edge = edges[index];
      if (!lives[edge.from] || !lives[edge.to])
        continue;
      double better =
          value[edge.to] + double(time[edge.from]) - ratio * edge.distance;
      if (better - value[edge.from] <= kNear * (1 + std::abs(better)))
        continue;
      value[edge.from] = better;
      policy[edge.from] = index;
      changed = true;
    }
    if (!changed)
      return;
  }
}

/// Searches a cycle above the present ratio and takes its ratio. False if there
/// is none.
bool CycleRatio::improve() {
  std::vector<__int128> longest(time.size(), 0);
  std::vector<int> via(time.size(), -1); // edge of the longest path
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [index, edge] : llvm::enumerate(edges)) {
      __int128 weight = __int128(time[edge.from]) * denominator -
                        __int128(edge.distance) * numerator;
      if (longest[edge.from] + weight > longest[edge.to]) {
        longest[edge.to] = longest[edge.from] + weight;
        via[edge.to] = static_cast<int>(index);
        changed = true;
      }
    }
    if (changed && takeCycle(via))
      return true;
  }
  return false;
}

/// Takes the largest ratio of the cycles that the edges of `via` close; false
/// if they close none.
bool CycleRatio::takeCycle(const std::vector<int> &via) {
  bool found = false;
  std::vector<int> visit(time.size(), -1);
  for (int root = 0; root < static_cast<int>(time.size()); ++root) {
    int node = root;
    while (visit[node] < 0 && via[node] >= 0) {
      visit[node] = root;
      node = edges[via[node]].from;
    }
    if (visit[node] != root || via[node] < 0)
      continue;
    int64_t cycles = 0, distance = 0;
    int at = node;
    do {
      cycles += time[edges[via[at]].from];
      distance += edges[via[at]].distance;
      at = edges[via[at]].from;
    } while (at != node);
    found |= takeRatio(cycles, distance);
  }
  return found;
}
