//===- RecordCheck.cpp - every record by itself ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StructureCheck.h"
#include "takt/Machine/Machine.h"
#include "takt/Target/BindingTurns.h"
#include "takt/Target/LearningRate.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <cmath>

using namespace llvm;
using namespace takt;

namespace {
constexpr uint64_t kMaxRegionBytes = uint64_t(1) << 48;
/// Stages have 16 bits, and no pipeline delays an update by more of them.
constexpr uint32_t kMaxDelay = UINT16_MAX;

class RecordCheck : StructureCheck {
public:
  explicit RecordCheck(const Program &program) : StructureCheck(program) {}

  Error run() {
    checkMachine();
    checkRegions();
    checkBindings();
    checkScalars();
    checkSemaphores();
    checkTasks();
    checkParameters();
    for (auto [number, initializer] : enumerate(program.initializers))
      checkInitializer(initializer, number);
    return takeError();
  }

private:
  void checkMachine();
  void checkMemory(const Machine &machine);
  void checkRegions();
  void checkBindings();
  void checkBinding(const Binding &binding);
  void checkScalars();
  void checkSemaphores();
  void checkTasks();
  void checkParameters();
  void checkParameter(const Parameter &parameter);
  void checkDerived(const Parameter &parameter, const Twine &what);
  void checkParts();
  void claim(uint32_t value, uint32_t parameter);
  void checkInitializer(const Initializer &initializer, size_t number);
  void checkBox(const TensorRef &part, const TensorRef &whole, uint64_t axis,
                uint64_t begin, const Twine &what);

  std::vector<int64_t> parameterOf; ///< by value that stands for one, or -1
};
} // namespace

void RecordCheck::checkMachine() {
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
  if (program.batch == 0 || program.batch > uint64_t(INT64_MAX))
    fail("the batch is " + Twine(program.batch) + ", expected at least 1");
  if (error.empty())
    checkMemory(*machine);
}

/// Every processor has the memory that its regions ask for.
void RecordCheck::checkMemory(const Machine &machine) {
  std::vector<uint64_t> bytes(program.code.size());
  for (const Region &region : program.regions)
    if (region.processor < bytes.size())
      bytes[region.processor] =
          SaturatingAdd(bytes[region.processor], region.size);
  for (auto [processor, needed] : enumerate(bytes)) {
    int64_t limit = machine.processorClass(processor).memoryBytes;
    if (needed > uint64_t(limit == 0 ? INT64_MAX : limit))
      return fail("the regions of processor " + Twine(processor) + " have " +
                  Twine(needed) + " bytes, its memory " +
                  (limit == 0 ? Twine("2^63") : Twine(limit)));
  }
}

void RecordCheck::checkRegions() {
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
    if (region.size > kMaxRegionBytes)
      fail("region " + Twine(number) + " has " + Twine(region.size) +
           " bytes, expected at most 2^48");
    if (!isPowerOf2_32(region.alignment) || region.alignment > 4096)
      fail("region " + Twine(number) + " has alignment " +
           Twine(region.alignment) + ", expected a power of 2 up to 4096");
  }
}

/// In a region of its own that goes its way.
void RecordCheck::checkBinding(const Binding &binding) {
  std::string what = "binding '" + binding.name + "'";
  index(binding.region, program.regions.size(), "region of " + what);
  std::optional<int64_t> bytes = tensorBytes(binding.type, binding.dims, what);
  if (!error.empty())
    return;
  const Region &region = program.regions[binding.region];
  bool isInput =
      binding.kind == BindingKind::Input || binding.kind == BindingKind::Label;
  RegionClass expected =
      isInput ? RegionClass::HostInput : RegionClass::HostOutput;
  if (region.kind != expected)
    return fail(what + " is in a region of class '" + name(region.kind) +
                "', expected '" + name(expected) + "'");
  if (uint64_t(*bytes) > region.size)
    return fail(what + " has " + Twine(*bytes) + " bytes, its region " +
                Twine(region.size));
  checkAccess(binding.region, isInput ? Access::Read : Access::Write, what);
  bool isNumber = binding.dims.empty() && isFloatType(binding.type);
  if (binding.kind == BindingKind::Loss && !isNumber)
    fail(what + " is a loss, expected one floating-point number");
}

