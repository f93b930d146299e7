//===- Schedule.cpp - schedules, their figures, the registry --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Schedule.h"
#include "DelayStages.h"
#include "NetworkPipeline.h"
#include "ProcessorOrder.h"
#include "Schedulers.h"
#include "Trades.h"
#include "WeightVersions.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace takt;
using llvm::Error;
using llvm::Expected;

int takt::distance(const Schedule &schedule, const Value &value,
                   const Use &use) {
  if (!use.delayed || value.producer < 0)
    return use.distance;
  const TaskGraph &graph = schedule.graph;
  int layer = graph.tasks[value.producer].layer;
  bool leads =
      !schedule.lead.empty() && graph.tasks[use.task].kind != TaskKind::Forward;
  size_t index = &value - graph.values.data();
  return use.distance + schedule.delay[layer] -
         (leads ? schedule.lead[index] : 0);
}

std::optional<int64_t> takt::taskCycles(const CostModel &cost, const Task &task,
                                        const ProcessorClass &on) {
  if (task.cycles)
    return task.cycles;
  int64_t total = 0;
  for (const Work &work : task.work) {
    std::optional<Cost> term = cost.estimate(work, on);
    if (!term || llvm::AddOverflow(total, term->total(), total))
      return std::nullopt;
  }
  return total;
}

/// The least time in which one processor does everything, uncut and once.
static int64_t singleProcessorCycles(const Problem &problem) {
  std::optional<int64_t> best;
  for (const ProcessorClass &on : problem.machine->classes) {
    int64_t total = 0;
    for (Task task : problem.graph->tasks) {
      llvm::erase_if(task.work, [](const Work &w) { return w.recomputed; });
      total += taskCycles(*problem.cost, task, on).value_or(0);
    }
    best = best ? std::min(*best, total) : total;
  }
  return best.value_or(0);
}

int64_t takt::totalStaleness(const Schedule &schedule) {
  return std::accumulate(schedule.delay.begin(), schedule.delay.end(),
                         int64_t(0));
}

static double energyPicojoules(const Problem &problem,
                               const Schedule &schedule) {
  const EnergyTable &table = problem.machine->energy;
  double macs = 0, memoryBytes = 0, linkBytes = 0;
  for (const Task &task : schedule.graph.tasks)
    for (const Work &work : task.work) {
      macs += static_cast<double>(work.gemm.macs().value_or(0));
      memoryBytes += static_cast<double>(work.bytesIn) +
                     static_cast<double>(work.bytesOut);
    }
  for (const TransferPlacement &transfer : schedule.transfers)
    linkBytes +=
        static_cast<double>(schedule.graph.values[transfer.value].bytes) *
        static_cast<double>(
            problem.machine->route(transfer.from, transfer.to).size());
  double processorCycles = static_cast<double>(schedule.interval) *
                           static_cast<double>(problem.machine->processors());
  auto femtojoules = [](double count, int64_t each) {
    return count * static_cast<double>(each);
  };
  return (femtojoules(macs, table.mac) +
          femtojoules(memoryBytes, table.memoryByte) +
          femtojoules(linkBytes, table.linkByte) +
          femtojoules(processorCycles, table.processorCycle)) /
         1000;
}

Metrics takt::metrics(const Problem &problem, const Schedule &schedule) {
  Metrics metrics;
  metrics.singleProcessorCycles = singleProcessorCycles(problem);
  metrics.busyCycles.assign(problem.machine->processors(), 0);
  int64_t busy = 0;
  for (const Placement &placement : schedule.tasks) {
    metrics.busyCycles[placement.processor] += placement.cycles;
    busy += placement.cycles;
  }
  for (const TransferPlacement &transfer : schedule.transfers)
    metrics.communicationBytes += schedule.graph.values[transfer.value].bytes;
  int minibatches = schedule.graph.minibatches;
  metrics.energyPicojoules = energyPicojoules(problem, schedule) / minibatches;
  auto interval = static_cast<double>(std::max<int64_t>(1, schedule.interval)) /
                  minibatches;
  metrics.speedup =
      static_cast<double>(metrics.singleProcessorCycles) / interval;
  metrics.utilization =
      static_cast<double>(busy) / minibatches /
      (interval * static_cast<double>(problem.machine->processors()));
  metrics.communicationBytes =
      llvm::divideCeil(metrics.communicationBytes, minibatches);
  for (int64_t &cycles : metrics.busyCycles)
    cycles = llvm::divideCeil(cycles, minibatches);
  return metrics;
}

