//===- CycleRatio.h - the longest loop for its distance ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_CYCLERATIO_H
#define TAKT_LIB_SCHEDULING_CYCLERATIO_H

#include <cstdint>
#include <vector>

namespace takt {

/// Maximum of Σ time / Σ distance over the cycles of a graph: guess a ratio,
/// look for a cycle that beats it with Bellman and Ford's algorithm, take that
/// cycle's ratio as the next guess. Exact, since it stops when no cycle beats
/// the ratio; each guess is that of a cycle, so it ends. The first guess is
/// that of Howard's policy iteration in floating point, which is seldom beaten.
class CycleRatio {
public:
  /// Of leaving each node; kept by reference.
  explicit CycleRatio(const std::vector<int64_t> &time) : time(time) {}

  /// Every cycle must have a positive sum of distances.
  void addEdge(int from, int to, int distance) {
    edges.push_back({from, to, distance});
  }

  /// The maximum rounded up; 0 without cycles.
  int64_t run();

private:
  struct Edge {
    int from, to, distance;
  };

  void guess();
  std::vector<int> leavingEdges() const;
  double evaluate(const std::vector<int> &policy, std::vector<double> &value);
  bool takeRatio(int64_t cycles, int64_t distance);
  bool improve();
  bool takeCycle(const std::vector<int> &via);

  const std::vector<int64_t> &time;
  std::vector<Edge> edges;
  int64_t numerator = 0, denominator = 1;
};

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_CYCLERATIO_H
