//===- Bounds.cpp - periods that no schedule can beat ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cuts.h"
#include "takt/Scheduling/Schedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <map>
#include <tuple>

using namespace takt;

static int64_t ceilDiv(int64_t a, int64_t b) { return a / b + (a % b != 0); }

//===----------------------------------------------------------------------===//
// The loop bound
//===----------------------------------------------------------------------===//

namespace {
/// Maximum of Σ time / Σ distance over the cycles of a graph: guess a ratio,
/// look for a cycle that beats it with Bellman and Ford's algorithm, take that
/// cycle's ratio as the next guess. Exact, since it stops when no cycle beats
/// the ratio; each guess is that of a cycle, so it ends. The first guess is
/// that of Howard's policy iteration in floating point, which is seldom beaten.
class CycleRatio {
public:
  CycleRatio(const std::vector<int64_t> &time) : time(time) {}

  void addEdge(int from, int to, int distance) {
    edges.push_back({from, to, distance});
  }

  /// The maximum rounded up; 0 without cycles.
  int64_t run() {
    // Edges sorted along the order of tasks: one pass then settles all paths
    // that do not go round.
    llvm::sort(edges, [](const Edge &a, const Edge &b) {
      return std::tie(a.from, a.to, a.distance) <
             std::tie(b.from, b.to, b.distance);
    });
    guess();
    while (improve())
      ;
    return ceilDiv(numerator, denominator);
  }

private:
  struct Edge {
    int from, to, distance;
  };

  void guess();
  std::vector<int> leavingEdges() const;
  double evaluate(const std::vector<int> &policy, std::vector<double> &value);
  bool takeRatio(int64_t cycles, int64_t distance);
  bool improve();
  bool takeCycle(const std::vector<int> &via);

  const std::vector<int64_t> &time;
  std::vector<Edge> edges;
  int64_t numerator = 0, denominator = 1;
};
} // namespace

bool CycleRatio::takeRatio(int64_t cycles, int64_t distance) {
  // Every cycle has a distance: those of 0 go along the order of tasks.
  if (__int128(cycles) * denominator <= __int128(numerator) * distance)
    return false;
  numerator = cycles;
  denominator = distance;
  return true;
}

/// For each node an edge that leaves it for a node that has one too; -1 where a
/// path from it must end, and no cycle passes.
std::vector<int> CycleRatio::leavingEdges() const {
  std::vector<int> leaving(time.size(), 0);
  std::vector<std::vector<int>> entering(time.size());
  for (auto [index, edge] : llvm::enumerate(edges)) {
    ++leaving[edge.from];
    entering[edge.to].push_back(edge.from);
  }
  std::vector<int> dead;
  for (size_t node = 0; node < leaving.size(); ++node)
    if (leaving[node] == 0)
      dead.push_back(static_cast<int>(node));
  for (size_t i = 0; i < dead.size(); ++i)
    for (int from : entering[dead[i]])
      if (--leaving[from] == 0)
        dead.push_back(from);
  std::vector<int> edge(time.size(), -1);
  for (auto [index, e] : llvm::enumerate(edges))
    if (leaving[e.from] > 0 && leaving[e.to] > 0)
      edge[e.from] = static_cast<int>(index);
  return edge;
}

/// Takes the best ratio of the policy's cycles, and gives each node that leads
/// to that cycle its value under it. Returns the ratio.
double CycleRatio::evaluate(const std::vector<int> &policy,
                            std::vector<double> &value) {
  std::vector<int> visit(time.size(), -1);
  int root = -1;
  double best = -1;
  for (int start = 0; start < static_cast<int>(time.size()); ++start) {
    int node = start;
    while (policy[node] >= 0 && visit[node] < 0) {
      visit[node] = start;
      node = edges[policy[node]].to;
    }
    if (policy[node] < 0 || visit[node] != start)
      continue;
    int64_t cycles = 0, distance = 0;
    int at = node;
    do {
      cycles += time[at];
      distance += edges[policy[at]].distance;
      at = edges[policy[at]].to;
    } while (at != node);
    double ratio = double(cycles) / double(distance);
    takeRatio(cycles, distance);
    if (ratio > best)
      std::tie(best, root) = std::pair(ratio, node);
  }
  std::vector<std::vector<int>> entering(time.size());
  for (size_t node = 0; node < policy.size(); ++node)
    if (policy[node] >= 0 && static_cast<int>(node) != root)
      entering[edges[policy[node]].to].push_back(static_cast<int>(node));
  std::vector<int> reached = {root};
  for (size_t i = 0; root >= 0 && i < reached.size(); ++i)
    for (int node : entering[reached[i]]) {
      const Edge &edge = edges[policy[node]];
      value[node] = value[edge.to] + double(time[node]) - best * edge.distance;
      reached.push_back(node);
    }
  return best;
}

