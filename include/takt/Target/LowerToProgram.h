//===- LowerToProgram.h - from a scheduled module to a program --*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_LOWERTOPROGRAM_H
#define TAKT_TARGET_LOWERTOPROGRAM_H

#include "mlir/IR/BuiltinOps.h"
#include "takt/Scheduling/Schedule.h"
#include "takt/Target/LearningRate.h"
#include "takt/Target/Program.h"
#include "takt/Target/StepExecutions.h"

namespace takt {

struct LowerOptions {
  double learningRate = 0.01;
  /// Minibatches over which the learning rate of a delayed parameter rises from
  /// 1/delay of that; 0: it is that from the beginning (PipeMare's T1).
  uint64_t delayScalingSteps = 0;
  LearningRateSchedule rateSchedule;
  SendTime sendTime = SendTime::AtOnce;
  /// The factor of steps that scale their loss's gradient.
  float lossScale = 1;
};

/// The program of a training step (or forward pass) whose operations carry
/// their tasks (formTasks, split) and whose parameters carry their delays
/// (retime), under a schedule of those tasks. The result is validated.
/// Fails with the operation's name if something cannot be expressed, or if the
/// program does not fit a processor's memory.
llvm::Expected<Program> lowerToProgram(mlir::ModuleOp module,
                                       const Problem &problem,
                                       const Schedule &schedule,
                                       const LowerOptions &options);

} // namespace takt

#endif // TAKT_TARGET_LOWERTOPROGRAM_H