void RecordCheck::checkBindings() {
  std::vector<const Binding *> ownerOf(program.regions.size());
  for (const Binding &binding : program.bindings) {
    checkBinding(binding);
    if (!error.empty())
      return;
    const Binding *&owner = ownerOf[binding.region];
    if (owner)
      return fail("bindings '" + owner->name + "' and '" + binding.name +
                  "' share region " + Twine(binding.region));
    owner = &binding;
  }
  if (!BindingTurns(program).areComplete())
    fail("bindings of one name are not of as many minibatches as those of "
         "others");
}

void RecordCheck::checkScalars() {
  if (program.scalars.size() <= kIterationsScalar)
    return fail("the program has " + Twine(program.scalars.size()) +
                " run-time scalars, expected the learning rate and the number "
                "of iterations");
  for (const ScalarInfo &scalar : program.scalars)
    if (!std::isfinite(scalar.value))
      fail("scalar '" + scalar.name + "' is not finite");
  if (program.scalars.size() > kDelayScalingScalar &&
      program.scalars[kDelayScalingScalar].value < 0)
    fail("the learning rate is scaled by delay over fewer than 0 minibatches");
  if (program.scalars.size() > kClipNormScalar &&
      program.scalars[kClipNormScalar].value < 0)
    fail("gradients are clipped to a norm below 0");
  if (program.scalars.size() <= kClipNormScalar &&
      any_of(program.kernels, [](const Kernel &kernel) {
        return kernel.id == KernelId::ClipFactor;
      }))
    fail("gradients are clipped, but no run-time scalar is their largest norm");
  std::vector<double> values;
  for (const ScalarInfo &scalar : program.scalars)
    values.push_back(scalar.value);
  if (auto rate = LearningRateSchedule::of(values); !rate)
    fail(toString(rate.takeError()));
  if (values.size() > kLossScaleScalar && !(values[kLossScaleScalar] > 0))
    fail("the scale of the loss is not positive");
  double iterations = program.scalars[kIterationsScalar].value;
  if (iterations < 0 || iterations > double(kMaxIterations) ||
      iterations != std::floor(iterations))
    fail("the number of iterations is no whole number from 0 to 2^53");
}

void RecordCheck::checkSemaphores() {
  for (const Semaphore &semaphore : program.semaphores) {
    index(semaphore.writer, program.code.size(), "writer of a semaphore");
    index(semaphore.waiter, program.code.size(), "waiter of a semaphore");
    if (semaphore.initial > UINT32_MAX)
      fail("a semaphore starts at more than 2^32 - 1");
  }
}

void RecordCheck::checkTasks() {
  for (const TaskInfo &task : program.tasks) {
    std::string what = "task '" + task.name + "'";
    index(task.layer, program.layers.size(), "layer of " + what);
    index(task.processor, program.code.size(), "processor of " + what);
    checkDuration(task.cycles, what);
    if (task.start > uint64_t(INT64_MAX) - task.cycles)
      fail(what + " starts in cycle " + Twine(task.start) +
           ", expected at most 2^63 - 1");
  }
}

void RecordCheck::checkParameters() {
  for (const ValueInfo &value : program.values)
    tensorBytes(value.type, value.dims, "value '" + value.name + "'");
  parameterOf.assign(program.values.size(), -1);
  for (auto [number, parameter] : enumerate(program.parameters)) {
    checkParameter(parameter);
    if (!error.empty())
      return;
    claim(parameter.readValue, number);
    claim(parameter.writeValue, number);
  }
  if (error.empty())
    checkParts();
}

/// Parameters of one name are of the same kind and shape but for the first
/// axis, and together all of it.
void RecordCheck::checkParts() {
  MapVector<StringRef, SmallVector<const Parameter *, 1>> tensors;
  for (const Parameter &parameter : program.parameters)
    if (parameter.kind != ParameterKind::Derived)
      tensors[parameter.name].push_back(&parameter);
  for (auto &[name, parts] : tensors) {
    stable_sort(parts, [](const Parameter *a, const Parameter *b) {
      return a->begin < b->begin;
    });
    uint64_t end = 0;
    const Parameter *last = nullptr;
    for (const Parameter *part : parts) {
      const TensorRef &home = part->home, &first = parts.front()->home;
      uint64_t rows = home.dims.empty() ? 1 : home.dims[0];
      bool isEqual = last && part->begin == last->begin;
      bool isLike =
          part->kind == parts.front()->kind && home.type == first.type &&
          home.dims.size() == first.dims.size() &&
          (home.dims.empty() || ArrayRef(home.dims).drop_front() ==
                                    ArrayRef(first.dims).drop_front());
      if (!isLike ||
          (isEqual ? home.dims != last->home.dims : part->begin != end) ||
          rows > uint64_t(INT64_MAX) - part->begin)
        return fail("the parts of parameter '" + name +
                    "' do not make up one tensor");
      end = part->begin + rows;
      last = part;
    }
  }
}

