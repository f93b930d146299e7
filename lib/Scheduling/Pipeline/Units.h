//===- Units.h - what a schedule orders on each processor -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_UNITS_H
#define TAKT_LIB_SCHEDULING_PIPELINE_UNITS_H

#include "takt/Scheduling/Pipeline.h"

namespace takt {

/// What a task does to its processor's memory: how far it rises above what was
/// held before, and by how much it has changed in the end.
struct MemoryChange {
  int64_t rise = 0, net = 0;

  /// This and then `next`.
  MemoryChange then(MemoryChange next) const {
    return {std::max(rise, net + next.rise), net + next.net};
  }
};

/// Neighbouring stages that one processor computes as if they were one.
struct PipelineUnit {
  int processor = 0;
  int firstStage = 0, endStage = 0;
  std::array<int64_t, kPipelineKinds> cycles = {0, 0, 0};
  std::array<MemoryChange, kPipelineKinds> memory;
};

/// A problem with its stages placed, in the units that a schedule orders. The
/// tasks of such an order name a unit where those of a PipelineOrder name a
/// stage.
struct PlacedPipeline {
  const PipelineProblem &problem;
  std::vector<int> processorOf; ///< of each stage
  std::vector<PipelineUnit> units;
  std::vector<std::vector<int>> unitsOf; ///< each processor's, ascending

  /// Unlimited where the problem says nothing.
  int64_t memoryLimit(int processor) const;
};

/// One unit for each processor, its stages the next to those of the processor
/// before: for schedules of one chunk.
PlacedPipeline placeMerged(const PipelineProblem &problem);

/// One unit for each stage.
PlacedPipeline placeChunks(const PipelineProblem &problem,
                           PipelinePlacement placement);

/// The stages' tasks for the units' tasks. With full backwards the W of a unit
/// are expected right behind its D, and each stage's W goes right behind its D.
PipelineSolution expandUnits(const PlacedPipeline &placed,
                             llvm::ArrayRef<std::vector<PipelineTask>> order,
                             bool fullBackward);

/// Fails unless each processor has two stages.
llvm::Error needTwoChunks(const PipelineProblem &problem);

/// "2.5" for 25 in tenths.
std::string memoryText(const PipelineProblem &problem, int64_t memory);

/// What is said of a schedule that needs `least` on a processor with less.
llvm::Error memoryError(const PipelineProblem &problem, int processor,
                        int64_t least);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_UNITS_H
