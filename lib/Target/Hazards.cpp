//===- Hazards.cpp - every read finds the instance that it means ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two kinds of memory are told apart. A ring that is read across trips, that a
// transfer or the host touches, or that starts with initial values, has its
// memory for itself and one writer: a kernel, a load, or a transfer, whose data
// is there once a wait on its arrival is passed. Instance j is written in trip
// j + (writer's stage); a reader with lag reads it in trip j - lag + (its
// stage); `slots` trips after it was written the next instance takes its place.
// All other memory holds something only within a trip, and one walk through the
// body says what every read finds there.
//
//===----------------------------------------------------------------------===//

#include "SynchronizationSites.h"
#include "takt/Target/InPlace.h"
#include "takt/Target/Validate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <map>

using namespace llvm;
using namespace takt;

namespace {
struct LongLived {
  TensorRef ref;
  SmallVector<Touch, 1> writers;
  SmallVector<std::pair<Touch, int64_t>, 4> readers; ///< and their lags
  int64_t transfer = -1;                             ///< that fills it
  SmallVector<uint32_t, 2> sends;                    ///< that copy from it
  bool isInitialized = false, isTouched = false;
};

/// Longest way back from a send to the waits that it needs: all sends and
/// credits of one task. Keeps the search linear whatever the code is.
constexpr size_t kMaxCreditDistance = 4096;

/// Region and offset.
using Address = std::pair<uint32_t, uint64_t>;

/// Address, and which version of a tensor it is, where an iteration makes
/// several: these may share a place.
using RingKey = std::pair<Address, uint32_t>;

class ProcessorHazards {
public:
  ProcessorHazards(const Program &program, const SynchronizationSites &sites,
                   size_t processor)
      : program(program), sites(sites), code(program.code[processor]),
        processor(processor) {}

  Error run() {
    findAcrossTrips();
    addOutside();
    collect();
    checkAliases();
    for (auto &[where, ring] : longLived) {
      checkReads(ring);
      checkCredit(ring);
      for (uint32_t transfer : ring.sends)
        checkCompletion(ring, transfer);
    }
    checkLongLivedApart();
    checkShared();
    checkShortLived();
    if (!error.empty())
      return createStringError("processor " + Twine(processor) + ": " + error);
    return Error::success();
  }

private:
  enum class Kind { Read, Write };

  static Address address(const TensorRef &ref) {
    return {ref.region, ref.offset};
  }
  RingKey key(const TensorRef &ref) const {
    bool isVersion = sites.part(ref.value) != SynchronizationSites::kNoPart;
    return {address(ref), isVersion ? sites.ringValue(ref.value) : 0};
  }
  static bool overlap(const TensorRef &a, const TensorRef &b) {
    return a.region == b.region && a.offset < endOf(b) && b.offset < endOf(a);
  }
  static uint64_t endOf(const TensorRef &ref) {
    return ref.offset + (ref.slots - 1) * ref.slotStride + ref.bytes();
  }
  std::string named(const TensorRef &ref) const {
    return "'" + program.values[ref.value].name + "'";
  }
  void fail(const Twine &message) {
    if (error.empty())
      error = message.str();
  }

  /// Calls f(tensor, kind, pc) for everything that kernels read and write, in
  /// the order of the body.
  template <typename F> void visitKernels(F f) {
    for (auto [pc, instruction] : enumerate(code)) {
      if (instruction.op != Opcode::Execute)
        continue;
      const Kernel &kernel = program.kernels[instruction.a];
      for (const TensorRef &ref : kernel.operands)
        f(ref, Kind::Read, pc);
      for (const TensorRef &ref : kernel.results)
        f(ref, Kind::Write, pc);
    }
  }

  void findAcrossTrips();
  void addOutside();
  LongLived &touch(const TensorRef &ref, size_t pc);
  void collect();
  void checkAliases();
  void checkReads(const LongLived &ring);
  void checkCredit(const LongLived &ring);
  bool isCredit(const LongLived &ring, Touch send, const Instruction &wait);
  void checkCompletion(const LongLived &ring, uint32_t transfer);
  void checkLongLivedApart();
  void checkShared();
  void checkShared(ArrayRef<const LongLived *> versions);
  void checkShortLived();

  const Program &program;
  const SynchronizationSites &sites;
  const std::vector<Instruction> &code;
  size_t processor;
  std::string error;
  std::map<RingKey, LongLived> longLived;
  std::vector<const Initializer *> initializers;
};
} // namespace

