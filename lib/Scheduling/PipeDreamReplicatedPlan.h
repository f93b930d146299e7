//===- PipeDreamReplicatedPlan.h - stages and their replicas ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The dynamic program of PipeDream (Narayanan et al., SOSP 2019): which layers
// make a stage, and how many processors share it. It knows stages by their
// sums only; what it plans a schedule then has to keep.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPEDREAMREPLICATEDPLAN_H
#define TAKT_LIB_SCHEDULING_PIPEDREAMREPLICATEDPLAN_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// What a plan takes a stage's time for.
struct ReplicationModel {
  /// Of compute and the replicas' exchange of gradients.
  SynchronizationForm form = SynchronizationForm::Sum;
  /// Whether what crosses a stage's borders bounds its time, as well.
  bool borders = false;
  /// Groups of processors, innermost first; the counts' product is at most the
  /// machine's number of processors.
  std::vector<BandwidthLevel> levels;
  /// By count, from 1 on: whether a stage may have so many replicas on a level.
  /// Counts beyond its size may not.
  std::vector<bool> allowed;
};

struct ReplicatedStage {
  std::vector<int> layers;
  /// By replica: its processor.
  std::vector<int> processors;
};

struct ReplicationPlan {
  double time = 0; ///< planned cycles per minibatch
  std::vector<ReplicatedStage> stages;
};

/// The least largest stage. Over the down-sets i of the layers (at most
/// `maxDownSets`; beyond that, over that many prefixes of their order), with
/// c(i, j) the cycles and w(i, j) the parameter bytes between two of them, and
/// level k's bandwidth B_k, in units of n_k processors:
///
///   t_k(i, j, m) = (a_{k-1}(i, j) + s_k) / m, or max(a_{k-1}(i, j), s_k) / m
///   s_k = 4·(m - 1)·w(i, j) / (m·B_k·n_k)
///   A_k(i, j, m) = min(t_k(i, j, m),
///                      min over i < h < j, m' < m of
///                        max(A_k(i, h, m - m'), t_k(h, j, m')))
///   a_0 = c;  a_k(i, j) = A_k(i, j, units on level k);  answer: a_levels(0,
///   all)
///
/// where fewer units than there are may be used. With `borders` t_k is at least
/// 2·(bytes over one border, one way)/(B_k·m) of either border. Cycles are
/// those of the slowest class.
ReplicationPlan planReplication(const Problem &problem,
                                const ReplicationModel &model,
                                size_t maxDownSets);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPEDREAMREPLICATEDPLAN_H
