//===- Validate.cpp - is a program what its consumers rely on -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Validate.h"
#include "Header.h"
#include "takt/Machine/Machine.h"
#include "takt/Target/KernelCheck.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace takt;

namespace {
constexpr int64_t kMaxTensorBytes = int64_t(1) << 48;
constexpr size_t kMaxRank = 8;
/// Keeps sums of durations inside 64 bits.
constexpr uint64_t kMaxCycles = uint64_t(1) << 40;

/// Structure: what can be said of each record by itself and of its indices.
class StructureCheck {
public:
  explicit StructureCheck(const Program &program) : program(program) {}

  Error run() {
    checkMachine();
    checkRegions();
    checkRecords();
    for (size_t p = 0; p < program.code.size() && error.empty(); ++p)
      checkCode(p);
    if (error.empty())
      checkAllUsed();
    if (!error.empty())
      return createStringError(error);
    return Error::success();
  }

private:
  void fail(const Twine &message) {
    if (error.empty())
      error = message.str();
  }
  void index(uint64_t value, size_t count, const Twine &what) {
    if (value >= count)
      fail(what + " is " + Twine(value) + ", expected less than " +
           Twine(count));
  }

  void checkMachine();
  void checkRegions();
  void checkRecords();
  void checkParameter(const Parameter &parameter);
  void checkInitializer(const Initializer &initializer, size_t number);
  std::optional<int64_t> tensorBytes(const TensorRef &ref, const Twine &what);
  void checkTensor(const TensorRef &ref, uint32_t processor, const Twine &what);
  void checkBox(const TensorRef &part, const TensorRef &whole, uint64_t axis,
                uint64_t begin, const Twine &what);
  void checkPlace(const TensorRef &ref, const Twine &what);
  void checkLocal(const TensorRef &ref, uint32_t processor, const Twine &what);
  void checkLag(const TensorRef &ref, TaskKind reader, const Twine &what);
  void findParameters();
  void checkCode(size_t processor);
  void checkLoop(size_t processor);
  void checkInstruction(size_t processor, size_t pc);
  void checkKernelCall(size_t processor, uint32_t kernel, const Twine &where);
  void checkTransfer(size_t processor, const Instruction &instruction,
                     const Twine &where);
  void checkHostCopy(size_t processor, const Instruction &instruction,
                     const Twine &where);
  void writes(uint32_t semaphore, size_t processor, const Twine &where);
  void checkDuration(uint64_t cycles, const Twine &what);
  void checkAllUsed();

  const Program &program;
  std::string error;
  std::vector<bool> called, sent, copied; ///< kernels, transfers, host copies
  std::vector<int> writers; ///< instructions that write each semaphore
  /// By value: the parameter whose current version reads of it mean.
  std::vector<const Parameter *> versionOf;
};
} // namespace

void StructureCheck::checkMachine() {
  Expected<Machine> machine = Machine::parse({program.machine, "machine"});
  if (!machine)
    return fail("the program's machine is none: " +
                toString(machine.takeError()));
  if (size_t(machine->processors()) != program.code.size())
    fail("the machine has " + Twine(machine->processors()) +
         " processors, the program code for " + Twine(program.code.size()));
  if (program.interval == 0 || program.interval > uint64_t(INT64_MAX))
    fail("the interval is " + Twine(program.interval) +
         ", expected at least 1");
}

void StructureCheck::checkRegions() {
  for (auto [number, region] : enumerate(program.regions)) {
    if (region.processor != kHostProcessor)
      index(region.processor, program.code.size(),
            "processor of region " + Twine(number));
    bool isHost = region.kind == RegionClass::HostInput ||
                  region.kind == RegionClass::HostOutput ||
                  region.kind == RegionClass::Scalars;
    if (isHost != (region.processor == kHostProcessor))
      fail("region " + Twine(number) + " of class '" + name(region.kind) +
           "' has the wrong owner");
    if (region.size > uint64_t(kMaxTensorBytes))
      fail("region " + Twine(number) + " has " + Twine(region.size) +
           " bytes, expected at most 2^48");
    if (!isPowerOf2_32(region.alignment) || region.alignment > 4096)
      fail("region " + Twine(number) + " has alignment " +
           Twine(region.alignment) + ", expected a power of 2 up to 4096");
  }
}

