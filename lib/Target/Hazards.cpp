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
// is there once the receive is passed. Instance j is written in trip
// j + (writer's stage); a reader with lag reads it in trip j - lag + (its
// stage); `slots` trips after it was written the next instance takes its place.
// All other memory holds something only within a trip, and one walk through the
// body says what every read finds there.
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Validate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <map>

using namespace llvm;
using namespace takt;

namespace {
/// Touches instance j of a ring in trip j + `trip`.
struct Touch {
  int64_t trip = 0;
  size_t pc = 0;

  auto key() const { return std::pair(trip, pc); }
};

struct LongLived {
  TensorRef ref;
  SmallVector<Touch, 1> writers;
  SmallVector<std::pair<Touch, int64_t>, 4> readers; ///< and their lags
  int transfer = -1;                                 ///< that fills it
  SmallVector<uint32_t, 2> sends;                    ///< that copy from it
  bool isInitialized = false;
};

/// Region and offset.
using Address = std::pair<uint32_t, uint64_t>;

class ProcessorHazards {
public:
  ProcessorHazards(const Program &program, size_t processor)
      : program(program), code(program.code[processor]), processor(processor) {}

  Error run() {
    findAcrossTrips();
    addOutside();
    collect();
    for (auto &[where, ring] : longLived) {
      checkReads(ring);
      checkCredit(ring);
      for (uint32_t transfer : ring.sends)
        checkCompletion(ring, transfer);
    }
    checkLongLivedApart();
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
  void collect();
  void checkReads(const LongLived &ring);
  void checkCredit(const LongLived &ring);
  void checkCompletion(const LongLived &ring, uint32_t transfer);
  void checkLongLivedApart();
  void checkShortLived();
  std::optional<Touch> find(ArrayRef<Instruction> in, Opcode op,
                            uint32_t operand) const;

  const Program &program;
  const std::vector<Instruction> &code;
  size_t processor;
  std::string error;
  std::map<Address, LongLived> longLived;
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
      longLived[address(ref)];
  });
}

/// Rings that transfers, the host or initial values touch.
void ProcessorHazards::addOutside() {
  for (const Initializer &init : program.initializers)
    if (program.regions[init.target.region].processor == processor) {
      LongLived &ring = longLived[address(init.target)];
      ring.ref = init.target;
      ring.isInitialized = true;
    }
  for (auto [pc, instruction] : enumerate(code)) {
    int64_t stage = instruction.stage;
    auto touch = [&](const TensorRef &ref) -> LongLived & {
      LongLived &ring = longLived[address(ref)];
      ring.ref = ref;
      return ring;
    };
    switch (instruction.op) {
    case Opcode::Load:
      touch(program.hostCopies[instruction.a].local)
          .writers.push_back({stage, pc});
      break;
    case Opcode::Store:
      touch(program.hostCopies[instruction.a].local)
          .readers.push_back({{stage, pc}, 0});
      break;
    case Opcode::Send: {
      LongLived &ring = touch(program.transfers[instruction.a].source);
      ring.readers.push_back({{stage, pc}, 0});
      ring.sends.push_back(instruction.a);
      break;
    }
    case Opcode::Receive: {
      LongLived &ring = touch(program.transfers[instruction.a].destination);
      ring.writers.push_back({stage, pc});
      ring.transfer = instruction.a;
      break;
    }
    default:
      break;
    }
  }
}

