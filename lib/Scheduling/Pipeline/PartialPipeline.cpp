//===- PartialPipeline.cpp - a pipeline schedule as far as it is built ----===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PartialPipeline.h"
#include "llvm/ADT/Hashing.h"
#include "llvm/ADT/STLExtras.h"
#include <limits>

using namespace llvm;
using namespace takt;

constexpr size_t kF = size_t(TaskKind::Forward), kD = size_t(TaskKind::Dgrad),
                 kW = size_t(TaskKind::Wgrad);

PipelineFrame::PipelineFrame(const PlacedPipeline &placed, int inFlight)
    : placed(placed), units(int(placed.units.size())),
      processors(placed.problem.processors),
      microbatches(placed.problem.microbatches),
      head(processors, std::numeric_limits<int64_t>::max()),
      backwardTail(processors, 0), work(processors, 0) {
  if (!placed.problem.memoryLimit.empty())
    addMemory();
  if (inFlight > 0)
    addInFlight(inFlight);
  for (int u = 0; u < units; ++u)
    transferAfter.push_back(u + 1 < units && placed.units[u].processor !=
                                                 placed.units[u + 1].processor
                                ? placed.problem.transferCycles
                                : 0);
  int64_t before = 0, after = placed.units[0].cycles[kW];
  for (int u = 0; u < units; ++u) {
    const PipelineUnit &unit = placed.units[u];
    int q = unit.processor;
    head[q] = std::min(head[q], before);
    // The processor's last D is that of its first unit.
    if (placed.unitsOf[q].front() == u)
      backwardTail[q] = after;
    before += unit.cycles[kF] + transferAfter[u];
    after += unit.cycles[kD] + transferAfter[u];
    work[q] += unit.cycles[kF] + unit.cycles[kD] + unit.cycles[kW];
  }
}

void PipelineFrame::addMemory() {
  PipelineResource memory;
  memory.limit = placed.problem.memoryLimit;
  for (const PipelineUnit &unit : placed.units)
    memory.change.push_back(unit.memory);
  add(std::move(memory));
}

void PipelineFrame::addInFlight(int inFlight) {
  PipelineResource flight;
  for (int q = 0; q < processors; ++q)
    flight.limit.push_back(
        std::max<int64_t>(inFlight, placed.unitsOf[q].size()));
  flight.change.assign(units, {MemoryChange{1, 1}, {0, 0}, {0, -1}});
  add(std::move(flight));
}

void PipelineFrame::add(PipelineResource resource) {
  for (int q = 0; q < processors; ++q) {
    MemoryChange pass;
    for (int u : placed.unitsOf[q])
      pass = pass.then(resource.change[u][kF]);
    for (int u : reverse(placed.unitsOf[q]))
      pass = pass.then(resource.backward(u));
    resource.onePass.push_back(pass);
  }
  for (const auto &change : resource.change)
    resource.backwardGivesBack.push_back(change[kD].rise == 0 &&
                                         change[kW].rise == 0);
  resources.push_back(std::move(resource));
}

/// Of so many microbatches, one after the other.
static MemoryChange passes(MemoryChange one, int64_t count) {
  if (count == 0)
    return {};
  return {one.rise + (count - 1) * std::max<int64_t>(one.net, 0),
          one.net * count};
}

Error PipelineFrame::checkMemory() const {
  if (placed.problem.memoryLimit.empty())
    return Error::success();
  int worst = -1;
  int64_t worstNeed = 0;
  for (int q = 0; q < processors; ++q) {
    int64_t need = passes(resources[0].onePass[q], microbatches).rise;
    if (need > resources[0].limit[q] && (worst < 0 || need > worstNeed)) {
      worst = q;
      worstNeed = need;
    }
  }
  return worst < 0 ? Error::success()
                   : memoryError(placed.problem, worst, worstNeed);
}

PartialPipeline::PartialPipeline(const PipelineFrame &frame)
    : frame(&frame), counts(frame.units, {0, 0, 0}), free(frame.processors, 0),
      firstStarts(frame.processors, -1),
      held(frame.resources.size(), std::vector<int64_t>(frame.processors, 0)),
      leftW(frame.processors, 0),
      forwardEnd(size_t(frame.units) * frame.microbatches, 0),
      dgradEnd(size_t(frame.units) * frame.microbatches, 0) {
  for (int q = 0; q < frame.processors; ++q)
    left.push_back(frame.work[q] * frame.microbatches);
  for (const PipelineUnit &unit : frame.placed.units)
    leftW[unit.processor] += unit.cycles[kW] * frame.microbatches;
}

std::optional<int64_t> PartialPipeline::inputAt(TaskKind kind, int unit) const {
  const auto &count = counts[unit];
  int i = count[size_t(kind)], m = frame->microbatches;
  if (i == m)
    return std::nullopt;
  switch (kind) {
  case TaskKind::Forward:
    if (unit == 0)
      return 0;
    if (counts[unit - 1][kF] == i)
      return std::nullopt;
    return forwardEnd[size_t(unit - 1) * m + i] +
           frame->transferAfter[unit - 1];
  case TaskKind::Dgrad:
    if (unit == frame->units - 1) {
      if (count[kF] == i)
        return std::nullopt;
      return forwardEnd[size_t(unit) * m + i];
    }
    if (counts[unit + 1][kD] == i)
      return std::nullopt;
    return dgradEnd[size_t(unit + 1) * m + i] + frame->transferAfter[unit];
  default:
    if (count[kD] == i)
      return std::nullopt;
    return dgradEnd[size_t(unit) * m + i];
  }
}

