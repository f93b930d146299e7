//===- Retiming.cpp - stages, registers and delays ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Retiming.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::Twine;

std::optional<std::vector<int64_t>>
takt::solveDifferences(int variables,
                       llvm::ArrayRef<DifferenceConstraint> constraints) {
  std::vector<DifferenceConstraint> sorted(constraints);
  llvm::sort(sorted, [](const auto &a, const auto &b) {
    return std::tie(a.from, a.to, a.least) < std::tie(b.from, b.to, b.least);
  });
  std::vector<int64_t> solution(variables, 0);
  // A path of least values visits each variable once: more rounds mean a cycle.
  for (int round = 0; round <= variables; ++round) {
    bool changed = false;
    for (const DifferenceConstraint &c : sorted)
      if (solution[c.from] + c.least > solution[c.to]) {
        solution[c.to] = solution[c.from] + c.least;
        changed = true;
      }
    if (!changed)
      return solution;
  }
  return std::nullopt;
}

//===----------------------------------------------------------------------===//
// From stages to registers
//===----------------------------------------------------------------------===//

int takt::registersBefore(const TaskGraph &graph, llvm::ArrayRef<int> delay,
                          const Value &value, const Use &use) {
  bool isWgradToUpdate =
      value.kind == ValueClass::WeightGradient && value.producer >= 0 &&
      graph.tasks[use.task].kind == TaskKind::Update && use.distance == 0;
  return use.distance +
         (isWgradToUpdate ? delay[graph.tasks[use.task].layer] : 0);
}

/// Stage borders that a dependence of distance 0 crosses in its direction;
/// nullopt from forward to backward tasks, which turn round.
static std::optional<int> crossedBorders(const Task &from, const Task &to,
                                         llvm::ArrayRef<int> stage) {
  bool fromForward = from.kind == TaskKind::Forward;
  if (fromForward != (to.kind == TaskKind::Forward))
    return std::nullopt;
  int borders = stage[to.layer] - stage[from.layer];
  return fromForward ? borders : -borders;
}

static Error checkStages(const TaskGraph &graph, llvm::ArrayRef<int> stage,
                         int stages) {
  if (stage.size() != graph.layers.size())
    return createStringError("stages of " + Twine(stage.size()) + " of " +
                             Twine(graph.layers.size()) + " layers");
  for (int s = 0; s < stages; ++s)
    if (!llvm::is_contained(stage, s))
      return createStringError("no layer is in stage " + Twine(s) + " of " +
                               Twine(stages));
  for (const Value &value : graph.values)
    for (const Use &use : value.uses) {
      if (value.producer < 0 || use.distance > 0)
        continue;
      const Task &from = graph.tasks[value.producer];
      const Task &to = graph.tasks[use.task];
      if (std::optional<int> borders = crossedBorders(from, to, stage);
          borders && *borders < 0)
        return createStringError("'" + from.name + "' is in stage " +
                                 Twine(stage[from.layer]) + " and '" + to.name +
                                 "', which needs its value '" + value.name +
                                 "', in stage " + Twine(stage[to.layer]) +
                                 ": stages are not bordered by cutsets");
    }
  return Error::success();
}

/// Constraints on r: a task is no earlier than its stage's turn, and a
/// dependence takes a register at each border that it crosses.
static std::vector<DifferenceConstraint>
stageConstraints(const TaskGraph &graph, llvm::ArrayRef<int> stage,
                 int stages) {
  // Variable 0 is the start, variable t + 1 task t.
  std::vector<DifferenceConstraint> constraints;
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    bool early =
        task.kind == TaskKind::Forward || task.kind == TaskKind::Update;
    int turn = early ? stage[task.layer] : 2 * stages - 2 - stage[task.layer];
    constraints.push_back({0, static_cast<int>(index) + 1, turn});
  }
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    const Task &from = graph.tasks[value.producer];
    for (const Use &use : value.uses) {
      const Task &to = graph.tasks[use.task];
      if (use.distance > 0 || to.kind == TaskKind::Update)
        continue;
      int borders = crossedBorders(from, to, stage).value_or(0);
      constraints.push_back({value.producer + 1, use.task + 1, borders});
    }
  }
  return constraints;
}

/// The registers that W -> U lacks. A layer that nothing updates has the delay
/// of its stage.
static std::vector<int> leastDelays(const TaskGraph &graph,
                                    const Retiming &retiming) {
  std::vector<std::optional<int>> needed(graph.layers.size());
  for (const Value &value : graph.values)
    for (const Use &use : value.uses) {
      const Task &user = graph.tasks[use.task];
      if (value.producer < 0 || user.kind != TaskKind::Update ||
          use.distance > 0)
        continue;
      std::optional<int> &delay = needed[user.layer];
      delay = std::max(delay.value_or(0),
                       retiming.lag[value.producer] - retiming.lag[use.task]);
    }
  std::vector<int> delay;
  for (auto [layer, d] : llvm::enumerate(needed))
    delay.push_back(d.value_or(2 * retiming.behind(static_cast<int>(layer))));
  return delay;
}

