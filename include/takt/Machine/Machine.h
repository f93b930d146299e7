//===- Machine.h - the array of processors ----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The one machine model: everything that Takt knows about hardware is read from
// here, and every number comes from a machine file (docs/machine.md) or from
// the default machine, which is itself such a text.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_MACHINE_MACHINE_H
#define TAKT_MACHINE_MACHINE_H

#include "takt/Support/TaskKind.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace takt {

/// How a systolic array holds its operands. Best: the least of the three, task
/// by task.
enum class Dataflow : uint8_t {
  WeightStationary,
  OutputStationary,
  InputStationary,
  Best
};

/// Processors of one kind.
struct ProcessorClass {
  std::string name;
  int64_t count = 1;
  int64_t memoryBytes = 0; ///< 0: unlimited
  int64_t arrayRows = 0, arrayColumns = 0;
  /// Of forward, dgrad, wgrad.
  std::array<Dataflow, 3> dataflow = {Dataflow::WeightStationary,
                                      Dataflow::WeightStationary,
                                      Dataflow::OutputStationary};
  /// Multiply-accumulates a cycle that the `macs` model assumes.
  int64_t macsPerCycle = 1;
  /// Element-wise operations a cycle; 0: no vector unit is modelled and
  /// element-wise work is free.
  int64_t vectorLanes = 0;
  /// Local memory bandwidth for the roofline model; 0: unlimited.
  int64_t memoryBytesPerCycle = 0;
};

enum class Topology : uint8_t { Full, Bus };

/// What connects the processors. Full: a link of its own for every ordered
/// pair. Bus: one resource for all transfers.
struct Interconnect {
  Topology topology = Topology::Full;
  int64_t bytesPerCycle = 0; ///< 0: unlimited
  int64_t latencyCycles = 0;
};

/// An array of processors, numbered from 0 through the classes in order.
class Machine {
public:
  /// The uniform default machine with `processors` processors.
  /// Fails if processors is not in [1, 4096].
  static llvm::Expected<Machine> uniform(int64_t processors);

  /// Reads a machine file. Fails with "FILE:LINE:COL: message" on bad YAML, an
  /// unknown or duplicate key, a value out of range or no processor at all.
  static llvm::Expected<Machine> parse(llvm::MemoryBufferRef text);

  int64_t processors() const;
  /// Class of processor p, p in [0, processors()).
  const ProcessorClass &processorClass(int64_t p) const;
  /// Cycles that a transfer of `bytes` occupies its link.
  int64_t transferCycles(int64_t from, int64_t to, int64_t bytes) const;
  /// Cycles from the end of the occupation to arrival.
  int64_t transferLatency(int64_t from, int64_t to) const;
  /// Number of exclusive link resources, and the one that a transfer occupies.
  int64_t links() const;
  int64_t link(int64_t from, int64_t to) const;
  /// True when all processors are of one class.
  bool isUniform() const;

  /// The canonical text: parse(canonicalText()) gives the same machine, and
  /// equal machines have equal texts. Hashed into program containers.
  std::string canonicalText() const;

  std::string description;
  std::vector<ProcessorClass> classes;
  Interconnect interconnect;
};

} // namespace takt

#endif // TAKT_MACHINE_MACHINE_H
