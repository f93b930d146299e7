//===- Schedule.h - a scheduling problem and its solution -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_SCHEDULE_H
#define TAKT_SCHEDULING_SCHEDULE_H

#include "takt/Machine/Machine.h"
#include "takt/Scheduling/TaskGraph.h"
#include <functional>
#include <optional>

namespace takt {

enum class Semantics : uint8_t { Synchronous, Delayed };
/// Optimal: the interval is the best of the schedule's bounds().
enum class SolveStatus : uint8_t { Optimal, Feasible };

/// Which weights a dgrad reads in a delayed schedule.
enum class WeightVersions : uint8_t {
  Stash,  ///< those of its minibatch's forward task; all versions are kept
  Latest, ///< the newest, as its minibatch's forward task read its own newest
  /// The newest, and from them and a moving average of their steps an estimate
  /// of those that its minibatch's forward task read.
  Average
};

/// "stash", "latest" or "average".
inline llvm::StringRef keyword(WeightVersions weights) {
  constexpr llvm::StringLiteral names[] = {"stash", "latest", "average"};
  return names[static_cast<size_t>(weights)];
}

/// What a scheduler is asked.
struct Problem {
  const TaskGraph *graph = nullptr;
  const Machine *machine = nullptr;
  const CostModel *cost = nullptr;
};

/// By what schedules are compared; smaller is better. Objective.h has them.
enum class Criterion { Interval, Memory, Traffic, Staleness, Energy };

/// A term of a lexicographic objective.
struct ObjectiveTerm {
  Criterion criterion;
  /// By how much the figure may exceed the least one for the sake of the terms
  /// that follow, in thousandths.
  int tolerance = 0;
};
using Objective = std::vector<ObjectiveTerm>;

/// How a plan adds the time in which replicas exchange gradients to that in
/// which they compute: one after the other (PipeDream's optimizer, 2019), or at
/// the same time (PipeDream's first paper, 2018).
enum class SynchronizationForm : uint8_t { Sum, Max };

/// Groups of `count` units with that bandwidth between two of them; the units
/// are processors, or the groups of the level below. 0: unlimited.
struct BandwidthLevel {
  int64_t count = 1;
  double bytesPerCycle = 0;
};

/// Which tasks may be cut: all along any legal axis, none, dgrads only (as
/// LayerPipe has it), or all by samples only.
enum class AllowedCuts : uint8_t { All, None, Dgrads, Samples };

struct ScheduleOptions {
  /// Number of delay stages; 0: the scheduler chooses.
  int stages = 0;
  /// By how much the interval may exceed the least one for less traffic, in
  /// thousandths.
  int intervalTolerance = 0;
  AllowedCuts cuts = AllowedCuts::All;
  /// Absent: the scheduler's own way.
  std::optional<WeightVersions> weights;
  /// Searches end then, with the best that they have found. Without it their
  /// effort is fixed, and results do not depend on the clock.
  std::optional<double> timeLimitSeconds;
  uint64_t seed = 0;
  /// Of schedulers that know both, `ilp` and `auto`; absent: either.
  std::optional<Semantics> semantics;
  /// Called by the schedulers that search for long, after each improvement of
  /// the best interval or of the bound below which there is none.
  std::function<void(int64_t best, int64_t bound)> onProgress;
  /// If not empty, schedule() asks the scheduler for several trades and returns
  /// the one that is best by this; intervalTolerance is then not used.
  Objective objective;
  /// What `pipedream-replicated` plans with. Without a form, both; without
  /// levels, the machine's interconnect.
  std::optional<SynchronizationForm> synchronization;
  std::vector<BandwidthLevel> bandwidthLevels; ///< innermost first
};

struct Placement {
  int processor = 0;
  int64_t start = 0;  ///< of minibatch 0, in cycles, >= 0
  int64_t cycles = 0; ///< on that processor
};

/// One value carried to one other processor, once per minibatch.
struct TransferPlacement {
  int value;
  int from, to;
  int64_t start = 0;  ///< of the producer's minibatch 0
  int64_t cycles = 0; ///< on the link; arrival is start + cycles + latency
  int64_t latency = 0;
};

/// A periodic schedule: minibatch i starts each task at start + i * interval.
struct Schedule {
  std::string scheduler;
  Semantics semantics = Semantics::Delayed;
  SolveStatus status = SolveStatus::Feasible;
  int64_t interval = 0;
  /// Whatever the delays, no schedule that the scheduler considers has a
  /// shorter interval; 0: it does not say, and bounds() holds for these delays.
  int64_t lowerBound = 0;
  /// What was cut, and the resulting graph; tasks below are indices into it.
  std::vector<Cut> cuts;
  TaskGraph graph;
  std::vector<Placement> tasks;
  std::vector<TransferPlacement> transfers;
  /// Per layer: pipeline stage (0-based, non-decreasing along the graph) and
  /// delay in updates.
  std::vector<int> stage;
  std::vector<int> delay;
  int stages = 1;
  WeightVersions weights = WeightVersions::Stash;
  /// Per value of the graph, or empty where all are 0: by how many updates the
  /// version of a weight that dgrads read is newer than the one that forward
  /// tasks read.
  std::vector<int> lead;
  /// Per layer: processors that take its minibatches in turn (Replication.h);
  /// empty: one each. With more, `graph` is of graph.minibatches minibatches,
  /// `interval` is for all of them, and delays are in the layer's own updates,
  /// one for as many minibatches as it has replicas.
  std::vector<int> replicas;
};

/// Periods that no schedule of the problem can beat, in cycles.
struct Bounds {
  int64_t loop = 0;        ///< max over cycles of time / distance, given delays
  int64_t resource = 0;    ///< work / processors
  int64_t largestTask = 0; ///< largest task that cannot be cut
  int64_t best() const;
};

/// Distance of a use of a value of the schedule's graph, under its delays and
/// leads.
int distance(const Schedule &schedule, const Value &value, const Use &use);

/// Fails if the problem itself makes no sense (graph.check(), no processor, a
/// cost model without an answer, memory below the weights of the largest task).
llvm::Error check(const Problem &problem);

/// Independent check of every rule; shares no code with any scheduler. Rules,
/// each its own function, each message with both sides, their times, distance
/// and interval: the graph is the cut of the problem's; all tasks exactly once;
/// cycles as the cost model says; precedence with distances, transfers between
/// different processors; exclusive processors and links modulo the interval;
/// loop bodies in an order that cannot wait for itself; colocation; stages are
/// cutsets and the delays theirs (0, 1, S or 2S everywhere, S the number of
/// stages behind a layer's; without stash at most 2S, or 1; the same in a stage
/// with replicas), the leads at most 1 more than the delays, and 0 with stash;
/// replicas are processors of their own; memory suffices.
llvm::Error verify(const Problem &problem, const Schedule &schedule);

/// The bounds of the problem under the schedule's delays and replicas.
Bounds bounds(const Problem &problem, const Schedule &schedule);

/// Cycles of a task on a processor: the sum over its work. nullopt if the cost
/// model has no answer.
std::optional<int64_t> taskCycles(const CostModel &cost, const Task &task,
                                  const ProcessorClass &on);

/// The tasks of each processor's loop body in the order in which it issues
/// them: by start modulo interval; among tasks of one instant those without
/// duration first, and along their dependences. Programs must keep this order:
/// then no processor waits for something that it has yet to issue.
std::vector<std::vector<int>> loopBodies(const Machine &machine,
                                         const Schedule &schedule);

/// Bytes that each processor holds at the least: of every value that lives
/// there its size times the number of instances alive at once, and parameters
/// that are no values.
std::vector<int64_t> peakMemory(const Problem &problem,
                                const Schedule &schedule);

/// The schedule's delays in updates, summed over the layers.
int64_t totalStaleness(const Schedule &schedule);

/// Figures of a schedule for reports.
struct Metrics {
  int64_t singleProcessorCycles = 0;
  int64_t communicationBytes =
      0; ///< per minibatch, each (value, destination) once
  std::vector<int64_t> busyCycles; ///< per minibatch
  double speedup = 0, utilization = 0;
  /// Of one minibatch, by the machine's energy table: multiply-accumulates,
  /// bytes that tasks read and write, bytes over each link, and what every
  /// processor takes in each cycle of the interval, busy or not.
  double energyPicojoules = 0;
};
Metrics metrics(const Problem &problem, const Schedule &schedule);

/// A scheduler of the registry.
struct SchedulerInfo {
  llvm::StringRef name;
  std::optional<Semantics> semantics; ///< absent: each schedule says
  llvm::StringRef summary;            ///< one line with its source
  llvm::Expected<Schedule> (*run)(const Problem &, const ScheduleOptions &);
  /// Of delayed ones: whether a step may be divided into microbatches.
  bool takesMicrobatches = false;
  /// Whether intervalTolerance changes its schedules.
  bool takesTolerance = false;
  WeightVersions weights = WeightVersions::Stash;
  /// Whether layers may get replicas, with fewer updates of larger batches.
  /// `ilp` and `auto` do not ask it.
  bool mayReplicate = false;
};

/// All schedulers, in the order in which --list-schedules shows them.
llvm::ArrayRef<SchedulerInfo> schedulers();

/// Below it is no schedule of a task graph, whatever its delays: the best of
/// bounds() under the largest ones, or with `stages` > 0 under those of so
/// many.
int64_t leastBound(const Problem &problem, int stages = 0);

/// The one way to a schedule: check, run the scheduler of that name (of this
/// registry or of Pipeline.h's), verify. Fails if any of the three does, or no
/// scheduler has that name. Of the names that both registries have, `ilp` and
/// `auto`, this one's is run, but for `ilp` of a step in microbatches, or with
/// synchronous semantics. Optimal is what equals its lowerBound, or the best of
/// bounds() where the scheduler does not say.
llvm::Expected<Schedule> schedule(llvm::StringRef name, const Problem &problem,
                                  const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_SCHEDULING_SCHEDULE_H
