//===- PlaceStep.cpp - from a scheduled step to a program -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Times are of minibatch 0. An access of instance j of a value happens in trip
// j + `trip` at place `place` of the loop body, so that the order of two
// accesses, and the number of instances alive between them, follow from those
// two numbers.
//
//===----------------------------------------------------------------------===//

#include "takt/Target/MemoryPlan.h"
#include "takt/Target/StepExecutions.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace llvm;
using namespace takt;

namespace {
/// When a value's instance is touched: trip, task's place in the body, kernel.
struct Access {
  int64_t trip = 0;
  int64_t place = 0;
  int64_t kernel = 0;

  auto key() const { return std::tuple(trip, place, kernel); }
  bool operator<(const Access &o) const { return key() < o.key(); }
};

/// A copy of a value on one processor: where it is made, or where it arrives.
struct Copy {
  int processor = 0;
  bool isHome = false;
  Access written, firstRead, lastRead;
  bool isRead = false;
  int64_t lastReadEnd = 0; ///< time
  uint32_t slots = 1;
  size_t buffer = 0; ///< index into the processor's buffers
  int transfer = -1; ///< that brings it
  uint32_t credit = 0;
};

class Placer {
public:
  Placer(const StepExecutions &step, const Problem &problem,
         const Schedule &schedule, Program &program)
      : step(step), problem(problem), schedule(schedule), program(program),
        interval(std::max<int64_t>(schedule.interval, 1)) {}

  Error run() {
    orderBodies();
    collectCopies();
    sizeRings();
    addTransfers();
    if (Error error = planAddresses())
      return error;
    addKernels();
    addInitializers();
    addTasks();
    emitCode();
    if (maxStage > UINT16_MAX)
      return createStringError("the schedule has " + Twine(maxStage + 1) +
                               " pipeline stages, expected at most 65536");
    return Error::success();
  }

private:
  int processorOf(int task) const { return schedule.tasks[task].processor; }
  int64_t stageOf(int task) const {
    return schedule.tasks[task].start / interval;
  }
  Access access(int kernel, int distance) const {
    int task = step.kernels[kernel].task;
    return {stageOf(task) + distance, place[task], kernel};
  }

  void orderBodies();
  void collectCopies();
  void addRead(Copy &copy, int kernel, int distance);
  Copy &copyOn(int value, int processor);
  void sizeRings();
  uint32_t homeSlots(int value, const Copy &copy) const;
  uint32_t arrivalSlots(int value, const Copy &copy) const;
  TransferPlacement transferOf(int value, int to) const;
  int64_t bytesOf(int value) const;
  int64_t position(const Access &access) const;
  Instruction instruction(Opcode op, int64_t stage, uint32_t a, uint32_t b = 0);
  void addTransfers();
  Error planAddresses();
  PlannedBuffer bufferOf(int value, const Copy &copy) const;
  Error checkMemory(int processor,
                    const std::map<RegionClass, uint64_t> &sizes) const;
  TensorRef reference(int value, const Copy &copy) const;
  void addKernels();
  void addInitializers();
  void addTasks();
  void emitCode();
  std::vector<Instruction> emitBody(int processor);
  void addHostCopies();

  const StepExecutions &step;
  const Problem &problem;
  const Schedule &schedule;
  Program &program;
  int64_t interval;

  std::vector<std::vector<int>> bodies;    ///< tasks by processor
  std::vector<int64_t> place;              ///< of a task in its body
  std::vector<std::vector<int>> kernelsOf; ///< by task
  /// Copies by value, the home first where the value has one.
  std::vector<SmallVector<Copy, 1>> copies;
  std::vector<std::vector<PlannedBuffer>> buffers; ///< by processor
  std::vector<std::vector<int>> owners;            ///< value of each buffer
  std::vector<std::map<RegionClass, uint32_t>> regions;
  /// What happens around a task, as instructions with their stages.
  std::vector<std::vector<Instruction>> before, after;
  int64_t maxStage = 0;
  std::map<std::pair<StringRef, int>, const TransferPlacement *> transferTimes;
  std::vector<bool> isOutput; ///< by value
};
} // namespace

