//===- CodeCheck.cpp - instructions and what they name --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Header.h"
#include "StructureCheck.h"
#include "takt/Target/KernelCheck.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace takt;

namespace {
class CodeCheck : StructureCheck {
public:
  explicit CodeCheck(const Program &program)
      : StructureCheck(program), called(program.kernels.size()),
        sent(program.transfers.size()), copied(program.hostCopies.size()),
        stored(program.bindings.size()), writers(program.semaphores.size()),
        versionOf(program.values.size()) {
    for (const Parameter &parameter : program.parameters)
      if (parameter.readValue != parameter.writeValue)
        versionOf[parameter.readValue] = &parameter;
  }

  Error run() {
    for (size_t p = 0; p < program.code.size() && error.empty(); ++p)
      checkStream(p);
    if (error.empty())
      checkAllUsed();
    return takeError();
  }

private:
  void checkStream(size_t processor);
  void checkLoop(size_t processor);
  void checkInstruction(size_t processor, size_t pc);
  void checkForm(size_t processor, size_t pc, const Twine &where);
  void checkWait(size_t processor, uint32_t semaphore, const Twine &where);
  void checkKernelCall(size_t processor, uint32_t kernel, const Twine &where);
  void checkLag(const TensorRef &ref, TaskKind reader, const Twine &what);
  void checkReceive(size_t processor, const Transfer &transfer,
                    const Twine &where);
  void checkTransfer(size_t processor, const Instruction &instruction,
                     const Twine &where);
  void checkHostCopy(size_t processor, const Instruction &instruction,
                     const Twine &where);
  void writes(uint32_t semaphore, size_t processor, const Twine &where);
  void checkAllUsed();

  std::vector<bool> called, sent, copied; ///< kernels, transfers, host copies
  std::vector<bool> stored;               ///< bindings
  std::vector<int> writers; ///< instructions that write each semaphore
  /// By value: the parameter whose current version reads of it mean.
  std::vector<const Parameter *> versionOf;
};
} // namespace

/// All processors stop for checkpoints, or none: they meet there.
static bool hasCheckpoint(ArrayRef<Instruction> code) {
  return code[code.size() - 3].op == Opcode::Checkpoint;
}

void CodeCheck::checkStream(size_t processor) {
  checkLoop(processor);
  for (size_t pc = 0; pc < program.code[processor].size() && error.empty();
       ++pc)
    checkInstruction(processor, pc);
  if (error.empty() && hasCheckpoint(program.code[processor]) !=
                           hasCheckpoint(program.code.front()))
    fail("processor " + Twine(processor) +
         " differs from processor 0 in whether its trips end in a checkpoint");
}

/// Updates read the version before their own, forward tasks one that is as many
/// updates older as the parameter's delay says, other tasks one that is newer
/// by its lead; other values are read as the same minibatch made them.
void CodeCheck::checkLag(const TensorRef &ref, TaskKind reader,
                         const Twine &what) {
  int64_t expected = 0;
  if (const Parameter *parameter = versionOf[ref.value])
    expected = -int64_t(readDistance(*parameter, reader));
  if (ref.lag != expected)
    fail(what + " reads '" + program.values[ref.value].name + "' with lag " +
         Twine(ref.lag) + ", expected " + Twine(expected));
}

/// The stream is: loop, its body, end_loop, halt; all processors make the same
/// number of trips.
void CodeCheck::checkLoop(size_t processor) {
  const std::vector<Instruction> &code = program.code[processor];
  std::string where = "processor " + std::to_string(processor);
  if (code.size() < 3 || code.front().op != Opcode::Loop ||
      code[code.size() - 2].op != Opcode::EndLoop ||
      code.back().op != Opcode::Halt)
    return fail(where + ": expected a loop, end_loop and halt");
  const Instruction &loop = code.front();
  if (loop.a != code.size() - 3)
    return fail(where + ": the loop has " + Twine(loop.a) +
                " instructions, expected " + Twine(code.size() - 3));
  const Instruction &first = program.code.front().front();
  if (loop.b != first.b || loop.c != first.c || loop.b > UINT16_MAX)
    return fail(where + ": the loop makes other trips than processor 0's");
  if (loop.c != kIterationsScalar)
    fail(where + ": the loop makes as many trips as scalar " + Twine(loop.c) +
         " says, expected " + Twine(kIterationsScalar));
}

