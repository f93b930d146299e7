//===- Times.cpp - times and memory of a pipeline's order -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Pipeline.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>
#include <limits>
#include <numeric>

using namespace llvm;
using namespace takt;

namespace {
/// Longest paths over the precedence of the problem and the processors' orders.
class Timer {
public:
  Timer(const PipelineProblem &problem, const PipelineOrder &order)
      : problem(problem), order(order), stages(problem.stages.size()),
        microbatches(problem.microbatches) {
    for (auto &start : times.start)
      start.assign(size_t(stages) * microbatches, -1);
    times.peakMemory.assign(problem.processors, 0);
  }

  Expected<PipelineTimes> run() {
    if (Error error = checkTasks())
      return std::move(error);
    if (Error error = computeStarts())
      return std::move(error);
    measure();
    return std::move(times);
  }

private:
  int64_t &start(const PipelineTask &task) {
    return times.start[size_t(task.kind)]
                      [size_t(task.stage) * microbatches + task.microbatch];
  }
  int64_t cycles(const PipelineTask &task) const {
    return problem.stages[task.stage].cycles[size_t(task.kind)];
  }
  static std::string text(const PipelineTask &task) {
    return (letter(task.kind) + " of stage " + Twine(task.stage) +
            ", microbatch " + Twine(task.microbatch))
        .str();
  }

  Error checkTasks() {
    if (int(order.processorOf.size()) != stages)
      return createStringError("the order places %zu stages of %d",
                               order.processorOf.size(), stages);
    if (int(order.order.size()) != problem.processors)
      return createStringError("the order is of %zu processors, expected %d",
                               order.order.size(), problem.processors);
    for (auto [processor, tasks] : enumerate(order.order))
      for (const PipelineTask &task : tasks)
        if (Error error = checkTask(task, int(processor)))
          return error;
    size_t listed = 0;
    for (const auto &tasks : order.order)
      listed += tasks.size();
    if (listed != size_t(stages) * microbatches * kPipelineKinds)
      return createStringError("the order has %zu tasks, expected %zu", listed,
                               size_t(stages) * microbatches * kPipelineKinds);
    return order.fullBackward ? checkFullBackwards() : Error::success();
  }

  Error checkFullBackwards() {
    for (const auto &tasks : order.order)
      for (auto [index, task] : enumerate(tasks)) {
        if (task.kind != TaskKind::Dgrad)
          continue;
        const PipelineTask *next =
            index + 1 < tasks.size() ? &tasks[index + 1] : nullptr;
        if (!next || next->kind != TaskKind::Wgrad ||
            next->stage != task.stage || next->microbatch != task.microbatch)
          return createStringError("its W does not follow " + text(task) +
                                   " in an order of full backwards");
      }
    return Error::success();
  }

  Error checkTask(const PipelineTask &task, int processor) {
    if (task.kind == TaskKind::Update || task.stage < 0 ||
        task.stage >= stages || task.microbatch < 0 ||
        task.microbatch >= microbatches)
      return createStringError(text(task) + " is no task of the problem");
    if (order.processorOf[task.stage] != processor)
      return createStringError(text(task) + " is on processor " +
                               Twine(processor) + ", but its stage on " +
                               Twine(order.processorOf[task.stage]));
    if (start(task) == 0)
      return createStringError(text(task) + " is in the order twice");
    start(task) = 0; // seen
    return Error::success();
  }

  /// The task whose result this one takes, or none.
  std::optional<PipelineTask> predecessor(const PipelineTask &task) const {
    switch (task.kind) {
    case TaskKind::Forward:
      if (task.stage == 0)
        return std::nullopt;
      return PipelineTask{TaskKind::Forward, task.stage - 1, task.microbatch};
    case TaskKind::Dgrad:
      if (task.stage == stages - 1)
        return PipelineTask{TaskKind::Forward, task.stage, task.microbatch};
      return PipelineTask{order.fullBackward ? TaskKind::Wgrad
                                             : TaskKind::Dgrad,
                          task.stage + 1, task.microbatch};
    default:
      return PipelineTask{TaskKind::Dgrad, task.stage, task.microbatch};
    }
  }

  /// When the task's input is there; nullopt while that is unknown.
  std::optional<int64_t> ready(const PipelineTask &task) {
    std::optional<PipelineTask> before = predecessor(task);
    if (!before)
      return 0;
    int64_t begin = start(*before);
    if (begin < 0)
      return std::nullopt;
    bool crosses =
        order.processorOf[before->stage] != order.processorOf[task.stage];
    return begin + cycles(*before) + (crosses ? problem.transferCycles : 0);
  }

