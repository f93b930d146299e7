//===- Deadlock.cpp - proof that no processor waits forever ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The bodies' instructions form a marked graph (Commoner et al. 1971): an edge
// from u to v with k tokens says that v in trip t waits for u in trip t - k.
// Program order has 0 tokens, the way back to the body's beginning 1; what
// waits on a semaphore has as many as stages and counts give. The graph is live
// if and only if every cycle has a token. No edge may have fewer than 0, so
// that it suffices that the edges without tokens form no cycle.
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Validate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"

using namespace llvm;
using namespace takt;

namespace {
class DeadlockCheck {
public:
  explicit DeadlockCheck(const Program &program) : program(program) {}

  Error run() {
    numberInstructions();
    findWriters();
    if (Error error = addEdges())
      return error;
    return findCycle();
  }

private:
  struct Site {
    size_t processor = 0, pc = 0;
  };

  std::string describe(Site site) const;
  size_t node(Site site) const { return first[site.processor] + site.pc; }
  const Instruction &at(Site site) const {
    return program.code[site.processor][site.pc];
  }

  void numberInstructions();
  void findWriters();
  Error addEdges();
  Error addWait(Site waiter, uint32_t semaphore, int64_t count);
  Error findCycle();

  const Program &program;
  std::vector<size_t> first; ///< node of each processor's pc 0
  std::vector<Site> sites;
  std::vector<std::optional<Site>> writers;       ///< by semaphore
  std::vector<SmallVector<size_t, 2>> successors; ///< edges without tokens
  std::vector<unsigned> waitsFor;
};
} // namespace

/// What it does, to which value or semaphore, and where.
std::string DeadlockCheck::describe(Site site) const {
  const Instruction &instruction = at(site);
  std::string text = mnemonic(instruction.op).str();
  if (instruction.op == Opcode::Send || instruction.op == Opcode::Receive) {
    const Transfer &transfer = program.transfers[instruction.a];
    text += " of '" + program.values[transfer.source.value].name + "'";
  } else if (instruction.op == Opcode::Wait) {
    text += " on semaphore " + std::to_string(instruction.a);
  } else if (instruction.op == Opcode::Signal) {
    text += " to semaphore " + std::to_string(instruction.a);
  }
  return (text + " at processor " + Twine(site.processor) + ", pc " +
          Twine(site.pc))
      .str();
}

void DeadlockCheck::numberInstructions() {
  for (auto [processor, code] : enumerate(program.code)) {
    first.push_back(sites.size());
    for (size_t pc = 0; pc < code.size(); ++pc)
      sites.push_back({processor, pc});
  }
  successors.resize(sites.size());
  waitsFor.resize(sites.size());
}

void DeadlockCheck::findWriters() {
  writers.resize(program.semaphores.size());
  for (Site site : sites) {
    const Instruction &instruction = at(site);
    if (instruction.op == Opcode::Signal)
      writers[instruction.a] = site;
    if (instruction.op == Opcode::Send) {
      writers[program.transfers[instruction.a].arrival] = site;
      writers[program.transfers[instruction.a].completion] = site;
    }
  }
}

/// In trip t the waiter, of stage s, is at minibatch t - s and needs the
/// writer's of minibatch t - s - count, which is in trip t - s - count + s'.
Error DeadlockCheck::addWait(Site waiter, uint32_t semaphore, int64_t count) {
  count += program.semaphores[semaphore].initial;
  if (!writers[semaphore])
    return createStringError(describe(waiter) + " waits on semaphore " +
                             Twine(semaphore) + ", which nobody writes");
  Site writer = *writers[semaphore];
  int64_t tokens = at(waiter).stage + count - at(writer).stage;
  if (tokens < 0)
    return createStringError(
        describe(waiter) + ", stage " + Twine(at(waiter).stage) +
        " waits for a later trip "
        "of " +
        describe(writer) + ", stage " + Twine(at(writer).stage));
  if (tokens == 0) {
    successors[node(writer)].push_back(node(waiter));
    ++waitsFor[node(waiter)];
  }
  return Error::success();
}

Error DeadlockCheck::addEdges() {
  for (Site site : sites) {
    const Instruction &instruction = at(site);
    if (site.pc > 0) {
      successors[node(site) - 1].push_back(node(site));
      ++waitsFor[node(site)];
    }
    if (instruction.op == Opcode::Receive)
      if (Error error =
              addWait(site, program.transfers[instruction.a].arrival, 0))
        return error;
    if (instruction.op == Opcode::Wait)
      if (Error error = addWait(site, instruction.a, instruction.b))
        return error;
    if (instruction.op == Opcode::Barrier)
      return createStringError(describe(site) +
                               ": barriers inside a loop are not supported");
  }
  return Error::success();
}

/// What is left when everything that waits for nothing is taken away, again and
/// again, waits in a cycle.
Error DeadlockCheck::findCycle() {
  std::vector<size_t> ready;
  for (size_t n = 0; n < sites.size(); ++n)
    if (waitsFor[n] == 0)
      ready.push_back(n);
  size_t done = 0;
  while (!ready.empty()) {
    size_t n = ready.back();
    ready.pop_back();
    ++done;
    for (size_t successor : successors[n])
      if (--waitsFor[successor] == 0)
        ready.push_back(successor);
  }
  if (done == sites.size())
    return Error::success();
  // Two instructions that wait for another processor, both on the cycle's way.
  std::string stuck;
  int named = 0;
  for (size_t n = 0; n < sites.size() && named < 2; ++n) {
    Opcode op = at(sites[n]).op;
    if (waitsFor[n] == 0 || (op != Opcode::Wait && op != Opcode::Receive))
      continue;
    bool firstOfProcessor =
        named == 0 ||
        stuck.find("processor " + std::to_string(sites[n].processor) + ",") ==
            std::string::npos;
    if (!firstOfProcessor)
      continue;
    stuck += (named++ ? " and " : "") + describe(sites[n]);
  }
  return createStringError("deadlock: " + stuck + " wait for each other");
}

Error takt::checkDeadlockFree(const Program &program) {
  return DeadlockCheck(program).run();
}