int64_t Bounds::best() const { return std::max({loop, resource, largestTask}); }

llvm::ArrayRef<SchedulerInfo> takt::schedulers() {
  static const SchedulerInfo all[] = {
      {"sequential", Semantics::Synchronous,
       "one processor, task after task: plain training", runSequential},
      {"list", Semantics::Synchronous,
       "one step at a time, the longest remaining path first (Graham 1969)",
       runList},
      {"pipedream", Semantics::Delayed,
       "straight 1F1B pipeline of layers (Narayanan et al., SOSP 2019)",
       runPipeDream},
      {"pipedream-replicated", Semantics::Delayed,
       "1F1B pipeline, stages replicated data-parallel by PipeDream's dynamic "
       "program (Narayanan et al., SOSP 2019)",
       runPipeDreamReplicated, /*takesMicrobatches=*/false,
       /*takesTolerance=*/false, WeightVersions::Stash, /*mayReplicate=*/true},
      {"pipedream-2bw", Semantics::Delayed,
       "1F1B without flush over the microbatches of steps, weights one update "
       "old (Narayanan et al., ICML 2021)",
       runPipeDream2bw, /*takesMicrobatches=*/true},
      {"layerpipe", Semantics::Delayed,
       "dgrad and wgrad apart, tasks in parts (LayerPipe, ICCAD 2021; delays "
       "as in LayerPipe2, 2025)",
       runLayerPipe, /*takesMicrobatches=*/false, /*takesTolerance=*/true},
      {"layerpipe2", Semantics::Delayed,
       "layerpipe with a moving average in place of kept weights (LayerPipe2, "
       "2025)",
       runLayerPipe, /*takesMicrobatches=*/false, /*takesTolerance=*/true,
       WeightVersions::Average},
      {"layerpipe-replicated", Semantics::Delayed,
       "the best of layerpipe and of pipedream-replicated's plans",
       runLayerPipeReplicated, /*takesMicrobatches=*/false,
       /*takesTolerance=*/true, WeightVersions::Stash, /*mayReplicate=*/true},
      {"modulo", Semantics::Delayed,
       "iterative modulo scheduling of the cyclic task graph (Rau 1994)",
       runModulo},
      {"ilp", Semantics::Delayed,
       "least interval, proved if time allows (branch and bound; integer "
       "program: Altman et al. 1995)",
       runExact},
      {"auto", std::nullopt, "the best of all that fit, as --semantics allows",
       runAuto,
       /*takesMicrobatches=*/true},
  };
  return all;
}

static Error unknownSchedule(llvm::StringRef name) {
  std::vector<llvm::StringRef> names;
  for (const SchedulerInfo &info : schedulers())
    names.push_back(info.name);
  for (const PipelineScheduler &info : pipelineSchedulers())
    if (!llvm::is_contained(names, info.name))
      names.push_back(info.name);
  return llvm::createStringError("unknown schedule '" + name +
                                 "', expected one of " +
                                 llvm::join(names, ", "));
}

/// The registry's scheduler of that name.
template <typename Info>
static const Info *findNamed(llvm::ArrayRef<Info> all, llvm::StringRef name) {
  auto found =
      llvm::find_if(all, [&](const Info &info) { return info.name == name; });
  return found == all.end() ? nullptr : &*found;
}