void Placer::orderBodies() {
  bodies = loopBodies(*problem.machine, schedule);
  place.resize(schedule.tasks.size());
  for (ArrayRef<int> body : bodies)
    for (auto [index, task] : enumerate(body))
      place[task] = index;
  kernelsOf.resize(schedule.tasks.size());
  for (auto [index, kernel] : enumerate(step.kernels))
    kernelsOf[kernel.task].push_back(index);
  before.resize(schedule.tasks.size());
  after.resize(schedule.tasks.size());
  for (const TransferPlacement &transfer : schedule.transfers)
    transferTimes[{schedule.graph.values[transfer.value].name, transfer.to}] =
        &transfer;
  isOutput.resize(step.values.size());
  for (const StepOutput &output : step.outputs)
    isOutput[output.value] = true;
}

Copy &Placer::copyOn(int value, int processor) {
  for (Copy &copy : copies[value])
    if (copy.processor == processor)
      return copy;
  copies[value].emplace_back();
  copies[value].back().processor = processor;
  return copies[value].back();
}

void Placer::addRead(Copy &copy, int kernel, int distance) {
  Access read = access(kernel, distance);
  if (!copy.isRead || read < copy.firstRead)
    copy.firstRead = read;
  if (!copy.isRead || copy.lastRead < read)
    copy.lastRead = read;
  copy.isRead = true;
  const Placement &task = schedule.tasks[step.kernels[kernel].task];
  copy.lastReadEnd = std::max(copy.lastReadEnd,
                              task.start + task.cycles + distance * interval);
}

void Placer::collectCopies() {
  copies.resize(step.values.size());
  for (auto [index, value] : enumerate(step.values)) {
    if (value.kernel < 0)
      continue;
    Copy &home = copyOn(index, processorOf(step.kernels[value.kernel].task));
    home.isHome = true;
    home.written = access(value.kernel, 0);
  }
  for (auto [index, kernel] : enumerate(step.kernels))
    for (const StepUse &use : kernel.operands)
      addRead(copyOn(use.value, processorOf(kernel.task)), index, use.distance);
}

/// When the transfer of a value to a processor occupies its link, and how long
/// it travels behind that.
TransferPlacement Placer::transferOf(int value, int to) const {
  auto known = transferTimes.find({step.values[value].info.name, to});
  if (known != transferTimes.end())
    return *known->second;
  // Not in the schedule: a value that the task graph does not know by this
  // name leaves as soon as it is there.
  int task = step.kernels[step.values[value].kernel].task;
  int from = processorOf(task);
  const Placement &producer = schedule.tasks[task];
  return {-1,
          from,
          to,
          producer.start + producer.cycles,
          problem.machine->transferCycles(from, to, bytesOf(value)),
          problem.machine->transferLatency(from, to)};
}

/// Slots of a value's ring where it is made: instances alive between writing
/// and the last read in program order. An instance that is still being sent is
/// alive, too.
uint32_t Placer::homeSlots(int value, const Copy &copy) const {
  int64_t slots = 1;
  if (copy.isRead) {
    bool readAfterWrite = std::pair(copy.lastRead.place, copy.lastRead.kernel) >
                          std::pair(copy.written.place, copy.written.kernel);
    slots = copy.lastRead.trip - copy.written.trip + readAfterWrite;
  }
  int task = step.kernels[step.values[value].kernel].task;
  for (const Copy &other : copies[value]) {
    if (other.isHome)
      continue;
    TransferPlacement transfer = transferOf(value, other.processor);
    int64_t busy =
        transfer.start + transfer.cycles - schedule.tasks[task].start;
    slots = std::max(slots, busy / interval + 1);
  }
  return std::max<int64_t>(slots, 1);
}

/// Slots of a ring that a transfer fills: so many that the credit of the
/// instance to be overwritten is there, strictly earlier, when it departs.
uint32_t Placer::arrivalSlots(int value, const Copy &copy) const {
  TransferPlacement transfer = transferOf(value, copy.processor);
  return std::max<int64_t>(copy.lastReadEnd - transfer.start, 0) / interval + 1;
}

