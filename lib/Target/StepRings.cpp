//===- StepRings.cpp - where a step's values live, and for how long -------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/StepRings.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace takt;

StepRings::StepRings(const StepExecutions &step, const Problem &problem,
                     const Schedule &schedule)
    : step(step), problem(problem), schedule(schedule),
      interval(schedule.interval) {
  orderBodies(*problem.machine);
  addReads();
  for (auto [value, all] : enumerate(rings))
    for (Ring &ring : all) {
      if (ring.isHome)
        ring.slots = homeSlots(value, ring);
      else if (step.values[value].kernel >= 0)
        ring.slots = arrivalSlots(value, ring);
      else if (step.values[value].input >= 0)
        // Loaded before its first reader.
        ring.slots = ring.lastRead.trip - ring.firstRead.trip +
                     (ring.lastRead.place >= ring.firstRead.place);
    }
}

void StepRings::orderBodies(const Machine &machine) {
  bodies = loopBodies(machine, schedule);
  place.resize(schedule.tasks.size());
  for (ArrayRef<int> body : bodies)
    for (auto [index, task] : enumerate(body))
      place[task] = index;
  kernelsOf.resize(schedule.tasks.size());
  for (auto [index, kernel] : enumerate(step.kernels))
    kernelsOf[kernel.task].push_back(index);
  for (const TransferPlacement &transfer : schedule.transfers)
    transferTimes[{schedule.graph.values[transfer.value].name, transfer.to}] =
        &transfer;
}

Access StepRings::access(int kernel, int distance) const {
  int task = step.kernels[kernel].task;
  return {stageOf(task) + distance, place[task], kernel};
}

Ring &StepRings::addRing(int value, int processor) {
  for (Ring &ring : rings[value])
    if (ring.processor == processor)
      return ring;
  Ring &ring = rings[value].emplace_back();
  ring.processor = processor;
  return ring;
}

const Ring &StepRings::ringOn(int value, int processor) const {
  return *find_if(rings[value],
                  [&](const Ring &r) { return r.processor == processor; });
}

void StepRings::addReads() {
  rings.resize(step.values.size());
  for (auto [index, value] : enumerate(step.values)) {
    if (value.kernel < 0)
      continue;
    Ring &home = addRing(index, processorOf(producerOf(index)));
    home.isHome = true;
    home.written = access(value.kernel, 0);
  }
  for (auto [index, kernel] : enumerate(step.kernels))
    for (const StepUse &use : kernel.operands)
      addRead(addRing(use.value, processorOf(kernel.task)), index,
              use.distance);
}

void StepRings::addRead(Ring &ring, int kernel, int distance) {
  Access read = access(kernel, distance);
  const Placement &task = schedule.tasks[step.kernels[kernel].task];
  int64_t start = task.start + distance * interval;
  if (!ring.isRead || read < ring.firstRead) {
    ring.firstRead = read;
    ring.firstReadStart = start;
  }
  if (!ring.isRead || ring.lastRead < read)
    ring.lastRead = read;
  ring.isRead = true;
  ring.farthestRead = std::max<int64_t>(ring.farthestRead, distance);
  ring.lastReadEnd = std::max(ring.lastReadEnd, start + task.cycles);
}

TransferPlacement StepRings::transferOf(int value, int to) const {
  auto known = transferTimes.find({step.values[value].info.name, to});
  if (known != transferTimes.end())
    return *known->second;
  // Not in the schedule: it leaves as soon as it is there.
  int from = processorOf(producerOf(value));
  const Placement &producer = schedule.tasks[producerOf(value)];
  return {-1,
          from,
          to,
          producer.start + producer.cycles,
          problem.machine->transferCycles(from, to, bytesOf(value)),
          problem.machine->transferLatency(from, to)};
}

int64_t StepRings::bytesOf(int value) const {
  const ValueInfo &info = step.values[value].info;
  int64_t bytes = elementBytes(info.type);
  for (int64_t dim : info.dims)
    bytes *= dim;
  return bytes;
}

bool takt::updatesInPlace(KernelId id) {
  return id == KernelId::Sgd || id == KernelId::Momentum ||
         id == KernelId::Adam;
}

/// The instances alive between writing and the last read, in program order,
/// and so many that no send is still under way when its slot is written again.
uint32_t StepRings::homeSlots(int value, const Ring &home) const {
  int64_t slots = 1;
  if (home.isRead) {
    auto inBody = [](const Access &a) { return std::pair(a.place, a.kernel); };
    bool readAfterWrite = inBody(home.lastRead) > inBody(home.written);
    if (home.lastRead.kernel == home.written.kernel)
      readAfterWrite = !updatesInPlace(step.kernels[home.written.kernel].id);
    slots = home.lastRead.trip - home.written.trip + readAfterWrite;
  }
  int64_t start = schedule.tasks[producerOf(value)].start;
  for (const Ring &ring : rings[value]) {
    if (ring.isHome)
      continue;
    TransferPlacement transfer = transferOf(value, ring.processor);
    int64_t sent = transfer.start + transfer.cycles + transfer.latency;
    slots = std::max(slots, (sent - start) / interval + 1);
  }
  return std::max<int64_t>(slots, 1);
}

/// So many that the credit for the instance to be overwritten is there,
/// strictly earlier, when the producer is done and sends, and no later trip has
/// to return it: processors stop together at checkpoints, between two trips.
uint32_t StepRings::arrivalSlots(int value, const Ring &ring) const {
  const Placement &producer = schedule.tasks[producerOf(value)];
  int64_t held = ring.lastReadEnd - (producer.start + producer.cycles);
  int64_t trips = ring.lastRead.trip - stageOf(producerOf(value));
  return std::max(std::max<int64_t>(held, 0) / interval + 1, trips);
}
