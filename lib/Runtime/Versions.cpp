//===- Versions.cpp - how old the weights in use are ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Versions.h"
#include "Memory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include <map>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

/// Delays beyond this, which no pipeline has, are observed wrongly.
static constexpr uint32_t kMaxDelay = 4096;

/// Numbers the slots of all rings that hold weights.
class Versions::RingTable {
public:
  explicit RingTable(const Program &program)
      : program(program), index(program) {}

  /// The trainable parameter whose weights a value is, or kNone.
  int32_t parameterOf(uint32_t value) const {
    int32_t p = index.readBy(value);
    if (p == ParameterIndex::kNone)
      p = index.writtenBy(value);
    if (p == ParameterIndex::kNone)
      return p;
    if (program.parameters[p].kind == ParameterKind::Derived)
      p = program.parameters[p].base;
    return program.parameters[p].kind == ParameterKind::Trainable
               ? p
               : ParameterIndex::kNone;
  }

  /// Its first version: those that other updates of an iteration make are
  /// observed with it.
  int32_t firstVersion(int32_t parameter) {
    const takt::Parameter &p = program.parameters[parameter];
    return firsts.try_emplace({p.name, p.begin}, parameter).first->second;
  }

  /// Number of slot 0 of the ring at that address.
  size_t ring(const TensorRef &ref) {
    auto [it, isNew] =
        rings.try_emplace({ref.region, ref.offset, ref.slots}, slots);
    if (isNew)
      slots += ref.slots;
    return it->second;
  }

  size_t slots = 0;

private:
  const Program &program;
  ParameterIndex index;
  std::map<std::tuple<uint32_t, uint64_t, uint32_t>, size_t> rings;
  std::map<std::pair<StringRef, uint64_t>, int32_t> firsts;
};

void Versions::setRound(KernelUses &uses, const RingTable &table,
                        const Kernel &kernel) const {
  ArrayRef<TensorRef> refs =
      uses.update ? ArrayRef(kernel.results) : ArrayRef(kernel.operands);
  for (const TensorRef &ref : refs) {
    int32_t index = table.parameterOf(ref.value);
    if (index == ParameterIndex::kNone)
      continue;
    const takt::Parameter &parameter = program.parameters[index];
    uses.rounds = parameter.lastUpdate + uint64_t(1);
    uses.round =
        uses.update
            ? parameter.update
            : (parameter.update + updatesBehind(parameter, TaskKind::Forward)) %
                  uses.rounds;
    return;
  }
}

Versions::Versions(const Program &program)
    : program(program), kernels(program.kernels.size()) {
  RingTable table(program);
  auto use = [&](const TensorRef &ref) -> Use {
    int32_t parameter = table.parameterOf(ref.value);
    if (parameter == ParameterIndex::kNone)
      return {&ref, 0, parameter};
    return {&ref, table.ring(ref), table.firstVersion(parameter)};
  };
  auto collect = [&](ArrayRef<TensorRef> refs, std::vector<Use> &uses) {
    for (const TensorRef &ref : refs)
      if (Use u = use(ref); u.parameter != ParameterIndex::kNone)
        uses.push_back(u);
  };
  for (auto [kernel, uses] : zip(program.kernels, kernels)) {
    collect(kernel.operands, uses.reads);
    collect(kernel.results, uses.writes);
    uses.forward = program.tasks[kernel.task].kind == TaskKind::Forward;
    uses.update = isOptimizer(kernel.id);
    setRound(uses, table, kernel);
  }
  for (const Transfer &transfer : program.transfers)
    transfers.push_back({use(transfer.source), use(transfer.destination)});
  size_t entries = 0;
  for (const takt::Parameter &parameter : program.parameters) {
    // An entry is read by the update of its minibatch m, which happens before
    // the forward task of minibatch m + delay + 1 by the definition of delay.
    bool trainable = parameter.kind == ParameterKind::Trainable;
    uint32_t window = std::min(parameter.delay, kMaxDelay) + 2;
    parameters.emplace_back(entries, window);
    entries += trainable ? window : 0;
  }
  counts.assign(table.slots, 0);
  forward = std::vector<std::atomic<int64_t>>(entries);
}

int64_t &Versions::count(const Use &use, uint64_t minibatch) {
  return counts[use.counts + Memory::slot(*use.ref, minibatch)];
}

void Versions::beforeKernel(uint32_t index, uint64_t minibatch) {
  const KernelUses &uses = kernels[index];
  if (uses.reads.empty())
    return;
  int64_t version = count(uses.reads[0], minibatch);
  uint64_t round = minibatch * uses.rounds + uses.round;
  if (uses.forward)
    for (const Use &read : uses.reads) {
      const Parameter &parameter = parameters[read.parameter];
      forward[parameter.firstForward + round % parameter.window].store(
          count(read, minibatch), std::memory_order_relaxed);
    }
  if (uses.update) {
    Parameter &parameter = parameters[uses.reads[0].parameter];
    parameter.observed.store(
        version -
            forward[parameter.firstForward + round % parameter.window].load(
                std::memory_order_relaxed),
        std::memory_order_relaxed);
  }
  for (const Use &write : uses.writes)
    count(write, minibatch) = version + (uses.update ? 1 : 0);
}

void Versions::beforeTransfer(uint32_t index, uint64_t minibatch) {
  const auto &[source, destination] = transfers[index];
  if (source.parameter != ParameterIndex::kNone &&
      destination.parameter != ParameterIndex::kNone)
    count(destination, minibatch) = count(source, minibatch);
}

std::vector<ObservedStaleness> Versions::staleness() const {
  std::vector<ObservedStaleness> result;
  StringMap<size_t> known;
  for (auto [description, parameter] : zip(program.parameters, parameters))
    if (int64_t updates = parameter.observed; updates >= 0) {
      // Of parts of a tensor the most.
      auto [it, isNew] = known.try_emplace(description.name, result.size());
      if (isNew)
        result.push_back({description.name, 0});
      uint64_t &most = result[it->second].updates;
      most = std::max(most, static_cast<uint64_t>(updates));
    }
  return result;
}

std::vector<int64_t> Versions::save() const {
  std::vector<int64_t> state = counts;
  state.insert(state.end(), forward.begin(), forward.end());
  return state;
}

bool Versions::restore(ArrayRef<int64_t> state) {
  if (state.size() != counts.size() + forward.size())
    return false;
  std::copy_n(state.begin(), counts.size(), counts.begin());
  for (auto [entry, value] : zip(forward, state.drop_front(counts.size())))
    entry = value;
  return true;
}