void ProcessorHazards::collect() {
  visitKernels([&](const TensorRef &ref, Kind kind, size_t pc) {
    auto it = longLived.find(address(ref));
    if (it == longLived.end())
      return;
    LongLived &ring = it->second;
    if (ring.ref.dims.empty() && ring.readers.empty() && ring.writers.empty())
      ring.ref = ref;
    if (ref.slots != ring.ref.slots || ref.bytes() != ring.ref.bytes() ||
        (ref.slots > 1 && ref.slotStride != ring.ref.slotStride))
      fail("pc " + Twine(pc) + " takes the ring of " + named(ring.ref) +
           " for one of another size or depth");
    int64_t stage = code[pc].stage;
    if (kind == Kind::Write)
      ring.writers.push_back({stage, pc});
    else
      ring.readers.push_back({{stage - ref.lag, pc}, ref.lag});
  });
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

/// The first instruction of that opcode and operand.
std::optional<Touch> ProcessorHazards::find(ArrayRef<Instruction> in, Opcode op,
                                            uint32_t operand) const {
  for (auto [pc, instruction] : enumerate(in))
    if (instruction.op == op && instruction.a == operand)
      return Touch{instruction.stage, pc};
  return std::nullopt;
}

/// The sender waits, before it sends instance j, for a signal of this processor
/// that comes after the last reader of the instance whose slot j takes.
void ProcessorHazards::checkCredit(const LongLived &ring) {
  if (ring.transfer < 0 || !error.empty())
    return;
  uint32_t from =
      program.semaphores[program.transfers[ring.transfer].arrival].writer;
  const std::vector<Instruction> &sender = program.code[from];
  std::optional<Touch> send = find(sender, Opcode::Send, ring.transfer);
  if (!send)
    return fail(named(ring.ref) + " is received, but nobody sends it");
  for (size_t pc = send->pc; pc-- > 1;) {
    const Instruction &wait = sender[pc];
    if (wait.op != Opcode::Wait)
      break;
    std::optional<Touch> signal = find(code, Opcode::Signal, wait.a);
    if (!signal || wait.stage != send->trip ||
        program.semaphores[wait.a].writer != processor)
      continue;
    // Instance j departs after the signal of minibatch j - b, in trip
    // j - b + (signal's stage); the reader of instance j - slots must be
    // before.
    int64_t b = wait.b + program.semaphores[wait.a].initial;
    bool covers = all_of(ring.readers, [&](auto &entry) {
      auto &[read, lag] = entry;
      bool firstOnesFree = b == 0 || b <= int64_t(ring.ref.slots) + lag;
      return firstOnesFree &&
             std::pair(read.trip - int64_t(ring.ref.slots), read.pc) <
                 std::pair(signal->trip - b, signal->pc);
    });
    if (covers)
      return;
  }
  fail("processor " + Twine(from) + ", pc " + Twine(send->pc) + " sends " +
       named(ring.ref) + " without a credit from behind its last reader");
}

/// What is being sent is not written again before the transfer is complete.
void ProcessorHazards::checkCompletion(const LongLived &ring,
                                       uint32_t transfer) {
  if (ring.writers.empty() || !error.empty())
    return;
  Touch write = ring.writers.front();
  uint32_t semaphore = program.transfers[transfer].completion;
  for (size_t pc = 1; pc < write.pc; ++pc)
    if (code[pc].op == Opcode::Wait && code[pc].a == semaphore &&
        code[pc].stage == write.trip && code[pc].b <= ring.ref.slots)
      return;
  fail("pc " + Twine(write.pc) + " may overwrite " + named(ring.ref) +
       " while it is being sent");
}

void ProcessorHazards::checkLongLivedApart() {
  const TensorRef *last = nullptr;
  for (auto &[where, ring] : longLived) {
    if (last && last->region == ring.ref.region && endOf(*last) > where.second)
      return fail("the rings of " + named(*last) + " and " + named(ring.ref) +
                  " overlap");
    last = &ring.ref;
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
    auto it = longLived.lower_bound(address(ref));
    if (it != longLived.end() && it->first.first == ref.region &&
        it->first.second < endOf(ref))
      return true;
    return it != longLived.begin() &&
           std::prev(it)->first.first == ref.region &&
           endOf(std::prev(it)->second.ref) > ref.offset;
  };
  visitKernels([&](const TensorRef &ref, Kind kind, size_t pc) {
    if (longLived.count(address(ref)) || !error.empty())
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
  for (size_t p = 0; p < program.code.size(); ++p)
    if (Error error = ProcessorHazards(program, p).run())
      return error;
  return Error::success();
}