void PartialPipeline::appendNext(int processor,
                                 std::vector<NextTask> &next) const {
  for (int unit : frame->placed.unitsOf[processor])
    for (TaskKind kind :
         {TaskKind::Forward, TaskKind::Dgrad, TaskKind::Wgrad}) {
      std::optional<int64_t> input = inputAt(kind, unit);
      if (input && admits(kind, unit))
        next.push_back({kind, unit, std::max(*input, free[processor])});
    }
}

bool PartialPipeline::admits(TaskKind kind, int unit) const {
  for (auto [resource, heldOf] : zip_equal(frame->resources, held))
    if (!admits(resource, heldOf[frame->placed.units[unit].processor], kind,
                unit))
      return false;
  return true;
}

bool PartialPipeline::admits(const PipelineResource &resource, int64_t held,
                             TaskKind kind, int unit) const {
  int q = frame->placed.units[unit].processor;
  MemoryChange change = resource.change[unit][size_t(kind)];
  if (change.rise > 0 && held + change.rise > resource.limit[q])
    return false;
  // What could be completed before can be after giving some back; and one unit
  // that has room for a forward gives it back before it needs more.
  if (resource.backwardGivesBack[unit] &&
      (kind != TaskKind::Forward || frame->placed.unitsOf[q].size() == 1))
    return true;
  auto after = counts[unit];
  ++after[size_t(kind)];
  return held + change.net + completion(resource, q, after, unit).rise <=
         resource.limit[q];
}

/// What it takes the processor to complete every microbatch, one after the
/// other, where `unit` has begun `of`. Only its own tasks count: whatever the
/// others do, this order of microbatches is open to all of them.
MemoryChange PartialPipeline::completion(const PipelineResource &resource,
                                         int processor,
                                         std::array<int, kPipelineKinds> of,
                                         int unit) const {
  const std::vector<int> &own = frame->placed.unitsOf[processor];
  auto count = [&](int u) { return u == unit ? of : counts[u]; };
  int first = frame->microbatches, forwarded = first, end = 0;
  bool givesBack = true;
  for (int u : own) {
    first = std::min(first, count(u)[kW]);
    forwarded = std::min(forwarded, count(u)[kF]);
    end = std::max(end, count(u)[kF]);
    givesBack &= resource.backwardGivesBack[u];
  }
  MemoryChange rest;
  if (givesBack) {
    // Those whose forwards are done need nothing more.
    for (int u : own)
      rest.net += (forwarded - count(u)[kD]) * resource.change[u][kD].net +
                  (forwarded - count(u)[kW]) * resource.change[u][kW].net;
    first = forwarded;
  }
  for (int i = first; i < end; ++i) {
    for (int u : own)
      if (count(u)[kD] > i && count(u)[kW] <= i)
        rest = rest.then(resource.change[u][kW]);
    for (int u : own)
      if (count(u)[kF] <= i)
        rest = rest.then(resource.change[u][kF]);
    for (int u : reverse(own))
      if (count(u)[kD] <= i)
        rest = rest.then(resource.backward(u));
  }
  return rest.then(
      passes(resource.onePass[processor], frame->microbatches - end));
}

PipelineTask PartialPipeline::begin(const NextTask &task) {
  const PipelineUnit &unit = frame->placed.units[task.unit];
  int64_t cycles = unit.cycles[size_t(task.kind)], end = task.start + cycles;
  int i = counts[task.unit][size_t(task.kind)]++;
  free[unit.processor] = end;
  if (firstStarts[unit.processor] < 0)
    firstStarts[unit.processor] = task.start;
  for (auto [resource, heldOf] : zip_equal(frame->resources, held))
    heldOf[unit.processor] += resource.change[task.unit][size_t(task.kind)].net;
  left[unit.processor] -= cycles;
  ++total;
  size_t at = size_t(task.unit) * frame->microbatches + i;
  if (task.kind == TaskKind::Forward)
    forwardEnd[at] = end;
  else if (task.kind == TaskKind::Dgrad)
    dgradEnd[at] = end;
  else
    leftW[unit.processor] -= cycles;
  return {task.kind, task.unit, i};
}

int64_t PartialPipeline::workBound(int processor) const {
  // Nothing has begun where all the work is left.
  return std::max(free[processor], frame->head[processor]) + left[processor];
}

int64_t PartialPipeline::pathBound(int processor) const {
  int first = frame->placed.unitsOf[processor].front();
  if (counts[first][kD] == frame->microbatches)
    return 0;
  return workBound(processor) - leftW[processor] +
         frame->backwardTail[processor];
}

int64_t PartialPipeline::bound() const {
  int64_t bound = 0;
  for (int q = 0; q < frame->processors; ++q)
    bound = std::max({bound, workBound(q), pathBound(q)});
  return bound;
}

PartialPipeline::Sums PartialPipeline::boundSums() const {
  Sums sums;
  for (int q = 0; q < frame->processors; ++q) {
    sums.work += workBound(q);
    sums.path += workBound(q) - leftW[q];
  }
  return sums;
}

size_t PartialPipeline::hashOfCounts() const {
  hash_code hash(0);
  for (const auto &count : counts)
    hash = hash_combine(hash, count[kF], count[kD], count[kW]);
  return hash;
}
