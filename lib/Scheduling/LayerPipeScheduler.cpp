//===- LayerPipeScheduler.cpp - delayed gradients, balanced ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Unnikrishnan and Parhi, "LayerPipe", ICCAD 2021: dgrad and wgrad are tasks of
// their own, and a dgrad may be divided between the processors of neighbouring
// layers. The papers publish no algorithm; this one is docs/scheduling.md's:
// first the assignment with the least interval and few bytes, then orders with
// few delay stages.
//
//===----------------------------------------------------------------------===//

#include "ChainFamily.h"
#include "DelaySearch.h"
#include "Memory.h"
#include "Rebalance.h"
#include "Schedulers.h"
#include "StagePartition.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

/// The last stage has no delay: of its last layer, F, W and U follow each other
/// within an interval.
static int64_t undelayedLoop(const Problem &problem) {
  int last = static_cast<int>(problem.graph->layers.size()) - 1;
  int64_t least = 0;
  for (const ProcessorClass &on : problem.machine->classes) {
    int64_t cycles = 0;
    bool updates = false;
    for (const Task &task : problem.graph->tasks)
      if (task.layer == last && task.kind != TaskKind::Dgrad) {
        cycles += *taskCycles(*problem.cost, task, on);
        updates |= task.kind == TaskKind::Update;
      }
    if (updates)
      least = least ? std::min(least, cycles) : cycles;
  }
  return least;
}

/// The layers of a straight pipeline's stages, each on one processor.
static Assignment wholeLayers(const Problem &problem,
                              const StagePartition &partition) {
  Assignment assignment;
  assignment.graph = *problem.graph;
  for (const Task &task : problem.graph->tasks)
    assignment.processor.push_back(
        partition.processor[partition.stage[task.layer]]);
  computeCycles(problem, assignment);
  return assignment;
}

namespace {
class LayerPipe {
public:
  LayerPipe(const Problem &problem, const ScheduleOptions &options)
      : problem(problem), options(options), family(problem),
        partition(partitionStages(problem)) {}

  llvm::Expected<Schedule> run();

private:
  void findLeast();
  void leaveChain();
  int64_t lowerBound() const;
  Assignment assign(int tolerance) const;
  std::optional<Schedule> schedule(const Assignment &assignment) const;

  const Problem &problem;
  const ScheduleOptions &options;
  ChainFamily family;
  StagePartition partition;
  int64_t least = 0; ///< interval that an assignment is known for
  /// One for that interval outside the chain family and the partition.
  std::optional<Assignment> balanced;
};
} // namespace

int64_t LayerPipe::lowerBound() const {
  int64_t work = 0;
  for (const auto &layer : family.layers)
    for (const auto &unit : layer.units)
      work += *llvm::min_element(unit.cycles);
  int64_t count = family.processors();
  return std::max((work + count - 1) / count, undelayedLoop(problem));
}

void LayerPipe::findLeast() {
  least = std::max(std::min(family.leastInterval(), partition.largest),
                   undelayedLoop(problem));
  leaveChain();
}

/// Looks for a shorter interval without the restrictions of the chain, where
/// that leaves something to gain.
void LayerPipe::leaveChain() {
  // Networks of more units balance well enough: their tasks are small.
  constexpr size_t kMaxTasks = 600;
  constexpr int kSteps = 8;
  int64_t low = lowerBound();
  if (problem.graph->tasks.size() > kMaxTasks || least - low <= low / 1000)
    return;
  std::optional<Assignment> start = assignChain(family, least);
  if (!start)
    start = wholeLayers(problem, partition);
  for (int step = 0; step < kSteps && least - low > low / 1000; ++step) {
    int64_t middle = low + (least - low) / 2;
    std::optional<Assignment> found =
        rebalance(family, balanced ? *balanced : *start, middle);
    if (found) {
      balanced = std::move(found);
      least = middle;
    } else {
      low = middle;
    }
  }
}

/// Few bytes at an interval `tolerance` thousandths above the least.
Assignment LayerPipe::assign(int tolerance) const {
  int64_t limit =
      least + least / 1000 * tolerance + least % 1000 * tolerance / 1000;
  std::vector<Assignment> candidates;
  if (std::optional<Assignment> chain = assignChain(family, limit))
    candidates.push_back(std::move(*chain));
  if (balanced)
    candidates.push_back(*balanced);
  if (candidates.empty() || partition.largest <= limit) {
    limit = std::max(limit, partition.largest);
    candidates.push_back(wholeLayers(problem, partition));
  }
  for (Assignment &candidate : candidates)
    improveTraffic(problem, limit, candidate);
  return *std::min_element(candidates.begin(), candidates.end(),
                           [](const Assignment &a, const Assignment &b) {
                             return a.bytes() < b.bytes();
                           });
}

/// The schedule with the fewest stages that is found, at the least interval at
/// which one is.
std::optional<Schedule>
LayerPipe::schedule(const Assignment &assignment) const {
  const Machine &machine = *problem.machine;
  int64_t interval =
      std::max(assignment.leastInterval(machine), undelayedLoop(problem));
  int64_t serial = 1;
  for (int64_t cycles : assignment.cycles)
    serial += cycles;
  // When the orders tried do not do, the interval grows: by little at first.
  for (int64_t step = std::max<int64_t>(1, interval / 256);
       interval <= 2 * serial; interval += step, step += step / 2 + 1) {
    std::optional<DelayedSolution> found = searchDelays(
        machine, assignment, interval, options.stages, options.seed);
    if (!found)
      continue;
    Schedule schedule = toSchedule(machine, assignment.graph,
                                   found->arrangement, std::move(found->times));
    schedule.cuts = assignment.cuts;
    schedule.stages = found->stages;
    for (auto [stage, behind] : llvm::zip_equal(schedule.stage, found->behind))
      stage = found->stages - 1 - behind;
    for (auto [delay, behind] : llvm::zip_equal(schedule.delay, found->behind))
      delay = 2 * behind;
    return schedule;
  }
  return std::nullopt;
}

llvm::Expected<Schedule> LayerPipe::run() {
  auto layers = static_cast<int>(problem.graph->layers.size());
  if (options.stages < 0 || options.stages > layers)
    return llvm::createStringError("schedule 'layerpipe' with " +
                                   llvm::Twine(options.stages) + " stages of " +
                                   llvm::Twine(layers) + " layers");
  findLeast();
  // Where links cost or memory is short, an assignment with fewer bytes may be
  // the better one although its processors are busy for longer.
  std::vector<int> tolerances = {std::max(0, options.intervalTolerance)};
  for (int more : {20, 50, 100, 200, 400, 800})
    if (more > tolerances[0])
      tolerances.push_back(more);
  bool linksAreFree = problem.machine->interconnect.bytesPerCycle == 0 &&
                      problem.machine->interconnect.latencyCycles == 0;
  std::optional<Schedule> best;
  bool bestFits = false;
  for (int tolerance : tolerances) {
    std::optional<Schedule> schedule = this->schedule(assign(tolerance));
    if (!schedule)
      continue;
    bool fits = !llvm::errorToBool(checkMemoryFits(problem, *schedule));
    if (!best || (fits && !bestFits) ||
        (fits == bestFits && schedule->interval < best->interval)) {
      best = std::move(schedule);
      bestFits = fits;
    }
    if (linksAreFree && bestFits)
      break;
  }
  if (best)
    return std::move(*best);
  return runSequential(problem, options);
}

llvm::Expected<Schedule> takt::runLayerPipe(const Problem &problem,
                                            const ScheduleOptions &options) {
  return LayerPipe(problem, options).run();
}
