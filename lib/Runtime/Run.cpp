//===- Run.cpp - what a run of a program takes and gives ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/Run.h"
#include "CopyBox.h"
#include "RunSupport.h"
#include "TensorParts.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

bool takt::isReturned(const Parameter &parameter, ArrayRef<Array> weights) {
  switch (parameter.kind) {
  case ParameterKind::Trainable:
  case ParameterKind::State:
  case ParameterKind::OptimizerState:
    return true;
  case ParameterKind::Constant:
    return findArray(weights, parameter.name) != nullptr;
  case ParameterKind::Derived:
    return false;
  }
  return false;
}

/// The parameter's value in the program itself.
static Expected<InitialValue> storedValue(const Program &program,
                                          const Parameter &parameter) {
  Array array{parameter.name, parameter.home.type, parameter.home.dims, {}};
  uint64_t bytes = parameter.home.bytes();
  uint64_t size = elementBytes(parameter.home.type);
  if (!parameter.splat) {
    auto stored = program.data.slice(parameter.dataOffset, bytes);
    if (!stored)
      return createStringError("parameter '" + parameter.name +
                               "': initial value lies outside the program's "
                               "data");
    return InitialValue{std::move(array), *stored};
  }
  array.data.resize(bytes);
  for (uint64_t i = 0; i < bytes; i += size)
    std::memcpy(array.data.data() + i, parameter.splatBytes.data(), size);
  return InitialValue{std::move(array), {}};
}

/// The initial value of a derived parameter.
static Expected<InitialValue> initialSlice(const Program &program,
                                           const Parameter &parameter,
                                           ArrayRef<Array> weights) {
  if (program.parameters[parameter.base].kind == ParameterKind::Derived)
    return createStringError("parameter '" + parameter.name +
                             "' is a slice of a slice");
  Expected<InitialValue> base = initialValue(program, parameter.base, weights);
  if (!base)
    return base.takeError();
  Array slice{parameter.name, base->array.type, parameter.home.dims, {}};
  slice.data.resize(parameter.home.bytes());
  copyBox(base->view(), parameter.axis, parameter.begin, slice.dims,
          slice.data.data());
  return InitialValue{std::move(slice), {}};
}

Expected<InitialValue> takt::initialValue(const Program &program,
                                          uint32_t index,
                                          ArrayRef<Array> weights) {
  const Parameter &parameter = program.parameters[index];
  if (parameter.kind == ParameterKind::Derived)
    return initialSlice(program, parameter, weights);
  const Array *given = findArray(weights, parameter.name);
  if (!given)
    return storedValue(program, parameter);
  std::vector<int64_t> dims = wholeDims(program, parameter);
  if (ArrayRef(given->dims) != ArrayRef(dims))
    return createStringError("weights '" + given->name + "' are " +
                             describe(descriptor(given->type), given->dims) +
                             ", the program's parameter is " +
                             describe(descriptor(parameter.home.type), dims));
  Array part{parameter.name, given->type, parameter.home.dims, {}};
  part.data.resize(part.elements() * elementBytes(part.type));
  copyBox(*given, /*axis=*/0, parameter.begin, part.dims, part.data.data());
  Expected<Array> converted = convert(part, parameter.home.type);
  if (!converted)
    return converted.takeError();
  return InitialValue{std::move(*converted), {}};
}

/// Shortest text that distinguishes two elements of that type.
static std::string element(const Array &array, int64_t index) {
  const uint8_t *at = array.data.data() + index * elementBytes(array.type);
  std::string text;
  raw_string_ostream os(text);
  visitElement(array.type, [&](auto value) {
    std::memcpy(&value, at, sizeof(value));
    using Element = decltype(value);
    if constexpr (std::is_integral_v<Element>)
      os << std::to_string(value);
    else
      os << format(std::is_same_v<Element, double> ? "%.17g" : "%.9g",
                   static_cast<double>(value));
  });
  return text;
}

