//===- ExactScheduler.cpp - the least interval, with its proof ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What the literature states as an integer program (Altman, Govindarajan and
// Gao, PLDI 1995; Eichenberger and Davidson, PLDI 1997) is branch and bound
// here: over who runs where, and for each such assignment over the order of
// what shares a resource. docs/scheduling.md, ilp, says what is proved.
//
//===----------------------------------------------------------------------===//

#include "ExactScheduler.h"
#include "CyclicFeasibility.h"
#include "DelayStages.h"
#include "Memory.h"
#include "Timing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <map>

using namespace takt;

namespace {
/// Without a time limit: steps in all, about a second.
constexpr int64_t kExactSteps = 500'000'000;
/// Larger problems have far more orders than can be searched.
constexpr size_t kMaxExactTasks = 120;
/// Ways to cut tasks that are all tried; with more, the bound is that of
/// bounds().
constexpr size_t kMaxCutGraphs = 200;

/// What is known of the problem so far.
struct Known {
  const Problem &problem;
  const ScheduleOptions &options;
  Effort effort;
  std::optional<Schedule> best; ///< that fits the memory
  /// The least interval known, memory left aside.
  int64_t least = std::numeric_limits<int64_t>::max();
  int64_t bound = 1; ///< no interval is below

  void consider(Schedule schedule);
  void raiseBound(int64_t to);
  void tell() const;
};

/// Who runs where, for one way of cutting.
class AssignmentSearch {
public:
  enum class Tasks : uint8_t { All, Uncuttable };

  AssignmentSearch(Known &known, const TaskGraph &graph,
                   const std::vector<Cut> &cuts, Tasks tasks = Tasks::All);

  /// The least over all assignments of the load of the busiest processor or
  /// link, if that is below `limit`: a bound. Of tasks that cannot be cut it is
  /// one for all ways of cutting the others. -1: not found in time.
  int64_t leastLoad(int64_t limit);
  /// Lowers known.least to the least interval, unless that is `bound`, below
  /// which nothing is. False if the effort is spent before that is proved.
  bool run(int64_t bound);

private:
  struct Unit {
    llvm::SmallVector<int, 2> tasks;
    std::vector<int64_t> cycles; ///< by class
    int64_t least = 0;
  };
  struct Crossing {
    int value, to;
    int64_t cycles, latency;
    Machine::Route links;
  };

  void collectUnits(Tasks tasks);
  std::vector<int> candidates() const;
  bool fits(int64_t limit) const;
  std::vector<Crossing> crossings() const;
  int64_t linkLoad() const;
  void assign(size_t unit);
  void leaf();
  bool isOver() const { return known.effort.isSpent() || limit <= bound; }

  CyclicProblem state(int64_t interval, llvm::ArrayRef<int> delay) const;
  Feasibility decide(int64_t interval, std::optional<Schedule> &schedule);
  Feasibility decideUnder(int64_t interval, const std::vector<int> &delay,
                          std::optional<Schedule> &schedule);
  Schedule toSchedule(int64_t interval, llvm::ArrayRef<int64_t> start) const;
  void minimize();

  Known &known;
  const Machine &machine;
  const TaskGraph &graph;
  const std::vector<Cut> &cuts;
  std::vector<int> classOf;   ///< by processor
  std::vector<Unit> units;    ///< the longest first
  std::vector<int64_t> rest;  ///< least work of the units from one on
  std::vector<int> processor; ///< by task; -1: open
  std::vector<int64_t> load;  ///< by processor
  bool looksAtTimes = false;
  bool isProved = true; ///< no assignment was left undecided
  int64_t limit = 0;    ///< intervals from here on are of no interest
  int64_t bound = 0;
};
} // namespace

void Known::consider(Schedule schedule) {
  least = std::min(least, schedule.interval);
  if (best && schedule.interval >= best->interval)
    return;
  if (llvm::errorToBool(checkMemoryFits(problem, schedule)))
    return;
  best = std::move(schedule);
  tell();
}

void Known::raiseBound(int64_t to) {
  if (to <= bound)
    return;
  bound = to;
  tell();
}

void Known::tell() const {
  if (best && options.onProgress)
    options.onProgress(best->interval, bound);
}