/// Bytes of one slot; fails on a shape that no memory holds.
std::optional<int64_t> StructureCheck::tensorBytes(const TensorRef &ref,
                                                   const Twine &what) {
  int64_t bytes = elementBytes(ref.type);
  if (bytes == 0 || ref.dims.size() > kMaxRank) {
    fail(what + " has an unknown element type, or more than " +
         Twine(kMaxRank) + " dimensions");
    return std::nullopt;
  }
  for (int64_t dim : ref.dims)
    if (dim < 1 || MulOverflow(bytes, dim, bytes) || bytes > kMaxTensorBytes) {
      fail(what + " has a dimension of " + Twine(dim) +
           ", or more than 2^48 bytes");
      return std::nullopt;
    }
  return bytes;
}

void StructureCheck::checkTensor(const TensorRef &ref, uint32_t processor,
                                 const Twine &what) {
  std::optional<int64_t> bytes = tensorBytes(ref, what);
  index(ref.region, program.regions.size(), "region of " + what);
  index(ref.value, program.values.size(), "value of " + what);
  if (!bytes || !error.empty())
    return;
  const Region &region = program.regions[ref.region];
  if (region.processor != processor)
    return fail(what + " is in region " + Twine(ref.region) +
                ", which processor " + Twine(processor) + " does not own");
  checkPlace(ref, what);
}

/// The ring lies inside its region, slot by slot, and is aligned.
void StructureCheck::checkPlace(const TensorRef &ref, const Twine &what) {
  const Region &region = program.regions[ref.region];
  uint64_t unit = elementBytes(ref.type), bytes = ref.bytes();
  if (ref.slots == 0 || ref.lag > 0 || ref.offset % unit != 0 ||
      ref.slotStride % unit != 0 || (ref.slots > 1 && ref.slotStride < bytes))
    return fail(what + " has " + Twine(ref.slots) + " slots of " +
                Twine(ref.slotStride) + " bytes at " + Twine(ref.offset) +
                " and lag " + Twine(ref.lag) + ", which is no ring");
  uint64_t last = SaturatingMultiply<uint64_t>(ref.slotStride, ref.slots - 1);
  if (SaturatingAdd(ref.offset, last, bytes) > region.size)
    fail(what + " ends outside region " + Twine(ref.region));
}

/// A tensor that an instruction of the processor touches: it has the shape of
/// the value that it holds.
void StructureCheck::checkLocal(const TensorRef &ref, uint32_t processor,
                                const Twine &what) {
  checkTensor(ref, processor, what);
  if (!error.empty())
    return;
  const ValueInfo &value = program.values[ref.value];
  if (ref.type != value.type || ref.dims != value.dims)
    fail(what + " has another shape than its value '" + value.name + "'");
}

/// Updates read the version before their own, other tasks one that is as many
/// updates older as the parameter's delay says; other values are read as the
/// same minibatch made them.
void StructureCheck::checkLag(const TensorRef &ref, TaskKind reader,
                              const Twine &what) {
  int64_t expected = 0;
  if (const Parameter *parameter = versionOf[ref.value])
    expected = reader == TaskKind::Update ? -1 : -1 - int64_t(parameter->delay);
  if (ref.lag != expected)
    fail(what + " reads '" + program.values[ref.value].name + "' with lag " +
         Twine(ref.lag) + ", expected " + Twine(expected));
}

void StructureCheck::checkRecords() {
  for (const Binding &binding : program.bindings) {
    index(binding.region, program.regions.size(),
          "region of binding '" + binding.name + "'");
    TensorRef ref;
    ref.type = binding.type;
    ref.dims = binding.dims;
    std::optional<int64_t> bytes =
        tensorBytes(ref, "binding '" + binding.name + "'");
    if (!error.empty())
      return;
    const Region &region = program.regions[binding.region];
    if (region.processor != kHostProcessor || uint64_t(*bytes) > region.size)
      return fail("binding '" + binding.name +
                  "' does not fit its host region");
  }
  for (const Semaphore &semaphore : program.semaphores) {
    index(semaphore.writer, program.code.size(), "writer of a semaphore");
    index(semaphore.waiter, program.code.size(), "waiter of a semaphore");
    if (semaphore.initial > UINT32_MAX)
      fail("a semaphore starts at more than 2^32 - 1");
  }
  for (const TaskInfo &task : program.tasks) {
    index(task.layer, program.layers.size(),
          "layer of task '" + task.name + "'");
    index(task.processor, program.code.size(),
          "processor of task '" + task.name + "'");
  }
  for (const ValueInfo &value : program.values) {
    TensorRef ref;
    ref.type = value.type;
    ref.dims = value.dims;
    tensorBytes(ref, "value '" + value.name + "'");
  }
  for (const Parameter &parameter : program.parameters)
    checkParameter(parameter);
  if (error.empty())
    findParameters();
  for (auto [number, initializer] : enumerate(program.initializers))
    checkInitializer(initializer, number);
}

