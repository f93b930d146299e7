//===- LayerGraph.cpp - layers, their order and their loads ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LayerGraph.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

LayerGraph::LayerGraph(const TaskGraph &graph)
    : successors(graph.layers.size()), predecessors(graph.layers.size()) {
  auto addEdge = [&](int from, int to) {
    if (from < to) {
      successors[from].push_back(to);
      predecessors[to].push_back(from);
    }
  };
  for (const Value &value : graph.values)
    for (const Use &use : value.uses) {
      if (value.producer < 0 || use.distance > 0)
        continue;
      const Task &from = graph.tasks[value.producer];
      const Task &to = graph.tasks[use.task];
      bool fromForward = from.kind == TaskKind::Forward;
      bool toForward = to.kind == TaskKind::Forward;
      if (fromForward && toForward)
        addEdge(from.layer, to.layer);
      if (!fromForward && !toForward)
        addEdge(to.layer, from.layer);
    }
  for (auto *lists : {&successors, &predecessors})
    for (std::vector<int> &list : *lists) {
      llvm::sort(list);
      list.erase(llvm::unique(list), list.end());
    }
}

std::vector<std::vector<int64_t>> takt::layerCycles(const Problem &problem) {
  std::vector<std::vector<int64_t>> cycles;
  for (const ProcessorClass &on : problem.machine->classes) {
    std::vector<int64_t> &row =
        cycles.emplace_back(problem.graph->layers.size(), 0);
    for (const Task &task : problem.graph->tasks)
      row[task.layer] += *taskCycles(*problem.cost, task, on);
  }
  return cycles;
}

int takt::classOf(const Machine &machine, int64_t processor) {
  return static_cast<int>(&machine.processorClass(processor) -
                          machine.classes.data());
}
