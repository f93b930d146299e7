//===- SchedDialect.td - the sched dialect -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_SCHEDDIALECT_TD
#define TAKT_DIALECT_SCHED_SCHEDDIALECT_TD

include "mlir/IR/DialectBase.td"

def Sched_Dialect : Dialect {
  let name = "sched";
  let cppNamespace = "::takt::sched";
  let summary = "A scheduling problem and its solution as text";
  let description = [{
    The text form of the scheduling library (`takt/Scheduling`), which itself
    knows nothing of MLIR:

    ```
    train dialect ── train-form-tasks ──► sched.problem     tasks, values, machine
                                              │ sched-schedule
                                              ▼
                                          sched.schedule    who, when, which stage
                                              │ sched-verify
                                              ▼
                                          stream dialect
    ```

    A problem can be written by hand, and a solution known to be good can be
    stored beside it: `sched-verify` checks it as it checks a scheduler's.

    The machine is the module attribute `sched.machine`, the canonical text of a
    machine file; the cost model is `sched.cost`.

    Files: `SchedAttributes.td` (work, uses, cuts), `SchedProblemOps.td`
    (problem, layer, task, value), `SchedScheduleOps.td` (schedule, cut, stage,
    place, transfer).
  }];
  let useDefaultAttributePrinterParser = 1;
}

#endif // TAKT_DIALECT_SCHED_SCHEDDIALECT_TD
