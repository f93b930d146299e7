//===- ReplicatedPipelines.cpp - the best replicated pipeline -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Plans come from PipeDream's dynamic program, and the machine decides among
// them: every plan is scheduled in several orders.
//
//===----------------------------------------------------------------------===//

#include "ReplicatedPipelines.h"
#include "BalancedAssignments.h"
#include "Memory.h"
#include "PipeDreamReplicatedPlan.h"
#include "ReplicatedOrder.h"
#include "takt/Scheduling/Replication.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace takt;

namespace {
/// What a schedule is chosen for.
struct ReplicatedMerits {
  int64_t lack = 0; ///< bytes that memories are exceeded by
  int64_t interval = 0, minibatches = 1;
  int64_t bytes = 0; ///< moved for a minibatch
  int64_t staleness = 0, memory = 0;

  /// Interval per minibatch, to be compared without division.
  bool isFaster(const ReplicatedMerits &o) const {
    return std::pair(lack, __int128(interval) * o.minibatches) <
           std::pair(o.lack, __int128(o.interval) * minibatches);
  }
  bool isCheaper(const ReplicatedMerits &o) const {
    return std::tie(bytes, staleness, memory) <
           std::tie(o.bytes, o.staleness, o.memory);
  }
};

class ReplicatedSearch {
public:
  ReplicatedSearch(const Problem &problem, const ScheduleOptions &options,
                   int tolerance, const Deadline &deadline)
      : problem(problem), graph(*problem.graph), options(options),
        tolerance(tolerance),
        processors(static_cast<int>(problem.machine->processors())),
        deadline(deadline) {
    for (const Value &value : graph.values)
      weights += value.kind == ValueClass::Weight && value.producer >= 0;
  }

  std::optional<Schedule> run(std::optional<Schedule> first);

private:
  // Replicas multiply tasks, and those of a layer all send to each other.
  // Larger graphs are neither planned nor looked at.
  static constexpr int64_t kMaxTasks = 30000, kMaxExchanges = 300000;

  struct Candidate {
    ReplicatedMerits merits;
    Schedule schedule;
  };

  std::vector<BandwidthLevel> levels() const;
  double exchangeBandwidth() const;
  std::vector<ReplicationModel> models() const;
  ReplicationModel model(SynchronizationForm form, bool borders,
                         double scale) const;
  std::vector<bool> smallCounts() const;
  bool isSmall(const ReplicationPlan &plan) const;
  size_t maxDownSets(const ReplicationModel &model) const;
  ReplicationPlan plan(ReplicationModel model) const;

  const Candidate *fastest() const;
  bool isBest() const;
  bool isNear(const ReplicatedMerits &merits,
              const ReplicatedMerits &fastest) const;
  bool isOver() const { return !candidates.empty() && deadline.isOver(); }
  int64_t limitFor(int64_t minibatches) const;
  void consider(const ReplicationPlan &plan);
  void considerOrders(const ReplicationPlan &plan);
  bool consider(const ReplicationPlan &plan, const ReplicatedOrder &order);
  void consider(Schedule schedule);
  ReplicatedMerits meritsOf(const Schedule &schedule) const;

  const Problem &problem;
  const TaskGraph &graph;
  const ScheduleOptions &options;
  int tolerance; ///< of the interval, in thousandths
  int processors;
  int64_t weights = 0;
  const Deadline &deadline;
  /// As fast as the fastest, but for the tolerance.
  std::vector<Candidate> candidates;
  std::set<std::vector<std::vector<int>>> known; ///< plans: layers, processors
};
} // namespace

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

std::vector<bool> ReplicatedSearch::smallCounts() const {
  std::vector<bool> allowed = {true};
  auto tasks = static_cast<int64_t>(graph.tasks.size());
  for (int64_t m = 2; m <= processors; ++m)
    if (m * tasks > kMaxTasks || m * m * weights > kMaxExchanges)
      break;
    else
      allowed.push_back(true);
  return allowed;
}

/// Those asked for, or a tree's, or one of all processors.
std::vector<BandwidthLevel> ReplicatedSearch::levels() const {
  if (!options.bandwidthLevels.empty())
    return options.bandwidthLevels;
  const Interconnect &links = problem.machine->interconnect;
  std::vector<BandwidthLevel> result;
  if (links.topology == Topology::Tree)
    for (const Dimension &level : links.dimensions)
      result.push_back(
          {level.size, static_cast<double>(
                           level.bytesPerCycle.value_or(links.bytesPerCycle))});
  if (result.empty())
    result = {{processors, static_cast<double>(links.bytesPerCycle)}};
  return result;
}

/// That at which all gradients are exchanged in the time of a minibatch on one
/// processor.
double ReplicatedSearch::exchangeBandwidth() const {
  double bytes = 0, cycles = 1;
  for (const Value &value : graph.values)
    if (value.kind == ValueClass::WeightGradient)
      bytes += 4 * static_cast<double>(value.bytes);
  for (const Task &task : graph.tasks)
    cycles += static_cast<double>(
        *taskCycles(*problem.cost, task, problem.machine->classes[0]));
  return bytes / cycles;
}