AssignmentSearch::AssignmentSearch(Known &known, const TaskGraph &graph,
                                   const std::vector<Cut> &cuts, Tasks tasks)
    : known(known), machine(*known.problem.machine), graph(graph), cuts(cuts),
      processor(graph.tasks.size(), -1), load(machine.processors(), 0) {
  for (auto [index, on] : llvm::enumerate(machine.classes))
    classOf.insert(classOf.end(), on.count, static_cast<int>(index));
  collectUnits(tasks);
}

void AssignmentSearch::collectUnits(Tasks tasks) {
  std::vector<int> unitOf(graph.tasks.size(), -1);
  for (auto [index, task] : llvm::enumerate(graph.tasks))
    if (task.colocated < 0) {
      unitOf[index] = static_cast<int>(units.size());
      units.emplace_back();
    }
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    Unit &unit = units[unitOf[task.colocated < 0 ? static_cast<int>(index)
                                                 : task.colocated]];
    unit.tasks.push_back(static_cast<int>(index));
    unit.cycles.resize(machine.classes.size(), 0);
    for (auto [on, cycles] : llvm::zip_equal(machine.classes, unit.cycles))
      cycles += *taskCycles(*known.problem.cost, task, on);
  }
  if (tasks == Tasks::Uncuttable)
    llvm::erase_if(units, [&](const Unit &unit) {
      return !graph.tasks[unit.tasks.front()].cuts.empty();
    });
  for (Unit &unit : units)
    unit.least = *llvm::min_element(unit.cycles);
  llvm::stable_sort(
      units, [](const Unit &a, const Unit &b) { return a.least > b.least; });
  rest.assign(units.size() + 1, 0);
  for (size_t i = units.size(); i-- > 0;)
    rest[i] = rest[i + 1] + units[i].least;
}

//===----------------------------------------------------------------------===//
// Assignments
//===----------------------------------------------------------------------===//

/// The processors for the next unit: of those that are empty, alike and alike
/// far from all others, one.
std::vector<int> AssignmentSearch::candidates() const {
  Topology topology = machine.interconnect.topology;
  bool areLinksAlike = machine.hasEqualLinks() && (topology == Topology::Full ||
                                                   topology == Topology::Bus);
  std::vector<bool> isUsed(load.size(), false);
  for (int p : processor)
    if (p >= 0)
      isUsed[p] = true;
  std::vector<bool> hasEmpty(machine.classes.size(), false);
  std::vector<int> result;
  for (int p = 0; p < static_cast<int>(load.size()); ++p) {
    if (!isUsed[p] && areLinksAlike) {
      if (hasEmpty[classOf[p]])
        continue;
      hasEmpty[classOf[p]] = true;
    }
    result.push_back(p);
  }
  return result;
}

/// What crosses between the tasks assigned so far.
std::vector<AssignmentSearch::Crossing> AssignmentSearch::crossings() const {
  std::vector<Crossing> result;
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0 || processor[value.producer] < 0)
      continue;
    int from = processor[value.producer];
    llvm::SmallVector<int, 4> sent;
    for (const Use &use : value.uses) {
      int to = processor[use.task];
      if (to < 0 || to == from || llvm::is_contained(sent, to))
        continue;
      sent.push_back(to);
      result.push_back({static_cast<int>(index), to,
                        machine.transferCycles(from, to, value.bytes),
                        machine.transferLatency(from, to),
                        machine.linksHeld(from, to)});
    }
  }
  return result;
}

int64_t AssignmentSearch::linkLoad() const {
  if (machine.hasUnlimitedLinks())
    return 0;
  std::map<int64_t, int64_t> busy;
  int64_t most = 0;
  for (const Crossing &crossing : crossings())
    if (crossing.cycles > 0)
      for (int64_t link : crossing.links)
        most = std::max(most, busy[link] += crossing.cycles);
  return most;
}