/// What is the same for all instructions.
void CodeCheck::checkForm(size_t processor, size_t pc, const Twine &where) {
  const std::vector<Instruction> &code = program.code[processor];
  const Instruction &instruction = code[pc];
  bool inBody = pc > 0 && pc + 2 < code.size();
  bool closes = instruction.op == Opcode::Loop ||
                instruction.op == Opcode::EndLoop ||
                instruction.op == Opcode::Halt;
  if (mnemonic(instruction.op).empty() || (inBody && closes))
    return fail(where + ": an instruction that is not allowed here");
  if (instruction.flags != 0 || instruction.stage > code.front().b ||
      (!inBody && instruction.stage != 0))
    return fail(where + ": flags or stage " + Twine(instruction.stage) +
                " out of range");
  if (instruction.op == Opcode::Checkpoint &&
      (pc + 3 != code.size() || instruction.stage != 0))
    return fail(where + ": a checkpoint that is not the end of a trip");
  uint32_t fields[] = {instruction.a, instruction.b, instruction.c};
  for (auto [field, value] : zip_equal(operandsOf(instruction.op), fields))
    if (field == OperandField::None && value != 0)
      return fail(where + ": a reserved field is " + Twine(value));
}

void CodeCheck::checkInstruction(size_t processor, size_t pc) {
  const Instruction &instruction = program.code[processor][pc];
  std::string where =
      "processor " + std::to_string(processor) + ", pc " + std::to_string(pc);
  checkForm(processor, pc, where);
  if (!error.empty())
    return;
  switch (operandOf(instruction.op)) {
  case OperandField::Kernel:
    return checkKernelCall(processor, instruction.a, where);
  case OperandField::Transfer:
    return checkTransfer(processor, instruction, where);
  case OperandField::Host:
    return checkHostCopy(processor, instruction, where);
  case OperandField::Semaphore:
    index(instruction.a, program.semaphores.size(), where + ": semaphore");
    if (!error.empty())
      return;
    return instruction.op == Opcode::Signal
               ? writes(instruction.a, processor, where)
               : checkWait(processor, instruction.a, where);
  default:
    return;
  }
}

void CodeCheck::checkWait(size_t processor, uint32_t semaphore,
                          const Twine &where) {
  uint32_t waiter = program.semaphores[semaphore].waiter;
  if (waiter != processor)
    fail(where + ": waits on semaphore " + Twine(semaphore) +
         ", which is processor " + Twine(waiter) + "'s");
}

void CodeCheck::checkKernelCall(size_t processor, uint32_t number,
                                const Twine &where) {
  index(number, program.kernels.size(), where + ": kernel");
  if (!error.empty())
    return;
  if (called[number])
    return fail(where + ": kernel " + Twine(number) + " is executed twice");
  called[number] = true;
  const Kernel &kernel = program.kernels[number];
  index(kernel.task, program.tasks.size(), where + ": task");
  checkDuration(kernel.cycles, where + ": kernel");
  for (const TensorRef &ref : kernel.operands)
    checkLocal(ref, processor, Access::Read,
               where + ": an operand of '" + mnemonic(kernel.id) + "'");
  for (const TensorRef &ref : kernel.results)
    checkLocal(ref, processor, Access::Write,
               where + ": a result of '" + mnemonic(kernel.id) + "'");
  if (!error.empty())
    return;
  const TaskInfo &task = program.tasks[kernel.task];
  if (task.processor != processor)
    return fail(where + ": executes task '" + task.name +
                "', which is processor " + Twine(task.processor) + "'s");
  for (const TensorRef &ref : kernel.operands)
    checkLag(ref, task.kind, where);
  for (const TensorRef &ref : kernel.results)
    if (ref.lag != 0)
      fail(where + ": a result has a lag");
  if (!error.empty())
    return;
  if (Error bad = checkKernel(kernel))
    fail(where + ": " + toString(std::move(bad)));
}

