//===- BoundsRows.cpp - a pipeline as rows of alike tasks -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "BoundsRows.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <limits>
#include <numeric>

using namespace llvm;
using namespace takt;

PipelineRows::PipelineRows(const PipelineProblem &problem,
                           ArrayRef<int> processorOf, bool closures)
    : microbatches(problem.microbatches), processors(problem.processors),
      rowsOf(problem.processors), limit(problem.memoryLimit),
      processorOf(processorOf.begin(), processorOf.end()) {
  limit.resize(processors, std::numeric_limits<int64_t>::max());
  unit = problem.transferCycles;
  for (const PipelineStage &stage : problem.stages)
    for (int64_t cycles : stage.cycles)
      unit = std::gcd(unit, cycles);
  unit = std::max<int64_t>(unit, 1);

  int stages = int(problem.stages.size());
  for (int s = 0; s < stages; ++s)
    for (int kind = 0; kind < kPipelineKinds; ++kind) {
      PipelineRow row;
      row.processor = processorOf[s];
      row.cycles = problem.stages[s].cycles[kind] / unit;
      row.memory = problem.stages[s].memory[kind];
      rowsOf[row.processor].push_back(size());
      rows.push_back(row);
    }
  auto precede = [&](int before, int row) {
    rows[row].before = before;
    if (rows[row].processor != rows[before].processor)
      rows[row].lag = problem.transferCycles / unit;
  };
  for (int s = 0; s < stages; ++s) {
    int row = s * kPipelineKinds;
    if (s > 0)
      precede(row - kPipelineKinds, row);
    precede(s + 1 < stages ? row + kPipelineKinds + 1 : row, row + 1);
    precede(row + 1, row + 2);
    chain.push_back(row);
  }
  for (int s = stages - 1; s >= 0; --s)
    chain.insert(chain.end(), {s * kPipelineKinds + 1, s * kPipelineKinds + 2});
  computeReleases();
  chooseFreeMoves();
  if (closures)
    computeNeeds();
  computeTails();
}

PipelineOrder PipelineRows::order(ArrayRef<int> placed) const {
  PipelineOrder order;
  order.processorOf = processorOf;
  order.order.resize(processors);
  std::vector<int> count(size(), 0);
  for (int row : placed)
    order.order[rows[row].processor].push_back(
        {TaskKind(row % kPipelineKinds), row / kPipelineKinds, count[row]++});
  return order;
}

/// Least memory that `forwards` microbatches begun at a stage hold, with at
/// most so many D and W over. Linear in either count, so least at a corner.
static int64_t leastHeld(ArrayRef<PipelineRow> stage, int64_t forwards,
                         int64_t dgrads, int64_t wgrads) {
  wgrads = std::min(wgrads, dgrads);
  int64_t d = stage[1].memory, w = stage[2].memory;
  return stage[0].memory * forwards +
         std::min({int64_t(0), d * dgrads, d * dgrads + w * wgrads,
                   (d + w) * wgrads});
}

std::array<int, 2> PipelineRows::releasesOf(int stage, int microbatch) const {
  // Of the other stages of the processor only those before this one count:
  // microbatches come here through them, and leave them after leaving here.
  int row = stage * kPipelineKinds, processor = rows[row].processor;
  auto held = [&](int dgrads, int wgrads) {
    int64_t sum = 0;
    for (int other : rowsOf[processor])
      if (other % kPipelineKinds == 0 && other <= row)
        sum +=
            leastHeld(ArrayRef(rows).slice(other, kPipelineKinds),
                      microbatch + 1, dgrads, other == row ? wgrads : dgrads);
    return sum;
  };
  std::array<int, 2> least = {0, 0};
  while (least[0] < microbatch && held(least[0], least[0]) > limit[processor])
    ++least[0];
  while (least[1] < microbatch && held(microbatch, least[1]) > limit[processor])
    ++least[1];
  return least;
}

