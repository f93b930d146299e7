//===- Simulate.cpp - timing of a program's bytes -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Simulate.h"
#include "takt/Machine/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <queue>

using namespace llvm;
using namespace takt;

namespace {
/// The steady state is looked at over this many trips behind as many.
constexpr uint64_t kSettlingTrips = 32;
/// What a simulation may take: trips times instructions of all processors.
constexpr uint64_t kMaxSteps = uint64_t(1) << 34;

class Simulator {
public:
  Simulator(const Program &program, Machine machine, uint64_t minibatches)
      : program(program), machine(std::move(machine)),
        minibatches(minibatches) {}

  Expected<SimulationResult> run();

private:
  struct Processor {
    size_t pc = 1;
    uint64_t trip = 0, time = 0;
    bool isDone = false;
    std::vector<uint64_t> tripEnds;
  };
  struct Counter {
    std::vector<uint64_t> times; ///< of the k-th addition
    int waiting = -1;            ///< processor
    uint64_t target = 0;
  };
  using Event = std::pair<uint64_t, size_t>; ///< time, processor

  void step(size_t p);
  void advance(size_t p);
  void waitFor(size_t p, uint32_t semaphore, int64_t target);
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
  std::map<int64_t, uint64_t> linkFree;
  std::priority_queue<Event, std::vector<Event>, std::greater<>> ready;
};
} // namespace

void Simulator::add(uint32_t semaphore, uint64_t time) {
  Counter &counter = counters[semaphore];
  // Arrivals of one transfer keep their order.
  if (!counter.times.empty())
    time = std::max(time, counter.times.back());
  counter.times.push_back(time);
  if (counter.waiting < 0 || counter.times.size() < counter.target)
    return;
  Processor &waiter = processors[counter.waiting];
  waiter.time = std::max(waiter.time, time);
  ready.push({waiter.time, size_t(counter.waiting)});
  counter.waiting = -1;
}

/// Goes on, now or when the semaphore is far enough.
void Simulator::waitFor(size_t p, uint32_t semaphore, int64_t target) {
  Counter &counter = counters[semaphore];
  target -= program.semaphores[semaphore].initial;
  advance(p);
  if (target <= 0) {
    ready.push({processors[p].time, p});
    return;
  }
  if (counter.times.size() >= uint64_t(target)) {
    processors[p].time =
        std::max(processors[p].time, counter.times[target - 1]);
    ready.push({processors[p].time, p});
    return;
  }
  counter.waiting = static_cast<int>(p);
  counter.target = target;
}

void Simulator::send(size_t p, const Transfer &transfer) {
  uint32_t peer = program.semaphores[transfer.arrival].waiter;
  uint64_t &free = linkFree[machine.link(p, peer)];
  free = std::max(free, processors[p].time) + transfer.cycles;
  add(transfer.completion, free);
  add(transfer.arrival, free + transfer.latency);
}

/// To the next instruction; behind the body to its beginning, or to the end.
void Simulator::advance(size_t p) {
  Processor &processor = processors[p];
  if (++processor.pc + 2 < program.code[p].size())
    return;
  processor.tripEnds.push_back(processor.time);
  processor.pc = 1;
  processor.isDone = ++processor.trip == trips();
}

/// One instruction of the processor.
void Simulator::step(size_t p) {
  Processor &processor = processors[p];
  const Instruction &instruction = program.code[p][processor.pc];
  uint64_t minibatch = processor.trip - instruction.stage;
  if (processor.trip < instruction.stage || minibatch >= minibatches) {
    advance(p);
    ready.push({processor.time, p});
    return;
  }
  switch (instruction.op) {
  case Opcode::Receive:
    return waitFor(p, program.transfers[instruction.a].arrival, minibatch + 1);
  case Opcode::Wait:
    return waitFor(p, instruction.a,
                   int64_t(minibatch) + 1 - int64_t(instruction.b));
  case Opcode::Execute:
    processor.time += program.kernels[instruction.a].cycles;
    break;
  case Opcode::Send:
    send(p, program.transfers[instruction.a]);
    break;
  case Opcode::Signal:
    add(instruction.a, processor.time);
    break;
  default:
    break;
  }
  advance(p);
  ready.push({processor.time, p});
}

Error Simulator::describeDeadlock() const {
  std::string text;
  for (auto [semaphore, counter] : enumerate(counters))
    if (counter.waiting >= 0)
      text +=
          (text.empty() ? "" : "; ") +
          ("processor " + Twine(counter.waiting) + " before pc " +
           Twine(processors[counter.waiting].pc) + " in trip " +
           Twine(processors[counter.waiting].trip) + " waits for processor " +
           Twine(program.semaphores[semaphore].writer) +
           " to bring "
           "semaphore " +
           Twine(semaphore) + " to " + Twine(counter.target))
              .str();
  return createStringError("deadlock: " + text);
}

void Simulator::summarize(SimulationResult &result) const {
  auto tripEnd = [&](uint64_t trip) {
    uint64_t end = 0;
    for (const Processor &processor : processors)
      end = std::max(end, processor.tripEnds[trip]);
    return end;
  };
  result.totalCycles = tripEnd(trips() - 1);
  result.interval = result.totalCycles;
  // Every instruction works in the trips from `full` to `last`.
  uint64_t full = program.code[0][0].b, last = minibatches - 1;
  if (full < last) {
    uint64_t settled = full + std::min(kSettlingTrips, (last - full) / 2);
    result.interval =
        divideCeil(tripEnd(last) - tripEnd(settled), last - settled);
  }
  uint64_t busy = 0;
  for (uint64_t cycles : result.busyCycles)
    busy += cycles;
  if (result.interval != 0)
    result.utilization =
        double(busy) / double(result.interval) / processors.size();
}

Expected<SimulationResult> Simulator::run() {
  processors.resize(program.code.size());
  counters.resize(program.semaphores.size());
  for (size_t p = 0; p < processors.size(); ++p)
    ready.push({0, p});
  while (!ready.empty()) {
    size_t p = ready.top().second;
    ready.pop();
    if (!processors[p].isDone)
      step(p);
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
  for (const Parameter &parameter : program.parameters) {
    bool isDerived = parameter.kind == ParameterKind::Derived;
    const Parameter &owner =
        isDerived ? program.parameters[parameter.base] : parameter;
    if (owner.kind == ParameterKind::Trainable &&
        parameter.readValue != parameter.writeValue)
      byReadValue[parameter.readValue] = &owner;
  }
  std::map<std::string, int64_t> staleness;
  for (const Kernel &kernel : program.kernels)
    for (const TensorRef &ref : kernel.operands) {
      auto it = byReadValue.find(ref.value);
      if (it == byReadValue.end() ||
          program.tasks[kernel.task].kind != TaskKind::Forward)
        continue;
      int64_t &lack = staleness[it->second->name];
      lack = std::max<int64_t>(lack, -int64_t(ref.lag) - 1);
    }
  return staleness;
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