void Placer::sizeRings() {
  for (auto [value, all] : enumerate(copies))
    for (Copy &copy : all) {
      if (copy.isHome)
        copy.slots = homeSlots(value, copy);
      else if (step.values[value].kernel >= 0)
        copy.slots = arrivalSlots(value, copy);
      else if (step.values[value].input >= 0)
        copy.slots = copy.lastRead.trip - copy.firstRead.trip +
                     (copy.lastRead.place >= copy.firstRead.place);
    }
}

/// Semaphores and instructions of every value that crosses processors.
void Placer::addTransfers() {
  auto semaphore = [&](int writer, int waiter) {
    program.semaphores.push_back({uint32_t(writer), uint32_t(waiter), 0});
    return uint32_t(program.semaphores.size() - 1);
  };
  for (auto [value, all] : enumerate(copies)) {
    if (step.values[value].kernel < 0)
      continue;
    int producer = step.kernels[step.values[value].kernel].task;
    int from = processorOf(producer);
    uint32_t homeRing =
        llvm::find_if(all, [](const Copy &c) { return c.isHome; })->slots;
    for (Copy &copy : all) {
      if (copy.isHome)
        continue;
      TransferPlacement times = transferOf(value, copy.processor);
      Transfer transfer;
      transfer.arrival = semaphore(from, copy.processor);
      transfer.completion = semaphore(from, from);
      transfer.cycles = times.cycles;
      transfer.latency = times.latency;
      copy.transfer = program.transfers.size();
      copy.credit = semaphore(copy.processor, from);
      program.transfers.push_back(transfer);
      uint32_t index = copy.transfer;
      int64_t stage = stageOf(producer);
      before[producer].push_back(
          instruction(Opcode::Wait, stage, transfer.completion, homeRing));
      after[producer].push_back(
          instruction(Opcode::Wait, stage, copy.credit, copy.slots));
      after[producer].push_back(instruction(Opcode::Send, stage, index));
      int first = step.kernels[copy.firstRead.kernel].task;
      int last = step.kernels[copy.lastRead.kernel].task;
      before[first].push_back(
          instruction(Opcode::Receive, copy.firstRead.trip, index));
      after[last].push_back(
          instruction(Opcode::Signal, copy.lastRead.trip, copy.credit));
    }
  }
}

Instruction Placer::instruction(Opcode op, int64_t stage, uint32_t a,
                                uint32_t b) {
  maxStage = std::max(maxStage, stage);
  Instruction result;
  result.op = op;
  result.stage = static_cast<uint16_t>(stage);
  result.a = a;
  result.b = b;
  return result;
}

/// A buffer lives only within a trip when nothing but kernels of that trip
/// touch it. What a transfer or the host touches is never shared.
PlannedBuffer Placer::bufferOf(int value, const Copy &copy) const {
  const StepValue &info = step.values[value];
  PlannedBuffer buffer;
  buffer.kind = info.kind;
  buffer.bytes = bytesOf(value);
  buffer.slots = copy.slots;
  bool touchedByKernelsOnly = copy.isHome && copies[value].size() == 1 &&
                              info.parameter < 0 && !isOutput[value];
  bool withinTrip = !copy.isRead || copy.lastRead.trip == copy.written.trip;
  if (touchedByKernelsOnly && withinTrip && copy.slots == 1) {
    buffer.kind = RegionClass::Scratch;
    buffer.first = position(copy.written);
    buffer.last = copy.isRead ? position(copy.lastRead) : buffer.first;
  }
  return buffer;
}

/// Kernels of one processor are numbered through its body.
int64_t Placer::position(const Access &access) const {
  return access.place * int64_t(step.kernels.size()) + access.kernel;
}

Error Placer::planAddresses() {
  int64_t processors = problem.machine->processors();
  buffers.resize(processors);
  owners.resize(processors);
  regions.resize(processors);
  for (auto [value, all] : enumerate(copies))
    for (Copy &copy : all) {
      copy.buffer = buffers[copy.processor].size();
      buffers[copy.processor].push_back(bufferOf(value, copy));
      owners[copy.processor].push_back(value);
    }
  for (int64_t p = 0; p < processors; ++p) {
    std::map<RegionClass, uint64_t> sizes = planMemory(buffers[p]);
    if (Error error = checkMemory(p, sizes))
      return error;
    for (auto [kind, size] : sizes) {
      regions[p][kind] = program.regions.size();
      program.regions.push_back(
          {kind, uint32_t(p), size, uint32_t(kBufferAlignment)});
    }
  }
  return Error::success();
}

