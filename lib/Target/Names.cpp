//===- Names.cpp - names of what a program is made of ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Container.h"

using namespace llvm;
using namespace takt;

StringRef takt::mnemonic(Opcode op) {
  switch (op) {
#define TAKT_OPCODE(Name, mnemonic, code, a, b, c, summary)                    \
  case Opcode::Name:                                                           \
    return mnemonic;
#include "takt/Target/Isa.def"
  }
  return "";
}

StringRef takt::mnemonic(KernelId id) {
  switch (id) {
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  case KernelId::Name:                                                         \
    return mnemonic;
#include "takt/Target/Kernels.def"
  }
  return "";
}

StringRef takt::name(UnaryFunction function) {
  switch (function) {
#define TAKT_UNARY(Name, mnemonic, code, formula)                              \
  case UnaryFunction::Name:                                                    \
    return mnemonic;
#include "takt/Target/Functions.def"
  }
  return "";
}

StringRef takt::name(BinaryFunction function) {
  switch (function) {
#define TAKT_BINARY(Name, mnemonic, code, formula)                             \
  case BinaryFunction::Name:                                                   \
    return mnemonic;
#include "takt/Target/Functions.def"
  }
  return "";
}

StringRef takt::name(CompareFunction function) {
  switch (function) {
#define TAKT_COMPARISON(Name, mnemonic, code, formula)                         \
  case CompareFunction::Name:                                                  \
    return mnemonic;
#include "takt/Target/Functions.def"
  }
  return "";
}

StringRef takt::name(ScatterMode mode) {
  switch (mode) {
#define TAKT_SCATTERING(Name, mnemonic, code, formula)                         \
  case ScatterMode::Name:                                                      \
    return mnemonic;
#include "takt/Target/Functions.def"
  }
  return "";
}

StringRef takt::name(PadMode mode) {
  switch (mode) {
#define TAKT_PADDING(Name, mnemonic, code, meaning)                            \
  case PadMode::Name:                                                          \
    return mnemonic;
#include "takt/Target/Functions.def"
  }
  return "";
}

StringRef takt::name(RegionClass kind) {
  switch (kind) {
  case RegionClass::Parameter:
    return "parameter";
  case RegionClass::Gradient:
    return "gradient";
  case RegionClass::OptimizerState:
    return "optimizer_state";
  case RegionClass::Activation:
    return "activation";
  case RegionClass::Scratch:
    return "scratch";
  case RegionClass::HostInput:
    return "host_input";
  case RegionClass::HostOutput:
    return "host_output";
  case RegionClass::Scalars:
    return "scalars";
  case RegionClass::State:
    return "state";
  }
  return "";
}

StringRef takt::name(BindingKind kind) {
  switch (kind) {
  case BindingKind::Input:
    return "input";
  case BindingKind::Label:
    return "label";
  case BindingKind::Output:
    return "output";
  case BindingKind::Loss:
    return "loss";
  }
  return "";
}

StringRef takt::name(ParameterKind kind) {
  switch (kind) {
  case ParameterKind::Trainable:
    return "trainable";
  case ParameterKind::State:
    return "state";
  case ParameterKind::OptimizerState:
    return "optimizer_state";
  case ParameterKind::Constant:
    return "constant";
  case ParameterKind::Derived:
    return "derived";
  }
  return "";
}

StringRef takt::name(SectionType type) {
  static constexpr StringLiteral names[] = {
      "machine",      "info",        "regions",    "bindings",
      "scalars",      "semaphores",  "values",     "parameters",
      "initializers", "descriptors", "processors", "code",
      "tasks",        "layers",      "strings",    "data"};
  auto index = static_cast<uint32_t>(type) - 1;
  if (index < std::size(names))
    return names[index];
  return type == SectionType::TaskMap ? "task_map" : "";
}

bool Region::operator==(const Region &o) const {
  return std::tie(kind, processor, size, alignment, readable, writable) ==
         std::tie(o.kind, o.processor, o.size, o.alignment, o.readable,
                  o.writable);
}
bool TensorRef::operator==(const TensorRef &o) const {
  return std::tie(type, dims, region, offset, slots, slotStride, lag, value) ==
         std::tie(o.type, o.dims, o.region, o.offset, o.slots, o.slotStride,
                  o.lag, o.value);
}
bool Kernel::operator==(const Kernel &o) const {
  return std::tie(id, task, cycles, words, operands, results) ==
         std::tie(o.id, o.task, o.cycles, o.words, o.operands, o.results);
}
bool Transfer::operator==(const Transfer &o) const {
  return std::tie(source, destination, arrival, completion, cycles, latency) ==
         std::tie(o.source, o.destination, o.arrival, o.completion, o.cycles,
                  o.latency);
}
bool HostCopy::operator==(const HostCopy &o) const {
  return std::tie(binding, local) == std::tie(o.binding, o.local);
}
bool Semaphore::operator==(const Semaphore &o) const {
  return std::tie(writer, waiter, initial) ==
         std::tie(o.writer, o.waiter, o.initial);
}
bool Instruction::operator==(const Instruction &o) const {
  return std::tie(op, flags, stage, a, b, c) ==
         std::tie(o.op, o.flags, o.stage, o.a, o.b, o.c);
}
bool Binding::operator==(const Binding &o) const {
  return std::tie(name, kind, region, type, dims) ==
         std::tie(o.name, o.kind, o.region, o.type, o.dims);
}
bool Initializer::operator==(const Initializer &o) const {
  return std::tie(parameter, target, axis, begin) ==
         std::tie(o.parameter, o.target, o.axis, o.begin);
}
bool Parameter::operator==(const Parameter &o) const {
  return std::tie(name, kind, layer, delay, lead, update, lastUpdate, home,
                  readValue, writeValue, base, axis, begin, splat, splatBytes,
                  dataOffset) ==
         std::tie(o.name, o.kind, o.layer, o.delay, o.lead, o.update,
                  o.lastUpdate, o.home, o.readValue, o.writeValue, o.base,
                  o.axis, o.begin, o.splat, o.splatBytes, o.dataOffset);
}
bool ValueInfo::operator==(const ValueInfo &o) const {
  return std::tie(name, type, dims) == std::tie(o.name, o.type, o.dims);
}
bool TaskInfo::operator==(const TaskInfo &o) const {
  return std::tie(name, kind, layer, processor, start, cycles) ==
         std::tie(o.name, o.kind, o.layer, o.processor, o.start, o.cycles);
}
bool ScalarInfo::operator==(const ScalarInfo &o) const {
  return std::tie(name, value) == std::tie(o.name, o.value);
}
bool Program::operator==(const Program &o) const {
  return std::tie(model, schedule, machine, interval, batch) ==
             std::tie(o.model, o.schedule, o.machine, o.interval, o.batch) &&
         std::tie(regions, bindings, scalars, semaphores, values, parameters,
                  initializers, kernels, transfers, hostCopies, tasks, layers,
                  code, data) ==
             std::tie(o.regions, o.bindings, o.scalars, o.semaphores, o.values,
                      o.parameters, o.initializers, o.kernels, o.transfers,
                      o.hostCopies, o.tasks, o.layers, o.code, o.data);
}
