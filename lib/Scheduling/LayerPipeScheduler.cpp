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

#include "BalancedAssignments.h"
#include "BestSchedule.h"
#include "DelaySearch.h"
#include "DelayStages.h"
#include "ModuloPlacer.h"
#include "PipeDream.h"
#include "Schedulers.h"
#include "StagePartition.h"
#include "takt/Scheduling/Retiming.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

/// Memory is a limit, and without a stash two copies of a weight are; then the
/// interval, and among equals few bytes moved.
static bool isBetter(const Merits &a, const Merits &b) {
  return std::tie(a.lacking, a.surplus, a.interval, a.bytesMoved, a.memory,
                  a.staleness) < std::tie(b.lacking, b.surplus, b.interval,
                                          b.bytesMoved, b.memory, b.staleness);
}

namespace {
/// Schedules assignments and keeps the best schedule.
class LayerPipeSearch {
public:
  LayerPipeSearch(const Problem &problem, const ScheduleOptions &options)
      : problem(problem), options(options),
        weights(options.weights.value_or(WeightVersions::Stash)),
        deadline(options.timeLimitSeconds), best(problem, isBetter) {}

  llvm::Expected<Schedule> run();

private:
  /// Whether a schedule of that interval would be taken at all.
  bool isWorthwhile(int64_t interval) const {
    return !best.fits() || best.its().surplus > 0 ||
           interval <= best.its().interval;
  }
  bool isOver() const { return best && deadline.isOver(); }
  void consider(std::optional<Schedule> schedule);
  std::optional<Schedule> complete(std::optional<Schedule> schedule,
                                   const Assignment &assignment) const;
  int64_t leastInterval(const Assignment &assignment) const;
  std::optional<Schedule> schedule(const Assignment &assignment, int stages);
  std::optional<Schedule> place(const Assignment &assignment, int64_t interval);
  void placeNear(const Assignment &assignment);
  bool fitWithGaps(const Assignment &assignment);
  bool scheduleNear(const BalancedAssignments &balanced, int tolerance);
  bool isNear(int64_t least) const;
  bool isPipelineShorter() const;
  void searchAssignments();
  void considerPipeline();
  void saveMemory();

  const Problem &problem;
  const ScheduleOptions &options;
  WeightVersions weights;
  Deadline deadline;
  StagePartition partition;
  BestSchedule best;
};
} // namespace

void LayerPipeSearch::consider(std::optional<Schedule> schedule) {
  if (!schedule)
    return;
  schedule->weights = weights;
  best.consider(std::move(*schedule));
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
                  undelayedLoop(assignment));
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
                                                  int stages) {
  int64_t interval = leastInterval(assignment);
  int64_t last = 2 * serialCycles(assignment);
  // When the orders tried do not do, the interval grows: by little at first.
  for (int64_t step = std::max<int64_t>(1, interval / 256);
       interval <= last && isWorthwhile(interval) && !isOver();
       interval += step, step += step / 2 + 1) {
    DelayRequest request{interval, stages, options.seed, &deadline, weights};
    std::optional<Schedule> found =
        complete(searchDelays(problem, assignment, request), assignment);
    if (!found)
      continue;
    if (weights == WeightVersions::Stash)
      return found;
    // With more time there are other orders, of fewer copies.
    consider(std::move(found));
    if (best.its().surplus == 0)
      break;
  }
  return std::nullopt;
}

/// By iterative modulo scheduling, under delays 2·S.
std::optional<Schedule> LayerPipeSearch::place(const Assignment &assignment,
                                               int64_t interval) {
  PlacementRequest request;
  request.interval = interval;
  request.delay = largestDelays(assignment.graph, options.stages).front();
  request.processor = assignment.processor;
  request.deadline = &deadline;
  std::optional<Schedule> placed =
      placeModulo(problem, assignment.graph, request);
  if (!placed || !assignStages(*placed, options.stages))
    return std::nullopt;
  std::vector<int> needed = *neededDelays(*placed);
  placed = complete(std::move(placed), assignment);
  // The stages may be those of a delay of 1 everywhere.
  if (placed && !llvm::equal(placed->delay, needed, std::greater_equal<>()))
    return std::nullopt;
  return placed;
}

/// Where no packed orders are found near the least interval, as where parts of
/// many tasks must be at work at the same time: gaps let them.
void LayerPipeSearch::placeNear(const Assignment &assignment) {
  int64_t least = leastInterval(assignment);
  for (int more : {0, 2, 5, 10, 20, 50}) {
    int64_t interval = relaxed(least, more);
    if (isOver() || !isWorthwhile(interval + 1))
      return;
    if (std::optional<Schedule> found = place(assignment, interval))
      return consider(std::move(found));
  }
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
    bool isEnough = found && merits(problem, *found).lacking == 0;
    consider(std::move(found));
    if (isEnough)
      return true;
    interval += std::max<int64_t>(1, interval / 20);
  }
  return false;
}

