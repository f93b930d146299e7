//===- LowerInterpreter.cpp - programs in adversarial order ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "LowerInterpreter.h"
#include "llvm/ADT/STLExtras.h"
#include <deque>
#include <map>

using namespace takt;

namespace {
/// What 64 bytes of memory hold: a value, and of which minibatch. All initial
/// versions of a parameter are the same.
struct Cell {
  int64_t value = -1;
  int64_t instance = 0;
  int written = 0; ///< by transfers under way

  bool is(int64_t v, int64_t j) const {
    return written == 0 && value == v &&
           std::max<int64_t>(instance, -1) == std::max<int64_t>(j, -1);
  }
};

constexpr int64_t kCellBytes = 64;

struct Core {
  size_t pc = 0;
  int64_t trip = 0, trips = 0;
};

/// A send that has started and not arrived.
struct Flight {
  uint32_t transfer;
  int64_t minibatch;
};

class Interpreter {
public:
  Interpreter(const Program &program, int64_t iterations, std::mt19937 &random)
      : program(program), iterations(iterations), random(random),
        counters(program.semaphores.size()), cores(program.code.size()),
        flights(program.transfers.size()) {
    for (const Semaphore &semaphore : program.semaphores)
      counters[&semaphore - program.semaphores.data()] = semaphore.initial;
    for (const Region &region : program.regions)
      memory.emplace_back((region.size + kCellBytes - 1) / kCellBytes);
    // Versions of one tensor begin as the same.
    std::map<std::pair<std::string, uint64_t>, int64_t> firsts;
    for (const Parameter &parameter : program.parameters) {
      versionOf[parameter.readValue] = parameter.writeValue;
      initialOf[parameter.writeValue] =
          firsts
              .try_emplace({parameter.name, parameter.begin},
                           parameter.writeValue)
              .first->second;
    }
    for (const Initializer &init : program.initializers)
      for (uint32_t slot = 0; slot < init.target.slots; ++slot)
        write(init.target, slot, -1);
  }

  std::string run() {
    while (problem.empty() && !isDone()) {
      std::vector<size_t> movable;
      for (size_t core = 0; core < cores.size(); ++core)
        if (canAdvance(core))
          movable.push_back(core);
      for (auto [index, queue] : llvm::enumerate(flights))
        if (!queue.empty())
          movable.push_back(cores.size() + index);
      if (movable.empty())
        return "processors wait for each other";
      // One of them runs for a while, so that others fall far behind.
      size_t chosen = movable[random() % movable.size()];
      for (int steps = random() % 40 + 1; steps > 0 && problem.empty(); --steps)
        if (!advance(chosen))
          break;
    }
    return problem;
  }

private:
  bool isDone() const {
    return llvm::all_of(llvm::enumerate(cores), [&](auto core) {
      return code(core.index())[core.value().pc].op == Opcode::Halt;
    });
  }
  llvm::ArrayRef<Instruction> code(size_t core) const {
    return program.code[core];
  }

  bool advance(size_t chosen) {
    if (chosen < cores.size()) {
      if (!canAdvance(chosen))
        return false;
      execute(chosen);
      return true;
    }
    std::deque<Flight> &queue = flights[chosen - cores.size()];
    if (queue.empty())
      return false;
    arrive(queue.front());
    queue.pop_front();
    return true;
  }

  int64_t minibatch(size_t core, const Instruction &instruction) const {
    return cores[core].trip - instruction.stage;
  }
  bool isActive(size_t core, const Instruction &instruction) const {
    int64_t m = minibatch(core, instruction);
    return m >= 0 && m < iterations;
  }

  bool canAdvance(size_t core) const {
    const Instruction &instruction = code(core)[cores[core].pc];
    if (instruction.op == Opcode::Halt)
      return false;
    int64_t due = minibatch(core, instruction) + 1;
    if (!isActive(core, instruction))
      return true;
    if (instruction.op == Opcode::Wait)
      return counters[instruction.a] >= due - int64_t(instruction.b);
    if (instruction.op == Opcode::Receive)
      return counters[program.transfers[instruction.a].arrival] >= due;
    return true;
  }

