//===- OrderClimb.cpp - a pipeline order improved move by move ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OrderClimb.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>
#include <numeric>
#include <random>

using namespace llvm;
using namespace takt;

namespace {
/// Threshold at the outset, as a part of the makespan.
constexpr int64_t kFirstThreshold = 50;
/// How far a task moves at the most.
constexpr int kFarthest = 6;

class OrderClimb {
public:
  OrderClimb(const PipelineFrame &frame, BuiltPipeline start, uint64_t seed)
      : frame(frame), order(std::move(start.order)),
        random(static_cast<uint32_t>(seed) + 1) {
    for (auto &kind : starts)
      kind.resize(size_t(frame.units) * frame.microbatches);
    next.resize(frame.processors);
    free.resize(frame.processors);
    tasks = int64_t(frame.units) * frame.microbatches * kPipelineKinds;
  }

  BuiltPipeline run(int64_t steps) {
    int64_t current = time(), all = steps;
    BuiltPipeline best = built(current);
    while (steps > 0) {
      steps -= tasks;
      findHoldUps();
      if (holdUps.empty())
        break;
      Move move = draw();
      if (move.from == move.to)
        continue;
      apply(move);
      auto startsBefore = starts;
      auto freeBefore = free;
      int64_t makespan = fits(move.processor) ? time() : kWaits;
      int64_t threshold =
          best.makespan / kFirstThreshold * std::max<int64_t>(steps, 0) / all;
      if (makespan == kWaits || makespan > current + threshold) {
        apply({move.processor, move.to, move.from});
        starts = std::move(startsBefore);
        free = std::move(freeBefore);
        continue;
      }
      current = makespan;
      if (current < best.makespan)
        best = built(current);
    }
    return best;
  }

private:
  static constexpr int64_t kWaits = std::numeric_limits<int64_t>::max();
  struct Place {
    int processor, index;
  };
  struct Move {
    int processor, from, to;
  };

  int64_t &startOf(const PipelineTask &task) {
    return starts[size_t(task.kind)]
                 [size_t(task.stage) * frame.microbatches + task.microbatch];
  }
  int64_t endOf(const PipelineTask &task) {
    return startOf(task) +
           frame.placed.units[task.stage].cycles[size_t(task.kind)];
  }

  /// When the task's input is there; -1 while that is unknown.
  int64_t inputAt(const PipelineTask &task) {
    PipelineTask before = task;
    int64_t transfer = 0;
    if (task.kind == TaskKind::Forward) {
      if (task.stage == 0)
        return 0;
      transfer = frame.transferAfter[--before.stage];
    } else if (task.kind == TaskKind::Wgrad) {
      before.kind = TaskKind::Dgrad;
    } else if (task.stage == frame.units - 1) {
      before.kind = TaskKind::Forward;
    } else {
      transfer = frame.transferAfter[before.stage++];
    }
    return startOf(before) < 0 ? -1 : endOf(before) + transfer;
  }

  /// The makespan, or kWaits where the order waits for itself.
  int64_t time() {
    for (auto &kind : starts)
      llvm::fill(kind, -1);
    llvm::fill(next, 0);
    llvm::fill(free, 0);
    waking.resize(frame.processors);
    std::iota(waking.begin(), waking.end(), 0);
    int64_t timed = 0;
    while (!waking.empty())
      timed += advance(waking.pop_back_val());
    return timed == tasks ? *llvm::max_element(free) : kWaits;
  }

  int64_t advance(int processor) {
    int64_t timed = 0;
    for (auto &list = order[processor]; next[processor] < int(list.size());
         ++next[processor], ++timed) {
      const PipelineTask &task = list[next[processor]];
      int64_t input = inputAt(task);
      if (input < 0)
        break;
      startOf(task) = std::max(input, free[processor]);
      free[processor] = endOf(task);
      if (task.kind == TaskKind::Forward && task.stage + 1 < frame.units)
        waking.push_back(frame.placed.units[task.stage + 1].processor);
      if (task.kind == TaskKind::Dgrad && task.stage > 0)
        waking.push_back(frame.placed.units[task.stage - 1].processor);
    }
    return timed;
  }

