//===- StepTransfers.h - what crosses between processors --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_STEPTRANSFERS_H
#define TAKT_TARGET_STEPTRANSFERS_H

#include "StepCode.h"
#include "takt/Target/SendTurns.h"

namespace takt {

/// The transfers of a step, with semaphores and instructions: the sender waits
/// until its place for the next instance is free again, the receiver has a
/// place and, in turn, others have sent; the receiver gives its place back.
class StepTransfers {
public:
  StepTransfers(const StepExecutions &step, const Problem &problem,
                const Schedule &schedule, const StepRings &rings,
                Program &program, StepCode &code)
      : step(step), problem(problem), schedule(schedule), rings(rings),
        program(program), code(code) {}

  /// One for each ring to which a value is sent; without addresses.
  void add(SendTime sendTime);
  /// The ring that a transfer fills: its value, and its number among the
  /// value's.
  std::pair<int, size_t> ringOf(size_t transfer) const {
    return {sends[transfer].value, sends[transfer].ring};
  }

private:
  /// A transfer, the wait for a place at its receiver, and where it is sent.
  struct Send {
    int value;
    size_t ring;
    PlannedSend plan;
    Instruction credit;
    SendTurns::Place place;
    llvm::SmallVector<Instruction, 2> waits, signals; ///< of turns
  };

  uint32_t addSemaphore(int writer, int waiter);
  PlannedSend plan(int value, const Ring &ring) const;
  void add(int value, size_t ring);
  void takeTurns();
  void addSends() const;

  const StepExecutions &step;
  const Problem &problem;
  const Schedule &schedule;
  const StepRings &rings;
  Program &program;
  StepCode &code;
  std::vector<Send> sends; ///< by transfer
};

} // namespace takt

#endif // TAKT_TARGET_STEPTRANSFERS_H