bool LayerPipeSearch::isNear(int64_t least) const {
  constexpr int kNear = 10;
  return best.fits() && best.its().interval <= relaxed(least, kNear);
}

/// Until one of the assignments at that tolerance has a schedule near the least
/// interval: that of fewest bytes need not have an order. False if none has.
bool LayerPipeSearch::scheduleNear(const BalancedAssignments &balanced,
                                   int tolerance) {
  for (const Assignment &assignment : balanced.candidates(tolerance)) {
    if (isOver())
      break;
    consider(schedule(assignment, options.stages));
    if (!isNear(leastInterval(assignment)))
      placeNear(assignment);
    if (isNear(relaxed(balanced.leastInterval(), tolerance)))
      return true;
  }
  return false;
}

void LayerPipeSearch::searchAssignments() {
  bool linksAreFree = problem.machine->hasFreeTransfers();
  int tolerance = std::max(0, options.intervalTolerance);
  auto processors = static_cast<int>(problem.machine->processors());
  for (int count = processors; count > 0 && !isOver(); count /= 2) {
    BalancedAssignments balanced(problem, deadline, partition, count);
    if (!isWorthwhile(balanced.leastInterval()))
      return;
    // Where links cost or memory is short, an assignment with fewer bytes, or
    // on fewer processors, may be the better one although these are busy for
    // longer; and where no good order is found, one that leaves more time.
    if (scheduleNear(balanced, tolerance) && linksAreFree)
      return;
    // What is longer than the pipeline's interval need not be looked for.
    if (count == processors && isPipelineShorter())
      considerPipeline();
    if (linksAreFree && isNear(relaxed(balanced.leastInterval(), tolerance)))
      return;
    // Orders of assignments near the chain often need fewer stages.
    int chain = balanced.chainTolerance();
    llvm::SmallVector<int> longer;
    for (int more : {0, 5, 10, 20, 50, 100, 200, 400, 800})
      longer.append({more, chain + more + chain * more / 1000});
    llvm::sort(longer);
    for (int more : longer)
      if (more > tolerance && !isOver() &&
          isWorthwhile(relaxed(balanced.leastInterval(), more)) &&
          scheduleNear(balanced, more) && linksAreFree)
        return;
    if (linksAreFree)
      return;
  }
}

bool LayerPipeSearch::isPipelineShorter() const {
  return !best.fits() ||
         best.its().interval >
             relaxed(partition.largest, options.intervalTolerance);
}

/// pipedream's schedule under layerpipe's delays, with which its dependences
/// only have more time; where memory is short, under its own.
void LayerPipeSearch::considerPipeline() {
  std::optional<Schedule> pipeline = bestPipeline(problem, deadline);
  if (!pipeline || (options.stages != 0 && options.stages != pipeline->stages))
    return;
  if (!best.fits())
    consider(*pipeline);
  for (int &delay : pipeline->delay)
    delay *= 2;
  consider(std::move(pipeline));
}

/// Longer intervals for assignments that may hold less: those of few bytes over
/// links, whole layers evenly divided by their cycles, or by their bytes.
void LayerPipeSearch::saveMemory() {
  auto processors = static_cast<int>(problem.machine->processors());
  BalancedAssignments balanced(problem, deadline, partition, processors);
  for (int tolerance : {0, 200, 800})
    if (!isOver())
      fitWithGaps(balanced.assign(tolerance));
  fitWithGaps(wholeLayers(problem, partition));
  fitWithGaps(wholeLayers(problem, partitionByMemory(problem)));
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
  // Where whole layers are together, two copies of their weights suffice.
  if (isPipelineShorter() || best.its().surplus > 0)
    considerPipeline();
  if (!best.fits() && options.stages == 0) {
    saveMemory();
    if (!best.fits())
      if (llvm::Expected<Schedule> sequential = runSequential(problem, options))
        consider(std::move(*sequential));
  }
  if (!best)
    return runSequential(problem, options);
  if (!best.fits())
    return best.lacksMemory();
  return best.take();
}

llvm::Expected<Schedule> takt::runLayerPipe(const Problem &problem,
                                            const ScheduleOptions &options) {
  if (llvm::Error error = checkStages("layerpipe", problem, options))
    return error;
  return LayerPipeSearch(problem, options).run();
}
