//===- SynchronizationSites.cpp - who signals, sends, waits ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SynchronizationSites.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace llvm;
using namespace takt;

SynchronizationSites::SynchronizationSites(const Program &program)
    : program(program), waits(program.semaphores.size()),
      signals(program.semaphores.size()), sends(program.transfers.size()),
      transfersTo(program.code.size()) {
  for (const std::vector<Instruction> &code : program.code)
    for (auto [pc, instruction] : enumerate(code))
      addInstruction(instruction, pc);
  for (auto [number, transfer] : enumerate(program.transfers))
    transfersTo[program.semaphores[transfer.arrival].waiter].push_back(number);
  for (uint32_t value = 0; value < program.values.size(); ++value)
    carriers.push_back(value);
  for (const Parameter &parameter : program.parameters)
    carriers[parameter.readValue] = parameter.writeValue;
  parts.assign(program.values.size(), kNoPart);
  std::map<std::pair<StringRef, uint64_t>, uint32_t> firsts;
  for (const Parameter &parameter : program.parameters)
    if (parameter.lastUpdate > 0)
      parts[parameter.readValue] = parts[parameter.writeValue] =
          firsts
              .try_emplace({parameter.name, parameter.begin},
                           parameter.writeValue)
              .first->second;
}

void SynchronizationSites::addInstruction(const Instruction &instruction,
                                          size_t pc) {
  switch (instruction.op) {
  case Opcode::Signal:
    signals[instruction.a] = Touch{instruction.stage, pc};
    break;
  case Opcode::Send:
    sends[instruction.a] = Touch{instruction.stage, pc};
    break;
  case Opcode::Receive:
    addWait(program.transfers[instruction.a].arrival, instruction, pc);
    break;
  case Opcode::Wait:
    addWait(instruction.a, instruction, pc);
    break;
  default:
    break;
  }
}

/// A semaphore's initial value stands for minibatches before the first.
void SynchronizationSites::addWait(uint32_t semaphore,
                                   const Instruction &instruction, size_t pc) {
  int64_t count = program.semaphores[semaphore].initial;
  if (instruction.op == Opcode::Wait)
    count += instruction.b;
  waits[semaphore].push_back({pc, instruction.stage, count});
}

std::optional<Touch> SynchronizationSites::arrivalOf(uint32_t transfer) const {
  std::optional<Touch> first;
  for (const Wait &wait : waits[program.transfers[transfer].arrival]) {
    // Minibatch m has waited for instance m - count.
    Touch touch{wait.stage + wait.count, wait.pc};
    if (!first || touch.key() < first->key())
      first = touch;
  }
  return first;
}
