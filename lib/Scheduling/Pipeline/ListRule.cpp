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
    // When the next dgrad, and the next of any but the wgrads, can begin.
    int64_t dgrad = kNever, input = kNever;
    for (const NextTask &task : next)
      if (task.kind == TaskKind::Dgrad)
        dgrad = std::min(dgrad, task.start);
    for (const NextTask &task : next)
      if (task.kind == TaskKind::Dgrad || fits(task, dgrad))
        if (task.kind != TaskKind::Wgrad)
          input = std::min(input, task.start);
    for (const NextTask &task : next)
      if (task.kind == TaskKind::Dgrad ||
          fits(task, task.kind == TaskKind::Wgrad ? input : dgrad))
        if (choice[q].start == kNever || rank(task) < rank(choice[q]))
          choice[q] = task;
  }

  bool hasRoom(const NextTask &task) const {
    return task.kind != TaskKind::Forward ||
           partial.begun(task.unit, TaskKind::Forward) -
                   partial.begun(task.unit, TaskKind::Dgrad) <
               rule.units[task.unit].warmUp;
  }

  /// Whether a task holds up the one that begins at `input` by no more than
  /// the rule lets it.
  bool fits(const NextTask &task, int64_t input) const {
    const UnitRule &unit = rule.units[task.unit];
    int quarters =
        task.kind == TaskKind::Forward ? unit.forwardHoldUp : unit.wgradHoldUp;
    if (input == kNever || quarters == 4)
      return true;
    int64_t cycles = frame.placed.units[task.unit].cycles[size_t(task.kind)];
    return task.start + cycles <= input + cycles * quarters / 4;
  }

  std::tuple<int64_t, int, int> rank(const NextTask &task) const {
    const UnitRule &unit = rule.units[task.unit];
    int kind = task.kind == TaskKind::Forward ? unit.forwardRank
               : task.kind == TaskKind::Dgrad ? unit.dgradRank
                                              : std::numeric_limits<int>::max();
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
