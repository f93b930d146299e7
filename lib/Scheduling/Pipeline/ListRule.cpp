//===- ListRule.cpp - pipeline schedules by rules of priority -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ListRule.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>
#include <tuple>

using namespace llvm;
using namespace takt;

namespace {
constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

class Builder {
public:
  Builder(const PipelineFrame &frame, const ListRule &rule)
      : frame(frame), rule(rule), partial(frame),
        choice(frame.processors, NextTask{TaskKind::Forward, 0, kNever}) {}

  BuiltPipeline run() {
    BuiltPipeline built;
    built.order.resize(frame.processors);
    for (int q = 0; q < frame.processors; ++q)
      choose(q);
    while (!partial.complete()) {
      int q = earliest();
      NextTask next = choice[q];
      built.order[q].push_back(partial.begin(next));
      choose(q);
      chooseWhereItArrives(next);
    }
    for (int q = 0; q < frame.processors; ++q) {
      built.makespan = std::max(built.makespan, partial.freeAt(q));
      built.span =
          std::max(built.span, partial.freeAt(q) - partial.firstStart(q));
    }
    return built;
  }

private:
  /// The processor whose choice begins first.
  int earliest() {
    auto begins = [&](const NextTask &a, const NextTask &b) {
      return a.start < b.start;
    };
    auto found = llvm::min_element(choice, begins);
    if (found->start == kNever) {
      // The rule's own limit holds everything up: go on without it.
      for (int q = 0; q < frame.processors; ++q)
        choose(q, /*limited=*/false);
      found = llvm::min_element(choice, begins);
    }
    return int(found - choice.begin());
  }

  void chooseWhereItArrives(const NextTask &done) {
    const auto &units = frame.placed.units;
    if (done.kind == TaskKind::Forward && done.unit + 1 < frame.units)
      choose(units[done.unit + 1].processor);
    if (done.kind == TaskKind::Dgrad && done.unit > 0)
      choose(units[done.unit - 1].processor);
  }

  void choose(int q, bool limited = true) {
    next.clear();
    partial.appendNext(q, next);
    if (limited)
      erase_if(next, [&](const NextTask &task) { return !hasRoom(task); });
    choice[q] = {TaskKind::Forward, 0, kNever};
    int64_t input = kNever; // when the next forward or dgrad can begin
    for (const NextTask &task : next)
      if (task.kind != TaskKind::Wgrad)
        input = std::min(input, task.start);
    for (const NextTask &task : next) {
      if (task.kind == TaskKind::Wgrad && input != kNever && !fits(task, input))
        continue;
      if (choice[q].start == kNever || rank(task) < rank(choice[q]))
        choice[q] = task;
    }
  }

  bool hasRoom(const NextTask &task) const {
    return task.kind != TaskKind::Forward ||
           partial.begun(task.unit, TaskKind::Forward) -
                   partial.begun(task.unit, TaskKind::Dgrad) <
               rule.units[task.unit].warmUp;
  }

  /// Whether a wgrad holds the task that begins at `input` up by no more than
  /// the rule lets it.
  bool fits(const NextTask &wgrad, int64_t input) const {
    int64_t cycles =
        frame.placed.units[wgrad.unit].cycles[size_t(TaskKind::Wgrad)];
    return wgrad.start + cycles <=
           input + cycles * rule.units[wgrad.unit].holdUpQuarters / 4;
  }

  std::tuple<int64_t, int, int> rank(const NextTask &task) const {
    int kind = task.kind == TaskKind::Wgrad         ? 3
               : task.kind == TaskKind::Dgrad       ? 1
               : rule.units[task.unit].forwardFirst ? 0
                                                    : 2;
    return {task.start, kind, rule.laterUnitFirst ? -task.unit : task.unit};
  }

  const PipelineFrame &frame;
  const ListRule &rule;
  PartialPipeline partial;
  std::vector<NextTask> choice; ///< of each processor; kNever: none
  std::vector<NextTask> next;
};
} // namespace

BuiltPipeline takt::buildByRule(const PipelineFrame &frame,
                                const ListRule &rule) {
  return Builder(frame, rule).run();
}
