//===- Problem.h - scheduling problems without a network --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What taktc takes besides ONNX models, so that schedules can be studied
// without a network: problems in the sched dialect, pipeline problems, measured
// profile graphs. They have schedules, reports and pictures, but no program.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_PROBLEM_H
#define TAKT_DRIVER_PROBLEM_H

#include "takt/Driver/Emit.h"
#include "takt/Driver/Report.h"
#include "takt/Scheduling/Pipeline.h"

namespace takt {

enum class InputKind { Onnx, Sched, Pipeline, Profile };

/// By file extension and content: `.mlir`; `.yaml` or `.yml`, or a file that
/// begins with `takt-pipeline:`; PipeDream's profile, whose lines begin with
/// `nodeN --`; anything else is taken for ONNX.
InputKind classifyInput(llvm::StringRef path, llvm::StringRef content);

struct StatedProblem {
  ModelSummary summary;
  TaskGraph graph;
  Machine machine;
  std::unique_ptr<CostModel> cost;
  /// Set for pipeline problems, whose schedulers are those of Pipeline.h.
  std::optional<PipelineProblem> pipeline;
};

/// Where a problem that does not state its machine and cost model gets them.
/// The task graph and the machine of a pipeline problem.
llvm::Expected<StatedProblem> statePipeline(PipelineProblem pipeline);

struct ProblemDefaults {
  const Machine &machine;
  bool machineGiven; ///< on the command line
  llvm::StringRef cost;
  bool costGiven;
  double minibatchScale = 1; ///< of a profile's times and activations
};

/// Fails with "FILE:LINE:COL: message"; the text is empty where diagnostics
/// have said it.
llvm::Expected<StatedProblem> readProblem(InputKind kind,
                                          llvm::MemoryBufferRef file,
                                          const ProblemDefaults &defaults);

/// A verified schedule's figures; no program. Bounds and cycles are of one
/// minibatch, rounded up where replicas share several.
ScheduledProgram describeSchedule(const Problem &problem, Schedule schedule);

/// The verified schedule of that name, with its figures.
llvm::Expected<ScheduledProgram> solveProblem(const StatedProblem &problem,
                                              llvm::StringRef scheduler,
                                              const ScheduleOptions &options);

/// Reads, solves, writes. Fails if the request is for a program.
llvm::Error emitProblem(InputKind kind, llvm::MemoryBufferRef file,
                        const EmitRequest &request,
                        const ProblemDefaults &defaults,
                        const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_DRIVER_PROBLEM_H