  /// Runs every processor as far as it gets, until all are done or none moves.
  Error computeStarts() {
    for (auto &kind : times.start)
      std::fill(kind.begin(), kind.end(), -1);
    std::vector<size_t> next(problem.processors, 0);
    std::vector<int64_t> free(problem.processors, 0);
    std::vector<int> waking(problem.processors);
    std::iota(waking.begin(), waking.end(), 0);
    while (!waking.empty()) {
      int processor = waking.back();
      waking.pop_back();
      const auto &tasks = order.order[processor];
      while (next[processor] < tasks.size()) {
        const PipelineTask &task = tasks[next[processor]];
        std::optional<int64_t> input = ready(task);
        if (!input)
          break;
        start(task) = std::max(*input, free[processor]);
        free[processor] = start(task) + cycles(task);
        ++next[processor];
        wake(task, waking);
      }
    }
    for (auto [processor, tasks] : enumerate(order.order))
      if (next[processor] < tasks.size())
        return createStringError("the order waits for itself: processor " +
                                 Twine(processor) + " at " +
                                 text(tasks[next[processor]]));
    return Error::success();
  }

  /// The neighbours' processors may go on now.
  void wake(const PipelineTask &done, std::vector<int> &waking) {
    if (done.kind == TaskKind::Forward && done.stage + 1 < stages)
      waking.push_back(order.processorOf[done.stage + 1]);
    if (done.kind != TaskKind::Forward && done.stage > 0)
      waking.push_back(order.processorOf[done.stage - 1]);
  }

  void measure() {
    int64_t first = std::numeric_limits<int64_t>::max(), last = 0;
    for (auto [processor, tasks] : enumerate(order.order)) {
      if (tasks.empty())
        continue;
      int64_t begin = start(tasks.front());
      int64_t end = start(tasks.back()) + cycles(tasks.back());
      first = std::min(first, begin);
      last = std::max(last, end);
      times.span = std::max(times.span, end - begin);
      times.peakMemory[processor] = peakMemory(tasks);
    }
    times.makespan = last - first;
  }

  /// Tasks of a processor follow each other, so its memory depends on nothing
  /// but their order.
  int64_t peakMemory(ArrayRef<PipelineTask> tasks) const {
    int64_t held = 0, peak = 0;
    for (const PipelineTask &task : tasks) {
      int64_t change = problem.stages[task.stage].memory[size_t(task.kind)];
      held += change;
      if (change > 0)
        peak = std::max(peak, held);
    }
    return peak;
  }

  const PipelineProblem &problem;
  const PipelineOrder &order;
  int stages, microbatches;
  PipelineTimes times;
};
} // namespace

Expected<PipelineTimes> takt::timePipeline(const PipelineProblem &problem,
                                           const PipelineOrder &order) {
  return Timer(problem, order).run();
}

bool takt::fitsMemory(const PipelineProblem &problem,
                      const PipelineTimes &times) {
  for (auto [limit, peak] : zip(problem.memoryLimit, times.peakMemory))
    if (peak > limit)
      return false;
  return true;
}

std::vector<int> takt::placeStages(const PipelineProblem &problem,
                                   PipelinePlacement placement) {
  int p = problem.processors, chunks = problem.chunks();
  std::vector<int> processorOf;
  for (int stage = 0; stage < int(problem.stages.size()); ++stage)
    switch (placement) {
    case PipelinePlacement::Blocked:
      processorOf.push_back(stage / chunks);
      break;
    case PipelinePlacement::Interleaved:
      processorOf.push_back(stage % p);
      break;
    case PipelinePlacement::Vee:
      processorOf.push_back((stage / p) % 2 == 0 ? stage % p
                                                 : p - 1 - stage % p);
      break;
    }
  return processorOf;
}

int64_t takt::makespanBound(const PipelineProblem &problem,
                            ArrayRef<int> processorOf) {
  // Along F of all stages, then D back: what comes before anything of a
  // processor, and what follows its last task at the least.
  int stages = int(problem.stages.size());
  auto crossing = [&](int a, int b) {
    return processorOf[a] == processorOf[b] ? 0 : problem.transferCycles;
  };
  std::vector<int64_t> head(problem.processors, -1), tail, work;
  tail.assign(problem.processors, std::numeric_limits<int64_t>::max());
  work.assign(problem.processors, 0);
  int64_t before = 0, path = 0;
  for (int s = 0; s < stages; ++s) {
    const PipelineStage &stage = problem.stages[s];
    if (s > 0)
      before += crossing(s - 1, s);
    int processor = processorOf[s];
    if (head[processor] < 0)
      head[processor] = before;
    before += stage.cycles[0];
    path += stage.cycles[0] + stage.cycles[1] +
            (s > 0 ? 2 * crossing(s - 1, s) : 0);
    for (int64_t cycles : stage.cycles)
      work[processor] += cycles * problem.microbatches;
  }
  // Behind a W there is nothing; behind a D the D of the stages before, each of
  // which its own W may end. A processor can end with a W, unless W is empty.
  int64_t after = 0;
  for (int s = 0; s < stages; ++s) {
    int64_t &least = tail[processorOf[s]];
    least =
        std::min<int64_t>(least, problem.stages[s].cycles[2] > 0 ? 0 : after);
    after +=
        problem.stages[s].cycles[1] + (s + 1 < stages ? crossing(s, s + 1) : 0);
  }
  int64_t bound = path;
  for (int processor = 0; processor < problem.processors; ++processor)
    if (work[processor] > 0)
      bound =
          std::max(bound, head[processor] + work[processor] + tail[processor]);
  return bound;
}