void StructureCheck::findParameters() {
  versionOf.resize(program.values.size());
  for (const Parameter &parameter : program.parameters) {
    if (parameter.readValue == parameter.writeValue)
      continue;
    const Parameter *&version = versionOf[parameter.readValue];
    if (version)
      return fail("parameters '" + version->name + "' and '" + parameter.name +
                  "' are read as the same value");
    version = &parameter;
  }
}

void StructureCheck::checkParameter(const Parameter &parameter) {
  std::string what = "parameter '" + parameter.name + "'";
  index(parameter.home.region, program.regions.size(), "region of " + what);
  index(parameter.readValue, program.values.size(), "read value of " + what);
  index(parameter.writeValue, program.values.size(),
        "written value of " + what);
  if (parameter.kind != ParameterKind::Derived && !program.layers.empty())
    index(parameter.layer, program.layers.size(), "layer of " + what);
  if (!error.empty())
    return;
  checkTensor(parameter.home, program.regions[parameter.home.region].processor,
              what);
  if (parameter.kind == ParameterKind::Derived) {
    index(parameter.base, program.parameters.size(), "base of " + what);
    if (!error.empty())
      return;
    const Parameter &base = program.parameters[parameter.base];
    if (base.kind == ParameterKind::Derived)
      return fail("base of " + what + " is derived itself");
    return checkBox(parameter.home, base.home, parameter.axis, parameter.begin,
                    what);
  }
  if (parameter.splat || !error.empty())
    return;
  uint64_t bytes = parameter.home.bytes();
  if (parameter.dataOffset > program.data.size() ||
      bytes > program.data.size() - parameter.dataOffset)
    fail("initial value of " + what + " ends outside the data");
}

/// A part of a tensor: the same shape except on one axis, where it is inside.
void StructureCheck::checkBox(const TensorRef &part, const TensorRef &whole,
                              uint64_t axis, uint64_t begin,
                              const Twine &what) {
  if (part.type != whole.type || part.dims.size() != whole.dims.size() ||
      (axis >= whole.dims.size() && (axis != 0 || begin != 0)))
    return fail(what + " is no slice of its parameter: type, rank or axis " +
                Twine(axis));
  for (auto [i, dims] : enumerate(zip_equal(part.dims, whole.dims))) {
    auto [mine, all] = dims;
    bool inside = i == axis ? begin <= uint64_t(all) &&
                                  uint64_t(mine) <= uint64_t(all) - begin
                            : mine == all;
    if (!inside)
      return fail(what + " is no slice of its parameter: dimension " +
                  Twine(i) + " is " + Twine(mine) + " of " + Twine(all));
  }
}

void StructureCheck::checkInitializer(const Initializer &initializer,
                                      size_t number) {
  std::string what = "initializer " + std::to_string(number);
  index(initializer.parameter, program.parameters.size(),
        "parameter of " + what);
  index(initializer.target.region, program.regions.size(), "region of " + what);
  if (!error.empty())
    return;
  checkTensor(initializer.target,
              program.regions[initializer.target.region].processor, what);
  const Parameter &parameter = program.parameters[initializer.parameter];
  if (parameter.kind == ParameterKind::Derived)
    return fail(what + " takes its data from a derived parameter");
  checkBox(initializer.target, parameter.home, initializer.axis,
           initializer.begin, what);
}

void StructureCheck::checkCode(size_t processor) {
  called.resize(program.kernels.size());
  sent.resize(program.transfers.size());
  copied.resize(program.hostCopies.size());
  writers.resize(program.semaphores.size());
  checkLoop(processor);
  for (size_t pc = 0; pc < program.code[processor].size() && error.empty();
       ++pc)
    checkInstruction(processor, pc);
}

/// The stream is: loop, its body, end_loop, halt; all processors make the same
/// number of trips.
void StructureCheck::checkLoop(size_t processor) {
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
  index(loop.c, program.scalars.size(), where + ": scalar of the loop");
}

void StructureCheck::checkInstruction(size_t processor, size_t pc) {
  const std::vector<Instruction> &code = program.code[processor];
  const Instruction &instruction = code[pc];
  std::string where =
      "processor " + std::to_string(processor) + ", pc " + std::to_string(pc);
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
    if (instruction.op == Opcode::Signal)
      return writes(instruction.a, processor, where);
    if (program.semaphores[instruction.a].waiter != processor)
      fail(where + ": waits on semaphore " + Twine(instruction.a) +
           ", which is processor " +
           Twine(program.semaphores[instruction.a].waiter) + "'s");
    return;
  default:
    return;
  }
}

