//===- LayerGraph.h - layers, their order and their loads -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_LAYERGRAPH_H
#define TAKT_LIB_SCHEDULING_LAYERGRAPH_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// The order that dependences within an iteration give to layers: from the one
/// whose F is first, and whose backward tasks are last, to the other.
struct LayerGraph {
  explicit LayerGraph(const TaskGraph &graph);

  std::vector<std::vector<int>> successors, predecessors; ///< sorted, unique
};

/// Cycles of all tasks of each layer, by index of the processor's class.
/// The problem passed check().
std::vector<std::vector<int64_t>> layerCycles(const Problem &problem);

/// Index into machine.classes of a processor's class.
int classOf(const Machine &machine, int64_t processor);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_LAYERGRAPH_H
