//===- PipeDreamScheduler.cpp - a straight 1F1B pipeline ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narayanan et al., "PipeDream", SOSP 2019, without replication: a stage of
// layers on each processor, which alternates between the forward tasks of one
// minibatch and all backward tasks of another.
//
//===----------------------------------------------------------------------===//

#include "PipeDream.h"
#include "Schedulers.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

namespace {
/// Cycles of a stage's blocks, and of what leaves them.
struct StageBlocks {
  int64_t forward = 0, backward = 0;
  int64_t forwardHop = 0, backwardHop = 0;
};

class OneForwardOneBackward {
public:
  OneForwardOneBackward(const Problem &problem, const StagePartition &partition)
      : problem(problem), machine(*problem.machine), graph(*problem.graph),
        partition(partition), blocks(partition.processor.size()),
        timing(machine, graph) {
    assign();
    addHops();
  }

  std::optional<Schedule> tryInterval(int64_t interval);
  int64_t leastInterval() const;

private:
  void assign();
  void addHops();
  bool placeBlocks();
  int stageOf(int task) const {
    return partition.stage[graph.tasks[task].layer];
  }
  bool isForward(int task) const {
    return graph.tasks[task].kind == TaskKind::Forward;
  }

  const Problem &problem;
  const Machine &machine;
  const TaskGraph &graph;
  const StagePartition &partition;
  std::vector<StageBlocks> blocks;
  Arrangement arrangement;
  Timing timing;
};
} // namespace

void OneForwardOneBackward::assign() {
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    StageBlocks &stage = blocks[stageOf(task)];
    int processor = partition.processor[stageOf(task)];
    int64_t cycles = *taskCycles(*problem.cost, graph.tasks[task],
                                 machine.processorClass(processor));
    (isForward(task) ? stage.forward : stage.backward) += cycles;
    arrangement.processor.push_back(processor);
    arrangement.cycles.push_back(cycles);
  }
}

/// The time that all that leaves a block needs, one after the other.
void OneForwardOneBackward::addHops() {
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    StageBlocks &stage = blocks[stageOf(value.producer)];
    int from = arrangement.processor[value.producer];
    llvm::SmallVector<int, 4> seen = {from};
    for (const Use &use : value.uses) {
      int to = arrangement.processor[use.task];
      if (llvm::is_contained(seen, to))
        continue;
      seen.push_back(to);
      (isForward(value.producer) ? stage.forwardHop : stage.backwardHop) +=
          machine.transferCycles(from, to, value.bytes) +
          machine.transferLatency(from, to);
    }
  }
}

int64_t OneForwardOneBackward::leastInterval() const {
  int64_t largest = 1;
  for (const StageBlocks &stage : blocks)
    largest = std::max(largest, stage.forward + stage.backward);
  return largest;
}

/// Gives every block its offset. The last stage goes from its forward block
/// straight to its backward block; before it, a stage's forward block ends just
/// in time for the next stage, and its backward block follows a forward block
/// of S minibatches later (S stages behind it), or comes later still where
/// transfers need it. False if it then reaches into the next forward block.
bool OneForwardOneBackward::placeBlocks() {
  int64_t interval = arrangement.interval;
  int last = static_cast<int>(blocks.size()) - 1;
  std::vector<int64_t> forwardAt(blocks.size(), 0), backwardAt(blocks.size());
  backwardAt[last] = blocks[last].forward;
  for (int k = last - 1; k >= 0; --k) {
    forwardAt[k] = forwardAt[k + 1] - blocks[k].forward - blocks[k].forwardHop;
    backwardAt[k] = std::max(
        forwardAt[k] + (last - k) * interval + blocks[k].forward,
        backwardAt[k + 1] + blocks[k + 1].backward + blocks[k + 1].backwardHop);
    if (backwardAt[k] + blocks[k].backward >
        forwardAt[k] + (last - k + 1) * interval)
      return false;
  }
  arrangement.position.clear();
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    int stage = stageOf(task);
    int64_t &at = isForward(task) ? forwardAt[stage] : backwardAt[stage];
    arrangement.position.push_back(((at % interval) + interval) % interval);
    at += arrangement.cycles[task];
  }
  return true;
}

/// The schedule at that interval; nullopt if a stage would need more delay than
/// it has stages behind it.
std::optional<Schedule> OneForwardOneBackward::tryInterval(int64_t interval) {
  arrangement.interval = interval;
  if (!placeBlocks())
    return std::nullopt;
  std::optional<Times> times = timing.compute(arrangement);
  if (!times)
    return std::nullopt;
  int last = static_cast<int>(blocks.size()) - 1;
  std::vector<int> delay;
  for (auto [layer, needed] : llvm::enumerate(times->delay)) {
    delay.push_back(last - partition.stage[layer]);
    if (needed > delay.back())
      return std::nullopt;
  }
  Schedule schedule =
      toSchedule(machine, graph, arrangement, std::move(*times));
  schedule.stage = partition.stage;
  schedule.stages = last + 1;
  schedule.delay = std::move(delay);
  return schedule;
}

std::optional<Schedule>
takt::schedulePipeline(const Problem &problem,
                       const StagePartition &partition) {
  OneForwardOneBackward pipeline(problem, partition);
  int64_t low = pipeline.leastInterval();
  if (std::optional<Schedule> schedule = pipeline.tryInterval(low))
    return schedule;
  // Transfers are in the way: the least interval that they allow, between one
  // that is known to fail and one that is known to do.
  int64_t high = low;
  std::optional<Schedule> best;
  for (int doublings = 0; !best && doublings < 20; ++doublings) {
    low = high;
    high *= 2;
    best = pipeline.tryInterval(high);
  }
  while (best && low + 1 < high) {
    int64_t middle = low + (high - low) / 2;
    if (std::optional<Schedule> schedule = pipeline.tryInterval(middle)) {
      best = std::move(schedule);
      high = middle;
    } else {
      low = middle;
    }
  }
  return best;
}

llvm::Expected<Schedule> takt::runPipeDream(const Problem &problem,
                                            const ScheduleOptions &options) {
  if (std::optional<Schedule> schedule =
          schedulePipeline(problem, partitionStages(problem)))
    return std::move(*schedule);
  // A single stage has no transfers.
  return runSequential(problem, options);
}
