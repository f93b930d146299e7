//===- Records.cpp - what must hold of a record by itself -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Records.h"
#include <cmath>

using namespace llvm;
using namespace takt;

static std::string unknown(const Twine &what, unsigned code) {
  return (what + " is " + Twine(code) + ", which is unknown").str();
}

template <typename T>
static std::string problemOfKind(const Twine &owner, T kind) {
  return name(kind).empty() ? unknown("kind of " + owner, unsigned(kind)) : "";
}

static std::string problemOfType(const Twine &owner, ElementType type) {
  return name(type).empty()
             ? unknown("element type of " + owner, unsigned(type))
             : "";
}

std::string takt::problemOf(const Region &region) {
  return problemOfKind("the region", region.kind);
}

std::string takt::problemOf(const Binding &binding) {
  std::string owner = "binding '" + binding.name + "'";
  std::string problem = problemOfKind(owner, binding.kind);
  return problem.empty() ? problemOfType(owner, binding.type) : problem;
}

std::string takt::problemOf(const ScalarInfo &scalar) {
  if (std::isfinite(scalar.value))
    return "";
  return "default of scalar '" + scalar.name + "' is not finite";
}

std::string takt::problemOf(const ValueInfo &value) {
  return problemOfType("value '" + value.name + "'", value.type);
}

std::string takt::problemOf(const Parameter &parameter) {
  return problemOfKind("parameter '" + parameter.name + "'", parameter.kind);
}

std::string takt::problemOf(const TaskInfo &task) {
  return letter(task.kind).empty()
             ? unknown("kind of task '" + task.name + "'", unsigned(task.kind))
             : "";
}

std::string takt::problemOf(const Instruction &instruction) {
  return mnemonic(instruction.op).empty()
             ? unknown("opcode", unsigned(instruction.op))
             : "";
}

std::string takt::problemOf(const TensorRef &tensor) {
  return problemOfType("the tensor", tensor.type);
}

std::string takt::problemOf(const Kernel &kernel) {
  return mnemonic(kernel.id).empty()
             ? unknown("code of the kernel", unsigned(kernel.id))
             : "";
}
