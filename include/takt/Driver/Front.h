//===- Front.h - Pareto fronts of compiled schedules ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_FRONT_H
#define TAKT_DRIVER_FRONT_H

#include "takt/Driver/Compile.h"
#include "takt/Driver/Problem.h"

namespace takt {

/// The Pareto front of interval against memory against traffic over what the
/// named schedulers find, by growing interval, each with its program; interval
/// and memory are the programs'. Fails as compileSchedule does if there is
/// none.
mlir::FailureOr<std::vector<ScheduledProgram>>
compileFront(const TrainingStep &step, llvm::ArrayRef<std::string> schedulers,
             const Machine &machine, const CostModel &cost,
             const CompileOptions &options);

/// The same of a stated problem. Pipeline problems trade makespan against
/// memory: each scheduler is asked for less and less of it.
llvm::Expected<std::vector<ScheduledProgram>>
solveFront(const StatedProblem &problem, llvm::ArrayRef<std::string> schedulers,
           const ScheduleOptions &options);

/// Of a pipeline problem, the schedule that is best by the options' objective.
llvm::Expected<ScheduledProgram>
solvePipelineByObjective(const StatedProblem &problem,
                         llvm::StringRef scheduler,
                         const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_DRIVER_FRONT_H