/// The largest owners among what is alive at one position of the body.
static std::string largestOwners(ArrayRef<PlannedBuffer> buffers,
                                 ArrayRef<int> owners,
                                 const StepExecutions &step, int64_t at) {
  std::vector<std::pair<uint64_t, int>> sizes;
  for (auto [buffer, owner] : zip_equal(buffers, owners))
    if (buffer.isPermanent() || (buffer.first <= at && at <= buffer.last))
      sizes.push_back({buffer.slotStride * buffer.slots, owner});
  stable_sort(sizes, [](auto &a, auto &b) { return a.first > b.first; });
  std::string text;
  for (auto [bytes, owner] : ArrayRef(sizes).take_front(3))
    text += (text.empty() ? "" : ", ") + step.values[owner].info.name + " (" +
            std::to_string(bytes) + ")";
  return text;
}

Error Placer::checkMemory(int processor,
                          const std::map<RegionClass, uint64_t> &sizes) const {
  int64_t limit = problem.machine->processorClass(processor).memoryBytes;
  uint64_t needed = 0;
  for (auto [kind, size] : sizes)
    needed += size;
  if (limit == 0 || needed <= uint64_t(limit))
    return Error::success();
  // The time of the last short-lived buffer that reaches the region's end.
  int64_t at = 0;
  uint64_t highest = 0;
  for (const PlannedBuffer &buffer : buffers[processor])
    if (!buffer.isPermanent() && buffer.offset + buffer.slotStride > highest) {
      highest = buffer.offset + buffer.slotStride;
      at = buffer.first;
    }
  int64_t time = 0;
  if (!step.kernels.empty() && !bodies[processor].empty()) {
    size_t index = at / step.kernels.size();
    time = schedule.tasks[bodies[processor][index]].start % interval;
  }
  return createStringError(
      "processor " + Twine(processor) + " needs " + Twine(needed) +
      " bytes of memory at cycle " + Twine(time) +
      " of the interval, but has " + Twine(limit) +
      "; the largest owners are " +
      largestOwners(buffers[processor], owners[processor], step, at));
}

TensorRef Placer::reference(int value, const Copy &copy) const {
  const StepValue &info = step.values[value];
  const PlannedBuffer &buffer = buffers[copy.processor][copy.buffer];
  TensorRef ref;
  ref.type = info.info.type;
  ref.dims = info.info.dims;
  ref.region = regions[copy.processor].at(buffer.kind);
  ref.offset = buffer.offset;
  ref.slots = copy.slots;
  ref.slotStride = buffer.slotStride;
  ref.value = value;
  return ref;
}

int64_t Placer::bytesOf(int value) const {
  const ValueInfo &info = step.values[value].info;
  int64_t bytes = elementBytes(info.type);
  for (int64_t dim : info.dims)
    bytes *= dim;
  return bytes;
}

/// Kernels with their operands' addresses; what the tasks' predicted durations
/// leave over is added to the first kernel of each.
void Placer::addKernels() {
  std::vector<int64_t> left;
  for (const Placement &task : schedule.tasks)
    left.push_back(task.cycles);
  for (const StepKernel &kernel : step.kernels) {
    int processor = processorOf(kernel.task);
    Kernel result;
    result.id = kernel.id;
    result.task = kernel.task;
    result.words = kernel.words;
    std::optional<Cost> cost = problem.cost->estimate(
        kernel.work, problem.machine->processorClass(processor));
    result.cycles = std::min(cost ? cost->total() : 0, left[kernel.task]);
    left[kernel.task] -= result.cycles;
    for (const StepUse &use : kernel.operands) {
      result.operands.push_back(
          reference(use.value, copyOn(use.value, processor)));
      result.operands.back().lag = -use.distance;
      result.operands.back().value = use.name;
    }
    for (int value : kernel.results)
      result.results.push_back(reference(value, copyOn(value, processor)));
    program.kernels.push_back(std::move(result));
  }
  for (auto [task, cycles] : enumerate(left))
    if (!kernelsOf[task].empty())
      program.kernels[kernelsOf[task].front()].cycles += cycles;
}