Expected<Retiming> takt::retimeStages(const TaskGraph &graph,
                                      llvm::ArrayRef<int> stage) {
  Retiming result;
  result.stages =
      stage.empty() ? 1 : std::max(1, *llvm::max_element(stage) + 1);
  if (Error error = checkStages(graph, stage, result.stages))
    return error;
  result.stage.assign(stage.begin(), stage.end());
  auto solution =
      solveDifferences(static_cast<int>(graph.tasks.size()) + 1,
                       stageConstraints(graph, stage, result.stages));
  if (!solution)
    return createStringError("the dependences of '" + graph.name +
                             "' have a cycle within an iteration");
  for (int64_t r : llvm::drop_begin(*solution))
    result.lag.push_back(static_cast<int>(r));
  result.delay = leastDelays(graph, result);
  for (const Value &value : graph.values) {
    auto &distances = result.distance.emplace_back();
    for (const Use &use : value.uses) {
      int moved = value.producer < 0
                      ? 0
                      : result.lag[use.task] - result.lag[value.producer];
      distances.push_back(registersBefore(graph, result.delay, value, use) +
                          moved);
    }
  }
  if (Error error = checkRetiming(graph, result))
    return error;
  return result;
}

//===----------------------------------------------------------------------===//
// Check
//===----------------------------------------------------------------------===//

namespace {
struct Edge {
  int from, to;
  int before, after;
};
} // namespace

static std::vector<Edge> collectEdges(const TaskGraph &graph,
                                      const Retiming &retiming) {
  std::vector<Edge> edges;
  for (auto [value, distances] :
       llvm::zip_equal(graph.values, retiming.distance)) {
    if (value.producer < 0)
      continue;
    for (auto [use, after] : llvm::zip_equal(value.uses, distances))
      edges.push_back({value.producer, use.task,
                       registersBefore(graph, retiming.delay, value, use),
                       after});
  }
  return edges;
}

/// All loops keep their registers if and only if the changes of the edges are
/// differences of some potential of the tasks: a walk that finds one from the
/// changes alone.
static Error checkLoops(const TaskGraph &graph,
                        const std::vector<Edge> &edges) {
  std::vector<std::vector<std::pair<int, int>>> neighbours(graph.tasks.size());
  for (const Edge &edge : edges) {
    neighbours[edge.from].push_back({edge.to, edge.after - edge.before});
    neighbours[edge.to].push_back({edge.from, edge.before - edge.after});
  }
  std::vector<std::optional<int>> potential(graph.tasks.size());
  for (size_t root = 0; root < potential.size(); ++root) {
    if (potential[root])
      continue;
    potential[root] = 0;
    std::vector<int> open = {static_cast<int>(root)};
    while (!open.empty()) {
      int task = open.back();
      open.pop_back();
      for (auto [other, change] : neighbours[task])
        if (!potential[other]) {
          potential[other] = *potential[task] + change;
          open.push_back(other);
        }
    }
  }
  for (const Edge &edge : edges)
    if (*potential[edge.to] - *potential[edge.from] != edge.after - edge.before)
      return createStringError(
          "a loop over '" + graph.tasks[edge.from].name + "' -> '" +
          graph.tasks[edge.to].name + "' has not kept its registers: " +
          Twine(edge.after) + " after " + Twine(edge.before));
  return Error::success();
}

/// Kahn's algorithm on the edges without registers.
static Error checkAcyclic(const TaskGraph &graph,
                          const std::vector<Edge> &edges) {
  std::vector<std::vector<int>> after(graph.tasks.size());
  std::vector<int> waiting(graph.tasks.size(), 0);
  for (const Edge &edge : edges)
    if (edge.after == 0) {
      after[edge.from].push_back(edge.to);
      ++waiting[edge.to];
    }
  std::vector<int> ready;
  for (auto [task, count] : llvm::enumerate(waiting))
    if (count == 0)
      ready.push_back(static_cast<int>(task));
  for (size_t next = 0; next < ready.size(); ++next)
    for (int task : after[ready[next]])
      if (--waiting[task] == 0)
        ready.push_back(task);
  if (ready.size() == graph.tasks.size())
    return Error::success();
  auto stuck = llvm::find_if(waiting, [](int count) { return count > 0; });
  return createStringError("the retimed edges without registers have a cycle "
                           "over '" +
                           graph.tasks[stuck - waiting.begin()].name + "'");
}

Error takt::checkRetiming(const TaskGraph &graph, const Retiming &retiming) {
  std::vector<Edge> edges = collectEdges(graph, retiming);
  for (const Edge &edge : edges)
    if (edge.after < 0)
      return createStringError(
          "the retimed distance of '" + graph.tasks[edge.from].name + "' -> '" +
          graph.tasks[edge.to].name + "' is " + Twine(edge.after));
  if (Error error = checkLoops(graph, edges))
    return error;
  return checkAcyclic(graph, edges);
}

//===----------------------------------------------------------------------===//
// Stashes
//===----------------------------------------------------------------------===//

static int deepest(const TaskGraph &graph, const Retiming &retiming, int layer,
                   TaskKind producer, ValueClass kind) {
  int depth = 0;
  for (auto [value, distances] :
       llvm::zip_equal(graph.values, retiming.distance))
    if (value.kind == kind && value.producer >= 0 &&
        graph.tasks[value.producer].layer == layer &&
        graph.tasks[value.producer].kind == producer)
      for (int distance : distances)
        depth = std::max(depth, distance);
  return depth;
}

int takt::activationStash(const TaskGraph &graph, const Retiming &retiming,
                          int layer) {
  return deepest(graph, retiming, layer, TaskKind::Forward,
                 ValueClass::Activation);
}

int takt::weightStash(const TaskGraph &graph, const Retiming &retiming,
                      int layer) {
  return deepest(graph, retiming, layer, TaskKind::Update, ValueClass::Weight);
}
