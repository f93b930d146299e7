//===- Retiming.h - stages, registers and delays ----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Retiming moves registers (distances) along the edges of a cyclic graph
// without changing what it computes: w_r(u -> v) = w(u -> v) + r(v) - r(u), so
// every loop keeps the sum of its distances (Leiserson and Saxe 1991).
//
// With n stages between cutsets of the layer graph, k(l) in 1..n the stage of a
// layer and S(l) = n - k(l), the stage borders carry one register in each
// direction when
//   r(F) = r(U) = k - 1        r(D) = r(W) = 2n - 1 - k,
// which needs 2·S(l) more registers on W -> U than plain training has. See
// docs/scheduling.md for the table of edges.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_RETIMING_H
#define TAKT_SCHEDULING_RETIMING_H

#include "takt/Scheduling/TaskGraph.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace takt {

/// What the value of a weight's reconstruction is called behind the weight's
/// name: where no earlier versions are kept, dgrads read it.
constexpr llvm::StringLiteral kEarlierSuffix = ".earlier";

/// x[to] - x[from] >= least.
struct DifferenceConstraint {
  int from, to;
  int64_t least;
};

/// The least non-negative solution, by Bellman and Ford's algorithm; nullopt if
/// the constraints contradict each other. One pass over the constraints where
/// they go from lower to higher variables.
std::optional<std::vector<int64_t>>
solveDifferences(int variables,
                 llvm::ArrayRef<DifferenceConstraint> constraints);

/// A retiming of a task graph into stages.
struct Retiming {
  int stages = 1;
  std::vector<int> stage; ///< by layer, 0-based: k - 1
  std::vector<int> lag;   ///< by task: r
  std::vector<int> delay; ///< by layer: registers added on W -> U, 2·S
  /// By value and use: the retimed distance.
  std::vector<llvm::SmallVector<int, 3>> distance;

  /// S: stages behind the layer's own.
  int behind(int layer) const { return stages - 1 - stage[layer]; }
};

/// Retimes a graph whose layer l is in stage[l] (0-based), with the least
/// delays. Fails if a stage has no layer, or stages decrease along a forward
/// dependence or grow along a backward one: then they are not bordered by
/// cutsets.
llvm::Expected<Retiming> retimeStages(const TaskGraph &graph,
                                      llvm::ArrayRef<int> stage);

/// Registers of a use before retiming: its distance, and the delays on W -> U.
int registersBefore(const TaskGraph &graph, llvm::ArrayRef<int> delay,
                    const Value &value, const Use &use);

/// Fails if a retimed distance is negative, the edges of distance 0 have a
/// cycle, or some loop has not kept its registers. Looks only at the distances,
/// not at how they came about.
llvm::Error checkRetiming(const TaskGraph &graph, const Retiming &retiming);

/// Instances of a layer's outputs that its readers' backward tasks need at a
/// distance: the deepest retimed distance of a use of what its F makes.
int activationStash(const TaskGraph &graph, const Retiming &retiming,
                    int layer);
/// The deepest retimed distance of a use of a layer's weights: 1 + 2·S where
/// there is a D.
int weightStash(const TaskGraph &graph, const Retiming &retiming, int layer);

} // namespace takt

#endif // TAKT_SCHEDULING_RETIMING_H
