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
  for (const Value &value : graph.values) {
    if (value.producer < 0 ||
        graph.tasks[value.producer].kind != TaskKind::Forward)
      continue;
    int from = graph.tasks[value.producer].layer;
    for (const Use &use : value.uses) {
      const Task &user = graph.tasks[use.task];
      if (user.kind == TaskKind::Forward && use.distance == 0 &&
          user.layer != from) {
        successors[from].push_back(user.layer);
        predecessors[user.layer].push_back(from);
      }
    }
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