/// A value stands for one parameter.
void RecordCheck::claim(uint32_t value, uint32_t parameter) {
  int64_t &owner = parameterOf[value];
  if (owner >= 0 && owner != parameter)
    fail("parameters '" + program.parameters[owner].name + "' and '" +
         program.parameters[parameter].name + "' share value '" +
         program.values[value].name + "'");
  owner = parameter;
}

/// The class of the region that keeps a parameter.
static RegionClass regionOf(ParameterKind kind) {
  switch (kind) {
  case ParameterKind::OptimizerState:
    return RegionClass::OptimizerState;
  case ParameterKind::State:
    return RegionClass::State;
  default:
    return RegionClass::Parameter;
  }
}

void RecordCheck::checkParameter(const Parameter &parameter) {
  std::string what = "parameter '" + parameter.name + "'";
  index(parameter.home.region, program.regions.size(), "region of " + what);
  index(parameter.readValue, program.values.size(), "read value of " + what);
  index(parameter.writeValue, program.values.size(),
        "written value of " + what);
  if (parameter.kind != ParameterKind::Derived)
    index(parameter.layer, program.layers.size(), "layer of " + what);
  if (!error.empty())
    return;
  const Region &region = program.regions[parameter.home.region];
  RegionClass expected = regionOf(parameter.kind);
  if (region.kind != expected)
    return fail(what + " has its home in a region of class '" +
                name(region.kind) + "', expected '" + name(expected) + "'");
  checkTensor(parameter.home, region.processor, what);
  // What no optimizer updates has its next version at once.
  bool isTrained = parameter.kind != ParameterKind::State &&
                   parameter.kind != ParameterKind::Constant;
  uint32_t longest = isTrained ? kMaxDelay : 0;
  if (parameter.delay > longest)
    fail(what + " has delay " + Twine(parameter.delay) + ", expected at most " +
         Twine(longest));
  if (parameter.lead > (isTrained ? parameter.delay + 1 : 0))
    fail(what + " has lead " + Twine(parameter.lead) + " and delay " +
         Twine(parameter.delay) + ", expected a lead of at most " +
         Twine(isTrained ? parameter.delay + 1 : 0));
  if (parameter.update > parameter.lastUpdate)
    fail(what + " is made by update " + Twine(parameter.update) +
         " of an iteration, expected at most " + Twine(parameter.lastUpdate));
  if (!error.empty())
    return;
  if (parameter.kind == ParameterKind::Derived)
    return checkDerived(parameter, what);
  if (parameter.splat)
    return;
  if (!program.data.slice(parameter.dataOffset, parameter.home.bytes()))
    fail("initial value of " + what + " ends outside the data");
}

void RecordCheck::checkDerived(const Parameter &parameter, const Twine &what) {
  index(parameter.base, program.parameters.size(), "base of " + what);
  if (!error.empty())
    return;
  const Parameter &base = program.parameters[parameter.base];
  if (base.kind == ParameterKind::Derived)
    return fail("base of " + what + " is derived itself");
  if (parameter.delay != base.delay)
    fail(what + " has delay " + Twine(parameter.delay) + ", its base " +
         Twine(base.delay));
  checkBox(parameter.home, base.home, parameter.axis, parameter.begin, what);
}

/// A part of a tensor: the same shape except on one axis, where it is inside.
void RecordCheck::checkBox(const TensorRef &part, const TensorRef &whole,
                           uint64_t axis, uint64_t begin, const Twine &what) {
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

void RecordCheck::checkInitializer(const Initializer &initializer,
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
  // What it fills is that parameter, or just this slice of it.
  if (!error.empty())
    return;
  int64_t filled = parameterOf[initializer.target.value];
  if (filled == initializer.parameter)
    return;
  const Parameter *slice = filled < 0 ? nullptr : &program.parameters[filled];
  if (!slice || slice->kind != ParameterKind::Derived ||
      slice->base != initializer.parameter || slice->axis != initializer.axis ||
      slice->begin != initializer.begin)
    fail(what + " fills '" + program.values[initializer.target.value].name +
         "' with what is not its part of '" + parameter.name + "'");
}

Error takt::checkRecords(const Program &program) {
  return RecordCheck(program).run();
}