  void execute(size_t index) {
    Core &core = cores[index];
    const Instruction &instruction = code(index)[core.pc++];
    if (instruction.op == Opcode::Loop) {
      core.trips = iterations + instruction.b;
      return;
    }
    if (instruction.op == Opcode::EndLoop) {
      if (++core.trip < core.trips)
        core.pc = 1;
      return;
    }
    if (!isActive(index, instruction))
      return;
    int64_t m = minibatch(index, instruction);
    switch (instruction.op) {
    case Opcode::Execute:
      return executeKernel(program.kernels[instruction.a], m);
    case Opcode::Load:
      return write(program.hostCopies[instruction.a].local, m, m);
    case Opcode::Store:
      return read(program.hostCopies[instruction.a].local, m, "store");
    case Opcode::Signal:
      ++counters[instruction.a];
      return;
    case Opcode::Send:
      return send(instruction.a, m);
    default:
      return;
    }
  }

  void executeKernel(const Kernel &kernel, int64_t m) {
    for (const TensorRef &operand : kernel.operands)
      read(operand, m + operand.lag, "kernel");
    for (const TensorRef &result : kernel.results)
      write(result, m, m);
  }

  void send(uint32_t index, int64_t m) {
    const Transfer &transfer = program.transfers[index];
    read(transfer.source, m, "send");
    forEachCell(transfer.destination, m, [](Cell &cell) { ++cell.written; });
    flights[index].push_back({index, m});
  }

  /// The source is looked at as late as possible.
  void arrive(Flight flight) {
    const Transfer &transfer = program.transfers[flight.transfer];
    forEachCell(transfer.destination, flight.minibatch,
                [](Cell &cell) { --cell.written; });
    read(transfer.source, flight.minibatch, "transfer");
    write(transfer.destination, flight.minibatch, flight.minibatch);
    ++counters[transfer.arrival];
    ++counters[transfer.completion];
  }

  template <typename Fn>
  void forEachCell(const TensorRef &ref, int64_t instance, Fn fn) {
    int64_t slots = ref.slots;
    int64_t slot = ((instance % slots) + slots) % slots;
    int64_t begin = ref.offset + slot * ref.slotStride;
    std::vector<Cell> &cells = memory[ref.region];
    if (begin % kCellBytes ||
        begin + ref.bytes() > int64_t(cells.size()) * kCellBytes) {
      problem = "an address is not aligned or out of range";
      return;
    }
    for (int64_t at = begin; at < begin + ref.bytes(); at += kCellBytes)
      fn(cells[at / kCellBytes]);
  }

  std::string name(int64_t value, int64_t instance) const {
    return (value < 0 ? "nothing" : program.values[value].name) + "(" +
           std::to_string(instance) + ")";
  }

  int64_t contentOf(int64_t value, int64_t instance) const {
    auto initial = initialOf.find(value);
    return instance < 0 && initial != initialOf.end() ? initial->second : value;
  }

  void read(const TensorRef &ref, int64_t instance, const char *who) {
    auto version = versionOf.find(ref.value);
    int64_t value = version == versionOf.end() ? ref.value : version->second;
    value = contentOf(value, instance);
    forEachCell(ref, instance, [&](const Cell &cell) {
      if (!cell.is(value, instance) && problem.empty())
        problem = std::string(who) + " reads " + name(value, instance) +
                  " but finds " + name(cell.value, cell.instance) +
                  (cell.written ? ", being written" : "");
    });
  }

  void write(const TensorRef &ref, int64_t slotOf, int64_t instance) {
    forEachCell(ref, slotOf, [&](Cell &cell) {
      if (cell.written && problem.empty())
        problem = name(ref.value, instance) + " is written during a transfer";
      cell.value = contentOf(ref.value, instance);
      cell.instance = instance;
    });
  }

  const Program &program;
  int64_t iterations;
  std::mt19937 &random;
  std::vector<int64_t> counters;
  std::vector<Core> cores;
  std::vector<std::deque<Flight>> flights; ///< by transfer
  std::vector<std::vector<Cell>> memory;   ///< by region
  std::map<uint32_t, uint32_t> versionOf;
  std::map<int64_t, int64_t> initialOf;
  std::string problem;
};
} // namespace

std::string takt::runAdversarially(const Program &program, int64_t iterations,
                                   std::mt19937 &random) {
  return Interpreter(program, iterations, random).run();
}