/// Runs the scheduler of that name: one of this registry, or a pipeline.
static Expected<Schedule> runScheduler(llvm::StringRef name,
                                       const Problem &problem,
                                       const ScheduleOptions &options) {
  const PipelineScheduler *pipeline = findNamed(pipelineSchedulers(), name);
  const SchedulerInfo *info = findNamed(schedulers(), name);
  if (!pipeline && !info)
    return unknownSchedule(name);
  bool divided = problem.graph->isDivided();
  // What both registries have is of a step in microbatches as a rule.
  bool asPipeline = options.semantics
                        ? *options.semantics == Semantics::Synchronous
                        : divided;
  if (pipeline && (!info || (info->semantics && asPipeline)))
    return runNetworkPipeline(*pipeline, problem, options);
  if (divided && info->semantics == Semantics::Delayed &&
      !info->takesMicrobatches)
    return llvm::createStringError(
        "schedule '" + name +
        "' delays the gradients of whole minibatches, found microbatches; "
        "'zb-h1' is one that takes them");
  if (info->mayReplicate &&
      options.weights.value_or(WeightVersions::Stash) != WeightVersions::Stash)
    return llvm::createStringError("schedule '" + name +
                                   "' is one with stashed weights only");
  if (info->mayReplicate && areUpdatesCoupled(*problem.graph))
    return llvm::createStringError(
        "schedule '" + name +
        "' updates each layer after minibatches of its own, found gradients "
        "that are clipped together; 'pipedream-2bw' is one that takes them");
  ScheduleOptions own = options;
  own.weights = options.weights.value_or(info->weights);
  Expected<Schedule> result = info->run(problem, own);
  if (!result)
    return result;
  if (info->semantics)
    result->semantics = *info->semantics;
  result->weights = result->semantics == Semantics::Delayed
                        ? *own.weights
                        : WeightVersions::Stash;
  if (result->weights != WeightVersions::Stash)
    readCurrentWeights(*result);
  return result;
}

/// The graph without the cuts that are not allowed.
static TaskGraph restrictCuts(TaskGraph graph, AllowedCuts allowed) {
  for (Task &task : graph.tasks)
    llvm::erase_if(task.cuts, [&](const CutOption &cut) {
      switch (allowed) {
      case AllowedCuts::All:
        return false;
      case AllowedCuts::None:
        return true;
      case AllowedCuts::Dgrads:
        return task.kind != TaskKind::Dgrad;
      case AllowedCuts::Samples:
        return cut.axis != sampleAxis(task.kind);
      }
      return false;
    });
  return graph;
}

/// Without a stash all tasks that read a weight forwards read the same version,
/// of which the more copies are kept the more tasks there are: then LayerPipe's
/// own cuts only.
static AllowedCuts allowedCuts(llvm::StringRef name,
                               const ScheduleOptions &options) {
  const SchedulerInfo *info = findNamed(schedulers(), name);
  WeightVersions weights =
      options.weights.value_or(info ? info->weights : WeightVersions::Stash);
  return options.cuts == AllowedCuts::All && weights != WeightVersions::Stash
             ? AllowedCuts::Dgrads
             : options.cuts;
}

/// The same on a machine whose processors are numbered along the links, which
/// is the order in which schedulers lay out stages.
static Expected<Schedule> runAlongLinks(llvm::StringRef name,
                                        const Problem &problem,
                                        const ScheduleOptions &options) {
  std::vector<int> order = processorOrder(problem);
  Machine machine = problem.machine->renumbered(order);
  Problem renumbered = problem;
  renumbered.machine = &machine;
  TaskGraph graph;
  AllowedCuts cuts = allowedCuts(name, options);
  if (cuts != AllowedCuts::All) {
    graph = restrictCuts(*problem.graph, cuts);
    renumbered.graph = &graph;
  }
  Expected<Schedule> result = runScheduler(name, renumbered, options);
  if (!result)
    return result;
  // bounds() knows of the cuts that are legal, not of those that are allowed.
  if (cuts != AllowedCuts::All && result->lowerBound == 0 &&
      result->semantics == Semantics::Delayed)
    result->lowerBound = leastBound(renumbered, options.stages);
  renameProcessors(order, *result);
  return result;
}

int64_t takt::leastBound(const Problem &problem, int stages) {
  Schedule schedule;
  std::optional<int64_t> least;
  for (std::vector<int> &delay : largestDelays(*problem.graph, stages)) {
    schedule.delay = std::move(delay);
    int64_t its = bounds(problem, schedule).best();
    least = std::min(least.value_or(its), its);
  }
  return std::max<int64_t>(1, *least);
}

Expected<Schedule> takt::schedule(llvm::StringRef name, const Problem &problem,
                                  const ScheduleOptions &options) {
  if (Error error = check(problem))
    return error;
  if (!options.objective.empty())
    return scheduleByObjective(name, problem, options);
  Expected<Schedule> result = runAlongLinks(name, problem, options);
  if (!result)
    return result.takeError();
  result->scheduler = name.str();
  if (Error error = verify(problem, *result))
    return error;
  int64_t bound = result->lowerBound > 0 ? result->lowerBound
                                         : bounds(problem, *result).best();
  result->status =
      result->interval <= bound ? SolveStatus::Optimal : SolveStatus::Feasible;
  return result;
}
