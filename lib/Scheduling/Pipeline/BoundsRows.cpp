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

/// For the F of a stage and each stage from there on on the same processor: how
/// many D of the latter must be over; and how many W of the own.
void PipelineRows::computeReleases(int forward, int microbatch) {
  const auto &own = rowsOf[rows[forward].processor];
  int64_t room = limit[rows[forward].processor];
  ArrayRef<PipelineRow> all(rows);
  // Microbatches come here through the stages before, and leave those after.
  auto heldHere = [&](int dgrads, int wgrads) {
    int64_t sum = 0;
    for (int row : own)
      if (row % kPipelineKinds == 0 && row <= forward)
        sum += leastHeld(all.slice(row, kPipelineKinds), microbatch + 1, dgrads,
                         row == forward ? wgrads : dgrads);
    return sum;
  };
  // With fewer than the least number over, the start would be the last.
  auto require = [&](int row, auto fits) {
    int over = 0, enough = microbatch; // more that are over hold no more
    while (over < enough) {
      int middle = (over + enough) / 2;
      if (fits(middle))
        enough = middle;
      else
        over = middle + 1;
    }
    if (over > 0)
      releases[at(forward, microbatch)].push_back({row, over - 1});
  };
  require(forward + 2,
          [&](int over) { return heldHere(microbatch, over) <= room; });
  // Before another D of a later stage is over some microbatch holds the memory
  // of all F up to there, now or later, and nothing can be released before.
  int64_t way = 0;
  for (int row : own) {
    if (row % kPipelineKinds != 0 || row < forward)
      continue;
    way += row > forward ? rows[row].memory : 0;
    require(row + 1,
            [&](int over) { return heldHere(over, over) + way <= room; });
  }
}

void PipelineRows::computeReleases() {
  releases.resize(tasks());
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
          computeReleases(row, i);
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
      for (const Release &release : releasesBefore(row, i))
        after(release.row, release.microbatch);
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
      for (const Release &release : releasesBefore(row, i))
        raise(release.row, release.microbatch, 0);
    }
}
