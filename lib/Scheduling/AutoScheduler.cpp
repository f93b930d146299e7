//===- AutoScheduler.cpp - the best of all, and the exact search ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// All schedulers of both registries one after the other, then the exact search
// from the best of them. A new scheduler takes part without being named here.
// Those with replicas do not: that is training with larger batches.
//
//===----------------------------------------------------------------------===//

#include "ExactScheduler.h"
#include "Memory.h"
#include "Schedulers.h"
#include "takt/Scheduling/Pipeline.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

namespace {
/// Runs schedulers within one time limit and keeps the best schedule.
class Contest {
public:
  Contest(const Problem &problem, const ScheduleOptions &options)
      : problem(problem), options(options), deadline(options.timeLimitSeconds),
        bound(leastBound(problem, options.stages)) {}

  void run(llvm::ArrayRef<llvm::StringRef> names);
  void searchExactly();
  llvm::Expected<Schedule> result();

private:
  /// What makes a schedule better than another, in this order.
  struct Rank {
    int64_t interval, staleness;
    bool isDelayed; ///< and so no step by itself, even if nothing is stale
    int64_t memory, bytesMoved;

    bool operator<(const Rank &o) const {
      return std::tie(interval, staleness, isDelayed, memory, bytesMoved) <
             std::tie(o.interval, o.staleness, o.isDelayed, o.memory,
                      o.bytesMoved);
    }
  };

  struct Turn {
    llvm::StringRef name;
    int64_t interval;
    bool isCutShort;
  };

  Rank rank(const Schedule &schedule) const;
  Turn runFor(llvm::StringRef name, std::optional<double> seconds);
  void consider(Schedule schedule);

  const Problem &problem;
  const ScheduleOptions &options;
  Deadline deadline;
  int64_t bound;
  std::optional<Schedule> best;
  std::string refusal; ///< of the last scheduler that found nothing
};
} // namespace

Contest::Rank Contest::rank(const Schedule &schedule) const {
  return {schedule.interval, totalStaleness(schedule),
          schedule.semantics == Semantics::Delayed,
          tightestMemory(problem, schedule).bytes,
          metrics(problem, schedule).communicationBytes};
}

void Contest::consider(Schedule schedule) {
  if (options.stages > 0 && schedule.stages != options.stages)
    return;
  if (best && !(rank(schedule) < rank(*best)))
    return;
  bool isShorter = !best || schedule.interval < best->interval;
  best = std::move(schedule);
  if (isShorter && options.onProgress)
    options.onProgress(best->interval, bound);
}

/// Runs one scheduler, for so long at most where that is said; whether it was
/// stopped by that, and the interval it came to.
Contest::Turn Contest::runFor(llvm::StringRef name,
                              std::optional<double> seconds) {
  ScheduleOptions each = options;
  each.onProgress = nullptr;
  each.timeLimitSeconds = seconds;
  double before = deadline.isSet() ? deadline.secondsLeft() : 0;
  llvm::Expected<Schedule> found = schedule(name, problem, each);
  Turn turn{name, INT64_MAX, false};
  // Who ends just before could not have gone on for long either.
  constexpr double kMostOf = 0.9;
  if (seconds)
    turn.isCutShort = before - deadline.secondsLeft() >= kMostOf * *seconds;
  if (!found) {
    refusal = llvm::toString(found.takeError());
    return turn;
  }
  turn.interval = found->interval;
  consider(std::move(*found));
  return turn;
}

/// All have a turn, in a quarter of the time. What is left is first for those
/// whose turn was too short, one after the other from the one that came
/// farthest, each with half of what is left then: where schedulers take long,
/// the exact search hardly helps.
/// The first turn tells how long to check and verify takes at most: the time
/// for that is left, for the search that ends last, and half of it for the
/// result, which is only verified.
void Contest::run(llvm::ArrayRef<llvm::StringRef> names) {
  if (!deadline.isSet()) {
    for (llvm::StringRef name : names)
      runFor(name, std::nullopt);
    return;
  }
  std::vector<Turn> cutShort;
  for (auto [index, name] : llvm::enumerate(names)) {
    if (best && deadline.isOver())
      return;
    double left = deadline.secondsLeft();
    Turn turn = runFor(name, left / 4 / double(names.size() - index));
    if (turn.isCutShort)
      cutShort.push_back(turn);
    if (index == 0)
      deadline.shorten(1.5 * (left - deadline.secondsLeft()));
  }
  llvm::stable_sort(cutShort, [](const Turn &a, const Turn &b) {
    return a.interval < b.interval;
  });
  for (const Turn &turn : cutShort)
    if (!deadline.isOver())
      runFor(turn.name, deadline.secondsLeft() / 2);
}

