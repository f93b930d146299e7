//===- ModuloScheduler.cpp - iterative modulo scheduling ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Rau, "Iterative modulo scheduling", MICRO-27, 1994: the least initiation
// interval is searched upward from its lower bound, with a placement of limited
// effort at each. What differs here is told in docs/scheduling.md, modulo.
//
//===----------------------------------------------------------------------===//

#include "BalancedAssignments.h"
#include "BestSchedule.h"
#include "DelaySearch.h"
#include "DelayStages.h"
#include "ModuloPlacer.h"
#include "Schedulers.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

namespace {
/// Tasks times processors, above which tasks are not placed freely, but on the
/// processors of balanced assignments.
constexpr int64_t kMaxFreePlaces = 4000;

/// Memory is a limit; then the interval, and among equals little staleness.
bool isBetter(const Merits &a, const Merits &b) {
  return std::tie(a.lacking, a.interval, a.staleness, a.memory, a.bytesMoved) <
         std::tie(b.lacking, b.interval, b.staleness, b.memory, b.bytesMoved);
}

class ModuloSearch {
public:
  ModuloSearch(const Problem &problem, const ScheduleOptions &options)
      : problem(problem), graph(*problem.graph), options(options),
        deadline(options.timeLimitSeconds),
        bound(leastBound(problem, options.stages)), best(problem, isBetter) {}

  llvm::Expected<Schedule> run();

private:
  bool isOver() const { return best && deadline.isOver(); }
  bool isMemoryShort() const {
    return llvm::any_of(problem.machine->classes, [](const ProcessorClass &c) {
      return c.memoryBytes > 0;
    });
  }
  bool consider(std::optional<Schedule> schedule,
                const std::vector<Cut> &cuts = {});
  void considerArrangement(const Schedule &of, const Assignment &assignment);

  void collectAssignments();
  std::optional<Schedule> place(const Assignment &assignment,
                                PlacementRequest request);
  bool tighten(const Assignment &assignment, PlacementRequest request);
  bool attempt(int64_t interval);
  void search();
  void refine(int64_t failed);

  const Problem &problem;
  const TaskGraph &graph;
  const ScheduleOptions &options;
  Deadline deadline;
  int64_t bound;                       ///< below which there is no interval
  std::vector<Assignment> assignments; ///< by least interval
  BestSchedule best;
};
} // namespace

/// Gives a schedule the stages that its times need, and takes it if it is the
/// best. False if no stages do.
bool ModuloSearch::consider(std::optional<Schedule> schedule,
                            const std::vector<Cut> &cuts) {
  if (!schedule || !assignStages(*schedule, options.stages))
    return false;
  schedule->cuts = cuts;
  best.consider(std::move(*schedule));
  return true;
}

/// The same positions in the interval with the earliest starts and transfers
/// that they allow, forward tasks then late: what placing and taking back has
/// left apart comes together.
void ModuloSearch::considerArrangement(const Schedule &of,
                                       const Assignment &assignment) {
  Arrangement arrangement;
  arrangement.interval = of.interval;
  for (const Placement &place : of.tasks) {
    arrangement.processor.push_back(place.processor);
    arrangement.cycles.push_back(place.cycles);
    arrangement.position.push_back(place.cycles > 0 ? place.start % of.interval
                                                    : Arrangement::kFloating);
  }
  const Machine &machine = *problem.machine;
  std::optional<Times> times =
      Timing(machine, assignment.graph).compute(arrangement);
  if (times)
    consider(toSchedule(machine, assignment.graph, arrangement, *times),
             assignment.cuts);
}

/// Whether the weights, of one version, fit where they are updated: no schedule
/// holds less.
static bool holdsWeights(const Machine &machine, const Assignment &assignment) {
  std::vector<int64_t> bytes(machine.processors(), 0);
  for (const Value &value : assignment.graph.values)
    if (value.producer >= 0 &&
        (value.kind == ValueClass::Weight || value.kind == ValueClass::State))
      bytes[assignment.processor[value.producer]] += value.bytes;
  for (auto [processor, held] : llvm::enumerate(bytes))
    if (int64_t memory = machine.processorClass(processor).memoryBytes;
        memory > 0 && held > memory)
      return false;
  return true;
}

/// Balanced ones on all processors or fewer, with more and more tolerance for
/// fewer bytes, and whole layers by cycles or by bytes.
void ModuloSearch::collectAssignments() {
  const Machine &machine = *problem.machine;
  bool linksAreFree = machine.hasFreeTransfers();
  StagePartition partition = partitionStages(problem);
  for (auto count = static_cast<int>(machine.processors());
       count > 0 && !deadline.isOver(); count /= 2) {
    BalancedAssignments balanced(problem, deadline, partition, count);
    assignments.push_back(balanced.assign(0));
    if (linksAreFree && !isMemoryShort())
      break;
    for (int tolerance : {50, 200, 800})
      assignments.push_back(balanced.assign(tolerance));
  }
  assignments.push_back(wholeLayers(problem, partition));
  if (isMemoryShort())
    assignments.push_back(wholeLayers(problem, partitionByMemory(problem)));
  llvm::erase_if(assignments, [&](const Assignment &assignment) {
    return !holdsWeights(machine, assignment);
  });
  auto same = [](const Assignment &a, const Assignment &b) {
    return a.processor == b.processor && a.cycles == b.cycles;
  };
  llvm::stable_sort(assignments, [&](const Assignment &a, const Assignment &b) {
    return a.leastInterval(machine) < b.leastInterval(machine);
  });
  assignments.erase(std::unique(assignments.begin(), assignments.end(), same),
                    assignments.end());
}

