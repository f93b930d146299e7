//===- StepExecutions.h - what a training step executes ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A training step without its IR: kernels in sequential order and the values
// between them. It is what lowering works on, so that rings, credits and
// addresses can be tested on steps made by hand.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_STEPEXECUTIONS_H
#define TAKT_TARGET_STEPEXECUTIONS_H

#include "takt/Machine/CostModel.h"
#include "takt/Scheduling/Schedule.h"
#include "takt/Target/Program.h"

namespace takt {

/// A value of the step; its number is also its index in Program::values.
struct StepValue {
  ValueInfo info; ///< named as in the task graph
  RegionClass kind = RegionClass::Activation;
  int kernel = -1;    ///< producer, or -1
  int parameter = -1; ///< whose versions it carries, or -1
  int input = -1;     ///< binding that the host fills, or -1
};

/// A read by a kernel: of instance (minibatch - distance) of the value.
struct StepUse {
  int value;
  int distance = 0;
  /// What the reference interpreter looks up: a parameter's read value for
  /// reads of its current version, otherwise the value.
  uint32_t name = 0;
};

struct StepKernel {
  KernelId id;
  int task = 0; ///< of the schedule's graph
  llvm::SmallVector<uint32_t, 12> words;
  Work work;
  llvm::SmallVector<StepUse, 4> operands;
  llvm::SmallVector<int, 2> results;
};

struct StepOutput {
  int value;
  int binding;
};

/// The whole step. Kernels are sorted by task, and in sequential order.
struct StepExecutions {
  std::vector<StepValue> values;
  std::vector<StepKernel> kernels;
  std::vector<StepOutput> outputs;
};

/// When a processor sends what crosses to another: once it is made, or in turn
/// with others that use the same links (SendTurns.h). Sent at once it may take
/// the turn of another; in turn, it may wait without need.
enum class SendTime : uint8_t { AtOnce, InTurn };

/// Fills in what depends on the schedule: regions, semaphores, initializers,
/// kernels, transfers, host copies, tasks, code, and the parameters' homes and
/// the bindings' regions. `program` comes with bindings, parameters and values.
/// Fails if a processor's memory does not suffice, naming the processor, the
/// time in the interval, the bytes and the largest owners.
llvm::Error placeStep(const StepExecutions &step, const Problem &problem,
                      const Schedule &schedule, Program &program,
                      SendTime sendTime = SendTime::AtOnce);

} // namespace takt

#endif // TAKT_TARGET_STEPEXECUTIONS_H
