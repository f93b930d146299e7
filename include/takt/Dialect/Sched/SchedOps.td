//===- SchedOps.td - the sched dialect, all of it -*- tablegen -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_SCHED_SCHEDOPS_TD
#define TAKT_DIALECT_SCHED_SCHEDOPS_TD

include "takt/Dialect/Sched/SchedProblemOps.td"
include "takt/Dialect/Sched/SchedScheduleOps.td"

#endif // TAKT_DIALECT_SCHED_SCHEDOPS_TD
