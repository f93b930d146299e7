//===- Graph.cpp - pipelines as task graphs -------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/PipelineGraph.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace takt;

namespace {
/// Where the tasks and values of a problem are in its graph.
class Numbering {
public:
  explicit Numbering(const PipelineProblem &problem)
      : stages(static_cast<int>(problem.stages.size())) {}

  int task(TaskKind kind, int stage, int microbatch) const {
    int first = microbatch * stages * kPipelineKinds;
    switch (kind) {
    case TaskKind::Forward:
      return first + stage;
    case TaskKind::Dgrad:
      return first + stages + 2 * (stages - 1 - stage);
    default:
      return first + stages + 2 * (stages - 1 - stage) + 1;
    }
  }

private:
  int stages;
};

class GraphBuilder {
public:
  explicit GraphBuilder(const PipelineProblem &problem)
      : problem(problem), number(problem),
        last(static_cast<int>(problem.stages.size()) - 1) {}

  TaskGraph run() {
    graph.name = problem.name;
    for (int stage = 0; stage <= last; ++stage)
      graph.layers.push_back({"stage" + std::to_string(stage), 0, 0});
    for (int m = 0; m < problem.microbatches; ++m) {
      for (int stage = 0; stage <= last; ++stage)
        addTask(TaskKind::Forward, stage, m);
      for (int stage = last; stage >= 0; --stage) {
        addTask(TaskKind::Dgrad, stage, m);
        addTask(TaskKind::Wgrad, stage, m);
      }
    }
    for (int m = 0; m < problem.microbatches; ++m)
      for (int stage = 0; stage <= last; ++stage)
        addValues(stage, m);
    return std::move(graph);
  }

private:
  void addTask(TaskKind kind, int stage, int microbatch) {
    const PipelineStage &of = problem.stages[stage];
    Task task;
    task.name = graph.layers[stage].name + "." + letter(kind).str() + ".m" +
                std::to_string(microbatch);
    task.microbatch = microbatch;
    task.kind = kind;
    task.layer = stage;
    task.cycles = of.cycles[static_cast<size_t>(kind)];
    task.memory = of.memory[static_cast<size_t>(kind)];
    if (int home = number.task(TaskKind::Forward, stage, 0);
        home != static_cast<int>(graph.tasks.size()))
      task.colocated = home;
    graph.tasks.push_back(std::move(task));
  }

  /// What F of a stage hands to the next stage or, at the last, to its own D;
  /// and what D hands to its own W and to the stage before.
  void addValues(int stage, int m) {
    addValue(ValueClass::Activation, number.task(TaskKind::Forward, stage, m),
             {stage < last ? number.task(TaskKind::Forward, stage + 1, m)
                           : number.task(TaskKind::Dgrad, stage, m)});
    SmallVector<int, 2> users = {number.task(TaskKind::Wgrad, stage, m)};
    if (stage > 0)
      users.push_back(number.task(TaskKind::Dgrad, stage - 1, m));
    addValue(ValueClass::Gradient, number.task(TaskKind::Dgrad, stage, m),
             users);
  }

  void addValue(ValueClass kind, int producer, ArrayRef<int> users) {
    Value value;
    value.name = graph.tasks[producer].name;
    value.kind = kind;
    value.producer = producer;
    for (int user : users)
      value.uses.push_back({user});
    graph.values.push_back(std::move(value));
  }

  const PipelineProblem &problem;
  Numbering number;
  int last;
  TaskGraph graph;
};
} // namespace

TaskGraph takt::pipelineGraph(const PipelineProblem &problem) {
  return GraphBuilder(problem).run();
}

Machine takt::pipelineMachine(const PipelineProblem &problem) {
  Machine machine = cantFail(Machine::uniform(problem.processors));
  machine.description = "pipeline of stated costs";
  machine.interconnect.latencyCycles = problem.transferCycles;
  ProcessorClass &only = machine.classes.front();
  only.name = "stated";
  if (problem.memoryLimit.empty())
    return machine;
  // 0 would be unlimited memory.
  auto bytes = [](int64_t limit) { return std::max<int64_t>(limit, 1); };
  if (all_equal(problem.memoryLimit)) {
    only.memoryBytes = bytes(problem.memoryLimit.front());
    return machine;
  }
  ProcessorClass each = only;
  each.count = 1;
  machine.classes.clear();
  for (auto [processor, limit] : enumerate(problem.memoryLimit)) {
    each.name = "stated" + std::to_string(processor);
    each.memoryBytes = bytes(limit);
    machine.classes.push_back(each);
  }
  return machine;
}

Schedule takt::pipelineSchedule(const PipelineProblem &problem,
                                const TaskGraph &graph,
                                const PipelineOrder &order,
                                const PipelineTimes &times) {
  Schedule schedule;
  schedule.semantics = Semantics::Synchronous;
  schedule.interval = std::max<int64_t>(times.makespan, 1);
  schedule.graph = graph;
  schedule.stage.assign(graph.layers.size(), 0);
  schedule.delay.assign(graph.layers.size(), 0);
  schedule.tasks.resize(graph.tasks.size());
  Numbering number(problem);
  for (auto [processor, tasks] : enumerate(order.order))
    for (const PipelineTask &task : tasks) {
      size_t kind = static_cast<size_t>(task.kind);
      int64_t start =
          times.start[kind][size_t(task.stage) * problem.microbatches +
                            task.microbatch];
      schedule.tasks[number.task(task.kind, task.stage, task.microbatch)] = {
          static_cast<int>(processor), start,
          problem.stages[task.stage].cycles[kind]};
    }
  for (auto [index, value] : enumerate(graph.values)) {
    const Placement &from = schedule.tasks[value.producer];
    for (const Use &use : value.uses)
      if (int to = schedule.tasks[use.task].processor; to != from.processor)
        schedule.transfers.push_back({static_cast<int>(index), from.processor,
                                      to, from.start + from.cycles, 0,
                                      problem.transferCycles});
  }
  return schedule;
}