/// Where two arrays of one name differ; empty when they do not.
static std::string firstDifference(const Array &a, const Array &b) {
  if (a.type != b.type || a.dims != b.dims || a.data.size() != b.data.size())
    return a.name + ": " + describe(descriptor(a.type), a.dims) + " and " +
           describe(descriptor(b.type), b.dims);
  auto [at, other] =
      std::mismatch(a.data.begin(), a.data.end(), b.data.begin());
  if (at == a.data.end())
    return "";
  int64_t index = (at - a.data.begin()) / elementBytes(a.type);
  return a.name + "[" + itostr(index) + "]: " + element(a, index) + " and " +
         element(b, index);
}

static Array asArray(ArrayRef<double> losses) {
  Array array{"loss", ElementType::F64, {}, {}};
  array.dims.push_back(losses.size());
  auto *bytes = reinterpret_cast<const uint8_t *>(losses.data());
  array.data.assign(bytes, bytes + losses.size() * sizeof(double));
  return array;
}

std::string takt::firstDifference(const RunResult &a, const RunResult &b) {
  std::string difference =
      ::firstDifference(asArray(a.losses), asArray(b.losses));
  if (!difference.empty())
    return difference;
  if (a.parameters.size() != b.parameters.size())
    return "number of parameters: " + utostr(a.parameters.size()) + " and " +
           utostr(b.parameters.size());
  for (size_t i = 0; i < a.parameters.size(); ++i) {
    difference = ::firstDifference(a.parameters[i], b.parameters[i]);
    if (!difference.empty())
      return difference;
  }
  for (size_t i = 0; i < std::min(a.outputs.size(), b.outputs.size()); ++i) {
    difference = ::firstDifference(a.outputs[i], b.outputs[i]);
    if (!difference.empty())
      return difference;
  }
  return "";
}

/// Fails if a kernel, transfer or host copy belongs to no instruction.
static Error checkAllUsed(const Program &program) {
  std::vector<bool> kernels(program.kernels.size()),
      transfers(program.transfers.size()), copies(program.hostCopies.size());
  for (const std::vector<Instruction> &code : program.code)
    for (const Instruction &instruction : code) {
      if (instruction.op == Opcode::Execute)
        kernels[instruction.a] = true;
      if (instruction.op == Opcode::Send)
        transfers[instruction.a] = true;
      if (instruction.op == Opcode::Load || instruction.op == Opcode::Store)
        copies[instruction.a] = true;
    }
  std::pair<StringRef, const std::vector<bool> *> tables[] = {
      {"kernel", &kernels}, {"transfer", &transfers}, {"host copy", &copies}};
  for (auto [what, used] : tables)
    if (auto unused = llvm::find(*used, false); unused != used->end())
      return createStringError(what + " " + Twine(unused - used->begin()) +
                               " of the program is used by no instruction");
  return Error::success();
}

Error takt::runtime::checkOptions(const Program &program,
                                  const RunOptions &options) {
  if (options.iterations == 0)
    return createStringError("0 iterations, expected at least 1");
  for (const Binding &binding : program.bindings)
    if (!options.data && (binding.kind == BindingKind::Input ||
                          binding.kind == BindingKind::Label))
      return createStringError("no data for the program's input '" +
                               binding.name + "'");
  // Stages are numbers of 16 bits, and no pipeline delays by more of them.
  for (const Parameter &parameter : program.parameters)
    if (parameter.delay > UINT16_MAX)
      return createStringError("parameter '" + parameter.name + "' has delay " +
                               Twine(parameter.delay) + ", expected at most " +
                               Twine(UINT16_MAX));
  return checkAllUsed(program);
}

std::vector<double> takt::runtime::runTimeScalars(const Program &program,
                                                  const RunOptions &options) {
  std::vector<double> scalars;
  for (const ScalarInfo &scalar : program.scalars)
    scalars.push_back(scalar.value);
  constexpr size_t kLearningRate = 0, kIterations = 1;
  if (options.learningRate && scalars.size() > kLearningRate)
    scalars[kLearningRate] = *options.learningRate;
  if (scalars.size() > kIterations)
    scalars[kIterations] = static_cast<double>(options.iterations);
  return scalars;
}
