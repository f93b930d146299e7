//===- DownSets.h - where a layer graph can be cut --------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_DOWNSETS_H
#define TAKT_LIB_SCHEDULING_DOWNSETS_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// What crosses between a down-set's layers and the rest, each value once.
struct Crossing {
  int64_t bytes = 0;
  /// Of what forward and what backward tasks make. Cycles are those between
  /// the first two processors.
  int64_t forwardBytes = 0, backwardBytes = 0;
  int64_t forwardCycles = 0, backwardCycles = 0;
  int forwardValues = 0, backwardValues = 0;
  /// Summed over the backward values: cycles, on the first class, of the tasks
  /// of the producer's layer that follow the producer.
  int64_t tailCycles = 0;
};

/// The down-sets of the layer graph, smaller ones first, and how one layer
/// leads from one to the next. Each is bordered by a cutset.
struct DownSets {
  struct Step {
    int layer, to;
  };
  std::vector<llvm::SmallVector<Step, 2>> steps;
  std::vector<Crossing> crossing;

  size_t size() const { return steps.size(); }
};

/// All down-sets, or, if there are more than `limit`, the prefixes of the order
/// of layers.
DownSets collectDownSets(const Problem &problem, size_t limit);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_DOWNSETS_H
