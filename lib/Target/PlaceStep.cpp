//===- PlaceStep.cpp - from a scheduled step to a program -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StepTransfers.h"
#include "takt/Target/InPlace.h"
#include "takt/Target/MemoryPlan.h"
#include "takt/Target/StepExecutions.h"
#include "takt/Target/StepRings.h"
#include "llvm/ADT/STLExtras.h"
#include <numeric>

using namespace llvm;
using namespace takt;

namespace {
class Placer {
public:
  Placer(const StepExecutions &step, const Problem &problem,
         const Schedule &schedule, Program &program, SendTime sendTime)
      : step(step), problem(problem), schedule(schedule), program(program),
        rings(step, problem, schedule), code(schedule, rings),
        transfers(step, problem, schedule, rings, program, code),
        bufferAt(step.values.size()) {
    transfers.add(sendTime);
    for (auto [value, all] : enumerate(rings.rings))
      bufferAt[value].resize(all.size());
  }

  Error run() {
    if (Error error = planAddresses())
      return error;
    addKernels();
    addInitializers();
    addTransferEnds();
    addInputs();
    addOutputs();
    addTasks();
    program.code = code.finish();
    if (code.lastStage() > UINT16_MAX)
      return createStringError("the schedule has " +
                               Twine(code.lastStage() + 1) +
                               " pipeline stages, expected at most 65536");
    return Error::success();
  }

private:
  Error planAddresses();
  void shareVersions(const std::vector<bool> &isOutput);
  bool canShare(ArrayRef<int> versions) const;
  void replaceOperands();
  int replacedOperand(const StepKernel &kernel, size_t result) const;
  PlannedBuffer bufferOf(int value, const Ring &ring, bool isOutput) const;
  int64_t position(const Access &access) const;
  Error checkMemory(int processor,
                    const std::map<RegionClass, uint64_t> &sizes) const;
  TensorRef reference(int value, size_t ring) const;
  TensorRef referenceOn(int value, int processor) const;
  void addKernels();
  void addInitializers();
  void addTransferEnds();
  void addInputs();
  void addOutputs();
  void addTasks();

  const StepExecutions &step;
  const Problem &problem;
  const Schedule &schedule;
  Program &program;
  StepRings rings;
  StepCode code;
  StepTransfers transfers;
  /// Of every ring of a value, among the buffers of its processor.
  std::vector<SmallVector<size_t, 1>> bufferAt;
  std::vector<std::vector<PlannedBuffer>> buffers; ///< by processor
  std::vector<std::vector<int>> owners;            ///< value of each buffer
  /// By value: of those that share a place, which; otherwise itself.
  std::vector<int> placeOf;
  std::vector<std::map<RegionClass, uint32_t>> regions;
};
} // namespace

