//===- ListRule.h - pipeline schedules by rules of priority -----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_LISTRULE_H
#define TAKT_LIB_SCHEDULING_PIPELINE_LISTRULE_H

#include "PartialPipeline.h"
#include <limits>

namespace takt {

/// How a processor that is free chooses among the tasks of one of its units.
struct UnitRule {
  /// The most microbatches between their forward and their dgrad.
  int warmUp = std::numeric_limits<int>::max();
  /// Of the tasks that can begin earliest the one of the lowest rank goes
  /// first. Wgrads come last.
  int forwardRank = 2, dgradRank = 1;
  /// By what part of its cycles, in quarters, a forward may hold up the next
  /// dgrad, and a wgrad the next forward or dgrad.
  int forwardHoldUp = 4, wgradHoldUp = 4;
};

struct ListRule {
  std::vector<UnitRule> units;
  /// Of the same rank on one processor the later unit first.
  bool laterUnitFirst = true;
};

struct BuiltPipeline {
  std::vector<std::vector<PipelineTask>> order; ///< of units, by processor
  int64_t makespan = 0, span = 0;               ///< as in PipelineTimes

  bool isBetterThan(const BuiltPipeline &other) const {
    return std::pair(makespan, span) < std::pair(other.makespan, other.span);
  }
};

/// Builds the whole schedule. Needs a frame whose memory suffices.
BuiltPipeline buildByRule(const PipelineFrame &frame, const ListRule &rule);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_LISTRULE_H