void AssignmentSearch::assign(size_t index) {
  if (isOver())
    return;
  if (index == units.size())
    return leaf();
  const Unit &unit = units[index];
  int64_t room = 0;
  for (int64_t busy : load)
    room += limit - 1 - busy;
  if (rest[index] > room)
    return;
  for (int p : candidates()) {
    int64_t takes = unit.cycles[classOf[p]];
    if (load[p] + takes >= limit)
      continue;
    for (int task : unit.tasks)
      processor[task] = p;
    load[p] += takes;
    // To look at a value takes as long as dozens of steps of the other kind.
    known.effort.spend(machine.hasUnlimitedLinks()
                           ? static_cast<int64_t>(graph.tasks.size())
                           : 40 * static_cast<int64_t>(graph.values.size()));
    if (linkLoad() < limit)
      assign(index + 1);
    load[p] -= takes;
    for (int task : unit.tasks)
      processor[task] = -1;
  }
}

void AssignmentSearch::leaf() {
  if (looksAtTimes)
    return minimize();
  limit = std::max({*llvm::max_element(load), linkLoad(), bound});
}

int64_t AssignmentSearch::leastLoad(int64_t below) {
  looksAtTimes = false;
  limit = below;
  bound = 1;
  assign(0);
  return known.effort.isSpent() ? -1 : limit;
}

bool AssignmentSearch::run(int64_t least) {
  looksAtTimes = true;
  limit = known.least;
  bound = least;
  assign(0);
  return isProved && !known.effort.isSpent();
}

//===----------------------------------------------------------------------===//
// Times
//===----------------------------------------------------------------------===//

/// Tasks, then transfers that take time, as activities.
CyclicProblem AssignmentSearch::state(int64_t interval,
                                      llvm::ArrayRef<int> delay) const {
  CyclicProblem problem;
  problem.interval = interval;
  for (auto [task, p] : llvm::zip_equal(graph.tasks, processor))
    problem.cycles.push_back(
        *taskCycles(*known.problem.cost, task, machine.processorClass(p)));
  auto tasks = static_cast<int>(graph.tasks.size());
  for (int a = 0; a < tasks; ++a)
    for (int b = a + 1; b < tasks; ++b)
      if (processor[a] == processor[b])
        problem.exclusive.push_back({a, b});
  std::vector<Crossing> all = crossings();
  std::map<std::pair<int, int>, std::pair<int, int64_t>> arrival;
  std::vector<std::pair<int64_t, int>> held; // link, activity
  for (const Crossing &crossing : all) {
    int producer = graph.values[crossing.value].producer;
    int64_t takes = problem.cycles[producer];
    if (crossing.cycles == 0) {
      arrival[{crossing.value, crossing.to}] = {producer,
                                                takes + crossing.latency};
      continue;
    }
    auto activity = static_cast<int>(problem.cycles.size());
    problem.cycles.push_back(crossing.cycles);
    problem.precedences.push_back({producer, activity, takes});
    arrival[{crossing.value, crossing.to}] = {activity, crossing.cycles +
                                                            crossing.latency};
    for (int64_t link : crossing.links)
      held.push_back({link, activity});
  }
  llvm::sort(held);
  for (size_t i = 0; i < held.size(); ++i)
    for (size_t j = i + 1; j < held.size() && held[j].first == held[i].first;
         ++j)
      problem.exclusive.push_back({held[i].second, held[j].second});
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    for (const Use &use : value.uses) {
      std::pair<int, int64_t> from(value.producer,
                                   problem.cycles[value.producer]);
      if (int to = processor[use.task]; to != processor[value.producer])
        from = arrival.at({static_cast<int>(index), to});
      int64_t away = use.distance;
      if (use.delayed)
        away += delay[graph.tasks[value.producer].layer];
      problem.precedences.push_back(
          {from.first, use.task, from.second - away * interval});
    }
  }
  return problem;
}

Schedule AssignmentSearch::toSchedule(int64_t interval,
                                      llvm::ArrayRef<int64_t> start) const {
  Schedule schedule = emptySchedule(graph);
  schedule.interval = interval;
  schedule.cuts = cuts;
  for (size_t task = 0; task < graph.tasks.size(); ++task)
    schedule.tasks[task] = {
        processor[task], start[task],
        *taskCycles(*known.problem.cost, graph.tasks[task],
                    machine.processorClass(processor[task]))};
  size_t activity = graph.tasks.size();
  for (const Crossing &crossing : crossings()) {
    int producer = graph.values[crossing.value].producer;
    const Placement &from = schedule.tasks[producer];
    int64_t begin =
        crossing.cycles > 0 ? start[activity++] : from.start + from.cycles;
    schedule.transfers.push_back({crossing.value, from.processor, crossing.to,
                                  begin, crossing.cycles, crossing.latency});
  }
  return schedule;
}

