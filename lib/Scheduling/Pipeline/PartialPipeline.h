//===- PartialPipeline.h - a pipeline being built ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_PARTIALPIPELINE_H
#define TAKT_LIB_SCHEDULING_PIPELINE_PARTIALPIPELINE_H

#include "Units.h"

namespace takt {

/// A task that may be next on its processor, and its earliest start.
struct NextTask {
  TaskKind kind = TaskKind::Forward;
  int unit = 0;
  int64_t start = 0;
};

/// Something that tasks take and give back and of which each processor has so
/// much: its memory, or a number of microbatches that it may have in flight.
struct PipelineResource {
  std::vector<int64_t> limit; ///< of each processor
  std::vector<std::array<MemoryChange, kPipelineKinds>>
      change;                        ///< by each unit
  std::vector<MemoryChange> onePass; ///< by a microbatch, of each processor
  /// Of each unit: its backward never takes any, in whatever parts it comes.
  std::vector<bool> backwardGivesBack;

  MemoryChange backward(int unit) const {
    return change[unit][size_t(TaskKind::Dgrad)].then(
        change[unit][size_t(TaskKind::Wgrad)]);
  }
};

/// What all the schedules under construction for one problem share.
class PipelineFrame {
public:
  /// At most `inFlight` microbatches, counted once for each unit of a
  /// processor, between their forward and their wgrad; 0: any number. A
  /// processor that has more units than that gets one microbatch.
  explicit PipelineFrame(const PlacedPipeline &placed, int inFlight = 0);

  /// Fails where even one microbatch after the other needs more memory than
  /// some processor has. If it succeeds, a schedule can always be completed.
  llvm::Error checkMemory() const;

  const PlacedPipeline &placed;
  const int units, processors, microbatches;
  std::vector<PipelineResource> resources; ///< the limited ones
  std::vector<int64_t> head;               ///< before anything can start there
  std::vector<int64_t> backwardTail;  ///< after the last D of each processor
  std::vector<int64_t> work;          ///< of a microbatch on each processor
  std::vector<int64_t> transferAfter; ///< from each unit to the next

private:
  void addMemory();
  void addInFlight(int inFlight);
  void add(PipelineResource resource);
};

/// Microbatches are alike and each unit takes them in order, so the counts of
/// tasks begun say which ones were.
class PartialPipeline {
public:
  explicit PartialPipeline(const PipelineFrame &frame);

  int begun(int unit, TaskKind kind) const {
    return counts[unit][size_t(kind)];
  }
  int64_t freeAt(int processor) const { return free[processor]; }
  int64_t firstStart(int processor) const { return firstStarts[processor]; }
  bool complete() const {
    return total == frame->units * frame->microbatches * kPipelineKinds;
  }

  /// Appends the tasks that `processor` may begin next: their input has been
  /// begun, there is memory for them, and enough remains after them to complete
  /// every microbatch, the oldest first. Some processor always has one.
  void appendNext(int processor, std::vector<NextTask> &next) const;

  PipelineTask begin(const NextTask &task);

  /// No completion ends earlier: each processor has its work left to do, and
  /// what must follow its last D.
  int64_t bound() const;

  /// The sum over processors of what `bound` is the maximum of, for the work
  /// and for the way of the last D.
  struct Sums {
    int64_t work = 0, path = 0;
  };
  Sums boundSums() const;

  /// Equal for equal counts.
  size_t hashOfCounts() const;

private:
  std::optional<int64_t> inputAt(TaskKind kind, int unit) const;
  bool admits(TaskKind kind, int unit) const;
  bool admits(const PipelineResource &resource, int64_t held, TaskKind kind,
              int unit) const;
  MemoryChange completion(const PipelineResource &resource, int processor,
                          std::array<int, kPipelineKinds> of, int unit) const;
  int64_t workBound(int processor) const;
  int64_t pathBound(int processor) const;

  const PipelineFrame *frame;
  int total = 0;
  std::vector<std::array<int, kPipelineKinds>> counts; ///< of each unit
  std::vector<int64_t> free, firstStarts;              ///< of each processor
  std::vector<std::vector<int64_t>> held;    ///< of each resource and processor
  std::vector<int64_t> left;                 ///< work left on each processor
  std::vector<int64_t> leftW;                ///< the wgrads' part of it
  std::vector<int64_t> forwardEnd, dgradEnd; ///< [unit * microbatches + i]
};

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_PARTIALPIPELINE_H
