//===- Replication.h - layers that several processors share -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Data parallelism inside a pipeline (Narayanan et al., SOSP 2019): r replicas
// of a layer take minibatches in turn, j on replica j mod r, and update once
// for r of them, with the mean of their gradients. Their work repeats every r
// minibatches, so the task graph of such a schedule is that of lcm(r) of them.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_REPLICATION_H
#define TAKT_SCHEDULING_REPLICATION_H

#include "takt/Scheduling/TaskGraph.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"

namespace takt {

/// The graph of lcm(replicas) minibatches of `graph`, whose layer l has
/// replicas[l] replicas and delays its gradients by delay[l] of its updates.
///   - F, D and W of minibatch j are "X.mj". What one iteration leaves to the
///     next (running statistics) a layer leaves to its next minibatch on the
///     same replica.
///   - Minibatches u·r to u·r + r - 1 are round u of a layer with r replicas.
///     For each round an update is there in r shards "X.mj.sk", named after its
///     last minibatch, shard k on the processor of replica k's wgrad.
///     Each W cuts its gradient and sends every shard its part
///     (reduce-scatter), the shard takes their mean, updates its part of the
///     weights and of the optimizer's state, and hands it to all replicas
///     (all-gather), which put the parts together: every replica sends
///     2·(r - 1)/r of a layer's weights, as in a ring. Parts are whole rows
///     (rowsOfShard) where these are known; a shard without any is not there.
///   - Round u computes with the weights that round u - 1 - delay left;
///     distances say by how many times the whole graph.
///
/// Fails if there is not one count (1 to 4096) and one delay (0 to 4096) a
/// layer, the minibatches are more than 65536, the graph is of several
/// minibatches or microbatches already, or updates of several layers share
/// something.
llvm::Expected<TaskGraph> replicate(const TaskGraph &graph,
                                    llvm::ArrayRef<int> replicas,
                                    llvm::ArrayRef<int> delay);

/// The rows [first, second) of a shard; all have as many, or one less.
std::pair<int64_t, int64_t> rowsOfShard(int64_t rows, int64_t shard,
                                        int64_t shards);

/// Minibatches of one iteration of such a graph; one more than the most allowed
/// where they are more.
int64_t minibatchesOf(llvm::ArrayRef<int> replicas);

constexpr int64_t kMaxReplicas = 4096; ///< of a layer; of its delay, too
constexpr int64_t kMaxReplicatedMinibatches = 65536;

/// The name of a task or value in minibatch j, "NAME.mj", or of an update's
/// shard k of several, "NAME.mj.sk".
std::string nameInMinibatch(llvm::StringRef name, int64_t minibatch);
std::string nameOfShard(llvm::StringRef name, int64_t minibatch, int64_t shard,
                        int64_t shards);

/// The name before replicate() of a task or value: without ".mj" and ".sk".
llvm::StringRef nameBeforeReplication(llvm::StringRef name);

} // namespace takt

#endif // TAKT_SCHEDULING_REPLICATION_H