  bool fits(int processor) const {
    for (const PipelineResource &resource : frame.resources) {
      MemoryChange all;
      for (const PipelineTask &task : order[processor])
        all = all.then(resource.change[task.stage][size_t(task.kind)]);
      if (all.rise > resource.limit[processor])
        return false;
    }
    return true;
  }

  /// Goes back from the last end, at each task to what it waited for, and keeps
  /// the tasks that waited for their processor.
  void findHoldUps() {
    holdUps.clear();
    int last = int(llvm::max_element(free) - free.begin());
    Place at{last, int(order[last].size()) - 1};
    while (true) {
      const PipelineTask &task = order[at.processor][at.index];
      int64_t start = startOf(task);
      bool processor =
          at.index > 0 && endOf(order[at.processor][at.index - 1]) == start;
      bool input = start > 0 && inputAt(task) == start;
      if (processor)
        holdUps.push_back(at);
      if (processor && (!input || random() % 2 == 0))
        --at.index;
      else if (input)
        at = placeBefore(task);
      else
        return;
    }
  }

  Place placeBefore(const PipelineTask &task) {
    PipelineTask before = task;
    if (task.kind == TaskKind::Forward)
      --before.stage;
    else if (task.kind == TaskKind::Wgrad)
      before.kind = TaskKind::Dgrad;
    else if (task.stage == frame.units - 1)
      before.kind = TaskKind::Forward;
    else
      ++before.stage;
    int processor = frame.placed.units[before.stage].processor;
    int64_t start = startOf(before);
    // Starts do not decrease along a processor; tasks of no cycles share one.
    auto &list = order[processor];
    auto found = llvm::partition_point(
        list, [&](const PipelineTask &each) { return startOf(each) < start; });
    while (found->kind != before.kind || found->stage != before.stage ||
           found->microbatch != before.microbatch)
      ++found;
    return {processor, int(found - list.begin())};
  }

  Move draw() {
    Place held = holdUps[random() % holdUps.size()];
    int far = 1 + int(random() % kFarthest);
    int size = int(order[held.processor].size());
    if (random() % 2 == 0)
      return {held.processor, held.index, std::max(held.index - far, 0)};
    return {held.processor, held.index - 1,
            std::min(held.index - 1 + far, size - 1)};
  }

  /// Microbatches stay in order: where a task passes another of its unit and
  /// kind, they change places.
  void apply(const Move &move) {
    auto &list = order[move.processor];
    int step = move.to > move.from ? 1 : -1;
    for (int i = move.from; i != move.to; i += step) {
      PipelineTask &a = list[i], &b = list[i + step];
      std::swap(a, b);
      if (a.kind == b.kind && a.stage == b.stage)
        std::swap(a.microbatch, b.microbatch);
    }
  }

  BuiltPipeline built(int64_t makespan) {
    BuiltPipeline built{order, makespan, 0};
    for (const auto &list : order)
      built.span =
          std::max(built.span, endOf(list.back()) - startOf(list.front()));
    return built;
  }

  const PipelineFrame &frame;
  std::vector<std::vector<PipelineTask>> order;
  std::minstd_rand random;
  std::array<std::vector<int64_t>, kPipelineKinds> starts;
  std::vector<int> next;
  std::vector<int64_t> free;
  SmallVector<int> waking;
  std::vector<Place> holdUps;
  int64_t tasks = 0;
};
} // namespace

BuiltPipeline takt::climbOrders(const PipelineFrame &frame, BuiltPipeline start,
                                int64_t steps, uint64_t seed) {
  return OrderClimb(frame, std::move(start), seed).run(steps);
}
