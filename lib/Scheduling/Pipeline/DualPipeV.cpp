//===- DualPipeV.cpp - DualPipe on a vee of two chunks --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// DeepSeek-AI, DualPipe (github.com/deepseek-ai/DualPipe), DualPipeV: the
// processors hold one copy of the stages, in a vee. The repository overlaps a
// forward with a backward; on a processor that computes one task at a time they
// follow each other.
//
//===----------------------------------------------------------------------===//

#include "Schedules.h"
#include "Units.h"
#include <deque>

using namespace llvm;
using namespace takt;

namespace {
/// One processor's eight steps, in the words of the source: F0 is a forward of
/// the way down, F1 one of the way back, B a whole backward.
class DualPipeV {
public:
  DualPipeV(const PipelineProblem &problem, int rank)
      : p(problem.processors), m(problem.microbatches), rank(rank) {}

  std::vector<PipelineTask> run() {
    const int behind = p - 1 - rank;
    for (int i = 0; i < 2 * behind; ++i)
      forward(0);
    for (int i = 0; i < rank + 1; ++i) {
      forward(0);
      forward(1);
    }
    for (int i = 0; i < behind; ++i) {
      dgrad(1);
      wgrad();
      forward(1);
    }
    for (int i = 0; i < m - 2 * p + rank + 1; ++i) {
      forward(0);
      backward(1);
      forward(1);
      backward(0);
    }
    for (int i = 0; i < behind; ++i) {
      backward(1);
      forward(1);
      backward(0);
    }
    drain(behind);
    return std::move(order);
  }

private:
  /// From the middle on a wgrad waits, to fill the gaps of the last dgrads.
  void drain(int behind) {
    const int half = rank + 1;
    for (int i = 0; i < 2 * half; ++i) {
      int chunk = i % 2 == 0 ? 1 : 0;
      if (i < half)
        backward(chunk);
      else
        dgrad(chunk);
    }
    for (int i = 0; i < behind; ++i) {
      wgrad();
      dgrad(0);
    }
    while (!waiting.empty())
      wgrad();
  }

  int stage(int chunk) const { return chunk == 0 ? rank : 2 * p - 1 - rank; }
  void forward(int chunk) {
    order.push_back({TaskKind::Forward, stage(chunk), forwards[chunk]++});
  }
  void dgrad(int chunk) {
    order.push_back({TaskKind::Dgrad, stage(chunk), backwards[chunk]++});
    waiting.push_back(order.back());
  }
  void wgrad() {
    PipelineTask task = waiting.front();
    waiting.pop_front();
    order.push_back({TaskKind::Wgrad, task.stage, task.microbatch});
  }
  void backward(int chunk) {
    dgrad(chunk);
    wgrad();
  }

  const int p, m, rank;
  std::array<int, 2> forwards = {0, 0}, backwards = {0, 0};
  std::deque<PipelineTask> waiting; ///< dgrads without their wgrad
  std::vector<PipelineTask> order;
};
} // namespace

PipelineResult takt::scheduleDualPipeV(const PipelineProblem &problem,
                                       const PipelineOptions &) {
  if (Error error = needTwoChunks(problem))
    return std::move(error);
  if (problem.microbatches < 2 * problem.processors)
    return createStringError(
        "%d microbatches, expected at least twice the %d processors",
        problem.microbatches, problem.processors);
  std::vector<std::vector<PipelineTask>> order;
  for (int q = 0; q < problem.processors; ++q)
    order.push_back(DualPipeV(problem, q).run());
  return expandUnits(placeChunks(problem, PipelinePlacement::Vee), order,
                     /*fullBackward=*/false);
}
