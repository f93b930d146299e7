//===- PipeDreamReplicatedScheduler.cpp - replicated 1F1B stages ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narayanan et al., "PipeDream", SOSP 2019, with replication: stages that
// several processors share, minibatches in turn, each of them 1F1B; replicas
// exchange gradients and weights once in a round (Replication.h). Plans come
// from PipeDream's dynamic program, and the machine decides among them.
//
//===----------------------------------------------------------------------===//

#include "CyclicOrder.h"
#include "Deadline.h"
#include "Memory.h"
#include "PipeDream.h"
#include "PipeDreamReplicatedPlan.h"
#include "Schedulers.h"
#include "takt/Scheduling/Replication.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <set>

using namespace takt;

namespace {
/// What a schedule is chosen for.
struct Merits {
  int64_t lack = 0; ///< bytes that memories are exceeded by
  int64_t interval = 0, minibatches = 1;
  int64_t bytes = 0; ///< moved for a minibatch
  int64_t staleness = 0;

  bool operator<(const Merits &o) const {
    return std::tuple(lack, __int128(interval) * o.minibatches, bytes,
                      staleness) <
           std::tuple(o.lack, __int128(o.interval) * minibatches, o.bytes,
                      o.staleness);
  }
};

class ReplicatedPipeline {
public:
  ReplicatedPipeline(const Problem &problem, const ScheduleOptions &options)
      : problem(problem), graph(*problem.graph), options(options),
        processors(static_cast<int>(problem.machine->processors())),
        deadline(options.timeLimitSeconds) {
    for (const Value &value : graph.values)
      weights += value.kind == ValueClass::Weight && value.producer >= 0;
  }

  std::optional<Schedule> run();

private:
  // Replicas multiply tasks, and those of a layer all send to each other.
  // Larger graphs are neither planned nor looked at.
  static constexpr int64_t kMaxTasks = 30000, kMaxExchanges = 300000;

  /// Rounds by which a stage leads more than it must, and by which its updates
  /// are late. Late ones have what is exchanged before them while the backward
  /// block runs, or else what is exchanged behind them.
  struct Slack {
    int lead, update;
    bool updatesBeforeBackward = false;
  };

  std::vector<BandwidthLevel> levels() const;
  /// One processor by itself exchanges nothing.
  static int lateness(const ReplicatedStage &stage, Slack slack) {
    return stage.processors.size() > 1 ? slack.update : 0;
  }

  ReplicationModel model(SynchronizationForm form, bool borders,
                         double scale) const;
  bool isBest() const;
  int64_t limitFor(int minibatches) const;
  std::vector<bool> smallCounts() const;
  bool isSmall(const ReplicationPlan &plan) const;
  size_t maxDownSets(const ReplicationModel &model) const;
  ReplicationPlan plan(ReplicationModel model) const;
  std::vector<int> replicasOf(const ReplicationPlan &plan) const;
  void consider(const ReplicationPlan &plan);
  std::optional<Schedule> scheduleOf(const ReplicationPlan &plan,
                                     Slack slack) const;
  CyclicOrder order(const ReplicationPlan &plan, const Schedule &schedule,
                    llvm::ArrayRef<int> lead, Slack slack) const;
  void consider(Schedule schedule);
  Merits meritsOf(const Schedule &schedule) const;

  const Problem &problem;
  const TaskGraph &graph;
  const ScheduleOptions &options;
  int processors;
  int64_t weights = 0;
  Deadline deadline;
  std::optional<Schedule> best;
  std::set<std::vector<std::vector<int>>> known; ///< plans: layers, processors
};
} // namespace

//===----------------------------------------------------------------------===//
// Plans
//===----------------------------------------------------------------------===//

