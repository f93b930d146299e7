//===- PipeDreamTimes.cpp - the 1F1B schedule of a partition --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each stage has a forward and a backward block of tasks, each block without
// gaps. A value leaves when its task ends, first come first served on its link,
// while the block goes on.
//
//===----------------------------------------------------------------------===//

#include "PipeDream.h"
#include "Timing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace takt;

int64_t takt::stageLateness(int64_t ready, int64_t load, int64_t interval) {
  int64_t turn = ready / interval - (ready % interval < 0 ? 1 : 0);
  int64_t wait = ready - turn * interval;
  // In the way of the next forward block: behind that, then.
  if (wait + load > interval) {
    wait = 0;
    ++turn;
  }
  return turn * interval + wait + load - interval;
}

namespace {
class OneForwardOneBackward {
public:
  OneForwardOneBackward(const Problem &problem, const StagePartition &partition)
      : machine(*problem.machine), graph(*problem.graph), partition(partition),
        stages(static_cast<int>(partition.processor.size())),
        timing(machine, graph) {
    assign(problem);
    collectTransfers();
  }

  /// The most that a processor or a link has to do.
  int64_t leastInterval() const;
  std::optional<Schedule> tryInterval(int64_t interval);

private:
  /// Stage k has block k for forward tasks, block stages + k for backward ones.
  struct Lag {
    int from, to;
    int64_t cycles; ///< from start to start, at the least
  };
  struct Transfer {
    int value, to;
    int64_t cycles;
    int64_t wait = 0; ///< for the link, when alone in the machine
  };

  void assign(const Problem &problem);
  void collectTransfers();
  std::vector<Lag> lags(llvm::ArrayRef<Transfer> transfers) const;
  bool placeBlocks(llvm::ArrayRef<Lag> lags);
  bool isInTime(const Times &times) const;
  int stageOf(int task) const {
    return partition.stage[graph.tasks[task].layer];
  }
  int blockOf(int task) const {
    bool isForward = graph.tasks[task].kind == TaskKind::Forward;
    return isForward ? stageOf(task) : stages + stageOf(task);
  }
  int64_t endInBlock(int task) const {
    return offset[task] + arrangement.cycles[task];
  }

  const Machine &machine;
  const TaskGraph &graph;
  const StagePartition &partition;
  int stages;
  std::vector<int64_t> length; ///< by block
  std::vector<int64_t> offset; ///< by task, from its block's start
  std::vector<Transfer> alone; ///< as if no other block used the link
  Arrangement arrangement;
  Timing timing;
};
} // namespace

void OneForwardOneBackward::assign(const Problem &problem) {
  length.assign(2 * stages, 0);
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    int processor = partition.processor[stageOf(task)];
    int64_t cycles = *taskCycles(*problem.cost, graph.tasks[task],
                                 machine.processorClass(processor));
    offset.push_back(length[blockOf(task)]);
    length[blockOf(task)] += cycles;
    arrangement.processor.push_back(processor);
    arrangement.cycles.push_back(cycles);
  }
}

/// In the order in which the blocks make their values.
void OneForwardOneBackward::collectTransfers() {
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    int from = arrangement.processor[value.producer];
    llvm::SmallVector<int, 4> seen = {from};
    for (const Use &use : value.uses) {
      int to = arrangement.processor[use.task];
      if (llvm::is_contained(seen, to))
        continue;
      seen.push_back(to);
      alone.push_back({static_cast<int>(index), to,
                       machine.transferCycles(from, to, value.bytes)});
    }
  }
  auto producer = [&](const Transfer &t) {
    return graph.values[t.value].producer;
  };
  llvm::stable_sort(alone, [&](const Transfer &a, const Transfer &b) {
    return producer(a) < producer(b);
  });
  std::map<std::pair<int64_t, int>, int64_t> free; // by link and block
  for (Transfer &transfer : alone) {
    int task = producer(transfer);
    int from = arrangement.processor[task];
    Machine::Route links = machine.linksHeld(from, transfer.to);
    int64_t start = endInBlock(task);
    for (int64_t link : links)
      if (auto it = free.find({link, blockOf(task)}); it != free.end())
        start = std::max(start, it->second);
    transfer.wait = start - endInBlock(task);
    for (int64_t link : links)
      free[{link, blockOf(task)}] = start + transfer.cycles;
  }
}

int64_t OneForwardOneBackward::leastInterval() const {
  int64_t most = 1;
  for (int k = 0; k < stages; ++k)
    most = std::max(most, length[k] + length[stages + k]);
  std::map<int64_t, int64_t> busy; // by link
  for (const Transfer &transfer : alone) {
    int from = arrangement.processor[graph.values[transfer.value].producer];
    for (int64_t link : machine.linksHeld(from, transfer.to))
      most = std::max(most, busy[link] += transfer.cycles);
  }
  return most;
}