/// Rings of several slots or with a lag, and what is read in another stage, and
/// so in another trip, than it is written in.
void ProcessorHazards::findAcrossTrips() {
  std::map<std::pair<Address, uint32_t>, uint16_t> stages; ///< of the writers
  visitKernels([&](const TensorRef &ref, Kind kind, size_t pc) {
    if (kind == Kind::Write)
      stages[{address(ref), ref.value}] = code[pc].stage;
  });
  visitKernels([&](const TensorRef &ref, Kind kind, size_t pc) {
    auto writer = stages.find({address(ref), ref.value});
    bool sameTrip = kind == Kind::Write || (writer != stages.end() &&
                                            writer->second == code[pc].stage);
    if (ref.slots > 1 || ref.lag != 0 || !sameTrip)
      longLived[key(ref)];
  });
}

/// The ring at an address; all that touch it agree on what it is.
LongLived &ProcessorHazards::touch(const TensorRef &ref, size_t pc) {
  LongLived &ring = longLived[key(ref)];
  if (!ring.isTouched)
    ring.ref = ref;
  ring.isTouched = true;
  if (ref.slots != ring.ref.slots || ref.bytes() != ring.ref.bytes() ||
      (ref.slots > 1 && ref.slotStride != ring.ref.slotStride))
    fail("pc " + Twine(pc) + " takes the ring of " + named(ring.ref) +
         " for one of another size or depth");
  else if (sites.ringValue(ref.value) != sites.ringValue(ring.ref.value))
    fail("pc " + Twine(pc) + " touches " + named(ref) + " in the ring of " +
         named(ring.ref));
  return ring;
}

/// Rings that transfers, the host or initial values touch.
void ProcessorHazards::addOutside() {
  for (auto [pc, instruction] : enumerate(code)) {
    int64_t stage = instruction.stage;
    switch (instruction.op) {
    case Opcode::Load:
      touch(program.hostCopies[instruction.a].local, pc)
          .writers.push_back({stage, pc});
      break;
    case Opcode::Store:
      touch(program.hostCopies[instruction.a].local, pc)
          .readers.push_back({{stage, pc}, 0});
      break;
    case Opcode::Send: {
      LongLived &ring = touch(program.transfers[instruction.a].source, pc);
      ring.readers.push_back({{stage, pc}, 0});
      ring.sends.push_back(instruction.a);
      break;
    }
    default:
      break;
    }
  }
  for (uint32_t number : sites.incoming(processor)) {
    const Transfer &transfer = program.transfers[number];
    std::optional<Touch> arrival = sites.arrivalOf(number);
    LongLived &ring =
        touch(transfer.destination, arrival ? arrival->pc : size_t(0));
    ring.transfer = number;
    if (arrival)
      ring.writers.push_back(*arrival);
    else
      fail("nobody waits for the arrival of " + named(transfer.destination));
  }
  for (const Initializer &init : program.initializers) {
    if (program.regions[init.target.region].processor != processor)
      continue;
    longLived[key(init.target)].isInitialized = true;
    initializers.push_back(&init);
  }
}

void ProcessorHazards::collect() {
  visitKernels([&](const TensorRef &ref, Kind kind, size_t pc) {
    if (!longLived.count(key(ref)))
      return;
    LongLived &ring = touch(ref, pc);
    int64_t stage = code[pc].stage;
    if (kind == Kind::Write)
      ring.writers.push_back({stage, pc});
    else
      ring.readers.push_back({{stage - ref.lag, pc}, ref.lag});
  });
  for (const Initializer *initializer : initializers)
    touch(initializer->target, 0);
}

/// No kernel writes a result over another, or over its operands but where it
/// may work in place.
void ProcessorHazards::checkAliases() {
  for (auto [pc, instruction] : enumerate(code)) {
    if (instruction.op != Opcode::Execute)
      continue;
    const Kernel &kernel = program.kernels[instruction.a];
    for (auto [r, result] : enumerate(kernel.results)) {
      for (auto [o, operand] : enumerate(kernel.operands)) {
        bool sameRing = address(operand) == address(result);
        bool otherSlot = sameRing && operand.lag % int64_t(result.slots) != 0;
        if (overlap(operand, result) && !otherSlot &&
            !(sameRing &&
              mayOverwrite(kernel.id, o, operand.dims, r, result.dims)))
          return fail("pc " + Twine(pc) + " writes " + named(result) +
                      " over its operand " + named(operand));
      }
      for (const TensorRef &other : ArrayRef(kernel.results).take_front(r))
        if (overlap(other, result))
          return fail("pc " + Twine(pc) + " writes " + named(result) +
                      " over its result " + named(other));
    }
  }
}