std::vector<bool> ReplicatedPipeline::smallCounts() const {
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
std::vector<BandwidthLevel> ReplicatedPipeline::levels() const {
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

ReplicationModel ReplicatedPipeline::model(SynchronizationForm form,
                                           bool borders, double scale) const {
  ReplicationModel result;
  result.form = form;
  result.borders = borders;
  result.allowed = smallCounts();
  result.levels = levels();
  for (BandwidthLevel &level : result.levels)
    level.bytesPerCycle *= scale;
  return result;
}

std::vector<int>
ReplicatedPipeline::replicasOf(const ReplicationPlan &plan) const {
  std::vector<int> replicas(graph.layers.size(), 1);
  for (const ReplicatedStage &stage : plan.stages)
    for (int layer : stage.layers)
      replicas[layer] = static_cast<int>(stage.processors.size());
  return replicas;
}

bool ReplicatedPipeline::isSmall(const ReplicationPlan &plan) const {
  int64_t minibatches = minibatchesOf(replicasOf(plan));
  int64_t most = 1;
  for (const ReplicatedStage &stage : plan.stages)
    most = std::max<int64_t>(most, stage.processors.size());
  return minibatches * static_cast<int64_t>(graph.tasks.size()) <= kMaxTasks &&
         minibatches * most * weights <= kMaxExchanges;
}

/// So many that the dynamic program's steps stay near 4e8.
size_t ReplicatedPipeline::maxDownSets(const ReplicationModel &model) const {
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
ReplicationPlan ReplicatedPipeline::plan(ReplicationModel model) const {
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
// Schedules
//===----------------------------------------------------------------------===//

/// Replica k of a stage does, round after round, F of its minibatch `lead`
/// rounds on, D and W of this round's, and its shard of the updates.
CyclicOrder ReplicatedPipeline::order(const ReplicationPlan &plan,
                                      const Schedule &schedule,
                                      llvm::ArrayRef<int> lead,
                                      Slack slack) const {
  const TaskGraph &all = schedule.graph;
  enum { kForward, kBackward, kUpdate, kBlocks };
  // By stage, minibatch and block. An update shard is its wgrad's minibatch's.
  std::vector<std::vector<int>> blocks(plan.stages.size() * all.minibatches *
                                       kBlocks);
  auto block = [&](size_t stage, int minibatch, int which) -> auto & {
    return blocks[(stage * all.minibatches + minibatch) * kBlocks + which];
  };
  for (auto [index, task] : llvm::enumerate(all.tasks)) {
    bool updates = task.kind == TaskKind::Update;
    const Task &of = updates ? all.tasks[task.colocated] : task;
    int which = updates                          ? kUpdate
                : task.kind == TaskKind::Forward ? kForward
                                                 : kBackward;
    block(schedule.stage[task.layer], of.microbatch, which)
        .push_back(static_cast<int>(index));
  }
  CyclicOrder result(processors);
  for (auto [s, stage] : llvm::enumerate(plan.stages)) {
    auto count = static_cast<int>(stage.processors.size());
    int rounds = all.minibatches / count, late = lateness(stage, slack);
    for (auto [replica, processor] : llvm::enumerate(stage.processors)) {
      auto append = [&, s = s, replica = replica,
                     processor = processor](int round, int which) {
        int ahead =
            round >= 0 ? round / rounds : -((rounds - 1 - round) / rounds);
        int minibatch =
            (round - ahead * rounds) * count + static_cast<int>(replica);
        for (int task : block(s, minibatch, which))
          result[processor].push_back({task, ahead});
      };
      for (int round = 0; round < rounds; ++round) {
        append(round + lead[s], kForward);
        if (slack.updatesBeforeBackward && late > 0)
          append(round - late, kUpdate);
        append(round, kBackward);
        if (!slack.updatesBeforeBackward || late == 0)
          append(round - late, kUpdate);
      }
    }
  }
  return result;
}

/// As PipeDream does, a replica has ceil(processors of later stages / replicas)
/// + 1 minibatches in flight (NOAM of the input stage) and as many weights;
/// with slack, more of them.
std::optional<Schedule>
ReplicatedPipeline::scheduleOf(const ReplicationPlan &plan, Slack slack) const {
  Schedule schedule;
  schedule.stages = static_cast<int>(plan.stages.size());
  schedule.stage.assign(graph.layers.size(), 0);
  schedule.delay.assign(graph.layers.size(), 0);
  schedule.replicas = replicasOf(plan);
  std::vector<int> lead(plan.stages.size());
  int64_t later = 0;
  for (int s = schedule.stages - 1; s >= 0; --s) {
    const ReplicatedStage &stage = plan.stages[s];
    auto count = static_cast<int64_t>(stage.processors.size());
    lead[s] = static_cast<int>(llvm::divideCeil(later, count)) + slack.lead;
    later += count;
    for (int layer : stage.layers) {
      schedule.stage[layer] = s;
      schedule.delay[layer] = lead[s] + lateness(stage, slack);
    }
  }
  llvm::Expected<TaskGraph> all =
      replicate(graph, schedule.replicas, schedule.delay);
  if (!all) {
    // Layers of two stages share a weight: not this plan.
    llvm::consumeError(all.takeError());
    return std::nullopt;
  }
  schedule.graph = std::move(*all);
  std::optional<Schedule> found = scheduleCyclicOrder(
      problem, schedule.graph, order(plan, schedule, lead, slack),
      schedule.delay, limitFor(schedule.graph.minibatches));
  if (!found)
    return std::nullopt;
  found->stages = schedule.stages;
  found->stage = std::move(schedule.stage);
  found->replicas = std::move(schedule.replicas);
  return found;
}

Merits ReplicatedPipeline::meritsOf(const Schedule &schedule) const {
  Merits merits;
  MemoryUse use = tightestMemory(problem, schedule);
  merits.lack = use.limit > 0 ? std::max<int64_t>(0, use.excess()) : 0;
  merits.interval = schedule.interval;
  merits.minibatches = schedule.graph.minibatches;
  merits.bytes = metrics(problem, schedule).communicationBytes;
  for (auto [layer, delay] : llvm::enumerate(schedule.delay))
    merits.staleness +=
        int64_t(delay) *
        (schedule.replicas.empty() ? 1 : schedule.replicas[layer]);
  return merits;
}

void ReplicatedPipeline::consider(Schedule schedule) {
  if (!best || meritsOf(schedule) < meritsOf(*best))
    best = std::move(schedule);
}

/// Where rounds of neighbouring stages do not line up, or the exchange takes
/// long, one more minibatch or update in flight can keep the planned interval.
void ReplicatedPipeline::consider(const ReplicationPlan &plan) {
  bool isShared = llvm::any_of(plan.stages, [](const ReplicatedStage &stage) {
    return stage.processors.size() > 1;
  });
  if (!isShared)
    return; // the straight pipeline
  std::vector<std::vector<int>> key;
  for (const ReplicatedStage &stage : plan.stages)
    key.insert(key.end(), {stage.layers, stage.processors});
  if (!known.insert(std::move(key)).second)
    return;
  for (Slack slack :
       {Slack{0, 0}, {0, 1}, {0, 1, true}, {1, 0}, {1, 1}, {1, 1, true}}) {
    if (best && deadline.isOver())
      return;
    std::optional<Schedule> found = scheduleOf(plan, slack);
    if (!found)
      continue;
    int64_t load = 0;
    std::vector<int64_t> loads(processors, 0);
    for (const Placement &place : found->tasks)
      load = std::max(load, loads[place.processor] += place.cycles);
    bool isTight = found->interval == load;
    consider(std::move(*found));
    if (isTight)
      return;
  }
}

/// Longer intervals for so many minibatches are not better than the best.
int64_t ReplicatedPipeline::limitFor(int minibatches) const {
  if (!best || meritsOf(*best).lack > 0)
    return std::numeric_limits<int64_t>::max();
  return static_cast<int64_t>(__int128(best->interval) * minibatches /
                              best->graph.minibatches) +
         1;
}

/// All processors always at work, within their memory.
bool ReplicatedPipeline::isBest() const {
  return best && meritsOf(*best).lack == 0 &&
         best->interval == bounds(problem, *best).resource;
}

/// The straight pipeline, and the plans of all models that are asked for. The
/// model's exchange over one link of each processor's is not the machine's,
/// where replicas have links to each other or share one: so with more and with
/// less bandwidth, too, unless levels are asked for.
std::optional<Schedule> ReplicatedPipeline::run() {
  best = bestPipeline(problem, deadline);
  using Form = SynchronizationForm;
  llvm::SmallVector<double, 4> scales = {1};
  bool isLimited = llvm::any_of(
      levels(), [](const BandwidthLevel &of) { return of.bytesPerCycle > 0; });
  if (isLimited && options.bandwidthLevels.empty())
    scales = {1, 4, 0.25, 0.0625};
  for (double scale : scales)
    for (Form form : {Form::Sum, Form::Max}) {
      if (options.synchronization && *options.synchronization != form)
        continue;
      for (bool borders : {false, true})
        if (!isBest() && !(best && deadline.isOver()))
          if (ReplicationPlan found = plan(model(form, borders, scale));
              !found.stages.empty())
            consider(found);
    }
  return std::move(best);
}

llvm::Expected<Schedule>
takt::runPipeDreamReplicated(const Problem &problem,
                             const ScheduleOptions &options) {
  int64_t used = 1;
  for (const BandwidthLevel &level : options.bandwidthLevels)
    used = std::min(used * level.count, problem.machine->processors() + 1);
  if (used > problem.machine->processors())
    return llvm::createStringError(
        "bandwidth levels have more processors than the machine's " +
        llvm::Twine(problem.machine->processors()));
  if (std::optional<Schedule> schedule =
          ReplicatedPipeline(problem, options).run())
    return std::move(*schedule);
  return runSequential(problem, options);
}
