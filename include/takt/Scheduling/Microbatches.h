//===- Microbatches.h - task graphs of many microbatches --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_MICROBATCHES_H
#define TAKT_SCHEDULING_MICROBATCHES_H

#include "takt/Scheduling/TaskGraph.h"

namespace takt {

/// The task graph of a step in `count` microbatches (at least 3), from those of
/// the same step in three and in four: the one between the first and the last
/// is there count - 2 times, and what grows from three to four (a concatenation
/// of all results, the samples of all microbatches) goes on growing. Time and
/// memory are those of the result: no operation is built.
///
/// Names tell microbatches apart: NAME.m1, or NAME.m1 before a dot, is of
/// microbatch 1.
TaskGraph repeatMicrobatches(const TaskGraph &three, const TaskGraph &four,
                             int count);

} // namespace takt

#endif // TAKT_SCHEDULING_MICROBATCHES_H