/// Whether there are times with at most these delays under which some stages
/// give the delays that they need.
///
/// If there are none for the times found, some layers A are last, each as far
/// from the end as it needs, and of all others those whose readers are in A
/// need more than |A| stages behind them. In every order of layers one of these
/// is the first that is not in A, counted from the end, and has at most |A|
/// behind it: so one of them has to make do with that.
Feasibility AssignmentSearch::decideUnder(int64_t interval,
                                          const std::vector<int> &delay,
                                          std::optional<Schedule> &schedule) {
  std::vector<int64_t> start;
  Feasibility result =
      findCyclicStarts(state(interval, delay), known.effort, start);
  if (result != Feasibility::Feasible)
    return result;
  Schedule found = toSchedule(interval, start);
  std::vector<int> needed = *neededDelays(found);
  if (std::optional<DelayStages> stages =
          stagesFor(graph, needed, known.options.stages)) {
    found.stages = stages->stages;
    found.stage = std::move(stages->stage);
    found.delay = std::move(stages->delay);
    schedule = std::move(found);
    return Feasibility::Feasible;
  }
  bool isDecided = true;
  StagesConflict conflict = stagesConflict(graph, needed);
  for (int layer : conflict.layers) {
    std::vector<int> less = delay;
    less[layer] = 2 * conflict.behind;
    result = decideUnder(interval, less, schedule);
    if (result == Feasibility::Feasible)
      return result;
    isDecided &= result == Feasibility::Infeasible;
  }
  return isDecided ? Feasibility::Infeasible : Feasibility::Unknown;
}

Feasibility AssignmentSearch::decide(int64_t interval,
                                     std::optional<Schedule> &schedule) {
  bool isDecided = true;
  for (const std::vector<int> &delay :
       largestDelays(graph, known.options.stages)) {
    Feasibility result = decideUnder(interval, delay, schedule);
    if (result == Feasibility::Feasible)
      return result;
    isDecided &= result == Feasibility::Infeasible;
  }
  return isDecided ? Feasibility::Infeasible : Feasibility::Unknown;
}

/// The least interval of the present assignment, if it is below the limit. A
/// schedule stays one when the interval grows and positions and trips stay, so
/// bisection finds it.
void AssignmentSearch::minimize() {
  int64_t low = std::max({*llvm::max_element(load), linkLoad(), bound});
  int64_t high = limit; // not known to be possible for this assignment
  while (low < high) {
    // First the largest of interest: most assignments do not get that far.
    int64_t interval = high == limit ? high - 1 : low + (high - low) / 2;
    std::optional<Schedule> schedule;
    Feasibility result = decide(interval, schedule);
    if (result == Feasibility::Feasible) {
      high = interval;
      known.consider(std::move(*schedule));
      continue;
    }
    isProved &= result == Feasibility::Infeasible;
    if (high == limit)
      return;
    low = interval + 1;
  }
  limit = high;
}

//===----------------------------------------------------------------------===//
// The scheduler
//===----------------------------------------------------------------------===//

/// All cuts of a task along an axis, in any number of parts, with all ways to
/// slice their operands; of a long axis more than are looked at.
static std::vector<Cut> cutsAlong(int task, const CutOption &option) {
  constexpr int64_t kMaxExtent = 8; // has 4,372 of them
  std::vector<Cut> cuts;
  int64_t extent = std::min(option.extent, kMaxExtent);
  for (unsigned places = 1; places < 1u << (extent - 1); ++places) {
    Cut cut{task, option.axis, {}, {}};
    for (int64_t at = 1; at < extent; ++at)
      if (places >> (at - 1) & 1)
        cut.at.push_back(at);
    for (unsigned sliced = 0; sliced < 1u << cut.parts(); ++sliced) {
      cut.sliceAtProducer.clear();
      for (int part = 0; part < cut.parts(); ++part)
        cut.sliceAtProducer.push_back(sliced >> part & 1);
      cuts.push_back(cut);
    }
  }
  return cuts;
}

