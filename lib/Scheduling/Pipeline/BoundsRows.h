//===- BoundsRows.h - a pipeline as rows of alike tasks ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A row is all tasks of one kind at one stage. Its microbatches are alike, so
// they may be taken in order: in any schedule call the task that is i-th in
// time in its row the one of microbatch i. Before the i-th task of a row starts
// at least i + 1 tasks of the row before it are over, namely the predecessors
// of the first i + 1 in their old names, so the i-th of those is; and memory
// counts tasks, not names. Every schedule thus has one with the same times and
// memory whose rows are in order, and a partial schedule is known by how far
// each row is.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_PIPELINE_BOUNDSROWS_H
#define TAKT_SCHEDULING_PIPELINE_BOUNDSROWS_H

#include "takt/Scheduling/Pipeline.h"
#include "llvm/ADT/SmallVector.h"

namespace takt {

struct PipelineRow {
  int processor = 0;
  int64_t cycles = 0; ///< in units
  int64_t memory = 0; ///< as in PipelineStage
  int before = -1;    ///< the row whose task of the same microbatch precedes
  int64_t lag = 0;    ///< transfer after the end of that one, in units
  /// Whether moving a task of the row into an idle time before it, where the
  /// memory has room for it, never breaks the limit later.
  bool movesFreely = false;
};

/// The problem under one placement, with what does not change in a search.
class PipelineRows {
public:
  /// `closures`: compute `needed` and the stronger tails that follow from it.
  PipelineRows(const PipelineProblem &problem, llvm::ArrayRef<int> processorOf,
               bool closures);

  int microbatches = 0;
  int processors = 0;
  int64_t unit = 1;              ///< cycles: what divides all of them
  std::vector<PipelineRow> rows; ///< F, D, W of stage 0, of stage 1, …
  /// The rows in the order in which one microbatch meets them.
  std::vector<int> chain;
  std::vector<llvm::SmallVector<int, 6>> rowsOf; ///< by processor
  std::vector<int64_t> limit;                    ///< memory by processor
  std::vector<int> processorOf;

  int size() const { return int(rows.size()); }
  int tasks() const { return size() * microbatches; }
  size_t at(int row, int microbatch) const {
    return size_t(row) * microbatches + microbatch;
  }

  /// Least time from the end of a task to the end of the step, in units.
  std::vector<int64_t> tail;

  /// How many of each row of its processor, in the order of `rowsOf`, must be
  /// over before a task starts; empty without closures.
  llvm::ArrayRef<int> needed(int row, int microbatch) const {
    return needs.empty() ? llvm::ArrayRef<int>()
                         : llvm::ArrayRef(needs).slice(
                               at(row, microbatch) * width, width);
  }
  /// What must be over before a task starts, or the memory of its processor
  /// would be exceeded, or full of what nothing can release any more.
  struct Release {
    int row = 0;
    int microbatch = 0;
  };
  llvm::ArrayRef<Release> releasesBefore(int row, int microbatch) const {
    return releases[at(row, microbatch)];
  }

  /// The order, from the rows in the order in which their tasks were placed.
  PipelineOrder order(llvm::ArrayRef<int> placed) const;

private:
  void computeReleases();
  void chooseFreeMoves();
  void computeNeeds();
  void computeNeeds(int processor);
  void computeTails();
  int64_t tailBehind(int row, int microbatch) const;
  void computeReleases(int forward, int microbatch);

  std::vector<llvm::SmallVector<Release, 2>> releases;
  std::vector<int> needs;
  size_t width = 0;
};

} // namespace takt

#endif // TAKT_SCHEDULING_PIPELINE_BOUNDSROWS_H
