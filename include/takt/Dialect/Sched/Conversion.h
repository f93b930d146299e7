//===- Conversion.h - scheduling library to text and back -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_CONVERSION_H
#define TAKT_DIALECT_SCHED_CONVERSION_H

#include "takt/Dialect/Sched/Sched.h"
#include "takt/Scheduling/Schedule.h"

namespace takt::sched {

/// Creates the problem's text at the builder's insertion point.
ProblemOp fromTaskGraph(mlir::OpBuilder &builder, mlir::Location loc,
                        const TaskGraph &graph);

/// The task graph of a problem. Fails with a diagnostic at the operation that
/// names a task or layer that does not exist.
mlir::FailureOr<TaskGraph> toTaskGraph(ProblemOp problem);

/// Creates the text of a schedule of `problem` at the builder's insertion
/// point.
ScheduleOp fromSchedule(mlir::OpBuilder &builder, mlir::Location loc,
                        ProblemOp problem, const Schedule &schedule);

/// The schedule that a text states. Fails with a diagnostic when it names
/// something that does not exist, places a task twice or not at all, or cuts
/// what cannot be cut. It is not verified.
mlir::FailureOr<Schedule> toSchedule(ScheduleOp schedule,
                                     const TaskGraph &problem);

/// Names of the module attributes that carry machine and cost model.
constexpr llvm::StringLiteral kMachineAttr = "sched.machine";
constexpr llvm::StringLiteral kCostAttr = "sched.cost";

} // namespace takt::sched

#endif // TAKT_DIALECT_SCHED_CONVERSION_H
