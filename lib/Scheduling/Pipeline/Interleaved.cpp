//===- Interleaved.cpp - 1F1B over several chunks a processor -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narayanan et al., "Efficient Large-Scale Language Model Training on GPU
// Clusters Using Megatron-LM", SC 2021. Stage s is on processor s mod p. The
// microbatches go through in groups, a whole group through one chunk and then
// through the next; forwards and backwards take turns after a warm-up.
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Units.h"

using namespace llvm;
using namespace takt;

namespace {
struct ChunkTask {
  int chunk, microbatch;
};

/// Groups of as many microbatches as processors; what remains joins the last.
std::vector<ChunkTask> groupedForwards(const PipelineProblem &problem) {
  int p = problem.processors, m = problem.microbatches;
  std::vector<ChunkTask> tasks;
  for (int first = 0; first < m;) {
    int end = m - first < 2 * p ? m : first + p;
    for (int chunk = 0; chunk < problem.chunks(); ++chunk)
      for (int i = first; i < end; ++i)
        tasks.push_back({chunk, i});
    first = end;
  }
  return tasks;
}

std::vector<PipelineTask> alternate(const PipelineProblem &problem,
                                    ArrayRef<ChunkTask> forwards, int q,
                                    int warmUp) {
  int p = problem.processors, lastChunk = problem.chunks() - 1;
  int count = int(forwards.size());
  warmUp = std::min(warmUp, count);
  std::vector<PipelineTask> order;
  for (int k = 0; k < count + warmUp; ++k) {
    if (k < count)
      order.push_back({TaskKind::Forward, forwards[k].chunk * p + q,
                       forwards[k].microbatch});
    if (k < warmUp)
      continue;
    ChunkTask task = forwards[k - warmUp];
    int stage = (lastChunk - task.chunk) * p + q;
    order.push_back({TaskKind::Dgrad, stage, task.microbatch});
    order.push_back({TaskKind::Wgrad, stage, task.microbatch});
  }
  return order;
}
} // namespace

PipelineResult takt::scheduleInterleaved(const PipelineProblem &problem,
                                         const PipelineOptions &options) {
  if (problem.chunks() == 1)
    return scheduleOneForwardOneBackward(problem, options);
  PlacedPipeline placed = placeChunks(problem, PipelinePlacement::Interleaved);
  std::vector<ChunkTask> forwards = groupedForwards(problem);
  int p = problem.processors, group = std::min(p, problem.microbatches);
  // A last group that is no full one may need a longer warm-up; with all
  // forwards first nothing waits for itself.
  for (int extra = 0;; ++extra) {
    std::vector<std::vector<PipelineTask>> order;
    for (int q = 0; q < p; ++q)
      order.push_back(
          alternate(problem, forwards, q,
                    2 * (p - 1 - q) + (problem.chunks() - 1) * group + extra));
    PipelineSolution solution =
        expandUnits(placed, order, /*fullBackward=*/true);
    Expected<PipelineTimes> times = timePipeline(problem, solution.order);
    if (times)
      return solution;
    if (extra > int(forwards.size()))
      return times.takeError();
    consumeError(times.takeError());
  }
}
