//===- ReplicatedOrder.cpp - orders of a plan's replicas ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ReplicatedOrder.h"
#include "CyclicOrder.h"
#include "takt/Scheduling/Replication.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <array>

using namespace takt;

std::vector<int> takt::pipeDreamLead(const ReplicationPlan &plan) {
  std::vector<int> lead(plan.stages.size());
  int64_t later = 0;
  for (size_t s = plan.stages.size(); s-- > 0;) {
    auto count = static_cast<int64_t>(plan.stages[s].processors.size());
    lead[s] = static_cast<int>(llvm::divideCeil(later, count));
    later += count;
  }
  return lead;
}

std::vector<int> takt::replicasOf(const TaskGraph &graph,
                                  const ReplicationPlan &plan) {
  std::vector<int> replicas(graph.layers.size(), 1);
  for (const ReplicatedStage &stage : plan.stages)
    for (int layer : stage.layers)
      replicas[layer] = static_cast<int>(stage.processors.size());
  return replicas;
}

namespace {
/// What a stage's replicas do, by minibatch.
class Blocks {
public:
  enum Kind { kForward, kBackward, kUpdate, kKinds };

  /// An update's shard is its wgrad's minibatch's.
  Blocks(const TaskGraph &graph, llvm::ArrayRef<int> stage, size_t stages)
      : minibatches(graph.minibatches), blocks(stages * graph.minibatches) {
    for (auto [index, task] : llvm::enumerate(graph.tasks)) {
      const Task &of =
          task.kind == TaskKind::Update ? graph.tasks[task.colocated] : task;
      blocks[stage[task.layer] * size_t(minibatches) + of.microbatch]
            [kindOf(task)]
                .push_back(static_cast<int>(index));
    }
  }

  llvm::ArrayRef<int> get(size_t stage, int minibatch, Kind kind) const {
    return blocks[stage * size_t(minibatches) + minibatch][kind];
  }

private:
  static Kind kindOf(const Task &task) {
    if (task.kind == TaskKind::Update)
      return kUpdate;
    return task.kind == TaskKind::Forward ? kForward : kBackward;
  }

  int minibatches;
  std::vector<std::array<std::vector<int>, kKinds>> blocks;
};
} // namespace

/// Replica k of a stage does, round after round, F of its minibatch `lead`
/// rounds on, D and W of this round's, and its shard of the updates.
static CyclicOrder cyclicOrder(const ReplicationPlan &plan,
                               const TaskGraph &graph,
                               llvm::ArrayRef<int> stageOf,
                               const ReplicatedOrder &order, int processors) {
  Blocks blocks(graph, stageOf, plan.stages.size());
  CyclicOrder result(processors);
  for (auto [s, stage] : llvm::enumerate(plan.stages)) {
    auto count = static_cast<int>(stage.processors.size());
    int rounds = graph.minibatches / count, late = order.latenessOf(stage);
    bool updatesFirst = order.updatesBeforeBackward && late > 0;
    for (auto [replica, processor] : llvm::enumerate(stage.processors)) {
      auto append = [&, s = s, replica = replica,
                     processor = processor](int round, Blocks::Kind kind) {
        int ahead =
            round >= 0 ? round / rounds : -((rounds - 1 - round) / rounds);
        int minibatch =
            (round - ahead * rounds) * count + static_cast<int>(replica);
        for (int task : blocks.get(s, minibatch, kind))
          result[processor].push_back({task, ahead});
      };
      for (int round = 0; round < rounds; ++round) {
        append(round + order.lead[s], Blocks::kForward);
        if (updatesFirst)
          append(round - late, Blocks::kUpdate);
        append(round, Blocks::kBackward);
        if (!updatesFirst)
          append(round - late, Blocks::kUpdate);
      }
    }
  }
  return result;
}

std::optional<Schedule> takt::scheduleReplicated(const Problem &problem,
                                                 const ReplicationPlan &plan,
                                                 const ReplicatedOrder &order,
                                                 int64_t limit) {
  const TaskGraph &graph = *problem.graph;
  std::vector<int> stageOf(graph.layers.size(), 0);
  std::vector<int> delay(graph.layers.size(), 0);
  for (auto [s, stage] : llvm::enumerate(plan.stages))
    for (int layer : stage.layers) {
      stageOf[layer] = static_cast<int>(s);
      delay[layer] = order.lead[s] + order.latenessOf(stage);
    }
  std::vector<int> replicas = replicasOf(graph, plan);
  llvm::Expected<TaskGraph> all = replicate(graph, replicas, delay);
  if (!all) {
    // Layers of two stages share a weight: not this plan.
    llvm::consumeError(all.takeError());
    return std::nullopt;
  }
  auto processors = static_cast<int>(problem.machine->processors());
  std::optional<Schedule> found = scheduleCyclicOrder(
      problem, *all, cyclicOrder(plan, *all, stageOf, order, processors), delay,
      limit);
  if (!found)
    return std::nullopt;
  found->stages = static_cast<int>(plan.stages.size());
  found->stage = std::move(stageOf);
  found->replicas = std::move(replicas);
  return found;
}