/// The least interval, which also says how far all others are from it.
void Contest::searchExactly() {
  if (best && deadline.isOver()) {
    // Not the bound of its own delays: with others it may be shorter.
    bound = leastBound(problem, options.stages);
    best->lowerBound = bound <= best->interval ? bound : 0;
    return;
  }
  std::vector<Schedule> start;
  if (best)
    start.push_back(*best);
  llvm::Expected<Schedule> found =
      takt::searchExactly(problem, options, deadline, std::move(start));
  if (!found)
    return llvm::consumeError(found.takeError());
  bound = found->lowerBound;
  consider(std::move(*found));
  // What the search does not know, as stages on several processors, may be
  // below its bound.
  best->lowerBound = bound <= best->interval ? bound : 0;
}

llvm::Expected<Schedule> Contest::result() {
  if (!best)
    return llvm::createStringError(refusal);
  return std::move(*best);
}

/// The registry's schedulers of a semantics, but for those in this file. Which
/// weights dgrads read is the caller's choice, so those that differ from others
/// only in that are not asked.
static llvm::SmallVector<llvm::StringRef>
schedulersOf(std::optional<Semantics> semantics, bool isDivided) {
  llvm::SmallVector<llvm::StringRef> names;
  for (const SchedulerInfo &info : schedulers()) {
    bool isSynchronous = info.semantics == Semantics::Synchronous;
    if (info.semantics && info.run != runExact && !info.mayReplicate &&
        info.weights == WeightVersions::Stash &&
        (!semantics || info.semantics == semantics) &&
        (isSynchronous || info.takesMicrobatches || !isDivided))
      names.push_back(info.name);
  }
  return names;
}

/// Of whatever semantics is asked for, of networks and of their steps in
/// microbatches.
static llvm::SmallVector<llvm::StringRef>
contestantsOfAuto(const Problem &problem, const ScheduleOptions &options) {
  bool divided = problem.graph->isDivided();
  llvm::SmallVector<llvm::StringRef> names =
      schedulersOf(options.semantics, divided);
  if (divided && options.semantics != Semantics::Delayed)
    for (const PipelineScheduler &info : pipelineSchedulers())
      if (llvm::none_of(schedulers(), [&](const SchedulerInfo &other) {
            return other.name == info.name;
          }))
        names.push_back(info.name);
  return names;
}

llvm::SmallVector<llvm::StringRef>
takt::contestants(llvm::StringRef name, const Problem &problem,
                  const ScheduleOptions &options) {
  for (const SchedulerInfo &info : schedulers())
    if (info.name == name && info.run == runAuto)
      return contestantsOfAuto(problem, options);
  return {name};
}

llvm::Expected<Schedule> takt::runExact(const Problem &problem,
                                        const ScheduleOptions &options) {
  Contest contest(problem, options);
  contest.run(schedulersOf(std::nullopt, /*isDivided=*/false));
  contest.searchExactly();
  return contest.result();
}

llvm::Expected<Schedule> takt::runAuto(const Problem &problem,
                                       const ScheduleOptions &options) {
  Contest contest(problem, options);
  llvm::SmallVector<llvm::StringRef> names =
      contestantsOfAuto(problem, options);
  // Registries have what is simple first and what adapts to the memory last;
  // should time run out, that has had its turn.
  if (options.timeLimitSeconds && problem.graph->isDivided())
    std::reverse(names.begin(), names.end());
  contest.run(names);
  if (!problem.graph->isDivided() &&
      options.semantics != Semantics::Synchronous)
    contest.searchExactly();
  return contest.result();
}
