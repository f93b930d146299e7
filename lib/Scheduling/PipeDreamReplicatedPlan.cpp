//===- PipeDreamReplicatedPlan.cpp - stages and their replicas ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// As optimizer_graph_hierarchical.py of github.com/msr-fiddle/pipedream states
// it, but for two things: a stage's exchange of gradients is divided by the
// processors of a unit wherever the stage is, not only where it is alone; and
// fewer units than there are may always be used.
//
//===----------------------------------------------------------------------===//

#include "PipeDreamReplicatedPlan.h"
#include "DownSets.h"
#include "LayerGraph.h"
#include "llvm/ADT/BitVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <limits>

using namespace takt;

namespace {
class Planner {
public:
  Planner(const Problem &problem, const ReplicationModel &model,
          size_t maxDownSets)
      : graph(*problem.graph), model(model) {
    collectCuts(problem, collectDownSets(problem, maxDownSets), maxDownSets);
    collectInner();
  }

  ReplicationPlan run();

private:
  static constexpr double kNever = std::numeric_limits<double>::infinity();

  /// A down-set, and the sums over its layers.
  struct Cut {
    llvm::BitVector inside;
    double cycles = 0, gradients = 0; ///< bytes
    double crossing = 0;              ///< bytes over its border
  };
  /// How the last stage of a plan came about.
  struct Choice {
    int from = -1;    ///< cut before it
    int replicas = 0; ///< units that share it
    int before = 0;   ///< units of the stages before it
  };
  struct Level {
    int units;
    double bandwidth;
    int64_t unitSize; ///< processors
    /// Of [from][to][units - 1], for the cuts that plans begin at.
    std::vector<std::vector<Choice>> choices;
  };

  void collectCuts(const Problem &problem, const DownSets &sets, size_t most);
  void collectInner();
  void solveLevel(Level &level, bool isLast);
  std::vector<double> solveFrom(Level &level, int from);
  void times(const Level &level, int from, int to,
             std::vector<double> &result) const;
  std::vector<ReplicatedStage> stages(int level, int from, int to) const;
  void replicateStages(int level, int from, int to, const Choice &choice,
                       std::vector<ReplicatedStage> &result) const;

  int count() const { return static_cast<int>(cuts.size()); }
  bool isBelow(int from, int to) const {
    return from < to && !cuts[from].inside.test(cuts[to].inside);
  }
  double &inner(int from, int to) {
    return innerTimes[size_t(from) * cuts.size() + to];
  }
  double inner(int from, int to) const {
    return innerTimes[size_t(from) * cuts.size() + to];
  }

  const TaskGraph &graph;
  const ReplicationModel &model;
  std::vector<Cut> cuts;
  /// a of the level below, by two cuts; kNever where one is not in the other.
  std::vector<double> innerTimes;
  std::vector<Level> levels;
};
} // namespace

void Planner::collectCuts(const Problem &problem, const DownSets &sets,
                          size_t most) {
  std::vector<double> cycles(graph.layers.size(), 0),
      gradients(graph.layers.size(), 0);
  for (const auto &row : layerCycles(problem))
    for (auto [slowest, of] : llvm::zip_equal(cycles, row))
      slowest = std::max(slowest, static_cast<double>(of));
  for (const Value &value : graph.values)
    if (value.producer >= 0 &&
        graph.tasks[value.producer].kind == TaskKind::Wgrad &&
        llvm::any_of(value.uses, [&](const Use &use) {
          return graph.tasks[use.task].kind == TaskKind::Update;
        }))
      gradients[graph.tasks[value.producer].layer] +=
          static_cast<double>(value.bytes);
  std::vector<Cut> all(sets.size());
  all[0].inside.resize(graph.layers.size());
  for (size_t set = 0; set < sets.size(); ++set) {
    all[set].crossing = static_cast<double>(sets.crossing[set].bytes);
    for (auto [layer, to] : sets.steps[set]) {
      all[to].inside = all[set].inside;
      all[to].inside.set(layer);
      all[to].cycles = all[set].cycles + cycles[layer];
      all[to].gradients = all[set].gradients + gradients[layer];
    }
  }
  if (all.size() <= most) {
    cuts = std::move(all);
    return;
  }
  // Of too many prefixes those that divide the work evenly.
  double step = all.back().cycles / static_cast<double>(most);
  for (auto [index, cut] : llvm::enumerate(all)) {
    bool isEnd = index == 0 || index + 1 == all.size();
    if (isEnd || cut.cycles >= cuts.back().cycles + step)
      cuts.push_back(std::move(cut));
  }
}

void Planner::collectInner() {
  innerTimes.assign(cuts.size() * cuts.size(), kNever);
  for (int to = 0; to < count(); ++to)
    for (int from = 0; from < to; ++from)
      if (isBelow(from, to))
        inner(from, to) = cuts[to].cycles - cuts[from].cycles;
}

