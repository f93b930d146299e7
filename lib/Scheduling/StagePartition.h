//===- StagePartition.h - layers to a straight pipeline ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_STAGEPARTITION_H
#define TAKT_LIB_SCHEDULING_STAGEPARTITION_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

struct StagePartition {
  int64_t largest = 0; ///< cycles of the largest stage
  /// By layer; stages do not decrease along the layer graph.
  std::vector<int> stage;
  std::vector<int> processor; ///< by stage
};

/// Cuts the layers into at most as many stages as there are processors, each
/// bordered by cutsets of the layer graph, with the least possible largest
/// stage; among those, with few bytes over the borders, then few stages.
///
/// Dynamic programming over the down-sets of the layer graph (Narayanan et al.,
/// SOSP 2019, call their maximal elements antichains): exact for the largest
/// stage while there are at most `maxDownSets`; otherwise only prefixes of the
/// layers' order are considered. The bytes are least too, unless the down-sets
/// have more incomparable partitions than are remembered, 2^18 altogether.
StagePartition partitionStages(const Problem &problem,
                               size_t maxDownSets = 20000);

/// The same for the bytes that layers bring along, weights and what their tasks
/// make, instead of their cycles: `largest` is in bytes.
StagePartition partitionByMemory(const Problem &problem,
                                 size_t maxDownSets = 20000);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_STAGEPARTITION_H