/// Written before it is read, and not overwritten before that; an instance
/// before the first is an initial value.
void ProcessorHazards::checkReads(const LongLived &ring) {
  if (ring.writers.size() > 1)
    return fail("the ring of " + named(ring.ref) + " has " +
                Twine(ring.writers.size()) + " writers, expected 1");
  for (auto &[read, lag] : ring.readers) {
    std::string where = "pc " + std::to_string(read.pc);
    if (lag < 0 && !ring.isInitialized)
      return fail(where + " reads an initial value of " + named(ring.ref) +
                  ", which has none");
    if (ring.writers.empty()) {
      if (!ring.isInitialized)
        fail(where + " reads " + named(ring.ref) + ", which nobody writes");
      continue;
    }
    Touch write = ring.writers.front();
    if (read.key() <= write.key())
      return fail(where + " reads " + named(ring.ref) + " before pc " +
                  Twine(write.pc) + " has written it");
    Touch next{write.trip + ring.ref.slots, write.pc};
    // What a transfer brings next is held back by its credit.
    if (ring.transfer < 0 && read.key() > next.key())
      return fail(where + " reads " + named(ring.ref) + " after pc " +
                  Twine(write.pc) + " has overwritten it: the ring has " +
                  Twine(ring.ref.slots) + " slots");
  }
}

/// The sender of instance j waits for a signal of this processor that comes
/// after the last reader of the instance whose slot j takes.
bool ProcessorHazards::isCredit(const LongLived &ring, Touch send,
                                const Instruction &wait) {
  const Semaphore &semaphore = program.semaphores[wait.a];
  std::optional<Touch> signal = sites.signalOf(wait.a);
  if (!signal || wait.stage != send.trip || semaphore.writer != processor)
    return false;
  // Instance j departs after the signal of minibatch j - b, which is in trip
  // j - b + (signal's stage); the reader of instance j - slots must be before.
  // The first b sends wait for nothing: no reader may want what they replace.
  int64_t b = wait.b + semaphore.initial, slots = ring.ref.slots;
  return all_of(ring.readers, [&](auto &entry) {
    auto &[read, lag] = entry;
    return (b == 0 || b <= slots + lag) &&
           std::pair(read.trip - slots, read.pc) <
               std::pair(signal->trip - b, signal->pc);
  });
}

void ProcessorHazards::checkCredit(const LongLived &ring) {
  if (ring.transfer < 0 || !error.empty())
    return;
  if (!ring.sends.empty())
    return fail(named(ring.ref) + " is sent on from where a transfer puts it");
  uint32_t from =
      program.semaphores[program.transfers[ring.transfer].arrival].writer;
  std::optional<Touch> found = sites.sendOf(ring.transfer);
  if (!found)
    return fail(named(ring.ref) + " is received, but nobody sends it");
  Touch send = *found;
  const std::vector<Instruction> &sender = program.code[from];
  size_t end = send.pc > kMaxCreditDistance ? send.pc - kMaxCreditDistance : 0;
  for (size_t pc = send.pc; pc-- > end;) {
    Opcode op = sender[pc].op;
    if (op == Opcode::Wait && isCredit(ring, send, sender[pc]))
      return;
    if (op != Opcode::Wait && op != Opcode::Send && op != Opcode::Signal)
      break;
  }
  fail("processor " + Twine(from) + ", pc " + Twine(send.pc) + " sends " +
       named(ring.ref) + " without a credit from behind its last reader");
}

/// What is being sent is not written again before the transfer is complete.
void ProcessorHazards::checkCompletion(const LongLived &ring,
                                       uint32_t transfer) {
  if (ring.writers.empty() || !error.empty())
    return;
  Touch write = ring.writers.front();
  for (const Wait &wait : sites.waitsOn(program.transfers[transfer].completion))
    if (wait.pc < write.pc && wait.stage == write.trip &&
        wait.count <= ring.ref.slots)
      return;
  fail("pc " + Twine(write.pc) + " may overwrite " + named(ring.ref) +
       " while it is being sent");
}

void ProcessorHazards::checkLongLivedApart() {
  const TensorRef *last = nullptr;
  for (auto &[where, ring] : longLived) {
    bool isSame = last && address(*last) == where.first;
    if (last && !isSame && last->region == ring.ref.region &&
        endOf(*last) > where.first.second)
      return fail("the rings of " + named(*last) + " and " + named(ring.ref) +
                  " overlap");
    last = &ring.ref;
  }
}

