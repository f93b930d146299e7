//===- Recomputation.h - which activations are made again -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Which activations the backward pass makes again (Recompute.h) is chosen
// around the schedulers: each choice is a task graph, in which a D or W takes
// longer and a value lives shorter, and what a choice is worth is what a
// scheduler makes of its graph.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_RECOMPUTATION_H
#define TAKT_DRIVER_RECOMPUTATION_H

#include "takt/Driver/Compile.h"

namespace takt {

/// A schedule with its program, the step that it is of, and the module that the
/// program was made from.
struct CompiledStep {
  TrainingStep step;
  ScheduledProgram scheduled;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// Chooses what is made again, as the options say, and compiles.
///
/// Full: all but what F tasks pass on to other processors. Auto: nothing, where
/// memory does not cost time. Otherwise values in the order of the memory that
/// they hold where there is too little, over the cycles that making them again
/// takes: the fewest of them with which a schedule fits, more of them, and
/// those of Full; the best by the objective is kept, or the shortest interval.
///
/// Fails as compileSchedule does if no choice fits.
mlir::FailureOr<CompiledStep>
compileWithRecomputation(const TrainingStep &step, llvm::StringRef scheduler,
                         const Machine &machine, const CostModel &cost,
                         const CompileOptions &options);

/// The step, and where the options ask for Auto steps that make more and more
/// again; with Full only the one that makes most again. For a Pareto front.
mlir::FailureOr<std::vector<TrainingStep>>
recomputationSteps(const TrainingStep &step, llvm::StringRef scheduler,
                   const Machine &machine, const CostModel &cost,
                   const CompileOptions &options);

} // namespace takt

#endif // TAKT_DRIVER_RECOMPUTATION_H