/// Howard, "Dynamic programming and Markov processes", 1960, as Dasdan, TODAES
/// 9(4), 2004, has it for cycle ratios.
void CycleRatio::guess() {
  // What floating point cannot tell apart could go on for ever.
  constexpr int kMaxRounds = 100;
  constexpr double kNear = 1e-9;
  std::vector<int> policy = leavingEdges();
  std::vector<bool> lives(time.size());
  for (size_t node = 0; node < policy.size(); ++node)
    lives[node] = policy[node] >= 0;
  std::vector<double> value(time.size(), 0);
  for (int round = 0; round < kMaxRounds; ++round) {
    double ratio = evaluate(policy, value);
    bool changed = false;
    // Against their order, so that one round reaches along all of a path.
    for (int index = static_cast<int>(edges.size()) - 1; index >= 0; --index) {
      const Edge &edge = edges[index];
      if (!lives[edge.from] || !lives[edge.to])
        continue;
      double better =
          value[edge.to] + double(time[edge.from]) - ratio * edge.distance;
      if (better - value[edge.from] <= kNear * (1 + std::abs(better)))
        continue;
      value[edge.from] = better;
      policy[edge.from] = index;
      changed = true;
    }
    if (!changed)
      return;
  }
}

/// Searches a cycle above the present ratio and takes its ratio. False if there
/// is none.
bool CycleRatio::improve() {
  std::vector<__int128> longest(time.size(), 0);
  std::vector<int> via(time.size(), -1); // edge of the longest path
  for (bool changed = true; changed;) {
    changed = false;
    for (auto [index, edge] : llvm::enumerate(edges)) {
      __int128 weight = __int128(time[edge.from]) * denominator -
                        __int128(edge.distance) * numerator;
      if (longest[edge.from] + weight > longest[edge.to]) {
        longest[edge.to] = longest[edge.from] + weight;
        via[edge.to] = static_cast<int>(index);
        changed = true;
      }
    }
    if (changed && takeCycle(via))
      return true;
  }
  return false;
}

/// Takes the largest ratio of the cycles that the edges of `via` close; false
/// if they close none.
bool CycleRatio::takeCycle(const std::vector<int> &via) {
  bool found = false;
  std::vector<int> visit(time.size(), -1);
  for (int root = 0; root < static_cast<int>(time.size()); ++root) {
    int node = root;
    while (visit[node] < 0 && via[node] >= 0) {
      visit[node] = root;
      node = edges[via[node]].from;
    }
    if (visit[node] != root || via[node] < 0)
      continue;
    int64_t cycles = 0, distance = 0;
    int at = node;
    do {
      cycles += time[edges[via[at]].from];
      distance += edges[via[at]].distance;
      at = edges[via[at]].from;
    } while (at != node);
    found |= takeRatio(cycles, distance);
  }
  return found;
}

/// Least cycles of each task over the classes of processors.
static std::vector<int64_t> leastCycles(const Problem &problem,
                                        const TaskGraph &graph) {
  std::vector<int64_t> least;
  for (const Task &task : graph.tasks) {
    std::optional<int64_t> best;
    for (const ProcessorClass &on : problem.machine->classes)
      if (std::optional<int64_t> c = taskCycles(*problem.cost, task, on))
        best = best ? std::min(*best, *c) : *c;
    least.push_back(best.value_or(0));
  }
  return least;
}

//===----------------------------------------------------------------------===//
// Work
//===----------------------------------------------------------------------===//

namespace {
/// The least that a task can take, whole or in parts: all together, and the
/// largest.
struct LeastParts {
  int64_t sum, larger;
};

/// Tries every size of a part. Equal products are tried once.
class PartsBound {
public:
  PartsBound(const Problem &problem) : problem(problem) {}

  LeastParts of(const Task &task);

private:
  using Key = std::vector<int64_t>;
  static Key keyOf(const Task &task);
  LeastParts search(const Task &task) const;

  const Problem &problem;
  std::map<Key, LeastParts> known;
};
} // namespace

PartsBound::Key PartsBound::keyOf(const Task &task) {
  Key key;
  for (const Work &w : task.work)
    for (int64_t number :
         {w.gemm.m, w.gemm.n, w.gemm.k, w.gemm.count, w.elementwise, w.bytesIn,
          w.bytesOut, static_cast<int64_t>(w.type)})
      key.push_back(number);
  for (const CutOption &option : task.cuts) {
    key.push_back(static_cast<int64_t>(option.axis));
    key.push_back(option.extent);
  }
  return key;
}