ReplicationModel ReplicatedSearch::model(SynchronizationForm form, bool borders,
                                         double scale) const {
  ReplicationModel result;
  result.form = form;
  result.borders = borders;
  result.allowed = smallCounts();
  result.levels = levels();
  for (BandwidthLevel &level : result.levels)
    level.bytesPerCycle *= scale;
  return result;
}

/// The model's exchange over one link of each processor's is not the machine's,
/// where replicas have links to each other or share one: so with more and with
/// less bandwidth, too, unless levels are asked for. Where links are free and
/// the interval may be longer for fewer bytes, as if they were not.
std::vector<ReplicationModel> ReplicatedSearch::models() const {
  using Form = SynchronizationForm;
  bool isLimited = llvm::any_of(
      levels(), [](const BandwidthLevel &of) { return of.bytesPerCycle > 0; });
  std::vector<ReplicationModel> result;
  auto add = [&](double scale, std::optional<double> bandwidth) {
    for (Form form : {Form::Sum, Form::Max}) {
      if (options.synchronization && *options.synchronization != form)
        continue;
      for (bool borders : {false, true}) {
        result.push_back(model(form, borders, scale));
        if (bandwidth)
          for (BandwidthLevel &level : result.back().levels)
            level.bytesPerCycle = *bandwidth;
      }
    }
  };
  add(1, std::nullopt);
  if (isLimited && options.bandwidthLevels.empty())
    for (double scale : {4.0, 0.25, 0.0625})
      add(scale, std::nullopt);
  if (!isLimited && tolerance > 0)
    for (double scale : {8.0, 2.0, 0.5})
      add(1, scale * exchangeBandwidth());
  return result;
}

bool ReplicatedSearch::isSmall(const ReplicationPlan &plan) const {
  int64_t minibatches = minibatchesOf(replicasOf(graph, plan));
  int64_t most = 1;
  for (const ReplicatedStage &stage : plan.stages)
    most = std::max<int64_t>(most, stage.processors.size());
  return minibatches * static_cast<int64_t>(graph.tasks.size()) <= kMaxTasks &&
         minibatches * most * weights <= kMaxExchanges;
}

/// So many that the dynamic program's steps stay near 4e8.
size_t ReplicatedSearch::maxDownSets(const ReplicationModel &model) const {
  constexpr double kSteps = 4e8;
  auto steps = [&](double sets) {
    double all = 0;
    for (auto [index, level] : llvm::enumerate(model.levels)) {
      auto units = static_cast<double>(level.count);
      double pairs = units * std::min(units, double(model.allowed.size())) / 2;
      bool isLast = index + 1 == model.levels.size();
      all += pairs * sets * sets / 2 * (isLast ? 1 : sets / 3);
    }
    return all;
  };
  size_t sets = 2000;
  while (sets > 32 && steps(static_cast<double>(sets)) > kSteps)
    sets -= sets / 8;
  return sets;
}

