//===- StepCode.h - loop bodies as they are put together --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_STEPCODE_H
#define TAKT_TARGET_STEPCODE_H

#include "takt/Target/StepRings.h"

namespace takt {

/// The instructions of a step, gathered by the tasks around which they stand.
class StepCode {
public:
  StepCode(const Schedule &schedule, const StepRings &rings);

  /// An instruction of a pipeline stage.
  Instruction make(Opcode op, int64_t stage, uint32_t a, uint32_t b = 0);

  void addBefore(int task, const Instruction &instruction) {
    before[task].push_back(instruction);
  }
  /// Behind the task, but before its sends: nobody shall wait for a credit
  /// behind one.
  void addCredit(int task, const Instruction &instruction) {
    credits[task].push_back(instruction);
  }
  /// Behind a task or, if that is −1, before all of the processor's.
  void addSend(int task, int processor, const Instruction &instruction) {
    (task < 0 ? atBegin[processor] : sends[task]).push_back(instruction);
  }
  void addAfter(int task, const Instruction &instruction) {
    after[task].push_back(instruction);
  }

  /// The code of each processor: its body in a loop over all minibatches.
  std::vector<std::vector<Instruction>> finish() const;
  /// Of all tasks and instructions.
  int64_t lastStage() const { return last; }

private:
  using Code = std::vector<Instruction>;

  Code bodyOf(int processor) const;

  const StepRings &rings;
  std::vector<Code> before, credits, sends, after; ///< by task
  std::vector<Code> atBegin;                       ///< by processor
  int64_t last = 0;
};

} // namespace takt

#endif // TAKT_TARGET_STEPCODE_H
