//===- ProcessorOrder.cpp - neighbours one after the other ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ProcessorOrder.h"
#include "LayerGraph.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace takt;

namespace {
class OrderSearch {
public:
  explicit OrderSearch(const Problem &problem)
      : machine(*problem.machine),
        count(static_cast<int>(machine.processors())),
        bytes(meanBytes(*problem.graph)) {}

  std::vector<int> run();

private:
  using Order = std::vector<int>;
  /// Of a step or, summed up, of an order.
  struct Cost {
    int64_t slowest = 0, links = 0, time = 0;
    bool operator<(const Cost &o) const {
      return std::tie(slowest, links, time) <
             std::tie(o.slowest, o.links, o.time);
    }
  };

  static int64_t meanBytes(const TaskGraph &graph);
  Cost stepCost(int a, int b) const;
  void consider(Order order);
  Order turningRows() const;
  Order nearestFirst(int start) const;

  const Machine &machine;
  int count;
  int64_t bytes;
  Order best;
  Cost least;
};
} // namespace

int64_t OrderSearch::meanBytes(const TaskGraph &graph) {
  int64_t values = 0, bytes = 0;
  for (const Value &value : graph.values)
    if (value.kind == ValueClass::Activation ||
        value.kind == ValueClass::Gradient) {
      ++values;
      bytes += value.bytes;
    }
  return values == 0 ? 1 : std::max<int64_t>(1, bytes / values);
}

/// Activations go one way, gradients the other.
OrderSearch::Cost OrderSearch::stepCost(int a, int b) const {
  Cost cost;
  for (auto [from, to] : {std::pair(a, b), std::pair(b, a)}) {
    cost.time += machine.transferCycles(from, to, bytes) +
                 machine.transferLatency(from, to);
    cost.links += static_cast<int64_t>(machine.route(from, to).size());
  }
  cost.slowest = cost.time;
  return cost;
}

void OrderSearch::consider(Order order) {
  for (auto [place, processor] : llvm::enumerate(order))
    if (classOf(machine, static_cast<int64_t>(place)) !=
        classOf(machine, processor))
      return;
  Cost cost;
  for (int i = 1; i < count; ++i) {
    Cost step = stepCost(order[i - 1], order[i]);
    cost.slowest = std::max(cost.slowest, step.slowest);
    cost.links += step.links;
    cost.time += step.time;
  }
  if (!best.empty() && !(cost < least))
    return;
  best = std::move(order);
  least = cost;
}

/// Along the first dimension, back again on the next row, and so on in all
/// dimensions: each step changes one coordinate by one.
OrderSearch::Order OrderSearch::turningRows() const {
  Order order = {0};
  int64_t stride = 1;
  for (const Dimension &dimension : machine.interconnect.dimensions) {
    Order before = order;
    for (int64_t at = 1; at < dimension.size; ++at) {
      std::reverse(before.begin(), before.end());
      for (int processor : before)
        order.push_back(processor + static_cast<int>(at * stride));
    }
    stride *= dimension.size;
  }
  return order;
}

OrderSearch::Order OrderSearch::nearestFirst(int start) const {
  Order order = {start};
  std::vector<bool> taken(count, false);
  taken[start] = true;
  while (static_cast<int>(order.size()) < count) {
    int wanted = classOf(machine, static_cast<int64_t>(order.size()));
    int nearest = -1;
    Cost least;
    for (int p = 0; p < count; ++p) {
      if (taken[p] || classOf(machine, p) != wanted)
        continue;
      Cost cost = stepCost(order.back(), p);
      if (nearest < 0 || cost < least) {
        nearest = p;
        least = cost;
      }
    }
    taken[nearest] = true;
    order.push_back(nearest);
  }
  return order;
}

std::vector<int> OrderSearch::run() {
  // Every start is tried up to here; one takes the square of the processors.
  constexpr int kMaxStarts = 64;
  Order byNumber(count);
  std::iota(byNumber.begin(), byNumber.end(), 0);
  if (machine.hasEqualLinks())
    return byNumber;
  consider(byNumber);
  Order rows = turningRows();
  if (static_cast<int>(rows.size()) == count)
    consider(std::move(rows));
  int ofClass = static_cast<int>(machine.classes.front().count);
  for (int start = 0; start < ofClass && count <= kMaxStarts; ++start)
    consider(nearestFirst(start));
  return std::move(best);
}

std::vector<int> takt::processorOrder(const Problem &problem) {
  return OrderSearch(problem).run();
}

void takt::renameProcessors(llvm::ArrayRef<int> order, Schedule &schedule) {
  for (Placement &task : schedule.tasks)
    task.processor = order[task.processor];
  for (TransferPlacement &transfer : schedule.transfers) {
    transfer.from = order[transfer.from];
    transfer.to = order[transfer.to];
  }
}
