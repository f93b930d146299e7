//===- StepTransfers.cpp - what crosses between processors ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StepTransfers.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"

using namespace takt;

void StepTransfers::add(SendTime sendTime) {
  for (auto [value, all] : llvm::enumerate(rings.rings))
    for (auto [index, ring] : llvm::enumerate(all))
      if (step.values[value].kernel >= 0 && !ring.isHome)
        add(value, index);
  if (sendTime == SendTime::InTurn)
    takeTurns();
  addSends();
}

uint32_t StepTransfers::addSemaphore(int writer, int waiter) {
  program.semaphores.push_back({uint32_t(writer), uint32_t(waiter), 0});
  return program.semaphores.size() - 1;
}

/// In time for its first reader, and for the next one in its place at home.
PlannedSend StepTransfers::plan(int value, const Ring &ring) const {
  int maker = rings.producerOf(value);
  TransferPlacement times = rings.transferOf(value, ring.processor);
  int64_t slots = rings.rings[value].front().slots;
  int64_t mustEnd =
      std::min(ring.firstReadStart,
               schedule.tasks[maker].start + slots * schedule.interval - 1);
  int64_t latest = mustEnd - times.cycles - times.latency;
  return {maker, times, std::max(times.start, latest)};
}

void StepTransfers::add(int value, size_t index) {
  const Ring &ring = rings.rings[value][index];
  PlannedSend planned = plan(value, ring);
  int maker = planned.maker, from = planned.times.from;
  int64_t stage = rings.stageOf(maker);
  Transfer transfer;
  transfer.arrival = addSemaphore(from, ring.processor);
  transfer.completion = addSemaphore(from, from);
  transfer.cycles = planned.times.cycles;
  transfer.latency = planned.times.latency;
  uint32_t credit = addSemaphore(ring.processor, from);
  uint32_t number = program.transfers.size();
  program.transfers.push_back(transfer);
  sends.push_back({value,
                   index,
                   planned,
                   code.make(Opcode::Wait, 0, credit, ring.creditCount()),
                   {maker, stage},
                   {},
                   {}});

  code.addBefore(maker, code.make(Opcode::Wait, stage, transfer.completion,
                                  rings.rings[value].front().slots));
  code.addBefore(step.kernels[ring.firstRead.kernel].task,
                 code.make(Opcode::Receive, ring.firstRead.trip, number));
  code.addCredit(step.kernels[ring.lastRead.kernel].task,
                 code.make(Opcode::Signal, ring.creditStage(), credit));
}

/// Moves the sends of transfers that hold links to where they do not get into
/// each other's way.
void StepTransfers::takeTurns() {
  std::vector<size_t> moved;
  std::vector<PlannedSend> plans;
  for (auto [index, send] : llvm::enumerate(sends))
    if (send.plan.times.cycles > 0) {
      moved.push_back(index);
      plans.push_back(send.plan);
    }
  SendTurns turns(*problem.machine, schedule, rings, plans);
  for (auto [index, send] : llvm::enumerate(moved))
    sends[send].place = turns.place(index);
  for (const SendTurns::Turn &turn : turns.turns()) {
    Send &first = sends[moved[turn.before]], &second = sends[moved[turn.after]];
    uint32_t sent = addSemaphore(first.plan.times.from, second.plan.times.from);
    first.signals.push_back(code.make(Opcode::Signal, first.place.stage, sent));
    // What is sent before an earlier minibatch's is waited for in its trip.
    int64_t earlier = std::max<int64_t>(turn.distance, 0);
    second.waits.push_back(
        code.make(Opcode::Wait, second.place.stage + turn.distance - earlier,
                  sent, earlier));
  }
}

/// Behind one task in the order in which they have their links by plan.
void StepTransfers::addSends() const {
  auto timeInTrip = [&](size_t transfer) {
    return sends[transfer].plan.times.start -
           sends[transfer].place.stage * schedule.interval;
  };
  auto order = llvm::to_vector(llvm::seq<size_t>(0, sends.size()));
  llvm::stable_sort(
      order, [&](size_t a, size_t b) { return timeInTrip(a) < timeInTrip(b); });
  for (size_t transfer : order) {
    const Send &send = sends[transfer];
    auto [task, stage] = send.place;
    llvm::SmallVector<Instruction> instructions = {
        code.make(Opcode::Wait, stage, send.credit.a, send.credit.b)};
    llvm::append_range(instructions, send.waits);
    instructions.push_back(code.make(Opcode::Send, stage, transfer));
    llvm::append_range(instructions, send.signals);
    for (const Instruction &instruction : instructions)
      code.addSend(task, send.plan.times.from, instruction);
  }
}