/// The least that parts take whose sizes sum up to that of the last element,
/// given what a part of each size takes; or less, where sizes are many.
static int64_t leastSum(llvm::ArrayRef<int64_t> ofSize) {
  constexpr size_t kMaxExact = 1024;
  size_t extent = ofSize.size() - 1;
  if (extent > kMaxExact) {
    // Parts of n indices cannot do with less than n times the least per index.
    double least = static_cast<double>(ofSize.back());
    for (size_t size = 1; size < extent; ++size)
      least = std::min(least, static_cast<double>(ofSize[size]) *
                                  static_cast<double>(extent) /
                                  static_cast<double>(size));
    return static_cast<int64_t>(least);
  }
  std::vector<int64_t> least(ofSize.begin(), ofSize.end());
  for (size_t size = 2; size <= extent; ++size)
    for (size_t last = 1; last <= size / 2; ++last)
      least[size] = std::min(least[size], least[last] + least[size - last]);
  return least.back();
}

LeastParts PartsBound::search(const Task &task) const {
  auto cycles = [&](const Task &t) {
    std::optional<int64_t> best;
    for (const ProcessorClass &on : problem.machine->classes)
      if (std::optional<int64_t> c = taskCycles(*problem.cost, t, on))
        best = best ? std::min(*best, *c) : *c;
    return best.value_or(0);
  };
  LeastParts least{cycles(task), cycles(task)};
  Task part = task;
  for (const CutOption &option : task.cuts) {
    std::vector<int64_t> ofSize = {0};
    for (int64_t size = 1; size < option.extent; ++size) {
      part.work =
          partWork(task, Cut{0, option.axis, {size}, {true, true}}, /*part=*/0);
      ofSize.push_back(cycles(part));
    }
    ofSize.push_back(least.sum);
    least.sum = std::min(least.sum, leastSum(ofSize));
    least.larger = std::min(
        least.larger, *std::min_element(ofSize.begin() + 1, ofSize.end()));
  }
  return least;
}

LeastParts PartsBound::of(const Task &task) {
  Key key = keyOf(task);
  auto it = known.find(key);
  if (it == known.end())
    it = known.emplace(std::move(key), search(task)).first;
  return it->second;
}

/// Over the cycles of the uncut graph under the schedule's delays. What only
/// the operations behind a product read does not wait for the product where
/// that is cut off: such uses go to a node of no time, 2 t + 1, beside that of
/// the task, 2 t.
static int64_t loopBound(const TaskGraph &graph, const Schedule &schedule,
                         llvm::ArrayRef<int64_t> cycles) {
  std::vector<int64_t> time(2 * cycles.size(), 0);
  for (auto [task, of] : llvm::enumerate(cycles))
    time[2 * task] = of;
  CycleRatio ratio(time);
  llvm::StringMap<int> leads; // of values, which a cut leaves their names
  for (auto [index, lead] : llvm::enumerate(schedule.lead))
    leads[schedule.graph.values[index].name] = lead;
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    int delay = schedule.delay[graph.tasks[value.producer].layer];
    int newer = delay - leads.lookup(value.name);
    bool mayBeCut = !graph.tasks[value.producer].cuts.empty();
    for (const Use &use : value.uses) {
      bool isBehind = !graph.tasks[use.task].cuts.empty() &&
                      readerOf(graph, value, use) == Reader::Fused;
      bool forward = graph.tasks[use.task].kind == TaskKind::Forward;
      int added = !use.delayed ? 0 : forward ? delay : newer;
      for (int beside = 0; beside <= static_cast<int>(mayBeCut); ++beside)
        ratio.addEdge(2 * value.producer + beside, 2 * use.task + isBehind,
                      use.distance + added);
    }
  }
  return ratio.run();
}

Bounds takt::bounds(const Problem &problem, const Schedule &schedule) {
  // Replicas change the cycles of the graph, and what one minibatch's tasks
  // take is no limit to several at a time.
  const TaskGraph &graph =
      schedule.replicas.empty() ? *problem.graph : schedule.graph;
  std::vector<int64_t> least = leastCycles(problem, graph);
  PartsBound parts(problem);
  int64_t work = 0;
  for (auto [task, cycles] : llvm::zip_equal(graph.tasks, least)) {
    if (task.cuts.empty()) {
      work += cycles;
      continue;
    }
    LeastParts cut = parts.of(task);
    work += cut.sum;
    cycles = cut.larger;
  }
  Bounds bounds;
  bounds.loop = loopBound(graph, schedule, least);
  bounds.resource = ceilDiv(work, problem.machine->processors());
  bounds.largestTask = *llvm::max_element(least);
  return bounds;
}
