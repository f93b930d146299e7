//===- Passes.td - passes of the sched dialect -------------*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_PASSES_TD
#define TAKT_DIALECT_SCHED_PASSES_TD

include "mlir/Pass/PassBase.td"

def SchedSchedule : Pass<"sched-schedule", "::mlir::ModuleOp"> {
  let summary = "solve every scheduling problem of the module";
  let description = [{
    Runs one scheduler of the library on each `sched.problem`, verifies what it
    found, and adds it as a `sched.schedule` behind the problem. The machine is
    the module attribute `sched.machine`, or the uniform default machine where
    `processors` is given; the cost model is `sched.cost`, or `cost`.

    Before:
    ```mlir
    sched.problem @p { … }
    ```
    After `sched-schedule{scheduler=list processors=2}`:
    ```mlir
    sched.problem @p { … }
    sched.schedule of @p by "list" synchronous feasible interval 30 stages 1 { … }
    ```
  }];
  let options = [
    Option<"scheduler", "scheduler", "std::string", "\"layerpipe\"",
           "name of the scheduler (taktc --list-schedules)">,
    Option<"processors", "processors", "int64_t", "0",
           "number of processors of the default machine; 0: the module's">,
    Option<"cost", "cost", "std::string", "\"\"",
           "cost model; empty: the module's, or systolic">,
    Option<"stages", "stages", "int", "0",
           "number of delay stages; 0: the scheduler chooses">,
    Option<"tolerance", "tolerance", "int", "0",
           "thousandths by which the interval may grow for less traffic">,
    Option<"weights", "weights", "std::string", "\"\"",
           "which weights dgrads of a delayed schedule read: stash, latest or "
           "average; empty: the scheduler's own way">
  ];
  let dependentDialects = ["::takt::sched::SchedDialect"];
}

def SchedVerify : Pass<"sched-verify", "::mlir::ModuleOp"> {
  let summary = "check every schedule of the module against its problem";
  let description = [{
    The independent check of the scheduling library: precedence with distances,
    exclusive processors and links, durations, colocation, delays. No scheduler
    is trusted, and neither is a schedule written by hand. Machine and cost
    model are found as `sched-schedule` finds them.
  }];
  let options = [
    Option<"processors", "processors", "int64_t", "0",
           "number of processors of the default machine; 0: the module's">,
    Option<"cost", "cost", "std::string", "\"\"",
           "cost model; empty: the module's, or systolic">
  ];
  let dependentDialects = ["::takt::sched::SchedDialect"];
}

#endif // TAKT_DIALECT_SCHED_PASSES_TD
