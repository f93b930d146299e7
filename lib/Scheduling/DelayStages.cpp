//===- DelayStages.cpp - stages for the delays that times need ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DelayStages.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Support/MathExtras.h"
#include <map>
#include <numeric>

using namespace takt;

std::optional<std::vector<int>> takt::neededDelays(const Schedule &schedule) {
  const TaskGraph &graph = schedule.graph;
  std::map<std::pair<int, int>, int64_t> arrival; // by value and processor
  for (const TransferPlacement &t : schedule.transfers)
    arrival[{t.value, t.to}] = t.start + t.cycles + t.latency;
  std::vector<int> needed(graph.layers.size(), 0);
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    const Placement &from = schedule.tasks[value.producer];
    int &delay = needed[graph.tasks[value.producer].layer];
    for (const Use &use : value.uses) {
      if (use.distance == 0)
        continue;
      const Placement &to = schedule.tasks[use.task];
      int64_t ready = from.start + from.cycles;
      if (from.processor != to.processor)
        ready = arrival.at({static_cast<int>(index), to.processor});
      int64_t late = ready - to.start - use.distance * schedule.interval;
      if (late <= 0)
        continue;
      if (!use.delayed)
        return std::nullopt;
      delay = std::max<int>(
          delay, static_cast<int>(llvm::divideCeil(late, schedule.interval)));
    }
  }
  return needed;
}

/// Calls fn(from, to) for the layers of each forward dependence, from the last
/// producer to the first: whatever `to` is, its own readers came before.
template <typename Fn>
static void forEachForwardUse(const TaskGraph &graph, Fn fn) {
  std::vector<std::pair<int, int>> uses;
  for (const Value &value : graph.values) {
    if (value.producer < 0 ||
        graph.tasks[value.producer].kind != TaskKind::Forward)
      continue;
    for (const Use &use : value.uses)
      if (graph.tasks[use.task].kind == TaskKind::Forward &&
          use.distance == 0 &&
          graph.tasks[use.task].layer != graph.tasks[value.producer].layer)
        uses.push_back(
            {graph.tasks[value.producer].layer, graph.tasks[use.task].layer});
  }
  llvm::sort(uses, std::greater<>());
  for (auto [from, to] : uses)
    fn(from, to);
}

/// Stages with S(l) >= least[l]; `least` does not grow along the forward graph.
static std::optional<DelayStages> stagesAbove(llvm::ArrayRef<int> least,
                                              int factor, int stages) {
  auto order =
      llvm::to_vector(llvm::seq<int>(0, static_cast<int>(least.size())));
  llvm::stable_sort(order, [&](int a, int b) { return least[a] > least[b]; });
  DelayStages result;
  result.stages = std::max(stages, least[order.front()] + 1);
  if (stages > 0 && result.stages > stages)
    return std::nullopt;
  result.stage.resize(least.size());
  result.delay.resize(least.size());
  int atLeast = result.stages - 1, behind = 0;
  for (int layer : order) {
    behind = std::max(least[layer], atLeast);
    atLeast = behind - 1;
    result.stage[layer] = result.stages - 1 - behind;
    result.delay[layer] = factor * behind;
  }
  if (behind > 0)
    return std::nullopt;
  return result;
}

/// Stages that each layer needs behind it, for its own delay or that of a layer
/// that reads it.
static std::vector<int> leastBehind(const TaskGraph &graph,
                                    llvm::ArrayRef<int> needed, int factor) {
  std::vector<int> least;
  for (int delay : needed)
    least.push_back((delay + factor - 1) / factor);
  forEachForwardUse(graph, [&](int from, int to) {
    least[from] = std::max(least[from], least[to]);
  });
  return least;
}

std::optional<DelayStages> takt::stagesFor(const TaskGraph &graph,
                                           llvm::ArrayRef<int> needed,
                                           int stages) {
  std::optional<DelayStages> best;
  int64_t bestSum = 0;
  auto consider = [&](std::optional<DelayStages> found) {
    if (!found)
      return;
    int64_t sum =
        std::accumulate(found->delay.begin(), found->delay.end(), int64_t(0));
    if (best && sum >= bestSum)
      return;
    best = std::move(found);
    bestSum = sum;
  };
  for (int factor : {2, 1})
    consider(stagesAbove(leastBehind(graph, needed, factor), factor, stages));
  if (*llvm::max_element(needed) == 1) {
    std::vector<int> none(needed.size(), 0);
    std::optional<DelayStages> found = stagesAbove(none, 0, stages);
    if (found)
      found->delay.assign(needed.size(), 1);
    consider(std::move(found));
  }
  return best;
}

bool takt::assignStages(Schedule &schedule, int stages) {
  std::optional<std::vector<int>> needed = neededDelays(schedule);
  if (!needed)
    return false;
  std::optional<DelayStages> found = stagesFor(schedule.graph, *needed, stages);
  if (!found)
    return false;
  schedule.stages = found->stages;
  schedule.stage = std::move(found->stage);
  schedule.delay = std::move(found->delay);
  return true;
}

StagesConflict takt::stagesConflict(const TaskGraph &graph,
                                    llvm::ArrayRef<int> needed) {
  std::vector<int> least = leastBehind(graph, needed, 2);
  auto order =
      llvm::to_vector(llvm::seq<int>(0, static_cast<int>(least.size())));
  llvm::sort(order, [&](int a, int b) {
    return std::pair(least[a], -a) < std::pair(least[b], -b);
  });
  StagesConflict conflict{0, {}};
  std::vector<bool> isLast(least.size(), false);
  while (conflict.behind < static_cast<int>(order.size()) &&
         least[order[conflict.behind]] <= conflict.behind)
    isLast[order[conflict.behind++]] = true;
  std::vector<bool> isRead(least.size(),
                           false); // by one that is not among them
  forEachForwardUse(graph, [&](int from, int to) {
    if (!isLast[to])
      isRead[from] = true;
  });
  for (int layer = 0; layer < static_cast<int>(least.size()); ++layer)
    if (!isLast[layer] && !isRead[layer])
      conflict.layers.push_back(layer);
  return conflict;
}

std::vector<std::vector<int>> takt::largestDelays(const TaskGraph &graph,
                                                  int stages) {
  // Before a layer are at least those on the longest path to it.
  std::vector<int> before(graph.layers.size(), 0);
  std::vector<std::pair<int, int>> uses;
  forEachForwardUse(graph,
                    [&](int from, int to) { uses.push_back({from, to}); });
  for (auto [from, to] : llvm::reverse(uses))
    before[to] = std::max(before[to], before[from] + 1);
  int most = stages > 0 ? stages : static_cast<int>(graph.layers.size());
  std::vector<int> delays;
  for (int layers : before)
    delays.push_back(
        2 *
        std::min(static_cast<int>(graph.layers.size()) - 1 - layers, most - 1));
  return {delays, std::vector<int>(delays.size(), 1)};
}