void PipelineRows::computeReleases() {
  releases.assign(size_t(size()) / kPipelineKinds * microbatches, {0, 0});
  for (int processor = 0; processor < processors; ++processor) {
    // Where a stage can hold less than nothing the others have its room too.
    bool regular = all_of(rowsOf[processor], [&](int row) {
      if (row % kPipelineKinds != 0)
        return true;
      int64_t f = rows[row].memory, d = rows[row + 1].memory,
              w = rows[row + 2].memory;
      return f >= 0 && f + d >= 0 && f + d + w >= 0;
    });
    if (!regular || limit[processor] == std::numeric_limits<int64_t>::max())
      continue;
    for (int row : rowsOf[processor])
      if (row % kPipelineKinds == 0)
        for (int i = 0; i < microbatches; ++i)
          releases[at(row / kPipelineKinds, i)] =
              releasesOf(row / kPipelineKinds, i);
  }
}

void PipelineRows::chooseFreeMoves() {
  // A task that allocates nothing only lowers what the tasks behind it see.
  // One that does may move where nothing else on its processor allocates: all
  // that it passes lowers the memory, so the peak is at its own start.
  for (int processor = 0; processor < processors; ++processor) {
    int allocating = count_if(rowsOf[processor],
                              [&](int row) { return rows[row].memory > 0; });
    bool unlimited = limit[processor] == std::numeric_limits<int64_t>::max();
    for (int row : rowsOf[processor])
      rows[row].movesFreely =
          unlimited || rows[row].memory <= 0 || allocating == 1;
  }
}

void PipelineRows::computeNeeds() {
  width = 0;
  for (const auto &own : rowsOf)
    width = std::max(width, size_t(own.size()));
  needs.assign(size_t(tasks()) * width, 0);
  for (int processor = 0; processor < processors; ++processor)
    computeNeeds(processor);
}

/// For every task what it needs of this processor's rows; keeps it for those of
/// this processor.
void PipelineRows::computeNeeds(int processor) {
  const auto &own = rowsOf[processor];
  std::vector<int> all(size_t(tasks()) * own.size(), 0);
  auto of = [&](int row, int i) { return &all[at(row, i) * own.size()]; };
  std::vector<int> column(size(), -1);
  for (auto [index, row] : enumerate(own))
    column[row] = int(index);
  for (int i = 0; i < microbatches; ++i)
    for (int row : chain) {
      int *need = of(row, i);
      auto after = [&](int before, int j) {
        if (before < 0 || j < 0)
          return;
        for (size_t k = 0; k < own.size(); ++k)
          need[k] = std::max(need[k], of(before, j)[k]);
        if (column[before] >= 0)
          need[column[before]] = std::max(need[column[before]], j + 1);
      };
      after(rows[row].before, i);
      after(row, i - 1);
      if (row % kPipelineKinds == 0) {
        after(row + 1, released(row, i)[0] - 1);
        after(row + 2, released(row, i)[1] - 1);
      }
      if (column[row] >= 0)
        std::copy_n(need, own.size(), &needs[at(row, i) * width]);
    }
}

/// Work on the task's own processor that cannot come before it.
int64_t PipelineRows::tailBehind(int row, int microbatch) const {
  if (needs.empty())
    return 0;
  const auto &own = rowsOf[rows[row].processor];
  size_t column = size_t(find(own, row) - own.begin());
  int64_t work = 0, least = std::numeric_limits<int64_t>::max();
  for (int other : own) {
    int first = 0, last = microbatches; // needs grow with the microbatch
    while (first < last) {
      int middle = (first + last) / 2;
      if (needed(other, middle)[column] > microbatch)
        last = middle;
      else
        first = middle + 1;
    }
    if (first == microbatches)
      continue;
    work += (microbatches - first) * rows[other].cycles;
    least = std::min(least, tail[at(other, microbatches - 1)]);
  }
  return work > 0 ? work + least : 0;
}

void PipelineRows::computeTails() {
  tail.assign(tasks(), 0);
  for (int i = microbatches - 1; i >= 0; --i)
    for (int row : reverse(chain)) {
      int64_t &own = tail[at(row, i)];
      own = std::max(own, tailBehind(row, i));
      // What this task's end plus `own` implies for those before it.
      int64_t whole = own + rows[row].cycles;
      auto raise = [&](int before, int j, int64_t lag) {
        if (before >= 0 && j >= 0)
          tail[at(before, j)] = std::max(tail[at(before, j)], whole + lag);
      };
      raise(rows[row].before, i, rows[row].lag);
      raise(row, i - 1, 0);
      if (row % kPipelineKinds == 0) {
        raise(row + 1, released(row, i)[0] - 1, 0);
        raise(row + 2, released(row, i)[1] - 1, 0);
      }
    }
}
