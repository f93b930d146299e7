//===- Check.cpp - whether a scheduling problem makes sense ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Schedule.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Twine;

/// Start times reach a few intervals a layer; intervals at most the sum of all
/// cycles. All must stay far from the end of 63 bits.
static constexpr int64_t kMaxCycles = int64_t(1) << 60;

/// Every class has a time for every task, and the times can be added up.
static Error checkCycles(const Problem &problem) {
  auto tasks = static_cast<int64_t>(problem.graph->tasks.size());
  for (const ProcessorClass &on : problem.machine->classes) {
    int64_t total = 0;
    for (const Task &task : problem.graph->tasks) {
      std::optional<int64_t> cycles = taskCycles(*problem.cost, task, on);
      if (!cycles)
        return createStringError("cost model '" + problem.cost->name() +
                                 "' has no answer for task '" + task.name +
                                 "' on processors of class '" + on.name + "'");
      total += std::min(*cycles, kMaxCycles);
      if (total > kMaxCycles / (2 * tasks + 2))
        return createStringError("task '" + task.name + "' takes " +
                                 Twine(*cycles) +
                                 " cycles: more in all than can be scheduled");
    }
  }
  return Error::success();
}

/// What tasks state to take and give back can be added up.
static Error checkStatedMemory(const TaskGraph &graph) {
  constexpr uint64_t kMaxMemory = uint64_t(1) << 60;
  uint64_t total = 0;
  for (const Task &task : graph.tasks) {
    auto memory = static_cast<uint64_t>(task.memory);
    total = llvm::SaturatingAdd<uint64_t>(total,
                                          task.memory < 0 ? -memory : memory);
    if (total > kMaxMemory)
      return createStringError(
          "task '" + task.name + "' changes its processor's memory by " +
          Twine(task.memory) + ": more in all than can be counted");
  }
  return Error::success();
}

/// Values and parameters are of a size whose multiples can be added up.
static Error checkBytes(const TaskGraph &graph) {
  constexpr uint64_t kMaxBytes = uint64_t(1) << 50;
  uint64_t total = 0;
  for (const Value &value : graph.values)
    total = llvm::SaturatingAdd<uint64_t>(total, value.bytes);
  for (const Layer &layer : graph.layers)
    total = llvm::SaturatingAdd<uint64_t>(
        total, llvm::SaturatingAdd<uint64_t>(layer.parameterBytes,
                                             layer.optimizerBytes));
  if (total > kMaxBytes)
    return createStringError("the values and parameters of '" + graph.name +
                             "' have " + Twine(total) +
                             " bytes, expected at most " + Twine(kMaxBytes));
  return Error::success();
}

/// Bytes of weights and state that a task must have at hand.
static std::vector<int64_t> residentBytes(const TaskGraph &graph) {
  std::vector<int64_t> bytes(graph.tasks.size(), 0);
  for (const Value &value : graph.values)
    if (value.kind == ValueClass::Weight || value.kind == ValueClass::State)
      for (const Use &use : value.uses)
        bytes[use.task] += value.bytes;
  return bytes;
}

/// Some processor has the memory for each task's weights.
static Error checkMemory(const Problem &problem) {
  int64_t largest = 0;
  for (const ProcessorClass &on : problem.machine->classes) {
    if (on.memoryBytes == 0)
      return Error::success();
    largest = std::max(largest, on.memoryBytes);
  }
  std::vector<int64_t> bytes = residentBytes(*problem.graph);
  for (auto [task, needed] : llvm::zip_equal(problem.graph->tasks, bytes))
    if (needed > largest)
      return createStringError("task '" + task.name + "' needs " +
                               Twine(needed) +
                               " bytes of weights and state at hand, but the "
                               "largest memory of a processor has " +
                               Twine(largest));
  return Error::success();
}

Error takt::check(const Problem &problem) {
  if (!problem.graph || !problem.machine || !problem.cost)
    return createStringError(
        "a scheduling problem needs a graph, a machine and a cost model");
  if (problem.machine->classes.empty() || problem.machine->processors() < 1)
    return createStringError("the machine has no processor");
  if (problem.graph->tasks.empty())
    return createStringError("the task graph '" + problem.graph->name +
                             "' has no task");
  if (Error error = problem.graph->check())
    return error;
  if (Error error = checkBytes(*problem.graph))
    return error;
  if (Error error = checkStatedMemory(*problem.graph))
    return error;
  if (Error error = checkCycles(problem))
    return error;
  return checkMemory(problem);
}
