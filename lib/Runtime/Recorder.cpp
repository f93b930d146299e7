//===- Recorder.cpp - keeps what a run computes ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Recorder.h"
#include "TensorParts.h"
#include <cmath>
#include <cstring>

using namespace takt;
using namespace takt::runtime;

/// The first element as a double.
static double firstElement(ElementType type, const void *data) {
  return visitElement(type, [&](auto value) {
    std::memcpy(&value, data, sizeof(value));
    return static_cast<double>(value);
  });
}

void Recorder::storeLoss(ElementType type, uint64_t minibatch,
                         const void *entry) {
  double loss = firstElement(type, entry);
  if (computed.size() <= minibatch)
    computed.resize(minibatch + 1, std::nan(""));
  computed[minibatch] = loss;
  if (options.onLoss)
    options.onLoss(minibatch, loss);
}

void Recorder::store(uint32_t index, uint64_t iteration, const void *entry) {
  const Binding &binding = program.bindings[index];
  uint64_t minibatch = turns.minibatch(index, iteration);
  uint64_t minibatches = options.iterations * turns.minibatches();
  std::lock_guard<std::mutex> lock(mutex);
  if (binding.kind == BindingKind::Loss)
    return storeLoss(binding.type, minibatch, entry);
  if (!options.keepAllOutputs && minibatch + 1 != minibatches)
    return;
  Array &array = outputs[turns.first(index)];
  if (array.data.empty()) {
    array = {binding.name, binding.type, binding.dims, {}};
    uint64_t kept = options.keepAllOutputs ? minibatches : 1;
    if (!array.dims.empty())
      array.dims[0] *= kept;
    else if (kept > 1)
      array.dims.push_back(kept);
    array.data.resize(array.elements() * elementBytes(array.type));
  }
  size_t bytes = elementBytes(array.type);
  for (int64_t d : binding.dims)
    bytes *= d;
  size_t position = options.keepAllOutputs ? minibatch * bytes : 0;
  std::memcpy(array.data.data() + position, entry, bytes);
}

void Recorder::gradient(uint32_t parameter, const TensorRef &ref,
                        const void *data) {
  // Of an iteration's updates the last one's.
  if (program.parameters[parameter].update !=
      program.parameters[parameter].lastUpdate)
    return;
  const auto *bytes = static_cast<const uint8_t *>(data);
  std::lock_guard<std::mutex> lock(mutex);
  gradients[parameter] = {program.parameters[parameter].name,
                          ref.type,
                          ref.dims,
                          {bytes, bytes + ref.bytes()}};
}

std::vector<double> Recorder::losses() const {
  std::lock_guard<std::mutex> lock(mutex);
  return computed;
}

void Recorder::finish(RunResult &result) {
  result.losses = std::move(computed);
  std::vector<Part> parts;
  for (auto &[parameter, array] : gradients)
    parts.push_back({parameter, std::move(array)});
  result.gradients = joinParts(program, std::move(parts));
  for (auto &[binding, array] : outputs)
    result.outputs.push_back(std::move(array));
}
