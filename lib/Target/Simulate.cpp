//===- Simulate.cpp - timing of a program's bytes -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Simulate.h"
#include "takt/Machine/LinkQueue.h"
#include "takt/Machine/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <deque>
#include <queue>

using namespace llvm;
using namespace takt;

namespace {
/// The steady state is looked at over this many trips behind as many.
constexpr uint64_t kSettlingTrips = 32;
/// What a simulation may take: trips times instructions of all processors.
constexpr uint64_t kMaxSteps = uint64_t(1) << 34;

/// Times of a semaphore's additions, from the first one that a wait may still
/// ask for. Their number is how far the writer is ahead of the waiter: for what
/// has credits, at most the depth of its ring.
class Counter {
public:
  void add(uint64_t time) {
    if (isWaitedOn)
      times.push_back(time);
  }
  uint64_t count() const { return forgotten + times.size(); }
  /// Of addition number k, counted from 1.
  uint64_t timeOf(uint64_t k) const { return times[k - 1 - forgotten]; }
  uint64_t latest() const { return times.empty() ? 0 : times.back(); }
  /// Addition k and later ones are all that will be asked for.
  void forgetBefore(int64_t k) {
    while (int64_t(forgotten) + 1 < k && times.size() > 1) {
      times.pop_front();
      ++forgotten;
    }
  }

  int waiting = -1; ///< processor
  uint64_t target = 0;
  bool isWaitedOn = false;
  /// By how much the farthest of its waits looks back from the trip's number.
  int64_t reach = 0;

private:
  std::deque<uint64_t> times;
  uint64_t forgotten = 0;
};

class Simulator {
public:
  Simulator(const Program &program, Machine machine, uint64_t minibatches)
      : program(program), machine(std::move(machine)), minibatches(minibatches),
        processors(program.code.size()), counters(program.semaphores.size()) {
    findReaches();
    // Every instruction works in the trips from `full` to the last minibatch.
    uint64_t full = program.code[0][0].b, last = minibatches - 1;
    settled =
        full + (full < last ? std::min(kSettlingTrips, (last - full) / 2) : 0);
  }

  Expected<SimulationResult> run();

private:
  struct Processor {
    size_t pc = 1;
    uint64_t trip = 0, time = 0;
    uint64_t sent = 0; ///< when the last of its sends is complete
    uint64_t settledEnd = 0, lastEnd = 0; ///< of these trips
    bool isDone = false;
  };
  using Event = std::pair<uint64_t, size_t>; ///< time, processor

  void findReaches();
  void runAhead(Event event);
  bool step(size_t p, const Instruction &instruction, uint64_t minibatch);
  void advance(size_t p);
  bool waitFor(size_t p, uint32_t semaphore, int64_t target);
  void add(uint32_t semaphore, uint64_t time);
  void send(size_t p, const Transfer &transfer);
  uint64_t trips() const { return minibatches + program.code[0][0].b; }
  Error describeDeadlock() const;
  void summarize(SimulationResult &result) const;

  const Program &program;
  Machine machine;
  uint64_t minibatches;
  std::vector<Processor> processors;
  std::vector<Counter> counters;
  LinkQueue links;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> ready;
  /// The interval is measured from the end of this trip to that of the last
  /// minibatch.
  uint64_t settled = 0;
};
} // namespace

void Simulator::findReaches() {
  for (const std::vector<Instruction> &code : program.code)
    for (const Instruction &i : code) {
      bool receives = i.op == Opcode::Receive;
      if (!receives && i.op != Opcode::Wait)
        continue;
      Counter &counter =
          counters[receives ? program.transfers[i.a].arrival : i.a];
      counter.isWaitedOn = true;
      int64_t back = receives ? 0 : i.b;
      counter.reach = std::max(counter.reach, i.stage + back);
    }
}

void Simulator::add(uint32_t semaphore, uint64_t time) {
  Counter &counter = counters[semaphore];
  // Arrivals of one transfer keep their order.
  counter.add(std::max(time, counter.latest()));
  if (counter.waiting < 0 || counter.count() < counter.target)
    return;
  size_t waiter = counter.waiting;
  counter.waiting = -1;
  ready.push({std::max(processors[waiter].time, counter.latest()), waiter});
}