/// Places, and looks for an order on the same processors with fewer delays.
std::optional<Schedule> ModuloSearch::place(const Assignment &assignment,
                                            PlacementRequest request) {
  std::optional<Schedule> placed =
      placeModulo(problem, assignment.graph, request);
  if (!placed)
    return std::nullopt;
  considerArrangement(*placed, assignment);
  if (!consider(placed, assignment.cuts))
    return std::nullopt;
  return placed;
}

/// Places with the largest delays that there can be, then with fewer and fewer
/// stages as long as that succeeds. False if it never does.
bool ModuloSearch::tighten(const Assignment &assignment,
                           PlacementRequest request) {
  std::optional<Schedule> placed;
  for (std::vector<int> &delay :
       largestDelays(assignment.graph, options.stages)) {
    request.delay = std::move(delay);
    placed = place(assignment, request);
    if (placed)
      break;
  }
  if (!placed || options.stages > 0)
    return placed.has_value();
  DelayStages stages = *stagesFor(assignment.graph, *neededDelays(*placed), 0);
  int least = 1, most = stages.stages;
  while (least < most && !isOver()) {
    int middle = (least + most) / 2;
    // The stages found, drawn together.
    for (auto [delay, stage] : llvm::zip_equal(request.delay, stages.stage))
      delay = 2 * ((stages.stages - 1 - stage) * (middle - 1) /
                   (stages.stages - 1));
    if (place(assignment, request))
      most = middle;
    else
      least = middle + 1;
  }
  return true;
}

/// All ways to place at an interval. True if one fits the memory.
bool ModuloSearch::attempt(int64_t interval) {
  PlacementRequest request;
  request.interval = interval;
  request.deadline = &deadline;
  auto isEnough = [&] {
    return best.fits() && best.its().interval <= interval;
  };
  for (const Assignment &assignment : assignments) {
    if (assignment.leastInterval(*problem.machine) > interval || isOver())
      break;
    request.processor = assignment.processor;
    // Packed orders need less room than placing finds, and often less delay;
    // where memory is short, gaps save more of it.
    if (!tighten(assignment, request) || !isMemoryShort())
      consider(
          searchDelays(problem, assignment,
                       {interval, options.stages, options.seed, &deadline}),
          assignment.cuts);
    if (!isEnough())
      consider(
          scheduleWithGaps(problem, assignment,
                           {interval, options.stages, options.seed, &deadline}),
          assignment.cuts);
  }
  request.processor.clear();
  Assignment uncut;
  uncut.graph = graph;
  if (static_cast<int64_t>(graph.tasks.size()) *
          problem.machine->processors() <=
      kMaxFreePlaces)
    for (PlacementRule rule :
         {PlacementRule::Earliest, PlacementRule::FewBytes}) {
      request.rule = rule;
      tighten(uncut, request);
    }
  return isEnough();
}

/// Upward from the lower bound: by little at first, and to each interval at
/// which another assignment comes in.
void ModuloSearch::search() {
  int64_t interval = bound, failed = interval - 1;
  int64_t last = 1;
  for (const ProcessorClass &on : problem.machine->classes) {
    int64_t serial = 1;
    for (const Task &task : graph.tasks)
      serial += 2 * *taskCycles(*problem.cost, task, on);
    last = std::max(last, serial);
  }
  int64_t step = std::max<int64_t>(1, interval / 256);
  while (interval <= last && !isOver()) {
    if (best.fits() && best.its().interval <= interval)
      break;
    if (attempt(interval)) {
      refine(failed);
      return;
    }
    failed = interval;
    interval += step;
    step += step / 2 + 1;
    for (const Assignment &assignment : assignments) {
      int64_t least = assignment.leastInterval(*problem.machine);
      if (least > failed)
        interval = std::min(interval, least);
    }
  }
}

/// Halves what lies between the longest interval that failed and the best.
void ModuloSearch::refine(int64_t failed) {
  constexpr int kSteps = 6;
  for (int step = 0; step < kSteps && best.its().interval - failed > 1;
       ++step) {
    int64_t middle = failed + (best.its().interval - failed) / 2;
    if (isOver() || attempt(middle))
      continue;
    failed = middle;
  }
}

llvm::Expected<Schedule> ModuloSearch::run() {
  llvm::Expected<Schedule> sequential = runSequential(problem, options);
  if (!sequential)
    return sequential.takeError();
  if (options.stages <= 1)
    consider(std::move(*sequential));
  collectAssignments();
  search();
  if (!best)
    return llvm::createStringError("no schedule with " +
                                   llvm::Twine(options.stages) +
                                   " stages was found");
  if (!best.fits())
    return best.lacksMemory();
  Schedule schedule = best.take();
  schedule.lowerBound = bound;
  return schedule;
}

llvm::Expected<Schedule> takt::runModulo(const Problem &problem,
                                         const ScheduleOptions &options) {
  if (llvm::Error error = checkStages("modulo", problem, options))
    return error;
  return ModuloSearch(problem, options).run();
}
