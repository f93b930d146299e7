//===- PipeDream.h - the 1F1B schedule of a partition -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPEDREAM_H
#define TAKT_LIB_SCHEDULING_PIPEDREAM_H

#include "StagePartition.h"
#include "Timing.h"
#include <optional>

namespace takt {

/// One-forward-one-backward over the stages of a partition, at the least
/// interval that its transfers allow; delay S(l) for every layer. nullopt if
/// no interval was found.
std::optional<Schedule> schedulePipeline(const Problem &problem,
                                         const StagePartition &partition);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPEDREAM_H