/// True if the processor can go on; otherwise it is called again when the
/// semaphore is far enough.
bool Simulator::waitFor(size_t p, uint32_t semaphore, int64_t target) {
  Counter &counter = counters[semaphore];
  Processor &processor = processors[p];
  int64_t initial = program.semaphores[semaphore].initial;
  target -= initial;
  if (target <= 0)
    return true;
  if (counter.count() < uint64_t(target)) {
    counter.waiting = static_cast<int>(p);
    counter.target = target;
    return false;
  }
  processor.time = std::max(processor.time, counter.timeOf(target));
  counter.forgetBefore(int64_t(processor.trip) - counter.reach + 1 - initial);
  return true;
}

void Simulator::send(size_t p, const Transfer &transfer) {
  uint32_t peer = program.semaphores[transfer.arrival].waiter;
  uint64_t sent = processors[p].time;
  // What takes no time waits for nothing and holds nothing up.
  if (transfer.cycles > 0)
    sent = links.take(machine.linksHeld(p, peer), sent, transfer.cycles) +
           transfer.cycles;
  processors[p].sent = std::max(processors[p].sent, sent);
  add(transfer.completion, sent);
  add(transfer.arrival, sent + transfer.latency);
}

/// To the next instruction; behind the body to its beginning, or to the end.
void Simulator::advance(size_t p) {
  Processor &processor = processors[p];
  if (++processor.pc + 2 < program.code[p].size())
    return;
  if (processor.trip == settled)
    processor.settledEnd = processor.time;
  if (processor.trip == minibatches - 1)
    processor.lastEnd = processor.time;
  processor.pc = 1;
  processor.isDone = ++processor.trip == trips();
}

/// One instruction of the processor; false if it has to wait.
bool Simulator::step(size_t p, const Instruction &instruction,
                     uint64_t minibatch) {
  Processor &processor = processors[p];
  switch (instruction.op) {
  case Opcode::Receive:
    return waitFor(p, program.transfers[instruction.a].arrival, minibatch + 1);
  case Opcode::Wait:
    return waitFor(p, instruction.a,
                   int64_t(minibatch) + 1 - int64_t(instruction.b));
  case Opcode::Execute:
    processor.time += program.kernels[instruction.a].cycles;
    return true;
  case Opcode::Send:
    send(p, program.transfers[instruction.a]);
    return true;
  case Opcode::Signal:
    add(instruction.a, processor.time);
    return true;
  case Opcode::Fence:
    processor.time = std::max(processor.time, processor.sent);
    return true;
  default:
    return true;
  }
}

/// Until the processor waits, ends, or sends. Links serve who comes first, so
/// a send happens when no other processor is earlier in time; nothing else
/// depends on the order in which processors are simulated.
void Simulator::runAhead(Event event) {
  auto [now, p] = event;
  Processor &processor = processors[p];
  while (!processor.isDone) {
    const Instruction &instruction = program.code[p][processor.pc];
    uint64_t minibatch = processor.trip - instruction.stage;
    bool works = processor.trip >= instruction.stage && minibatch < minibatches;
    if (works && instruction.op == Opcode::Send && processor.time > now)
      return ready.push({processor.time, p});
    if (works && !step(p, instruction, minibatch))
      return;
    advance(p);
  }
}

Error Simulator::describeDeadlock() const {
  std::string text;
  for (auto [semaphore, counter] : enumerate(counters))
    if (counter.waiting >= 0)
      text += (text.empty() ? "" : "; ") +
              ("processor " + Twine(counter.waiting) + " waits at pc " +
               Twine(processors[counter.waiting].pc) + " in trip " +
               Twine(processors[counter.waiting].trip) + " for processor " +
               Twine(program.semaphores[semaphore].writer) +
               " to bring semaphore " + Twine(semaphore) + " to " +
               Twine(counter.target + program.semaphores[semaphore].initial))
                  .str();
  return createStringError("deadlock: " + text);
}

void Simulator::summarize(SimulationResult &result) const {
  for (const Processor &processor : processors)
    result.totalCycles = std::max(result.totalCycles, processor.time);
  uint64_t full = program.code[0][0].b, last = minibatches - 1;
  if (full >= last)
    result.interval = result.totalCycles;
  // The slowest processor's, which need not be the one that ends last: another
  // one may be late by what takes many trips to catch up with.
  else
    for (const Processor &p : processors)
      result.interval =
          std::max(result.interval,
                   divideCeil(p.lastEnd - p.settledEnd, last - settled));
  uint64_t busy = 0;
  for (uint64_t cycles : result.busyCycles)
    busy += cycles;
  if (result.interval != 0)
    result.utilization =
        double(busy) / double(result.interval) / processors.size();
}

