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
  LayerPipe(const Problem &problem, const Deadline &deadline,
            const StagePartition &partition, int processors)
      : problem(problem), deadline(deadline), partition(partition),
        family(problem, processors) {
    findLeast();
  }

  /// Few bytes at an interval `tolerance` thousandths above the least.
  Assignment assign(int tolerance) const;
  /// For which an assignment is known, and no shorter one.
  int64_t leastInterval() const { return least; }

private:
  void findLeast();
  void leaveChain();
  int64_t lowerBound() const;

  const Problem &problem;
  const Deadline &deadline;
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
  for (int step = 0;
       step < kSteps && least - low > low / 1000 && !deadline.isOver();
       ++step) {
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

namespace {
/// Schedules assignments and keeps the best schedule.
class LayerPipeSearch {
public:
  LayerPipeSearch(const Problem &problem, const ScheduleOptions &options)
      : problem(problem), options(options), deadline(options.timeLimitSeconds) {
  }

  llvm::Expected<Schedule> run();

private:
  /// What makes a schedule better than another, in this order.
  struct Rank {
    int64_t lacking; ///< bytes of memory on the processor that lacks most
    int64_t interval, bytesMoved, memory, staleness;

    bool operator<(const Rank &o) const {
      return std::tie(lacking, interval, bytesMoved, memory, staleness) <
             std::tie(o.lacking, o.interval, o.bytesMoved, o.memory,
                      o.staleness);
    }
  };

  Rank rank(const Schedule &schedule) const;
  bool fits() const { return best && bestRank.lacking == 0; }
  /// Whether a schedule of that interval would be taken at all.
  bool isWorthwhile(int64_t interval) const {
    return !fits() || interval <= bestRank.interval;
  }
  bool isOver() const { return best && deadline.isOver(); }
  void consider(std::optional<Schedule> schedule);
  std::optional<Schedule> complete(std::optional<Schedule> schedule,
                                   const Assignment &assignment) const;
  int64_t leastInterval(const Assignment &assignment) const;
  std::optional<Schedule> schedule(const Assignment &assignment,
                                   int stages) const;
  bool fitWithGaps(const Assignment &assignment);
  void searchAssignments();
  void considerPipeline();
  void saveMemory();
  llvm::Error lacksMemory() const;

  const Problem &problem;
  const ScheduleOptions &options;
  Deadline deadline;
  StagePartition partition;
  int tried = 0;
  std::optional<Schedule> best;
  Rank bestRank;
};
} // namespace

LayerPipeSearch::Rank LayerPipeSearch::rank(const Schedule &schedule) const {
  MemoryUse memory = tightestMemory(problem, schedule);
  Rank rank{memory.limit > 0 ? std::max<int64_t>(0, memory.excess()) : 0,
            schedule.interval, metrics(problem, schedule).communicationBytes,
            memory.bytes, 0};
  for (int delay : schedule.delay)
    rank.staleness += delay;
  return rank;
}

void LayerPipeSearch::consider(std::optional<Schedule> schedule) {
  if (!schedule)
    return;
  ++tried;
  Rank its = rank(*schedule);
  if (best && !(its < bestRank))
    return;
  best = std::move(schedule);
  bestRank = its;
}

/// Cuts and stages, which a search for delays leaves to its caller.
std::optional<Schedule>
LayerPipeSearch::complete(std::optional<Schedule> schedule,
                          const Assignment &assignment) const {
  if (!schedule)
    return std::nullopt;
  schedule->cuts = assignment.cuts;
  llvm::Expected<Retiming> retiming =
      retimeStages(assignment.graph, schedule->stage);
  if (llvm::errorToBool(retiming.takeError()))
    return std::nullopt;
  schedule->delay = retiming->delay;
  return schedule;
}

int64_t LayerPipeSearch::leastInterval(const Assignment &assignment) const {
  return std::max(assignment.leastInterval(*problem.machine),
                  undelayedLoop(problem));
}

static int64_t serialCycles(const Assignment &assignment) {
  int64_t serial = 1;
  for (int64_t cycles : assignment.cycles)
    serial += cycles;
  return serial;
}

/// The schedule with the fewest stages that is found, or with `stages`, at the
/// least interval at which one is.
std::optional<Schedule> LayerPipeSearch::schedule(const Assignment &assignment,
                                                  int stages) const {
  int64_t interval = leastInterval(assignment);
  int64_t last = 2 * serialCycles(assignment);
  // When the orders tried do not do, the interval grows: by little at first.
  for (int64_t step = std::max<int64_t>(1, interval / 256);
       interval <= last && isWorthwhile(interval) && !isOver();
       interval += step, step += step / 2 + 1) {
    DelayRequest request{interval, stages, options.seed, &deadline};
    if (std::optional<Schedule> found =
            complete(searchDelays(problem, assignment, request), assignment))
      return found;
  }
  return std::nullopt;
}

/// The longer the interval, the fewer minibatches are under way, and the fewer
/// copies are kept. True at the first interval with which memory suffices.
bool LayerPipeSearch::fitWithGaps(const Assignment &assignment) {
  int64_t interval = leastInterval(assignment);
  int64_t last = 2 * serialCycles(assignment);
  while (interval <= last && isWorthwhile(interval) && !isOver()) {
    DelayRequest request{interval, options.stages, options.seed, &deadline};
    std::optional<Schedule> found =
        complete(scheduleWithGaps(problem, assignment, request), assignment);
    bool isEnough = found && rank(*found).lacking == 0;
    consider(std::move(found));
    if (isEnough)
      return true;
    interval += std::max<int64_t>(1, interval / 20);
  }
  return false;
}

void LayerPipeSearch::searchAssignments() {
  const Interconnect &links = problem.machine->interconnect;
  bool linksAreFree = links.bytesPerCycle == 0 && links.latencyCycles == 0;
  int tolerance = std::max(0, options.intervalTolerance);
  auto processors = static_cast<int>(problem.machine->processors());
  for (int count = processors; count > 0 && !isOver(); count /= 2) {
    LayerPipe layerPipe(problem, deadline, partition, count);
    if (!isWorthwhile(layerPipe.leastInterval()))
      return;
    consider(schedule(layerPipe.assign(tolerance), options.stages));
    // Where links cost or memory is short, an assignment with fewer bytes, or
    // on fewer processors, may be the better one although these are busy for
    // longer.
    if (linksAreFree && fits())
      return;
    for (int more : {20, 50, 100, 200, 400, 800})
      if (more > tolerance && !isOver())
        consider(schedule(layerPipe.assign(more), options.stages));
    if (linksAreFree)
      return;
  }
}

/// pipedream's schedule under layerpipe's delays, with which its dependences
/// only have more time; where memory is short, under its own.
void LayerPipeSearch::considerPipeline() {
  std::optional<Schedule> pipeline = bestPipeline(problem, deadline);
  if (!pipeline || (options.stages != 0 && options.stages != pipeline->stages))
    return;
  if (!fits())
    consider(*pipeline);
  for (int &delay : pipeline->delay)
    delay *= 2;
  consider(std::move(pipeline));
}

/// Longer intervals for assignments that may hold less: those of few bytes over
/// links, whole layers evenly divided by their cycles, or by their bytes.
void LayerPipeSearch::saveMemory() {
  auto processors = static_cast<int>(problem.machine->processors());
  LayerPipe layerPipe(problem, deadline, partition, processors);
  for (int tolerance : {0, 200, 800})
    if (!isOver())
      fitWithGaps(layerPipe.assign(tolerance));
  fitWithGaps(wholeLayers(problem, partition));
  fitWithGaps(wholeLayers(problem, partitionByMemory(problem)));
}

llvm::Error LayerPipeSearch::lacksMemory() const {
  return llvm::createStringError(
      "no schedule fits the memory; of " + llvm::Twine(tried) +
      " tried, the one that lacks least: " +
      llvm::toString(checkMemoryFits(problem, *best)));
}

llvm::Expected<Schedule> LayerPipeSearch::run() {
  partition = partitionStages(problem);
  if (deadline.isSet()) {
    // Something to return should time run out.
    llvm::Expected<Schedule> sequential = runSequential(problem, options);
    if (!sequential)
      return sequential.takeError();
    if (options.stages <= 1)
      consider(std::move(*sequential));
  }
  searchAssignments();
  if (!fits() ||
      bestRank.interval > relaxed(partition.largest, options.intervalTolerance))
    considerPipeline();
  if (!fits() && options.stages == 0) {
    saveMemory();
    if (!fits())
      if (llvm::Expected<Schedule> sequential = runSequential(problem, options))
        consider(std::move(*sequential));
  }
  if (!best)
    return runSequential(problem, options);
  if (!fits())
    return lacksMemory();
  return std::move(*best);
}

llvm::Expected<Schedule> takt::runLayerPipe(const Problem &problem,
                                            const ScheduleOptions &options) {
  auto layers = static_cast<int>(problem.graph->layers.size());
  if (options.stages < 0 || options.stages > layers)
    return llvm::createStringError("schedule 'layerpipe' with " +
                                   llvm::Twine(options.stages) + " stages of " +
                                   llvm::Twine(layers) + " layers");
  return LayerPipeSearch(problem, options).run();
}
