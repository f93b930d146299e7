//===- Bounds.cpp - periods that no schedule can beat ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cuts.h"
#include "CycleRatio.h"
#include "takt/Scheduling/Schedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <map>
#include <tuple>

using namespace takt;

static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0); }

/// Least cycles of each task over the classes of processors.
static std::vector<int64_t> leastCycles(const Problem &problem,
                                        const TaskGraph &graph) {
  std::vector<int64_t> least;
  for (const Task &task : graph.tasks) {
    std::optional<int64_t> best;
    for (const ProcessorClass &on : problem.machine->classes)
      if (std::optional<int64_t> c = taskCycles(*problem.cost, task, on))
        best = best ? std::min(*best, *c) : *c;
    least.push_back(best.value_or(0));
  }
  return least;
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

namespace {
/// The least that a task can take, whole or in parts: all together, and the
/// largest.
struct LeastParts {
  int64_t sum, larger;
};

/// Tries every size of a part. Equal products are tried once.
class PartsBound {
public:
  PartsBound(const Problem &problem) : problem(problem) {}

  LeastParts of(const Task &task);

private:
  using Key = std::vector<int64_t>;
  static Key keyOf(const Task &task);
  LeastParts search(const Task &task) const;

  const Problem &problem;
  std::map<Key, LeastParts> known;
};
} // namespace

PartsBound::Key PartsBound::keyOf(const Task &task) {
  Key key;
  for (const Work &w : task.work)
    for (int64_t number :
         {w.gemm.m, w.gemm.n, w.gemm.k, w.gemm.count, w.elementwise, w.bytesIn,
          w.bytesOut, static_cast<int64_t>(w.type)})
      key.push_back(number);
  for (const CutOption &option : task.cuts) {
    key.push_back(static_cast<int64_t>(option.axis));
    key.push_back(option.extent);
  }
  return key;
}

/// The least that parts take whose sizes sum up to that of the last element,
/// given what a part of each size takes; or less, where sizes are many.
static int64_t leastSum(llvm::ArrayRef<int64_t> ofSize) {
  constexpr size_t kMaxExact = 1024;
  size_t extent = ofSize.size() - 1;
  if (extent > kMaxExact) {
    // Parts of n indices cannot do with less than n times the least per index.
    double least = static_cast<double>(ofSize.back());
    for (size_t size = 1; size < extent; ++size)
      least = std::min(least, static_cast<double>(ofSize[size]) *
                                  static_cast<double>(extent) /
                                  static_cast<double>(size));
    return static_cast<int64_t>(least);
  }
  std::vector<int64_t> least(ofSize.begin(), ofSize.end());
  for (size_t size = 2; size <= extent; ++size)
    for (size_t last = 1; last <= size / 2; ++last)
      least[size] = std::min(least[size], least[last] + least[size - last]);
  return least.back();
}

static constexpr int64_t kMostSizes = 1 << 20;

LeastParts PartsBound::search(const Task &task) const {
  auto cycles = [&](const Task &t) {
    std::optional<int64_t> best;
    for (const ProcessorClass &on : problem.machine->classes)
      if (std::optional<int64_t> c = taskCycles(*problem.cost, t, on))
        best = best ? std::min(*best, *c) : *c;
    return best.value_or(0);
  };
  LeastParts least{cycles(task), cycles(task)};
  Task part = task;
  for (const CutOption &option : task.cuts) {
    // What parts of that many sizes take would take too long to find out.
    if (option.extent > kMostSizes)
      return {0, 0};
    std::vector<int64_t> ofSize = {0};
    for (int64_t size = 1; size < option.extent; ++size) {
      part.work =
          partWork(task, Cut{0, option.axis, {size}, {true, true}}, /*part=*/0);
      ofSize.push_back(cycles(part));
    }
    ofSize.push_back(least.sum);
    least.sum = std::min(least.sum, leastSum(ofSize));
    least.larger = std::min(
        least.larger, *std::min_element(ofSize.begin() + 1, ofSize.end()));
  }
  return least;
}

LeastParts PartsBound::of(const Task &task) {
  Key key = keyOf(task);
  auto it = known.find(key);
  if (it == known.end())
    it = known.emplace(std::move(key), search(task)).first;
  return it->second;
}

/// Over the cycles of the uncut graph under the schedule's delays. What only
/// the operations behind a product read does not wait for the product where
/// that is cut off: such uses go to a node of no time, 2 t + 1, beside that of
/// the task, 2 t.
static int64_t loopBound(const TaskGraph &graph, const Schedule &schedule,
                         llvm::ArrayRef<int64_t> cycles) {
  std::vector<int64_t> time(2 * cycles.size(), 0);
  for (auto [task, of] : llvm::enumerate(cycles))
    time[2 * task] = of;
  CycleRatio ratio(time);
  llvm::StringMap<int> leads; // of values, which a cut leaves their names
  for (auto [index, lead] : llvm::enumerate(schedule.lead))
    leads[schedule.graph.values[index].name] = lead;
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    int delay = schedule.delay[graph.tasks[value.producer].layer];
    int newer = delay - leads.lookup(value.name);
    bool mayBeCut = !graph.tasks[value.producer].cuts.empty();
    for (const Use &use : value.uses) {
      bool isBehind = !graph.tasks[use.task].cuts.empty() &&
                      readerOf(graph, value, use) == Reader::Fused;
      bool forward = graph.tasks[use.task].kind == TaskKind::Forward;
      int added = !use.delayed ? 0 : forward ? delay : newer;
      for (int beside = 0; beside <= static_cast<int>(mayBeCut); ++beside)
        ratio.addEdge(2 * value.producer + beside, 2 * use.task + isBehind,
                      use.distance + added);
    }
  }
  return ratio.run();
}

Bounds takt::bounds(const Problem &problem, const Schedule &schedule) {
  // Replicas change the cycles of the graph, and what one minibatch's tasks
  // take is no limit to several at a time.
  const TaskGraph &graph =
      schedule.replicas.empty() ? *problem.graph : schedule.graph;
  std::vector<int64_t> least = leastCycles(problem, graph);
  PartsBound parts(problem);
  int64_t work = 0;
  for (auto [task, cycles] : llvm::zip_equal(graph.tasks, least)) {
    if (task.cuts.empty()) {
      work += cycles;
      continue;
    }
    LeastParts cut = parts.of(task);
    work += cut.sum;
    cycles = cut.larger;
  }
  Bounds bounds;
  bounds.loop = loopBound(graph, schedule, least);
  bounds.resource = ceilDiv(work, problem.machine->processors());
  bounds.largestTask = *llvm::max_element(least);
  return bounds;
}
