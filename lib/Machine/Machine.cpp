//===- Machine.cpp - the array of processors ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/Machine.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/MathExtras.h"

using namespace takt;

int64_t Machine::processors() const {
  int64_t total = 0;
  for (const ProcessorClass &c : classes)
    total += c.count;
  return total;
}

const ProcessorClass &Machine::processorClass(int64_t p) const {
  for (const ProcessorClass &c : classes) {
    if (p < c.count)
      return c;
    p -= c.count;
  }
  return classes.back();
}

bool Machine::isUniform() const { return classes.size() == 1; }

int64_t Machine::transferCycles(int64_t from, int64_t to, int64_t bytes) const {
  if (from == to || interconnect.bytesPerCycle == 0 || bytes <= 0)
    return 0;
  return llvm::divideCeil(static_cast<uint64_t>(bytes),
                          static_cast<uint64_t>(interconnect.bytesPerCycle));
}

int64_t Machine::transferLatency(int64_t from, int64_t to) const {
  return from == to ? 0 : interconnect.latencyCycles;
}

int64_t Machine::links() const {
  if (interconnect.topology == Topology::Bus)
    return 1;
  return processors() * processors();
}

int64_t Machine::link(int64_t from, int64_t to) const {
  if (interconnect.topology == Topology::Bus)
    return 0;
  return from * processors() + to;
}
