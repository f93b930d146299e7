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
#include "PipeDream.h"
#include "Rebalance.h"
#include "Schedulers.h"
#include "StagePartition.h"
#include "takt/Scheduling/Retiming.h"
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

/// An interval that is `tolerance` thousandths longer.
static int64_t relaxed(int64_t interval, int tolerance) {
  return interval + interval / 1000 * tolerance +
         interval % 1000 * tolerance / 1000;
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
/// layerpipe on the first processors of the machine.
class LayerPipe {
public:
  LayerPipe(const Problem &problem, const ScheduleOptions &options,
            const StagePartition &partition, int processors)
      : problem(problem), options(options), partition(partition),
        family(problem, processors) {
    findLeast();
  }

  /// Of the assignments at an interval `tolerance` thousandths above the least.
  std::optional<Schedule> run(int tolerance) const {
    return schedule(assign(tolerance));
  }

private:
  void findLeast();
  void leaveChain();
  int64_t lowerBound() const;
  Assignment assign(int tolerance) const;
  std::optional<Schedule> schedule(const Assignment &assignment) const;

  const Problem &problem;
  const ScheduleOptions &options;
  const StagePartition &partition; ///< over the whole machine
  ChainFamily family;
  int64_t least = 0; ///< interval that an assignment is known for
  /// One for that interval outside the chain family and the partition.
  std::optional<Assignment> balanced;
};
} // namespace

int64_t LayerPipe::lowerBound() const {
  int64_t work = 0, largest = undelayedLoop(problem);
  for (const auto &layer : family.layers)
    for (const auto &unit : layer.units) {
      int64_t cycles = *llvm::min_element(unit.cycles);
      work += cycles;
      largest = std::max(largest, unit.cuttable ? cycles / 2 : cycles);
    }
  int64_t count = family.processors();
  return std::max((work + count - 1) / count, largest);
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
  int64_t limit = relaxed(least, tolerance);
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
    llvm::Expected<Retiming> retiming =
        retimeStages(assignment.graph, schedule.stage);
    if (llvm::errorToBool(retiming.takeError()))
      return std::nullopt;
    schedule.delay = retiming->delay;
    return schedule;
  }
  return std::nullopt;
}

namespace {
/// Keeps the schedule that fits the memory, then that of the least interval.
class BestSchedule {
public:
  explicit BestSchedule(const Problem &problem) : problem(problem) {}

  void consider(std::optional<Schedule> schedule) {
    if (!schedule)
      return;
    bool isFit = !llvm::errorToBool(checkMemoryFits(problem, *schedule));
    if (!best || (isFit && !fits) ||
        (isFit == fits && schedule->interval < best->interval)) {
      best = std::move(schedule);
      fits = isFit;
    }
  }

  const Problem &problem;
  std::optional<Schedule> best;
  bool fits = false;
};
} // namespace

/// pipedream's schedule under layerpipe's delays, with which its dependences
/// only have more time.
static std::optional<Schedule> doubledPipeline(const Problem &problem) {
  std::optional<Schedule> schedule = bestPipeline(problem);
  if (schedule)
    for (int &delay : schedule->delay)
      delay *= 2;
  return schedule;
}

llvm::Expected<Schedule> takt::runLayerPipe(const Problem &problem,
                                            const ScheduleOptions &options) {
  auto layers = static_cast<int>(problem.graph->layers.size());
  if (options.stages < 0 || options.stages > layers)
    return llvm::createStringError("schedule 'layerpipe' with " +
                                   llvm::Twine(options.stages) + " stages of " +
                                   llvm::Twine(layers) + " layers");
  StagePartition partition = partitionStages(problem);
  const Interconnect &links = problem.machine->interconnect;
  bool linksAreFree = links.bytesPerCycle == 0 && links.latencyCycles == 0;
  int tolerance = std::max(0, options.intervalTolerance);
  BestSchedule result(problem);
  auto processors = static_cast<int>(problem.machine->processors());
  for (int count = processors; count > 0; count /= 2) {
    LayerPipe layerPipe(problem, options, partition, count);
    result.consider(layerPipe.run(tolerance));
    // Where links cost or memory is short, an assignment with fewer bytes, or
    // on fewer processors, may be the better one although these are busy for
    // longer.
    if (linksAreFree && result.fits)
      break;
    for (int more : {20, 50, 100, 200, 400, 800})
      if (more > tolerance)
        result.consider(layerPipe.run(more));
    if (linksAreFree)
      break;
  }
  if (!result.best ||
      result.best->interval > relaxed(partition.largest, tolerance))
    if (auto doubled = doubledPipeline(problem);
        doubled && (options.stages == 0 || options.stages == doubled->stages))
      result.consider(std::move(doubled));
  if (result.best)
    return std::move(*result.best);
  return runSequential(problem, options);
}
