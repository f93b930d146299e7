//===- TensorParts.cpp - tensors in several parameters --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TensorParts.h"
#include "takt/Runtime/Run.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

std::vector<int64_t> takt::wholeDims(const Program &program,
                                     const Parameter &parameter) {
  std::vector<int64_t> dims(parameter.home.dims.begin(),
                            parameter.home.dims.end());
  if (dims.empty() || parameter.kind == ParameterKind::Derived)
    return dims;
  for (const Parameter &other : program.parameters)
    if (other.kind != ParameterKind::Derived && other.name == parameter.name)
      dims[0] = std::max<int64_t>(dims[0], other.begin + other.home.dims[0]);
  return dims;
}

/// Rows are contiguous, so parts follow each other.
static Array join(MutableArrayRef<Part> parts, const Program &program) {
  if (parts.size() == 1)
    return std::move(parts.front().value);
  Array whole = parts.front().value;
  uint64_t rowBytes = whole.data.size() / whole.dims[0];
  for (const Part &part : parts) {
    uint64_t end = program.parameters[part.parameter].begin * rowBytes +
                   part.value.data.size();
    whole.data.resize(std::max<uint64_t>(whole.data.size(), end));
  }
  whole.dims[0] = static_cast<int64_t>(whole.data.size() / rowBytes);
  for (const Part &part : parts)
    std::memcpy(whole.data.data() +
                    program.parameters[part.parameter].begin * rowBytes,
                part.value.data.data(), part.value.data.size());
  return whole;
}

std::vector<Array> takt::runtime::joinParts(const Program &program,
                                            std::vector<Part> parts) {
  MapVector<StringRef, SmallVector<Part, 1>> tensors;
  for (Part &part : parts) {
    const Parameter &parameter = program.parameters[part.parameter];
    SmallVector<Part, 1> &known = tensors[parameter.name];
    if (none_of(known, [&](const Part &other) {
          return program.parameters[other.parameter].begin == parameter.begin;
        }))
      known.push_back(std::move(part));
  }
  std::vector<Array> result;
  for (auto &[name, known] : tensors)
    result.push_back(join(known, program));
  return result;
}
