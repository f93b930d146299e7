//===- PipelineBeam.cpp - pipeline schedules by a beam of partial ones ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PipelineBeam.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>
#include <tuple>
#include <unordered_map>

using namespace llvm;
using namespace takt;

namespace {
class Beam {
public:
  Beam(const PipelineFrame &frame, const BeamRule &rule)
      : frame(frame), rule(rule) {
    kept.push_back({PartialPipeline(frame), -1});
  }

  BuiltPipeline run() {
    while (!kept.front().partial.complete())
      advance();
    return trace();
  }

private:
  struct Kept {
    PartialPipeline partial;
    int step; ///< the last of `steps`; -1 before the first
  };
  struct Step {
    PipelineTask task;
    int before;
  };
  struct Child {
    int64_t key;
    int parent;
    NextTask task;
    size_t counts; ///< a hash
  };

  void advance() {
    children.clear();
    for (int parent = 0; parent < int(kept.size()); ++parent)
      expand(parent);
    // Stable: what comes first among equals does not depend on the library.
    llvm::stable_sort(
        children, [](const Child &a, const Child &b) { return a.key < b.key; });
    std::vector<Kept> next;
    std::unordered_map<size_t, int> alike;
    for (const Child &child : children) {
      if (int(next.size()) == rule.width)
        break;
      if (++alike[child.counts] > kAlike)
        continue;
      next.push_back(kept[child.parent]);
      steps.push_back(
          {next.back().partial.begin(child.task), kept[child.parent].step});
      next.back().step = int(steps.size()) - 1;
    }
    kept = std::move(next);
  }

  void expand(int parent) {
    const PartialPipeline &partial = kept[parent].partial;
    candidates.clear();
    for (int q = 0; q < frame.processors; ++q)
      partial.appendNext(q, candidates);
    limitWarmUp(partial);
    const NextTask *first = nullptr;
    for (const NextTask &task : candidates)
      if (!first || endOf(task) < endOf(*first))
        first = &task;
    int q = processorOf(*first);
    int64_t end = endOf(*first);
    for (const NextTask &task : candidates)
      if (processorOf(task) == q && (task.start < end || &task == first)) {
        PartialPipeline after = partial;
        after.begin(task);
        children.push_back({keyOf(after), parent, task, after.hashOfCounts()});
      }
  }

  /// Drops the forwards beyond the rule's limit, unless nothing else is left.
  void limitWarmUp(const PartialPipeline &partial) {
    auto beyond = [&](const NextTask &task) {
      return task.kind == TaskKind::Forward &&
             partial.begun(task.unit, TaskKind::Forward) -
                     partial.begun(task.unit, TaskKind::Dgrad) >=
                 rule.warmUp[task.unit];
    };
    if (!all_of(candidates, beyond))
      erase_if(candidates, beyond);
  }

  int64_t keyOf(const PartialPipeline &partial) const {
    PartialPipeline::Sums sums = partial.boundSums();
    return rule.bound * frame.processors * partial.bound() +
           rule.work * sums.work + rule.path * sums.path;
  }

  int processorOf(const NextTask &task) const {
    return frame.placed.units[task.unit].processor;
  }
  int64_t endOf(const NextTask &task) const {
    return task.start + frame.placed.units[task.unit].cycles[size_t(task.kind)];
  }

  BuiltPipeline trace() const {
    BuiltPipeline built;
    built.order.resize(frame.processors);
    const Kept *best = &kept.front();
    for (const Kept &each : kept)
      if (each.partial.bound() < best->partial.bound())
        best = &each;
    built.makespan = best->partial.bound();
    for (int q = 0; q < frame.processors; ++q)
      built.span = std::max(built.span, best->partial.freeAt(q) -
                                            best->partial.firstStart(q));
    for (int step = best->step; step >= 0; step = steps[step].before) {
      const PipelineTask &task = steps[step].task;
      built.order[frame.placed.units[task.stage].processor].push_back(task);
    }
    for (auto &tasks : built.order)
      std::reverse(tasks.begin(), tasks.end());
    return built;
  }

  /// So many with the same tasks begun stay: they differ in times alone.
  static constexpr int kAlike = 2;

  const PipelineFrame &frame;
  const BeamRule &rule;
  std::vector<Kept> kept;
  std::vector<Step> steps;
  std::vector<Child> children;
  std::vector<NextTask> candidates;
};
} // namespace

BuiltPipeline takt::buildByBeam(const PipelineFrame &frame,
                                const BeamRule &rule) {
  return Beam(frame, rule).run();
}
