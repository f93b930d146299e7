//===- HostileProgramTest.cpp ---------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Programs come from untrusted files. Whatever one says, validation refuses it
// or a run gives a result or an error: numbers of a good program are changed at
// random, and sanitizers watch what the accepted ones do.
//
//===----------------------------------------------------------------------===//

#include "ErrorText.h"
#include "LinearProgram.h"
#include "takt/Runtime/Executor.h"
#include "takt/Runtime/Sequential.h"
#include "takt/Target/Validate.h"
#include <random>

using namespace llvm;
using namespace takt;
using namespace takt::test;

namespace {
/// Changes one number of a program after the other.
class Mutator {
public:
  explicit Mutator(unsigned seed) : random(seed) {}

  void mutate(Program &program) {
    fields.clear();
    collect(program);
    fields[random() % fields.size()](*this);
  }

private:
  template <typename T> void add(T &field) {
    fields.push_back([&field](Mutator &m) { field = m.change<T>(field); });
  }

  template <typename T> T change(T old) {
    const uint64_t candidates[] = {0,
                                   1,
                                   2,
                                   3,
                                   4,
                                   5,
                                   8,
                                   12,
                                   64,
                                   uint64_t(old) + 1,
                                   uint64_t(old) - 1,
                                   uint64_t(old) * 2,
                                   0x7FFFFFFF,
                                   0xFFFFFFFF,
                                   random()};
    return static_cast<T>(candidates[random() % std::size(candidates)]);
  }

  void add(TensorRef &ref) {
    add(ref.region);
    add(ref.offset);
    add(ref.slots);
    add(ref.slotStride);
    add(ref.lag);
    add(ref.value);
    for (int64_t &dim : ref.dims)
      add(dim);
  }

  void collect(Program &program) {
    for (Kernel &kernel : program.kernels) {
      add(kernel.task);
      for (TensorRef &ref : kernel.operands)
        add(ref);
      for (TensorRef &ref : kernel.results)
        add(ref);
      for (uint32_t &word : kernel.words)
        add(word);
    }
    for (Transfer &transfer : program.transfers) {
      add(transfer.source);
      add(transfer.destination);
      add(transfer.arrival);
      add(transfer.completion);
    }
    for (HostCopy &copy : program.hostCopies) {
      add(copy.binding);
      add(copy.local);
    }
    for (std::vector<Instruction> &code : program.code)
      for (Instruction &instruction : code) {
        add(instruction.stage);
        add(instruction.a);
        add(instruction.b);
      }
    for (Parameter &parameter : program.parameters) {
      add(parameter.home);
      add(parameter.delay);
      add(parameter.readValue);
      add(parameter.writeValue);
      add(parameter.base);
      add(parameter.begin);
      add(parameter.dataOffset);
      add(reinterpret_cast<uint8_t &>(parameter.kind));
    }
    for (Initializer &initializer : program.initializers) {
      add(initializer.parameter);
      add(initializer.target);
      add(initializer.begin);
    }
    collectTables(program);
  }

  void collectTables(Program &program) {
    for (Region &region : program.regions) {
      add(region.processor);
      add(region.size);
    }
    for (Semaphore &semaphore : program.semaphores) {
      add(semaphore.writer);
      add(semaphore.waiter);
      add(semaphore.initial);
    }
    for (ValueInfo &value : program.values)
      for (int64_t &dim : value.dims)
        add(dim);
    for (Binding &binding : program.bindings) {
      add(binding.region);
      for (int64_t &dim : binding.dims)
        add(dim);
    }
    for (TaskInfo &task : program.tasks)
      add(task.processor);
  }

  std::mt19937 random;
  std::vector<std::function<void(Mutator &)>> fields;
};

/// The kinds of parameters that a container can hold.
bool isKind(const Parameter &parameter) {
  auto kind = static_cast<unsigned>(parameter.kind);
  return kind >= 1 && kind <= 5;
}
} // namespace

TEST(HostileProgram, RunsOrIsRefused) {
  constexpr int kPrograms = 8000;
  int accepted = 0, ran = 0;
  Mutator mutator(1);
  for (int i = 0; i < kPrograms; ++i) {
    Program program = linearProgram({{0, 1, 2, 2}, uint32_t(i % 3) * 2, true});
    for (int changes = 1 + i % 3; changes > 0; --changes)
      mutator.mutate(program);
    if (!llvm::all_of(program.parameters, isKind))
      continue; // decode refuses it
    if (Error error = validate(program)) {
      consumeError(std::move(error));
      continue;
    }
    ++accepted;
    auto data = makeSyntheticData(program, 0);
    RunOptions options;
    options.iterations = 3;
    options.data = data.get();
    auto parallel = execute(program, options);
    auto sequential = executeSequentially(program, options);
    ran += errorText(parallel).empty() && errorText(sequential).empty();
  }
  // The test would be empty if nothing came through.
  EXPECT_GT(accepted, kPrograms / 30);
  EXPECT_GT(ran, kPrograms / 40);
}