/// A buffer lives only within a trip when nothing but kernels of that trip
/// touch it. What a transfer or the host touches is never shared.
PlannedBuffer Placer::bufferOf(int value, const Ring &ring,
                               bool isOutput) const {
  const StepValue &info = step.values[value];
  PlannedBuffer buffer;
  buffer.kind = info.kind;
  buffer.bytes = rings.bytesOf(value);
  buffer.slots = ring.slots;
  bool touchedByKernelsOnly = ring.isHome && rings.rings[value].size() == 1 &&
                              info.parameter < 0 && !isOutput;
  bool withinTrip = !ring.isRead || ring.lastRead.trip == ring.written.trip;
  if (touchedByKernelsOnly && withinTrip && ring.slots == 1) {
    buffer.kind = RegionClass::Scratch;
    buffer.first = position(ring.written);
    buffer.last = ring.isRead ? position(ring.lastRead) : buffer.first;
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
  std::vector<bool> isOutput(step.values.size());
  for (const StepOutput &output : step.outputs)
    isOutput[output.value] = true;
  shareVersions(isOutput);
  for (auto [value, all] : enumerate(rings.rings))
    for (auto [index, ring] : enumerate(all)) {
      if (placeOf[value] < int(value)) {
        bufferAt[value][index] = bufferAt[placeOf[value]][index];
        continue;
      }
      bufferAt[value][index] = buffers[ring.processor].size();
      buffers[ring.processor].push_back(bufferOf(value, ring, isOutput[value]));
      owners[ring.processor].push_back(value);
    }
  replaceOperands();
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

/// The operand in whose place the kernel may put a result, because nobody reads
/// it afterwards; -1 if there is none.
int Placer::replacedOperand(const StepKernel &kernel, size_t result) const {
  auto bufferOf = [&](int value) -> const PlannedBuffer & {
    return buffers[rings.processorOf(kernel.task)][bufferAt[value].front()];
  };
  int value = kernel.results[result];
  const PlannedBuffer &buffer = bufferOf(value);
  if (buffer.isPermanent())
    return -1;
  for (auto [o, use] : enumerate(kernel.operands)) {
    if (rings.rings[use.value].size() != 1 ||
        !mayOverwrite(kernel.id, o, step.values[use.value].info.dims, result,
                      step.values[value].info.dims))
      continue;
    const PlannedBuffer &operand = bufferOf(use.value);
    if (!operand.isPermanent() && operand.kind == buffer.kind &&
        operand.bytes == buffer.bytes && operand.last == buffer.first)
      return use.value;
  }
  return -1;
}

/// Kernels that may work in place do, where an operand ends with them: that
/// saves memory, and of a reshape the copy.
void Placer::replaceOperands() {
  for (const StepKernel &kernel : step.kernels) {
    SmallVector<int, 2> taken;
    for (auto [r, value] : enumerate(kernel.results)) {
      int operand = replacedOperand(kernel, r);
      if (operand < 0 || is_contained(taken, operand))
        continue;
      taken.push_back(operand);
      buffers[rings.processorOf(kernel.task)][bufferAt[value].front()]
          .replaces = bufferAt[operand].front();
    }
  }
}

/// Whether each of these, by update, is read for the last time before the next
/// one is written, and all are written in the order of iterations; see
/// Hazards.cpp.
bool Placer::canShare(ArrayRef<int> versions) const {
  auto home = [&](int value) -> const Ring & {
    return rings.rings[value].front();
  };
  Access again = home(versions.front()).written;
  ++again.trip;
  for (auto [index, value] : enumerate(versions)) {
    const Ring &ring = home(value);
    bool isLast = index + 1 == versions.size();
    Access next = isLast ? again : home(versions[index + 1]).written;
    bool inPlace = ring.lastRead.key() == next.key() &&
                   updatesInPlace(step.kernels[next.kernel].id);
    if (!(ring.written < next) ||
        (ring.isRead && !(ring.lastRead < next) && !inPlace))
      return false;
  }
  return true;
}

/// Where an iteration makes n versions of a tensor, as few places as there are
/// versions in use: a divisor of n, so that version u is always in place u
/// modulo that.
void Placer::shareVersions(const std::vector<bool> &isOutput) {
  placeOf.resize(step.values.size());
  std::iota(placeOf.begin(), placeOf.end(), 0);
  std::map<std::pair<StringRef, uint64_t>, SmallVector<int>> tensors;
  for (const Parameter &parameter : program.parameters) {
    int value = static_cast<int>(parameter.writeValue);
    SmallVector<int> &versions = tensors[{parameter.name, parameter.begin}];
    versions.resize(parameter.lastUpdate + 1, -1);
    if (step.values[value].kernel >= 0 && !isOutput[value] &&
        rings.rings[value].size() == 1 && rings.rings[value][0].slots == 1 &&
        parameter.kind == ParameterKind::Trainable)
      versions[parameter.update] = value;
  }
  for (auto &[part, versions] : tensors) {
    if (versions.size() < 2 || is_contained(versions, -1))
      continue;
    for (size_t count = 1; count < versions.size(); ++count) {
      if (versions.size() % count != 0)
        continue;
      std::vector<SmallVector<int>> sharing(count);
      for (auto [update, value] : enumerate(versions))
        sharing[update % count].push_back(value);
      if (!all_of(sharing, [&](ArrayRef<int> of) { return canShare(of); }))
        continue;
      for (const SmallVector<int> &of : sharing)
        for (int value : of)
          placeOf[value] = *llvm::min_element(of);
      break;
    }
  }
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
  if (!rings.bodies[processor].empty()) {
    int task = rings.bodies[processor][at / step.kernels.size()];
    time = schedule.tasks[task].start % schedule.interval;
  }
  std::string text =
      ("processor " + Twine(processor) + " needs " + Twine(needed) +
       " bytes of memory at cycle " + Twine(time) +
       " of the interval, but has " + Twine(limit) +
       "; the largest owners are " +
       largestOwners(buffers[processor], owners[processor], step, at))
          .str();
  return make_error<MemoryShortage>(text, processor, int64_t(needed), limit);
}

TensorRef Placer::reference(int value, size_t index) const {
  const StepValue &info = step.values[value];
  const Ring &ring = rings.rings[value][index];
  const PlannedBuffer &buffer = buffers[ring.processor][bufferAt[value][index]];
  TensorRef ref;
  ref.type = info.info.type;
  ref.dims = info.info.dims;
  ref.region = regions[ring.processor].at(buffer.kind);
  ref.offset = buffer.offset;
  ref.slots = ring.slots;
  ref.slotStride = buffer.slotStride;
  ref.value = value;
  return ref;
}

TensorRef Placer::referenceOn(int value, int processor) const {
  return reference(value, &rings.ringOn(value, processor) -
                              rings.rings[value].begin());
}

/// Kernels with their operands' addresses; what the tasks' predicted durations
/// leave over is added to the first kernel of each.
void Placer::addKernels() {
  std::vector<int64_t> left;
  left.reserve(schedule.tasks.size());
  for (const Placement &task : schedule.tasks)
    left.push_back(task.cycles);
  for (const StepKernel &kernel : step.kernels) {
    int processor = rings.processorOf(kernel.task);
    Kernel result;
    result.id = kernel.id;
    result.task = kernel.task;
    result.words = kernel.words;
    std::optional<Cost> cost = problem.cost->estimate(
        kernel.work, problem.machine->processorClass(processor));
    result.cycles = std::min(cost ? cost->total() : 0, left[kernel.task]);
    left[kernel.task] -= result.cycles;
    for (const StepUse &use : kernel.operands) {
      result.operands.push_back(referenceOn(use.value, processor));
      result.operands.back().lag = -use.distance;
      result.operands.back().value = use.name;
    }
    for (int value : kernel.results)
      result.results.push_back(referenceOn(value, processor));
    program.kernels.push_back(std::move(result));
  }
  for (auto [task, cycles] : enumerate(left))
    if (!rings.kernelsOf[task].empty())
      program.kernels[rings.kernelsOf[task].front()].cycles += cycles;
}

void Placer::addTransferEnds() {
  for (auto [index, transfer] : enumerate(program.transfers)) {
    auto [value, ring] = transfers.ringOf(index);
    transfer.source = reference(value, 0);
    transfer.destination = reference(value, ring);
  }
}

/// Parameters' homes, and every ring that starts with a parameter's initial
/// value.
void Placer::addInitializers() {
  for (auto [value, all] : enumerate(rings.rings)) {
    int number = step.values[value].parameter;
    if (number < 0 || all.empty())
      continue;
    Parameter &parameter = program.parameters[number];
    parameter.home = reference(value, 0);
    bool derived = parameter.kind == ParameterKind::Derived;
    for (size_t index = 0; index < all.size(); ++index)
      program.initializers.push_back(
          {derived ? parameter.base : uint32_t(number), reference(value, index),
           derived ? parameter.axis : 0, derived ? parameter.begin : 0});
  }
}

/// Every processor that reads an input loads it, just before the first reader.
void Placer::addInputs() {
  for (auto [value, all] : enumerate(rings.rings)) {
    int binding = step.values[value].input;
    if (binding < 0)
      continue;
    for (auto [index, ring] : enumerate(all)) {
      int first = step.kernels[ring.firstRead.kernel].task;
      code.addBefore(first, code.make(Opcode::Load, ring.firstRead.trip,
                                      program.hostCopies.size()));
      program.hostCopies.push_back(
          {uint32_t(binding), reference(value, index)});
    }
  }
}

/// Outputs are stored behind their producer.
void Placer::addOutputs() {
  for (const StepOutput &output : step.outputs) {
    int producer = rings.producerOf(output.value);
    code.addAfter(producer, code.make(Opcode::Store, rings.stageOf(producer),
                                      program.hostCopies.size()));
    program.hostCopies.push_back(
        {uint32_t(output.binding), reference(output.value, 0)});
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

Error takt::placeStep(const StepExecutions &step, const Problem &problem,
                      const Schedule &schedule, Program &program,
                      SendTime sendTime) {
  if (schedule.interval < 1)
    return createStringError("the schedule has an interval of " +
                             Twine(schedule.interval) +
                             " cycles, expected at least 1");
  return Placer(step, problem, schedule, program, sendTime).run();
}
