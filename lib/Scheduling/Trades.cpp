//===- Trades.cpp - asking a scheduler for different trades ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Trades.h"
#include "Deadline.h"
#include "Schedulers.h"
#include "takt/Scheduling/Objective.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;
using llvm::Error;
using llvm::Expected;

namespace {
/// Collects schedules of one problem.
class Trades {
public:
  /// Of interest are intervals up to `slack` thousandths above the least one.
  Trades(const Problem &problem, const ScheduleOptions &options, int slack)
      : problem(problem), options(options), slack(slack),
        deadline(options.timeLimitSeconds) {
    this->options.objective.clear();
  }

  /// Adds what a scheduler finds. Fails if it finds nothing for the problem as
  /// it is.
  Error collect(llvm::StringRef scheduler);

  std::vector<Schedule> found;

private:
  void addTrades(const Schedule &first);
  Expected<Schedule> ask(const Problem &variant);
  bool add(const Problem &variant, int tolerance);
  void addTolerances(const Problem &variant);
  void addFewerProcessors(const Schedule &first);
  void addLessMemory(const Schedule &first);

  const Problem &problem;
  ScheduleOptions options;
  int slack;
  Deadline deadline;
  llvm::StringRef scheduler;
  int64_t least = std::numeric_limits<int64_t>::max(); ///< interval found
};
} // namespace

/// The machine's first `count` processors.
static Machine firstProcessors(const Machine &machine, int64_t count) {
  Machine result = machine;
  result.classes.clear();
  for (ProcessorClass on : machine.classes) {
    on.count = std::min(on.count, count);
    count -= on.count;
    if (on.count > 0)
      result.classes.push_back(on);
  }
  return result;
}

/// Of the time left half is for what follows, if something does.
Expected<Schedule> Trades::ask(const Problem &variant) {
  if (deadline.isSet())
    options.timeLimitSeconds = deadline.secondsLeft() / (slack > 0 ? 2 : 1);
  return takt::schedule(scheduler, variant, options);
}

/// False if the scheduler finds nothing, or no time is left.
bool Trades::add(const Problem &variant, int tolerance) {
  if (deadline.isOver())
    return false;
  options.intervalTolerance = tolerance;
  Expected<Schedule> schedule = ask(variant);
  if (llvm::errorToBool(schedule.takeError()))
    return false;
  least = std::min(least, schedule->interval);
  found.push_back(std::move(*schedule));
  return true;
}

void Trades::addTolerances(const Problem &variant) {
  // Above, schedulers that take a tolerance make no more of it.
  constexpr int kMost = 1000;
  if (llvm::none_of(schedulers(), [&](const SchedulerInfo &info) {
        return info.name == scheduler && info.takesTolerance;
      }))
    return;
  for (int tolerance : {10, 20, 50, 100, 200, 400, 800})
    if (tolerance < slack)
      add(variant, tolerance);
  if (slack > 0 && slack <= kMost)
    add(variant, slack);
}

/// Fewer processors move fewer bytes. All counts of small machines, and of
/// large ones some, for as long as the interval can be of interest.
void Trades::addFewerProcessors(const Schedule &first) {
  constexpr int64_t kSteps = 16;
  // Other topologies are no more what they were without some processors.
  const Interconnect &links = problem.machine->interconnect;
  if ((links.topology != Topology::Full && links.topology != Topology::Bus) ||
      !links.links.empty())
    return;
  int64_t all = problem.machine->processors();
  int64_t step = std::max<int64_t>(1, all / kSteps);
  double work = 0;
  for (const Placement &place : first.tasks)
    work += static_cast<double>(place.cycles);
  for (int64_t count = all - step; count > 0; count -= step) {
    double limit = static_cast<double>(least) * (1 + slack / 1000.0);
    if (problem.machine->isUniform() &&
        work / static_cast<double>(count) > limit)
      return;
    Machine machine = firstProcessors(*problem.machine, count);
    Problem variant{problem.graph, &machine, problem.cost};
    if (add(variant, 0))
      addTolerances(variant);
  }
}

/// The first schedule holds what the scheduler likes; with a part of that, it
/// has to look for others.
void Trades::addLessMemory(const Schedule &first) {
  std::vector<int64_t> held = peakMemory(problem, first);
  int64_t most = *llvm::max_element(held);
  for (int64_t percent : {90, 80, 70, 60, 50, 40, 30, 20, 10}) {
    Machine machine = *problem.machine;
    int64_t limit = most / 100 * percent + most % 100 * percent / 100;
    for (ProcessorClass &on : machine.classes)
      if (on.memoryBytes == 0 || on.memoryBytes > limit)
        on.memoryBytes = std::max<int64_t>(1, limit);
    if (!add({problem.graph, &machine, problem.cost}, 0))
      return;
  }
}

Error Trades::collect(llvm::StringRef name) {
  scheduler = name;
  options.intervalTolerance = 0;
  Expected<Schedule> first = ask(problem);
  if (!first)
    return first.takeError();
  least = std::min(least, first->interval);
  found.push_back(*first);
  // Of several schedulers each trades for itself: their best is the least
  // interval's, and to search for that once is enough.
  for (llvm::StringRef contestant : contestants(name, problem, options)) {
    scheduler = contestant;
    if (contestant == name)
      addTrades(*first);
    else if (add(problem, 0))
      addTrades(Schedule(found.back()));
  }
  return Error::success();
}

/// Other trades of the scheduler of `first`.
void Trades::addTrades(const Schedule &first) {
  addTolerances(problem);
  if (slack > 0) {
    addLessMemory(first);
    addFewerProcessors(first);
  }
}

static std::vector<Figures> figuresOf(const Problem &problem,
                                      llvm::ArrayRef<Schedule> schedules) {
  std::vector<Figures> all;
  for (const Schedule &schedule : schedules)
    all.push_back(figures(problem, schedule));
  return all;
}

/// By how many thousandths the interval may exceed the least one.
static int intervalSlack(const Objective &objective) {
  if (objective.front().criterion == Criterion::Interval)
    return objective.front().tolerance;
  return std::numeric_limits<int>::max();
}

Expected<Schedule> takt::scheduleByObjective(llvm::StringRef name,
                                             const Problem &problem,
                                             const ScheduleOptions &options) {
  Trades trades(problem, options, intervalSlack(options.objective));
  if (Error error = trades.collect(name))
    return error;
  size_t best = chooseBest(figuresOf(problem, trades.found), options.objective);
  trades.found[best].scheduler = name.str();
  return std::move(trades.found[best]);
}

Expected<std::vector<Schedule>>
takt::paretoSchedules(llvm::ArrayRef<std::string> names, const Problem &problem,
                      const ScheduleOptions &options) {
  Trades trades(problem, options, std::numeric_limits<int>::max());
  std::string reason;
  for (const std::string &name : names)
    if (Error error = trades.collect(name)) {
      std::string text = llvm::toString(std::move(error));
      if (reason.empty())
        reason = text;
    }
  if (trades.found.empty())
    return llvm::createStringError(reason);
  std::vector<Schedule> front;
  for (size_t index : paretoFront(figuresOf(problem, trades.found)))
    front.push_back(std::move(trades.found[index]));
  return front;
}