/// Versions of one tensor may be in one place, if each is read for the last
/// time before the next one is written there, and they are written in the order
/// of one iteration after the other: then nothing is written before the last
/// read of an initial value.
void ProcessorHazards::checkShared(ArrayRef<const LongLived *> versions) {
  auto failAt = [&](const LongLived &version, const Twine &why) {
    fail("the rings of " + named(versions.front()->ref) + " and " +
         named(version.ref) + " overlap: " + why);
  };
  SmallVector<Touch> writes;
  for (const LongLived *version : versions) {
    if (sites.part(version->ref.value) !=
            sites.part(versions.front()->ref.value) ||
        sites.part(version->ref.value) == SynchronizationSites::kNoPart)
      return failAt(*version, "they are not versions of one tensor");
    if (version->ref.slots > 1 || version->transfer >= 0 ||
        !version->sends.empty() || version->writers.size() != 1 ||
        version->ref.bytes() != versions.front()->ref.bytes())
      return failAt(*version, "only versions of one slot that are not sent may "
                              "share a place");
    writes.push_back(version->writers.front());
  }
  llvm::sort(writes, [](Touch a, Touch b) { return a.key() < b.key(); });
  Touch again{writes.front().trip + 1, writes.front().pc};
  if (again.key() <= writes.back().key())
    return failAt(*versions.back(), "they are not written in turn");
  for (const LongLived *version : versions) {
    const auto *next =
        llvm::upper_bound(writes, version->writers.front(),
                          [](Touch a, Touch b) { return a.key() < b.key(); });
    Touch end = next == writes.end() ? again : *next;
    for (auto &[read, lag] : version->readers)
      if (end.key() < read.key())
        return failAt(*version, "pc " + Twine(read.pc) + " reads it after pc " +
                                    Twine(end.pc) + " has overwritten it");
  }
}

void ProcessorHazards::checkShared() {
  for (auto it = longLived.begin(); it != longLived.end();) {
    SmallVector<const LongLived *> versions;
    const Address where = it->first.first;
    for (; it != longLived.end() && it->first.first == where; ++it)
      versions.push_back(&it->second);
    if (versions.size() > 1 && error.empty())
      checkShared(versions);
  }
}

/// Walks through one trip and remembers what each address holds.
void ProcessorHazards::checkShortLived() {
  struct Content {
    uint64_t end;
    uint32_t value;
    uint16_t stage;
  };
  std::map<Address, Content> memory;
  auto overwrite = [&](const TensorRef &ref) {
    auto it = memory.lower_bound(address(ref));
    if (it != memory.begin() && std::prev(it)->first.first == ref.region &&
        std::prev(it)->second.end > ref.offset)
      --it;
    while (it != memory.end() && it->first.first == ref.region &&
           it->first.second < endOf(ref))
      it = memory.erase(it);
  };
  auto meetsLongLived = [&](const TensorRef &ref) {
    auto it = longLived.lower_bound({address(ref), 0});
    if (it != longLived.end() && it->first.first.first == ref.region &&
        it->first.first.second < endOf(ref))
      return true;
    return it != longLived.begin() &&
           std::prev(it)->first.first.first == ref.region &&
           endOf(std::prev(it)->second.ref) > ref.offset;
  };
  visitKernels([&](const TensorRef &ref, Kind kind, size_t pc) {
    if (longLived.count(key(ref)) || !error.empty())
      return;
    if (kind == Kind::Write) {
      if (meetsLongLived(ref))
        return fail("pc " + Twine(pc) + " writes " + named(ref) +
                    " over memory that another ring has for itself");
      overwrite(ref);
      memory[address(ref)] = {endOf(ref), ref.value, code[pc].stage};
      return;
    }
    auto it = memory.find(address(ref));
    if (it == memory.end() || it->second.end != endOf(ref) ||
        it->second.value != ref.value || it->second.stage != code[pc].stage)
      fail("pc " + Twine(pc) + " reads " + named(ref) +
           " where something else is, or nothing");
  });
}

Error takt::checkHazards(const Program &program) {
  SynchronizationSites sites(program);
  for (size_t p = 0; p < program.code.size(); ++p)
    if (Error error = ProcessorHazards(program, sites, p).run())
      return error;
  return Error::success();
}
