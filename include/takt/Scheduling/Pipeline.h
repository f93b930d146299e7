//===- Pipeline.h - synchronous pipelines of stages -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The form in which the literature states synchronous schedules: stages in a
// row, microbatches, and for each of both a forward, a dgrad and a wgrad. The
// published schedules are orders of these per processor; times and memory
// follow from the orders.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_PIPELINE_H
#define TAKT_SCHEDULING_PIPELINE_H

#include "takt/Support/TaskKind.h"
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace takt {

/// Index into arrays by kind: 0 F, 1 D, 2 W (the order of TaskKind).
constexpr int kPipelineKinds = 3;

struct PipelineStage {
  std::array<int64_t, kPipelineKinds> cycles = {0, 0, 0}; ///< F, D, W
  /// Change of the processor's memory: a positive one counts from the start of
  /// its task, a negative one from its end. In 1/memoryScale of the unit.
  std::array<int64_t, kPipelineKinds> memory = {0, 0, 0};
};

/// For each microbatch: F of stage s after F of s-1; D of s after D of s+1 (of
/// the last stage after its own F); W of s after its D; and where the two are
/// on different processors, `transferCycles` after its end.
struct PipelineProblem {
  std::string name;
  int processors = 1;
  int microbatches = 1;
  std::vector<PipelineStage> stages; ///< in order; a multiple of `processors`
  int64_t transferCycles = 0;
  std::vector<int64_t> memoryLimit; ///< per processor; empty: unlimited
  /// Memory is counted in 1/memoryScale of the problem's unit (a power of ten).
  int64_t memoryScale = 1;

  int chunks() const { return static_cast<int>(stages.size()) / processors; }
};

/// Reads `takt-pipeline: 1`. Fails with the line of an unknown or duplicate
/// key, of a value out of range, or of a number of stages that is no multiple
/// of the number of processors.
llvm::Expected<PipelineProblem> parsePipeline(llvm::MemoryBufferRef text);

struct PipelineTask {
  TaskKind kind = TaskKind::Forward; ///< Forward, Dgrad or Wgrad
  int stage = 0;
  int microbatch = 0;
};

/// Who computes what, in which order: all that a schedule decides.
struct PipelineOrder {
  std::vector<int> processorOf;                 ///< of each stage
  std::vector<std::vector<PipelineTask>> order; ///< of each processor
  /// Each D and the W right behind it are one task, as in the schedules that do
  /// not split the backward: D of the stage before waits for both.
  bool fullBackward = false;
};

/// Stage to processor, the placements of the literature, for v = chunks():
/// Blocked: processor s / v. Interleaved: s mod p. Vee (v = 2): s, then back.
enum class PipelinePlacement : uint8_t { Blocked, Interleaved, Vee };
std::vector<int> placeStages(const PipelineProblem &problem,
                             PipelinePlacement placement);

/// Times of an order, each task as early as its predecessors and its
/// processor's previous task allow.
struct PipelineTimes {
  /// Of [kind][stage * microbatches + microbatch], in cycles.
  std::array<std::vector<int64_t>, kPipelineKinds> start;
  int64_t makespan = 0; ///< first start to last end over all processors
  int64_t span = 0; ///< the longest of one processor's first start to last end
  std::vector<int64_t> peakMemory; ///< per processor, in 1/memoryScale
};

/// Fails if the order leaves out or repeats a task, has one on the wrong
/// processor, waits for itself around a cycle, or has full backwards with a D
/// that its W does not follow. Memory limits are not checked: see `fitsMemory`.
llvm::Expected<PipelineTimes> timePipeline(const PipelineProblem &problem,
                                           const PipelineOrder &order);

/// Whether every processor stays within its limit.
bool fitsMemory(const PipelineProblem &problem, const PipelineTimes &times);

/// A lower bound of the makespan under a placement of stages, memory limits
/// left aside: for each processor the earliest start of anything there, its
/// work, and the least that must follow its last task.
int64_t makespanBound(const PipelineProblem &problem,
                      llvm::ArrayRef<int> processorOf);

struct PipelineOptions {
  /// Without one a search makes a fixed effort, so that its result does not
  /// depend on the clock.
  std::optional<int64_t> timeLimitSeconds;
  uint64_t seed = 0;
};

/// What a pipeline scheduler found.
struct PipelineSolution {
  PipelineOrder order;
  bool optimal = false; ///< proved
  int64_t bound = 0;    ///< no order under any considered placement is below
};

/// A published synchronous schedule, or a search.
struct PipelineScheduler {
  llvm::StringRef name;
  llvm::StringRef summary; ///< one line with its source
  llvm::Expected<PipelineSolution> (*run)(const PipelineProblem &,
                                          const PipelineOptions &);
  /// Stages that a network is divided into for each processor.
  int chunks = 1;
  /// Whether it looks for what the memory limits allow; the others are what
  /// they are.
  bool adapts = false;
};

/// All of them, in the order in which --list-schedules shows them.
llvm::ArrayRef<PipelineScheduler> pipelineSchedulers();

/// The one way to a pipeline schedule: run the scheduler of that name, check
/// precedence, processors and memory. Fails if any of these does; where memory
/// is exceeded, or can never suffice, the message names the processor and the
/// least limit with which the schedule works.
llvm::Expected<PipelineSolution>
schedulePipeline(llvm::StringRef name, const PipelineProblem &problem,
                 const PipelineOptions &options);

} // namespace takt

#endif // TAKT_SCHEDULING_PIPELINE_H
