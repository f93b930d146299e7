//===- Report.h - what a compilation tells about itself ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_REPORT_H
#define TAKT_DRIVER_REPORT_H

#include "takt/Scheduling/Objective.h"
#include "takt/Scheduling/Schedule.h"
#include "takt/Target/Program.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/raw_ostream.h"

namespace takt {

/// The model as the report names it.
struct ModelSummary {
  std::string name;
  int64_t operations = 0; ///< forward operations
  int64_t layers = 0;
  int64_t parameters = 0;  ///< trainable elements
  int64_t forwardMacs = 0; ///< multiply-accumulates of one minibatch
};

/// One schedule and the program made from it.
struct ScheduledProgram {
  Schedule schedule;
  Bounds bounds;
  Metrics metrics;
  Program program;
  /// Cycles of an iteration, measured on the program by the simulator: the
  /// makespan of one step of a synchronous schedule, up to the arrival of the
  /// weights that the next one needs; the steady interval of a delayed one. Of
  /// one minibatch, rounded up where replicas share them.
  int64_t interval = 0;
  /// Per processor, in bytes: the regions of the program or, without one, what
  /// the schedule holds, in 1/memoryScale of the problem's unit.
  std::vector<int64_t> peakMemory;
  int64_t memoryScale = 1;
  /// Cycles between two minibatches in the steady state, likewise. Steps of a
  /// synchronous program may overlap: where a processor is done with one it
  /// begins the next.
  int64_t steadyInterval = 0;
  double compileSeconds = 0;
  /// Activations of the step that the backward pass makes again.
  std::vector<std::string> recomputed;

  /// Over one processor that makes nothing again.
  double speedup() const;
  double utilization() const;
  /// What the scheduler has proved, or else the best of `bounds`, which are
  /// those of the schedule's own delays.
  int64_t lowerBound() const;
  /// The share of the interval that lies above the lower bound.
  double gap() const;
};

/// Of what is executed, where there is a program.
Figures figuresOf(const ScheduledProgram &entry);

/// Writes the report: the keys of `takt-report` version 1, cycles and bytes as
/// integers. Everything but `compile_seconds` is the same for the same
/// compilation.
void writeReport(llvm::raw_ostream &os, const ModelSummary &model,
                 const Machine &machine,
                 llvm::ArrayRef<ScheduledProgram> schedules);

/// The longest time that one processor is between its first start and its last
/// end in one step: what repeats where consecutive steps overlap.
int64_t span(const Schedule &schedule);

/// Divides cycles of an iteration among its minibatches, rounded up.
void perMinibatch(ScheduledProgram &scheduled);

/// Bytes of the regions that live in each processor's memory.
std::vector<int64_t> regionBytes(const Program &program);

} // namespace takt

#endif // TAKT_DRIVER_REPORT_H