Expected<SimulationResult> Simulator::run() {
  for (size_t p = 0; p < processors.size(); ++p)
    ready.push({0, p});
  while (!ready.empty()) {
    Event event = ready.top();
    ready.pop();
    runAhead(event);
  }
  if (any_of(processors, [](const Processor &p) { return !p.isDone; }))
    return describeDeadlock();
  SimulationResult result;
  result.minibatches = minibatches;
  result.busyCycles.resize(processors.size());
  for (auto [p, code] : enumerate(program.code))
    for (const Instruction &instruction : code) {
      if (instruction.op == Opcode::Execute)
        result.busyCycles[p] += program.kernels[instruction.a].cycles;
      if (instruction.op == Opcode::Send)
        result.communicationBytes +=
            program.transfers[instruction.a].source.bytes();
    }
  summarize(result);
  return result;
}

/// From the lags with which forward tasks read each parameter or its slices.
static std::map<std::string, int64_t> observeStaleness(const Program &program) {
  std::map<uint32_t, const Parameter *> byReadValue;
  auto ownerOf = [&](const Parameter &parameter) -> const Parameter & {
    return parameter.kind == ParameterKind::Derived
               ? program.parameters[parameter.base]
               : parameter;
  };
  for (const Parameter &parameter : program.parameters)
    if (ownerOf(parameter).kind == ParameterKind::Trainable &&
        parameter.readValue != parameter.writeValue)
      byReadValue[parameter.readValue] = &parameter;
  std::map<std::string, int64_t> staleness;
  for (const Kernel &kernel : program.kernels)
    for (const TensorRef &ref : kernel.operands) {
      auto it = byReadValue.find(ref.value);
      if (it == byReadValue.end() ||
          program.tasks[kernel.task].kind != TaskKind::Forward)
        continue;
      const Parameter &parameter = *it->second;
      int64_t updates = parameter.lastUpdate + 1;
      int64_t round =
          (parameter.update + updatesBehind(parameter, TaskKind::Forward)) %
          updates;
      int64_t &lack = staleness[ownerOf(parameter).name];
      lack = std::max<int64_t>(lack, round - int64_t(ref.lag) * updates -
                                         parameter.update - 1);
    }
  return staleness;
}

/// Of a trip in which nothing overlaps: none takes longer.
static uint64_t cyclesOfTrip(const Program &program) {
  uint64_t cycles = 0;
  for (const Kernel &kernel : program.kernels)
    cycles = SaturatingAdd(cycles, kernel.cycles);
  for (const Transfer &transfer : program.transfers)
    cycles = SaturatingAdd(cycles, transfer.cycles, transfer.latency);
  return cycles;
}

Expected<SimulationResult> takt::simulate(const Program &program,
                                          const SimulateOptions &options) {
  Expected<Machine> machine = Machine::parse({program.machine, "machine"});
  if (!machine)
    return machine.takeError();
  uint64_t minibatches = options.minibatches;
  if (minibatches == 0)
    minibatches = program.code[0][0].b + 2 * kSettlingTrips + 1;
  uint64_t instructions = 0;
  for (const std::vector<Instruction> &code : program.code)
    instructions += code.size();
  uint64_t trips = SaturatingAdd<uint64_t>(minibatches, program.code[0][0].b);
  if (SaturatingMultiply(trips, instructions) > kMaxSteps)
    return createStringError("simulating " + Twine(minibatches) +
                             " minibatches of " + Twine(instructions) +
                             " instructions takes more than 2^34 steps");
  if (SaturatingMultiply(trips, cyclesOfTrip(program)) > uint64_t(INT64_MAX))
    return createStringError("simulating " + Twine(minibatches) +
                             " minibatches may take more than 2^63 cycles");
  Expected<SimulationResult> result =
      Simulator(program, std::move(*machine), minibatches).run();
  if (!result)
    return result;
  result->staleness = observeStaleness(program);
  result->peakMemory.resize(program.code.size());
  for (const Region &region : program.regions)
    if (region.processor != kHostProcessor)
      result->peakMemory[region.processor] += region.size;
  return result;
}
