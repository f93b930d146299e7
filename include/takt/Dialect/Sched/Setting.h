//===- Setting.h - machine and cost model of a module -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_SETTING_H
#define TAKT_DIALECT_SCHED_SETTING_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "takt/Dialect/Sched/Sched.h"
#include "takt/Scheduling/Schedule.h"
#include <memory>

namespace takt::sched {

/// What a module's problems are to be solved on.
struct Setting {
  Machine machine;
  std::unique_ptr<CostModel> cost;

  /// The machine is the uniform default one if `processors` is not 0, else the
  /// module attribute `sched.machine`; the cost model is `cost` if not empty,
  /// else the module attribute `sched.cost`, else `systolic`. Fails if there is
  /// no machine, or either cannot be read.
  static llvm::Expected<Setting> of(mlir::ModuleOp module, int64_t processors,
                                    llvm::StringRef cost);

  Problem problem(const TaskGraph &graph) const {
    return {&graph, &machine, cost.get()};
  }
};

/// A schedule's text, and the graph of the problem that it solves.
struct Solution {
  TaskGraph graph;
  Schedule schedule;
};

/// Reads a schedule with its problem and verifies it: no text is trusted. Fails
/// with a diagnostic at the operation.
mlir::FailureOr<Solution> readVerified(ScheduleOp op, const Setting &setting);

/// A module with one problem and one schedule of it, its setting attached.
mlir::OwningOpRef<mlir::ModuleOp> scheduleModule(mlir::Location loc,
                                                 const TaskGraph &graph,
                                                 const Machine &machine,
                                                 const CostModel &cost,
                                                 const Schedule &schedule);

/// Writes machine and cost model into the module's attributes.
void setSetting(mlir::ModuleOp module, const Machine &machine,
                const CostModel &cost);

} // namespace takt::sched

#endif // TAKT_DIALECT_SCHED_SETTING_H