/// All ways to cut the tasks that may be cut, none first; empty if there are
/// too many.
static std::vector<std::vector<Cut>> waysToCut(const TaskGraph &graph) {
  std::vector<std::vector<Cut>> ways(1);
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    std::vector<Cut> cuts;
    for (const CutOption &option : task.cuts)
      llvm::append_range(cuts, cutsAlong(static_cast<int>(index), option));
    size_t count = ways.size();
    if (count * (cuts.size() + 1) > kMaxCutGraphs)
      return {};
    for (const Cut &cut : cuts)
      for (size_t i = 0; i < count; ++i) {
        ways.push_back(ways[i]);
        ways.back().push_back(cut);
      }
  }
  return ways;
}

/// Whether the cost model has an answer for every part.
static bool hasAllCycles(const Problem &problem, const TaskGraph &graph) {
  return llvm::all_of(graph.tasks, [&](const Task &task) {
    return llvm::all_of(
        problem.machine->classes, [&](const ProcessorClass &on) {
          return taskCycles(*problem.cost, task, on).has_value();
        });
  });
}

/// Cycles of the slowest class of processors for everything.
static int64_t serialCycles(const Problem &problem) {
  int64_t most = 1;
  for (const ProcessorClass &on : problem.machine->classes) {
    int64_t total = 0;
    for (const Task &task : problem.graph->tasks)
      total += *taskCycles(*problem.cost, task, on);
    most = std::max(most, total);
  }
  return most;
}

namespace {
class ExactSearch {
public:
  /// With a time limit, time alone decides.
  ExactSearch(const Problem &problem, const ScheduleOptions &options,
              const Deadline &deadline)
      : problem(problem), options(options),
        known{problem, options,
              Effort(deadline.isSet() ? std::numeric_limits<int64_t>::max()
                                      : kExactSteps,
                     deadline),
              std::nullopt} {}

  llvm::Expected<Schedule> run(std::vector<Schedule> start);

private:
  void search();

  const Problem &problem;
  const ScheduleOptions &options;
  Known known;
};
} // namespace

void ExactSearch::search() {
  const TaskGraph &graph = *problem.graph;
  if (known.least <= known.bound || graph.tasks.size() > kMaxExactTasks)
    return;
  std::vector<std::vector<Cut>> all = waysToCut(graph), ways;
  // Otherwise a cut that is not tried may still be better.
  bool isComplete = !all.empty();
  if (!isComplete)
    all.resize(1);
  std::vector<TaskGraph> graphs;
  std::vector<int64_t> loads;
  for (std::vector<Cut> &cuts : all) {
    TaskGraph cut = llvm::cantFail(applyCuts(graph, cuts));
    if (!hasAllCycles(problem, cut)) {
      isComplete = false;
      continue;
    }
    loads.push_back(AssignmentSearch(known, cut, cuts).leastLoad(known.least));
    ways.push_back(std::move(cuts));
    graphs.push_back(std::move(cut));
  }
  known.raiseBound(isComplete
                       ? *llvm::min_element(loads)
                       : AssignmentSearch(known, graph, {},
                                          AssignmentSearch::Tasks::Uncuttable)
                             .leastLoad(known.least));
  if (known.least <= known.bound)
    return;
  for (auto [cuts, cut, load] : llvm::zip_equal(ways, graphs, loads))
    isComplete &=
        AssignmentSearch(known, cut, cuts).run(std::max(load, known.bound));
  if (isComplete)
    known.raiseBound(known.least);
}

llvm::Expected<Schedule> ExactSearch::run(std::vector<Schedule> start) {
  known.bound = leastBound(problem, options.stages);
  // One processor can do all in that time, if with too little memory.
  known.least = serialCycles(problem) + 1;
  for (Schedule &schedule : start)
    known.consider(std::move(schedule));
  search();
  if (!known.best)
    return llvm::createStringError("no schedule that fits was found");
  known.best->lowerBound = known.bound;
  return std::move(*known.best);
}

llvm::Expected<Schedule> takt::searchExactly(const Problem &problem,
                                             const ScheduleOptions &options,
                                             const Deadline &deadline,
                                             std::vector<Schedule> start) {
  return ExactSearch(problem, options, deadline).run(std::move(start));
}