void CodeCheck::writes(uint32_t semaphore, size_t processor,
                       const Twine &where) {
  if (program.semaphores[semaphore].writer != processor)
    return fail(where + ": writes semaphore " + Twine(semaphore) +
                ", which is processor " +
                Twine(program.semaphores[semaphore].writer) + "'s");
  ++writers[semaphore];
}

void CodeCheck::checkTransfer(size_t processor, const Instruction &instruction,
                              const Twine &where) {
  index(instruction.a, program.transfers.size(), where + ": transfer");
  if (!error.empty())
    return;
  const Transfer &transfer = program.transfers[instruction.a];
  index(transfer.arrival, program.semaphores.size(), where + ": semaphore");
  index(transfer.completion, program.semaphores.size(), where + ": semaphore");
  if (!error.empty())
    return;
  if (instruction.op == Opcode::Receive)
    return checkReceive(processor, transfer, where);
  uint32_t receiver = program.semaphores[transfer.arrival].waiter;
  sent[instruction.a] = true;
  writes(transfer.arrival, processor, where);
  writes(transfer.completion, processor, where);
  checkDuration(transfer.cycles, where + ": transfer");
  checkDuration(transfer.latency, where + ": transfer's latency");
  checkLocal(transfer.source, processor, Access::Read, where + ": source");
  checkLocal(transfer.destination, receiver, Access::Write,
             where + ": destination");
  if (receiver == processor)
    fail(where + ": sends to itself");
  if (transfer.source.lag != 0 || transfer.destination.lag != 0)
    fail(where + ": a transfer has a lag");
  // And so the same shape.
  if (error.empty() && transfer.source.value != transfer.destination.value)
    fail(where + ": sends '" + program.values[transfer.source.value].name +
         "' to where '" + program.values[transfer.destination.value].name +
         "' is expected");
}

void CodeCheck::checkReceive(size_t processor, const Transfer &transfer,
                             const Twine &where) {
  uint32_t waiter = program.semaphores[transfer.arrival].waiter;
  if (waiter != processor)
    fail(where + ": receives what is sent to processor " + Twine(waiter));
}

void CodeCheck::checkHostCopy(size_t processor, const Instruction &instruction,
                              const Twine &where) {
  index(instruction.a, program.hostCopies.size(), where + ": host copy");
  if (!error.empty())
    return;
  const HostCopy &copy = program.hostCopies[instruction.a];
  index(copy.binding, program.bindings.size(), where + ": binding");
  bool isLoad = instruction.op == Opcode::Load;
  checkLocal(copy.local, processor, isLoad ? Access::Write : Access::Read,
             where + ": host copy");
  if (!error.empty())
    return;
  copied[instruction.a] = true;
  const Binding &binding = program.bindings[copy.binding];
  bool isInput =
      binding.kind == BindingKind::Input || binding.kind == BindingKind::Label;
  if (isInput != isLoad)
    fail(where + ": binding '" + binding.name + "' goes the other way");
  if (!isLoad && stored[copy.binding])
    fail(where + ": binding '" + binding.name + "' is stored twice");
  stored[copy.binding] = !isLoad;
  if (binding.type != copy.local.type || binding.dims != copy.local.dims ||
      copy.local.lag != 0)
    fail(where + ": binding '" + binding.name +
         "' has another shape than the local tensor");
}

/// Descriptors are checked where instructions use them: all are used.
void CodeCheck::checkAllUsed() {
  auto used = [&](const std::vector<bool> &isUsed, StringRef what) {
    auto unused = find(isUsed, false);
    if (unused != isUsed.end())
      fail(what + " " + Twine(unused - isUsed.begin()) +
           " is used by no instruction");
  };
  used(called, "kernel");
  used(sent, "transfer");
  used(copied, "host copy");
  for (auto [semaphore, count] : enumerate(writers))
    if (count > 1)
      fail("semaphore " + Twine(semaphore) + " is written by " + Twine(count) +
           " instructions, expected 1");
}

Error takt::checkCode(const Program &program) {
  return CodeCheck(program).run();
}
