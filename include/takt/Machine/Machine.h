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
#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
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

enum class Topology : uint8_t { Full, Bus, Ring, Mesh, Torus, Tree, Custom };

/// "full", "bus", "ring", "mesh", "torus", "tree" or "custom".
llvm::StringRef keyword(Topology topology);

/// One dimension of a mesh or torus, or one level of a tree (then `size` is the
/// number of children of each of its switches). What is not said here is the
/// interconnect's.
struct Dimension {
  int64_t size = 1;
  std::optional<int64_t> bytesPerCycle, latencyCycles;
};

/// A link that a custom topology consists of, or one that differs from the
/// others of its topology. `from` and `to` number processors, and behind them a
/// tree's switches, level by level from the leaves on.
struct Link {
  int64_t from = 0, to = 0;
  std::optional<int64_t> bytesPerCycle, latencyCycles;
  bool oneWay = false; ///< otherwise the link back is stated too
};

/// What connects the processors: directed links, each with a bandwidth and a
/// latency of its own. Full: a link for every ordered pair. Bus: one resource
/// for all transfers. Ring, mesh, torus: links both ways between neighbours.
/// Tree: the processors are the leaves, the inner nodes are switches. Custom:
/// the links listed. Routes are those of docs/machine.md.
struct Interconnect {
  Topology topology = Topology::Full;
  int64_t bytesPerCycle = 0; ///< 0: unlimited
  int64_t latencyCycles = 0;
  /// Of mesh and torus the first varies fastest with the processor's number and
  /// is crossed first; of a tree the first is that of the leaves.
  std::vector<Dimension> dimensions;
  std::vector<Link> links;
};

/// Energy of what the machine does, in femtojoules. The defaults are those of
/// 45 nm (Horowitz, ISSCC 2014): a float multiplication and an addition; 32
/// bits of DRAM; a byte over a link is read from one memory and written to
/// another.
struct EnergyTable {
  int64_t mac = 4600;
  int64_t memoryByte = 160000;
  int64_t linkByte = 320000;
  int64_t processorCycle = 0; ///< of each processor, busy or not
};

/// The short form of the command line: TOPOLOGY[:SIZE[xSIZE…]] and then
/// [,bytes_per_cycle=N][,latency_cycles=N], for instance
/// "mesh:4x2,bytes_per_cycle=16". Without sizes, mesh and torus get the two
/// dimensions closest to a square, a tree gets one switch. Sets the number of
/// processors, where it is not given, from the sizes, or to 1.
/// Fails on anything else.
llvm::Expected<Interconnect>
parseInterconnect(llvm::StringRef text, std::optional<int64_t> &processors);

/// Links and routes of an interconnect, see Machine::connect().
class LinkNetwork;

/// An array of processors, numbered from 0 through the classes in order.
class Machine {
public:
  /// Ranges of machine files: processors, and bytes or cycles of links.
  static constexpr int64_t kMaxProcessors = 4096;
  static constexpr int64_t kMaxRate = int64_t(1) << 40;

  /// The uniform default machine with `processors` processors.
  /// Fails if processors is not in [1, 4096].
  static llvm::Expected<Machine> uniform(int64_t processors);

  /// Reads a machine file. Fails with "FILE:LINE:COL: message" on bad YAML, an
  /// unknown or duplicate key, a value out of range or no processor at all.
  static llvm::Expected<Machine> parse(llvm::MemoryBufferRef text);

  /// Derives links and routes from `interconnect` and the number of
  /// processors. parse() does so; whoever changes one of the two afterwards has
  /// to, unless the topology is full or bus, without listed links, before and
  /// after.
  /// Fails if dimensions do not fit the topology or the processors, a listed
  /// link is none of the topology's or listed twice, or no path leads from one
  /// processor to another.
  llvm::Error connect();

  int64_t processors() const;
  /// Class of processor p, p in [0, processors()).
  const ProcessorClass &processorClass(int64_t p) const;

  /// A transfer holds the links of its route together for as long as the
  /// slowest of them takes, as if cut through: no processor on the way stores
  /// it. Cycles that a transfer of `bytes` holds its links.
  int64_t transferCycles(int64_t from, int64_t to, int64_t bytes) const;
  /// Cycles from the end of that to arrival: the sum of the links' latencies.
  int64_t transferLatency(int64_t from, int64_t to) const;
  /// The links that a transfer crosses, in order; none from a processor to
  /// itself.
  using Route = llvm::SmallVector<int64_t, 4>;
  Route route(int64_t from, int64_t to) const;
  /// Those of limited bandwidth among them, which carry one transfer at a time;
  /// all where none is limited, as if a time were known from elsewhere.
  Route linksHeld(int64_t from, int64_t to) const;
  /// Links are numbered below this; a number need not be in use.
  int64_t links() const;
  /// "the link from processor 2 to processor 3" or "the bus".
  std::string linkName(int64_t link) const;
  /// True when no transfer holds a link: all bandwidths are unlimited.
  bool hasUnlimitedLinks() const;
  /// True when transfers take no time at all.
  bool hasFreeTransfers() const;
  /// True when transfers between any two processors take the same time.
  bool hasEqualLinks() const;

  /// The same machine with processor order[i] as number i. The order is a
  /// permutation under which every number keeps its class.
  Machine renumbered(llvm::ArrayRef<int> order) const;
  /// The number, before that, of processor p: the one for messages.
  int64_t numberOf(int64_t p) const { return nodes.empty() ? p : nodes[p]; }

  /// True when all processors are of one class.
  bool isUniform() const;

  /// The canonical text: parse(canonicalText()) gives the same machine, and
  /// equal machines have equal texts. Hashed into program containers.
  std::string canonicalText() const;

  std::string description;
  std::vector<ProcessorClass> classes;
  Interconnect interconnect;
  EnergyTable energy;

private:
  /// None for full and bus without listed links, which need no tables.
  std::shared_ptr<const LinkNetwork> network;
  std::vector<int> nodes; ///< by processor; empty: the same number
};

} // namespace takt

#endif // TAKT_MACHINE_MACHINE_H