/// Counts without much in common repeat late: then all counts are divisors of
/// one number.
ReplicationPlan ReplicatedSearch::plan(ReplicationModel model) const {
  size_t sets = maxDownSets(model);
  ReplicationPlan result = planReplication(problem, model, sets);
  if (isSmall(result))
    return result;
  std::vector<bool> small = model.allowed;
  result = {};
  for (int repeat = 1; repeat <= static_cast<int>(small.size()); ++repeat) {
    for (size_t m = 1; m <= small.size(); ++m)
      model.allowed[m - 1] = repeat % m == 0;
    ReplicationPlan found = planReplication(problem, model, sets);
    if (isSmall(found) && (result.stages.empty() || found.time < result.time))
      result = std::move(found);
    if (deadline.isOver())
      break;
  }
  return result;
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

ReplicatedMerits ReplicatedSearch::meritsOf(const Schedule &schedule) const {
  ReplicatedMerits merits;
  MemoryUse use = tightestMemory(problem, schedule);
  merits.lack = use.limit > 0 ? std::max<int64_t>(0, use.excess()) : 0;
  merits.memory = use.bytes;
  merits.interval = schedule.interval;
  merits.minibatches = schedule.graph.minibatches;
  merits.bytes = metrics(problem, schedule).communicationBytes;
  for (auto [layer, delay] : llvm::enumerate(schedule.delay))
    merits.staleness +=
        int64_t(delay) *
        (schedule.replicas.empty() ? 1 : schedule.replicas[layer]);
  return merits;
}

const ReplicatedSearch::Candidate *ReplicatedSearch::fastest() const {
  if (candidates.empty())
    return nullptr;
  return &*llvm::min_element(candidates,
                             [](const Candidate &a, const Candidate &b) {
                               return a.merits.isFaster(b.merits);
                             });
}

/// Whether what lacks no more memory is as fast, but for the tolerance.
bool ReplicatedSearch::isNear(const ReplicatedMerits &merits,
                              const ReplicatedMerits &fastest) const {
  return merits.lack == fastest.lack &&
         __int128(merits.interval) * fastest.minibatches <=
             __int128(relaxed(fastest.interval, tolerance)) *
                 merits.minibatches;
}

void ReplicatedSearch::consider(Schedule schedule) {
  candidates.push_back({meritsOf(schedule), std::move(schedule)});
  const ReplicatedMerits fast = fastest()->merits;
  llvm::erase_if(candidates, [&](const Candidate &candidate) {
    return !isNear(candidate.merits, fast);
  });
}

/// Longer intervals for so many minibatches are not of interest.
int64_t ReplicatedSearch::limitFor(int64_t minibatches) const {
  const Candidate *best = fastest();
  if (!best || best->merits.lack > 0)
    return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(
             __int128(relaxed(best->merits.interval, tolerance)) * minibatches /
             best->merits.minibatches) +
         1;
}

/// Replicas always at work, within their memory. A single minibatch's schedule
/// is not an end: replicas may be as fast with fewer bytes.
bool ReplicatedSearch::isBest() const {
  const Candidate *best = fastest();
  if (tolerance > 0 || !best || best->merits.lack > 0 ||
      best->schedule.replicas.empty())
    return false;
  int64_t busy = 0;
  for (const Placement &place : best->schedule.tasks)
    busy += place.cycles;
  return busy == best->merits.interval * processors;
}

//===----------------------------------------------------------------------===//
// Orders
//===----------------------------------------------------------------------===//

/// True if no order of the plan's can be faster.
bool ReplicatedSearch::consider(const ReplicationPlan &plan,
                                const ReplicatedOrder &order) {
  std::optional<Schedule> found = scheduleReplicated(
      problem, plan, order, limitFor(minibatchesOf(replicasOf(graph, plan))));
  if (!found)
    return false;
  int64_t load = 0;
  std::vector<int64_t> loads(processors, 0);
  for (const Placement &place : found->tasks)
    load = std::max(load, loads[place.processor] += place.cycles);
  bool isTight = found->interval == load;
  consider(std::move(*found));
  return isTight;
}

/// Where rounds of neighbouring stages do not line up, or the exchange takes
/// long, one more minibatch or update in flight can keep the planned interval.
void ReplicatedSearch::considerOrders(const ReplicationPlan &plan) {
  for (int slack : {0, 1})
    for (auto [late, before] :
         {std::pair(0, false), std::pair(1, false), std::pair(1, true)}) {
      ReplicatedOrder order;
      order.lead = pipeDreamLead(plan);
      for (int &lead : order.lead)
        lead += slack;
      order.lateness = late;
      order.updatesBeforeBackward = before;
      if (isOver() || consider(plan, order))
        return;
    }
}

void ReplicatedSearch::consider(const ReplicationPlan &plan) {
  bool isShared = llvm::any_of(plan.stages, [](const ReplicatedStage &stage) {
    return stage.processors.size() > 1;
  });
  if (!isShared)
    return; // of one minibatch
  std::vector<std::vector<int>> key;
  for (const ReplicatedStage &stage : plan.stages)
    key.insert(key.end(), {stage.layers, stage.processors});
  if (!known.insert(std::move(key)).second)
    return;
  considerOrders(plan);
}

std::optional<Schedule> ReplicatedSearch::run(std::optional<Schedule> first) {
  if (first)
    consider(std::move(*first));
  for (const ReplicationModel &model : models())
    if (!isBest() && !isOver())
      if (ReplicationPlan found = plan(model); !found.stages.empty())
        consider(found);
  if (candidates.empty())
    return std::nullopt;
  auto best = llvm::min_element(
      candidates, [&](const Candidate &a, const Candidate &b) {
        if (a.merits.isCheaper(b.merits) || b.merits.isCheaper(a.merits))
          return a.merits.isCheaper(b.merits);
        return a.merits.isFaster(b.merits);
      });
  return std::move(best->schedule);
}

std::optional<Schedule> takt::bestReplicatedPipeline(
    const Problem &problem, const ScheduleOptions &options, int tolerance,
    const Deadline &deadline, std::optional<Schedule> first) {
  return ReplicatedSearch(problem, options, tolerance, deadline)
      .run(std::move(first));
}

llvm::Error takt::checkBandwidthLevels(const Problem &problem,
                                       const ScheduleOptions &options) {
  int64_t used = 1;
  for (const BandwidthLevel &level : options.bandwidthLevels)
    used = std::min(used * level.count, problem.machine->processors() + 1);
  if (used <= problem.machine->processors())
    return llvm::Error::success();
  return llvm::createStringError(
      "bandwidth levels have more processors than the machine's " +
      llvm::Twine(problem.machine->processors()));
}