/// Of a stage with 1, 2, … replicas.
void Planner::times(const Level &level, int from, int to,
                    std::vector<double> &result) const {
  double compute = inner(from, to);
  double gradients = cuts[to].gradients - cuts[from].gradients;
  double border = std::max(cuts[from].crossing, cuts[to].crossing);
  auto size = static_cast<double>(level.unitSize);
  for (int m = 1; m <= level.units; ++m) {
    bool isAllowed =
        static_cast<size_t>(m) <= model.allowed.size() && model.allowed[m - 1];
    double exchange = 0, cross = 0;
    if (level.bandwidth > 0) {
      exchange = 4 * (m - 1) * gradients / (m * level.bandwidth * size);
      cross = model.borders ? border / (m * level.bandwidth) : 0;
    }
    double both = model.form == SynchronizationForm::Sum
                      ? compute + exchange
                      : std::max(compute, exchange);
    result[m - 1] = isAllowed ? std::max(both / m, cross) : kNever;
  }
}

/// A(from, to, units) of all cuts `to`, for all units of the level.
std::vector<double> Planner::solveFrom(Level &level, int from) {
  int units = level.units;
  std::vector<double> best(cuts.size() * units, kNever);
  std::vector<Choice> &choices = level.choices[from];
  choices.resize(cuts.size() * units);
  std::vector<double> time(units);
  for (int to = from + 1; to < count(); ++to) {
    if (inner(from, to) == kNever)
      continue;
    double *row = &best[size_t(to) * units];
    Choice *chosen = &choices[size_t(to) * units];
    auto consider = [&](int all, double value, const Choice &choice) {
      if (value < row[all - 1]) {
        row[all - 1] = value;
        chosen[all - 1] = choice;
      }
    };
    times(level, from, to, time);
    for (int m = 1; m <= units; ++m)
      consider(m, time[m - 1], {from, m, 0});
    for (int via = from + 1; via < to; ++via) {
      if (inner(from, via) == kNever || inner(via, to) == kNever)
        continue;
      times(level, via, to, time);
      const double *before = &best[size_t(via) * units];
      for (int all = 2; all <= units; ++all)
        for (int m = 1; m < all; ++m)
          consider(all, std::max(before[all - m - 1], time[m - 1]),
                   {via, m, all - m});
    }
    for (int all = 2; all <= units; ++all)
      consider(all, row[all - 2], chosen[all - 2]);
  }
  return best;
}

void Planner::solveLevel(Level &level, bool isLast) {
  level.choices.resize(cuts.size());
  std::vector<double> outer(innerTimes.size(), kNever);
  for (int from : llvm::seq(isLast ? 1 : count())) {
    std::vector<double> best = solveFrom(level, from);
    for (int to = from + 1; to < count(); ++to)
      outer[size_t(from) * cuts.size() + to] =
          best[size_t(to) * level.units + level.units - 1];
  }
  innerTimes = std::move(outer);
}

/// Adds the stages of one entry of a level: those of the level below, each
/// shared by `choice.replicas` units. Replica r is in unit r mod replicas.
void Planner::replicateStages(int level, int from, int to, const Choice &choice,
                              std::vector<ReplicatedStage> &result) const {
  std::vector<ReplicatedStage> within;
  if (level > 0) {
    within = stages(level - 1, from, to);
  } else {
    llvm::BitVector inside = cuts[to].inside;
    inside.reset(cuts[from].inside);
    within.resize(1);
    for (unsigned layer : inside.set_bits())
      within[0].layers.push_back(static_cast<int>(layer));
    within[0].processors = {0};
  }
  auto size = static_cast<int>(levels[level].unitSize);
  for (ReplicatedStage &stage : within) {
    std::vector<int> processors;
    for (int inner : stage.processors)
      for (int unit = 0; unit < choice.replicas; ++unit)
        processors.push_back((choice.before + unit) * size + inner);
    stage.processors = std::move(processors);
    result.push_back(std::move(stage));
  }
}

/// Between two cuts, on all units of a level.
std::vector<ReplicatedStage> Planner::stages(int level, int from,
                                             int to) const {
  const Level &of = levels[level];
  std::vector<std::pair<int, Choice>> chain; // end of each, from the last on
  int units = of.units;
  for (int end = to; end != from;) {
    const Choice &choice = of.choices[from][size_t(end) * of.units + units - 1];
    chain.push_back({end, choice});
    end = choice.from;
    units = choice.before;
  }
  std::vector<ReplicatedStage> result;
  for (const auto &[end, choice] : llvm::reverse(chain))
    replicateStages(level, choice.from, end, choice, result);
  return result;
}

ReplicationPlan Planner::run() {
  int64_t size = 1;
  for (auto [index, of] : llvm::enumerate(model.levels)) {
    levels.push_back({static_cast<int>(of.count), of.bytesPerCycle, size, {}});
    size *= of.count;
    solveLevel(levels.back(), index + 1 == model.levels.size());
  }
  ReplicationPlan plan;
  plan.time = inner(0, count() - 1);
  if (plan.time < kNever)
    plan.stages = stages(static_cast<int>(levels.size()) - 1, 0, count() - 1);
  return plan;
}

ReplicationPlan takt::planReplication(const Problem &problem,
                                      const ReplicationModel &model,
                                      size_t maxDownSets) {
  return Planner(problem, model, maxDownSets).run();
}