/// Transfers' ends, parameters' homes, and every ring that starts with a
/// parameter's initial value.
void Placer::addInitializers() {
  for (auto [value, all] : enumerate(copies)) {
    auto home = llvm::find_if(all, [](const Copy &c) { return c.isHome; });
    for (const Copy &copy : all)
      if (copy.transfer >= 0) {
        program.transfers[copy.transfer].source = reference(value, *home);
        program.transfers[copy.transfer].destination = reference(value, copy);
      }
    int index = step.values[value].parameter;
    if (index < 0 || all.empty())
      continue;
    Parameter &parameter = program.parameters[index];
    parameter.home = reference(value, home != all.end() ? *home : all.front());
    bool derived = parameter.kind == ParameterKind::Derived;
    for (const Copy &copy : all)
      program.initializers.push_back(
          {derived ? parameter.base : uint32_t(index), reference(value, copy),
           derived ? parameter.axis : 0, derived ? parameter.begin : 0});
  }
}

/// Inputs are loaded by every processor that reads them, just before the first
/// reader; outputs are stored behind their producer.
void Placer::addHostCopies() {
  for (auto [value, all] : enumerate(copies)) {
    if (step.values[value].input < 0)
      continue;
    for (const Copy &copy : all) {
      int first = step.kernels[copy.firstRead.kernel].task;
      before[first].push_back(instruction(Opcode::Load, copy.firstRead.trip,
                                          program.hostCopies.size()));
      program.hostCopies.push_back(
          {uint32_t(step.values[value].input), reference(value, copy)});
    }
  }
  for (const StepOutput &output : step.outputs) {
    int producer = step.kernels[step.values[output.value].kernel].task;
    const Copy &copy = copyOn(output.value, processorOf(producer));
    after[producer].push_back(instruction(Opcode::Store, stageOf(producer),
                                          program.hostCopies.size()));
    program.hostCopies.push_back(
        {uint32_t(output.binding), reference(output.value, copy)});
  }
}

void Placer::addTasks() {
  for (auto [task, place] : zip_equal(schedule.graph.tasks, schedule.tasks))
    program.tasks.push_back({task.name, task.kind, uint32_t(task.layer),
                             uint32_t(place.processor), uint64_t(place.start),
                             uint64_t(place.cycles)});
  for (const Layer &layer : schedule.graph.layers)
    program.layers.push_back(layer.name);
}

std::vector<Instruction> Placer::emitBody(int processor) {
  std::vector<Instruction> body;
  for (int task : bodies[processor]) {
    append_range(body, before[task]);
    for (int kernel : kernelsOf[task])
      body.push_back(instruction(Opcode::Execute, stageOf(task), kernel));
    // Credits first: nobody shall wait for one behind a send.
    auto isSignal = [](const Instruction &instruction) {
      return instruction.op == Opcode::Signal;
    };
    std::stable_partition(after[task].begin(), after[task].end(), isSignal);
    append_range(body, after[task]);
  }
  return body;
}

void Placer::emitCode() {
  addHostCopies();
  for (int64_t p = 0; p < problem.machine->processors(); ++p)
    program.code.push_back(emitBody(p));
  for (std::vector<Instruction> &code : program.code) {
    code.push_back({Opcode::Checkpoint});
    Instruction loop{Opcode::Loop};
    loop.a = code.size();
    loop.b = maxStage;
    loop.c = kIterationsScalar;
    code.insert(code.begin(), loop);
    code.push_back({Opcode::EndLoop});
    code.push_back({Opcode::Halt});
  }
}

Error takt::placeStep(const StepExecutions &step, const Problem &problem,
                      const Schedule &schedule, Program &program) {
  return Placer(step, problem, schedule, program).run();
}