void StructureCheck::checkKernelCall(size_t processor, uint32_t number,
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
  for (const TensorRef &ref :
       concat<const TensorRef>(kernel.operands, kernel.results))
    checkLocal(ref, processor,
               where + ": a tensor of '" + mnemonic(kernel.id) + "'");
  if (!error.empty())
    return;
  for (const TensorRef &ref : kernel.operands)
    checkLag(ref, program.tasks[kernel.task].kind, where);
  for (const TensorRef &ref : kernel.results)
    if (ref.lag != 0)
      fail(where + ": a result has a lag");
  if (!error.empty())
    return;
  if (Error bad = checkKernel(kernel))
    fail(where + ": " + toString(std::move(bad)));
}

void StructureCheck::writes(uint32_t semaphore, size_t processor,
                            const Twine &where) {
  if (program.semaphores[semaphore].writer != processor)
    return fail(where + ": writes semaphore " + Twine(semaphore) +
                ", which is processor " +
                Twine(program.semaphores[semaphore].writer) + "'s");
  ++writers[semaphore];
}

void StructureCheck::checkTransfer(size_t processor,
                                   const Instruction &instruction,
                                   const Twine &where) {
  index(instruction.a, program.transfers.size(), where + ": transfer");
  if (!error.empty())
    return;
  const Transfer &transfer = program.transfers[instruction.a];
  index(transfer.arrival, program.semaphores.size(), where + ": semaphore");
  index(transfer.completion, program.semaphores.size(), where + ": semaphore");
  if (!error.empty())
    return;
  const Semaphore &arrival = program.semaphores[transfer.arrival];
  if (instruction.op == Opcode::Receive) {
    if (arrival.waiter != processor)
      fail(where + ": receives what is sent to processor " +
           Twine(arrival.waiter));
    return;
  }
  sent[instruction.a] = true;
  writes(transfer.arrival, processor, where);
  writes(transfer.completion, processor, where);
  checkDuration(transfer.cycles, where + ": transfer");
  checkDuration(transfer.latency, where + ": transfer's latency");
  checkLocal(transfer.source, processor, where + ": source");
  checkLocal(transfer.destination, arrival.waiter, where + ": destination");
  if (arrival.waiter == processor)
    fail(where + ": sends to itself");
  if (transfer.source.lag != 0 || transfer.destination.lag != 0)
    fail(where + ": a transfer has a lag");
  if (transfer.source.type != transfer.destination.type ||
      transfer.source.dims != transfer.destination.dims)
    fail(where + ": source and destination have different shapes");
}

void StructureCheck::checkHostCopy(size_t processor,
                                   const Instruction &instruction,
                                   const Twine &where) {
  index(instruction.a, program.hostCopies.size(), where + ": host copy");
  if (!error.empty())
    return;
  const HostCopy &copy = program.hostCopies[instruction.a];
  index(copy.binding, program.bindings.size(), where + ": binding");
  checkLocal(copy.local, processor, where + ": host copy");
  if (!error.empty())
    return;
  copied[instruction.a] = true;
  const Binding &binding = program.bindings[copy.binding];
  bool isInput =
      binding.kind == BindingKind::Input || binding.kind == BindingKind::Label;
  if (isInput != (instruction.op == Opcode::Load))
    fail(where + ": binding '" + binding.name + "' goes the other way");
  if (binding.type != copy.local.type || binding.dims != copy.local.dims ||
      copy.local.lag != 0)
    fail(where + ": binding '" + binding.name +
         "' has another shape than the local tensor");
}

void StructureCheck::checkDuration(uint64_t cycles, const Twine &what) {
  if (cycles > kMaxCycles)
    fail(what + " takes " + Twine(cycles) + " cycles, expected at most 2^40");
}

/// Descriptors are checked where instructions use them: all are used.
void StructureCheck::checkAllUsed() {
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

Error takt::checkStructure(const Program &program) {
  if (program.code.empty())
    return createStringError("the program has no processor");
  return StructureCheck(program).run();
}

Error takt::validate(const Program &program) {
  if (Error error = checkStructure(program))
    return error;
  if (Error error = checkDeadlockFree(program))
    return error;
  return checkHazards(program);
}
