//===- LowerSteps.h - steps and schedules made by hand ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Training steps of small chains and periodic schedules of them, made without
// any of the schedulers, for tests of what lowering makes of them.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TARGET_LOWERSTEPS_H
#define TAKT_TEST_UNIT_TARGET_LOWERSTEPS_H

#include "takt/Target/StepExecutions.h"
#include <memory>
#include <random>

namespace takt {

/// A chain of layers with F, D, W and U tasks; every layer has a weight, and
/// running statistics that its F updates. The loss is in the last F.
struct ChainOptions {
  std::vector<int> delay; ///< by layer; its size is the number of layers
  int64_t taskCycles = 10, updateCycles = 0;
  int64_t linkBytesPerCycle = 0, linkLatency = 0;
  Topology topology = Topology::Full;
  int64_t processors = 1;
  int64_t memoryBytes = 0; ///< of each processor, 0: unlimited
};

/// A problem, its step, and what lowering expects in the program.
struct ChainProblem {
  explicit ChainProblem(const ChainOptions &options);

  Problem problem() const { return {&graph, &machine, cost.get()}; }
  /// Places task t on processors[t], one after the other with up to `slack`
  /// cycles between, with the least interval from `minimum` on under which
  /// every dependence holds.
  Schedule schedule(llvm::ArrayRef<int> processors, int64_t minimum,
                    std::mt19937 &random, int64_t slack) const;
  /// Gives every value that crosses a transfer which gets its links some time
  /// between its making and the last moment that its readers allow. False if
  /// some have a link at the same time, for want of another.
  bool addTransfers(Schedule &schedule, std::mt19937 &random) const;
  llvm::Expected<Program> lower(const Schedule &schedule,
                                SendTime sendTime = SendTime::AtOnce) const;

  ChainOptions options;
  Machine machine;
  std::unique_ptr<CostModel> cost;
  TaskGraph graph;
  StepExecutions step;
  Program program; ///< with bindings, parameters and values

private:
  int addValue(const std::string &name, RegionClass kind);
  int addTask(int layer, TaskKind kind);
  int addKernel(int task, KernelId id, std::vector<StepUse> operands);
  int addResult(int kernel, const std::string &name, RegionClass kind);
  int addInput(const std::string &name, BindingKind kind);
  int addParameter(const std::string &name, ParameterKind kind);
  void setVersion(int parameter, int value);
  int addForward(int layer, int x);
  int addLoss(int y, int label);
  int addBackward(int layer, int x, int dy);
  void addGraphValues();
  int64_t earliest(const Schedule &schedule, int task) const;
  bool holds(const Schedule &schedule) const;
  int64_t transferTime(int from, int to) const;
};

} // namespace takt

#endif // TAKT_TEST_UNIT_TARGET_LOWERSTEPS_H