std::vector<OneForwardOneBackward::Lag>
OneForwardOneBackward::lags(llvm::ArrayRef<Transfer> transfers) const {
  std::map<std::pair<int, int>, int64_t> least;
  auto add = [&](const Value &value, int to, int64_t hop) {
    int from = value.producer;
    for (const Use &use : value.uses) {
      if (use.distance > 0 || arrangement.processor[use.task] != to ||
          blockOf(from) == blockOf(use.task))
        continue;
      int64_t lag = endInBlock(from) + hop - offset[use.task];
      auto [it, isNew] =
          least.try_emplace({blockOf(from), blockOf(use.task)}, lag);
      it->second = std::max(it->second, lag);
    }
  };
  for (const Transfer &t : transfers) {
    const Value &value = graph.values[t.value];
    int from = arrangement.processor[value.producer];
    add(value, t.to, t.wait + t.cycles + machine.transferLatency(from, t.to));
  }
  std::vector<Lag> result;
  for (auto [blocks, cycles] : least)
    result.push_back({blocks.first, blocks.second, cycles});
  return result;
}

/// Gives every block its start: forward blocks as late as those behind them
/// allow, then backward blocks as early as possible, each where its processor
/// is between two forward blocks. False if an update is then later than its
/// delay, the number of stages behind its own, allows.
bool OneForwardOneBackward::placeBlocks(llvm::ArrayRef<Lag> lags) {
  int64_t interval = arrangement.interval;
  std::vector<std::vector<const Lag *>> out(2 * stages), in(2 * stages);
  for (const Lag &lag : lags) {
    out[lag.from].push_back(&lag);
    in[lag.to].push_back(&lag);
  }
  std::vector<int64_t> start(2 * stages, 0);
  for (int k = stages - 1; k >= 0; --k) {
    std::optional<int64_t> latest;
    for (const Lag *lag : out[k])
      if (lag->to < stages)
        latest = std::min(latest.value_or(start[lag->to] - lag->cycles),
                          start[lag->to] - lag->cycles);
    start[k] = latest.value_or(0);
  }
  for (int k = stages - 1; k >= 0; --k) {
    int64_t load = length[k] + length[stages + k];
    int64_t forwardEnd = start[k] + length[k];
    int64_t earliest = forwardEnd;
    for (const Lag *lag : in[stages + k])
      earliest = std::max(earliest, start[lag->from] + lag->cycles);
    int64_t allowed = (stages - 1 - k) * interval;
    int64_t late =
        stageLateness(earliest - forwardEnd - allowed, load, interval);
    if (late > 0)
      return false;
    start[stages + k] =
        start[k] + allowed + interval + late - length[stages + k];
  }
  // Positions alone would let a wgrad that needs little of its block run with
  // the block of the minibatch before, and pull its forward task along.
  int64_t first = llvm::divideFloorSigned(*llvm::min_element(start), interval);
  arrangement.position.clear();
  arrangement.notBefore.clear();
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    int64_t at = start[blockOf(task)] + offset[task] - first * interval;
    arrangement.notBefore.push_back(at);
    arrangement.position.push_back(at % interval);
  }
  return true;
}

bool OneForwardOneBackward::isInTime(const Times &times) const {
  return llvm::all_of(llvm::enumerate(times.delay), [&](auto delay) {
    return delay.value() <= stages - 1 - partition.stage[delay.index()];
  });
}

/// The schedule at that interval, or nullopt.
std::optional<Schedule> OneForwardOneBackward::tryInterval(int64_t interval) {
  // Where blocks share links they wait for each other's transfers: what is
  // seen then is allowed for in the next attempt.
  constexpr int kAttempts = 6;
  arrangement.interval = interval;
  std::vector<Transfer> transfers = alone;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    if (!placeBlocks(lags(transfers)))
      return std::nullopt;
    std::optional<Times> times = timing.compute(arrangement);
    if (!times)
      return std::nullopt;
    if (isInTime(*times)) {
      Schedule schedule = toSchedule(machine, graph, arrangement, *times);
      schedule.stage = partition.stage;
      schedule.stages = stages;
      for (auto [delay, stage] :
           llvm::zip_equal(schedule.delay, schedule.stage))
        delay = stages - 1 - stage;
      return schedule;
    }
    std::map<std::pair<int, int>, int64_t> started;
    for (const TransferPlacement &t : times->transfers)
      started[{t.value, t.to}] = t.start;
    for (Transfer &t : transfers) {
      int producer = graph.values[t.value].producer;
      auto it = started.find({t.value, t.to});
      if (it != started.end())
        t.wait =
            it->second - times->start[producer] - arrangement.cycles[producer];
    }
  }
  return std::nullopt;
}

std::optional<Schedule> takt::schedulePipeline(const Problem &problem,
                                               const StagePartition &partition,
                                               int64_t limit) {
  OneForwardOneBackward pipeline(problem, partition);
  int64_t low = pipeline.leastInterval();
  if (low >= limit)
    return std::nullopt;
  if (std::optional<Schedule> schedule = pipeline.tryInterval(low))
    return schedule;
  // Transfers are in the way: the least interval that they allow, between one
  // that is known to fail and one that is known to do.
  int64_t high = low;
  std::optional<Schedule> best;
  for (int doublings = 0; !best && doublings < 20; ++doublings) {
    if (high == limit - 1)
      return std::nullopt;
    low = high;
    high = std::min(2 * high, limit - 1);
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
