//===- ProcessorOrder.h - neighbours one after the other --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PROCESSORORDER_H
#define TAKT_LIB_SCHEDULING_PROCESSORORDER_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// The order in which a pipeline's stages best take the machine's processors:
/// among a few orders (by number, row by row with every other row turned round,
/// always on to the nearest processor left) the one whose slowest step takes
/// least for a value of the graph's mean size, then with the fewest links from
/// step to step, then with the least time. By number where links are equal.
/// Every place in the order keeps the class of the processor of that number.
std::vector<int> processorOrder(const Problem &problem);

/// Renames the processors of a schedule: order[p] instead of p.
void renameProcessors(llvm::ArrayRef<int> order, Schedule &schedule);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PROCESSORORDER_H
