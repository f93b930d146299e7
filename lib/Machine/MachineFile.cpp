//===- MachineFile.cpp - machines as text ---------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Reads and writes machine files with llvm::yaml::IO, which reports unknown,
// duplicate and missing keys with their position. Ranges are properties of the
// scalar types below, so that a bad number is reported where it stands.
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/Machine.h"
#include "takt/Support/Yaml.h"

using namespace takt;
using namespace llvm;

/// The uniform default machine, with one processor. Links cost nothing, memory
/// is unlimited and no vector unit is modelled.
static constexpr StringLiteral kDefaultMachine = R"(takt-machine: 1
description: uniform array of 128 x 128 systolic processors
processors:
  - class: systolic
    count: 1
    memory_bytes: 0
    array_rows: 128
    array_columns: 128
    dataflow:
      forward: weight_stationary
      dgrad: weight_stationary
      wgrad: output_stationary
    macs_per_cycle: 1
    vector_lanes: 0
    memory_bytes_per_cycle: 0
interconnect:
  topology: full
  bytes_per_cycle: 0
  latency_cycles: 0
)";

static constexpr int64_t kFormatVersion = 1;
static constexpr int64_t kMaxProcessors = Machine::kMaxProcessors;
static constexpr int64_t kMaxArraySide = 1 << 20;
static constexpr int64_t kMaxBytes = int64_t(1) << 50;
static constexpr int64_t kMaxRate = Machine::kMaxRate;

namespace {
using Version = Ranged<kFormatVersion, kFormatVersion>;
using Count = Ranged<1, kMaxProcessors>;
using Side = Ranged<0, kMaxArraySide>;
using Bytes = Ranged<0, kMaxBytes>;
using Rate = Ranged<0, kMaxRate>;
using PositiveRate = Ranged<1, kMaxRate>;
/// A processor, or a switch of a tree: there are fewer than processors for each
/// of at most eight levels.
using LinkEnd = Ranged<0, 9 * kMaxProcessors>;

/// A class's dataflows by task kind.
struct Dataflows {
  std::array<Dataflow, 3> &kinds;
};
} // namespace

namespace llvm::yaml {

template <> struct ScalarEnumerationTraits<Dataflow> {
  static void enumeration(IO &io, Dataflow &d) {
    io.enumCase(d, "weight_stationary", Dataflow::WeightStationary);
    io.enumCase(d, "output_stationary", Dataflow::OutputStationary);
    io.enumCase(d, "input_stationary", Dataflow::InputStationary);
    io.enumCase(d, "best", Dataflow::Best);
  }
};

template <> struct ScalarEnumerationTraits<Topology> {
  static void enumeration(IO &io, Topology &t) {
    for (Topology known :
         {Topology::Full, Topology::Bus, Topology::Ring, Topology::Mesh,
          Topology::Torus, Topology::Tree, Topology::Custom})
      io.enumCase(t, keyword(known).data(), known);
  }
};

/// A key whose value has a range; all but `count` may be left out.
template <typename RangedT>
static void mapRanged(IO &io, const char *key, int64_t &field,
                      bool required = false) {
  RangedT value{field};
  if (required)
    io.mapRequired(key, value);
  else
    io.mapOptional(key, value);
  field = value.value;
}

/// The same for a number that need not be there.
template <typename RangedT>
static void mapRanged(IO &io, const char *key, std::optional<int64_t> &field) {
  std::optional<RangedT> value;
  if (field)
    value = RangedT{*field};
  io.mapOptional(key, value);
  field = value ? std::optional<int64_t>(value->value) : std::nullopt;
}

template <> struct MappingTraits<Dataflows> {
  static void mapping(IO &io, Dataflows &d) {
    io.mapOptional("forward", d.kinds[0]);
    io.mapOptional("dgrad", d.kinds[1]);
    io.mapOptional("wgrad", d.kinds[2]);
  }
};

template <> struct MappingTraits<ProcessorClass> {
  static void mapping(IO &io, ProcessorClass &c) {
    io.mapRequired("class", c.name);
    mapRanged<Count>(io, "count", c.count, /*required=*/true);
    mapRanged<Bytes>(io, "memory_bytes", c.memoryBytes);
    mapRanged<Side>(io, "array_rows", c.arrayRows);
    mapRanged<Side>(io, "array_columns", c.arrayColumns);
    Dataflows dataflows{c.dataflow};
    io.mapOptional("dataflow", dataflows);
    mapRanged<PositiveRate>(io, "macs_per_cycle", c.macsPerCycle);
    mapRanged<Rate>(io, "vector_lanes", c.vectorLanes);
    mapRanged<Rate>(io, "memory_bytes_per_cycle", c.memoryBytesPerCycle);
  }
  static std::string validate(IO &, ProcessorClass &c) {
    if ((c.arrayRows == 0) != (c.arrayColumns == 0))
      return "array_rows and array_columns are both 0 or both positive, "
             "found " +
             std::to_string(c.arrayRows) + " and " +
             std::to_string(c.arrayColumns);
    return {};
  }
};

template <> struct MappingTraits<Dimension> {
  static void mapping(IO &io, Dimension &d) {
    mapRanged<Count>(io, "size", d.size, /*required=*/true);
    mapRanged<Rate>(io, "bytes_per_cycle", d.bytesPerCycle);
    mapRanged<Rate>(io, "latency_cycles", d.latencyCycles);
  }
};

template <> struct MappingTraits<Link> {
  static void mapping(IO &io, Link &l) {
    mapRanged<LinkEnd>(io, "from", l.from, /*required=*/true);
    mapRanged<LinkEnd>(io, "to", l.to, /*required=*/true);
    mapRanged<Rate>(io, "bytes_per_cycle", l.bytesPerCycle);
    mapRanged<Rate>(io, "latency_cycles", l.latencyCycles);
    io.mapOptional("one_way", l.oneWay, false);
  }
};

template <> struct MappingTraits<EnergyTable> {
  static void mapping(IO &io, EnergyTable &e) {
    mapRanged<Rate>(io, "mac_femtojoules", e.mac);
    mapRanged<Rate>(io, "memory_byte_femtojoules", e.memoryByte);
    mapRanged<Rate>(io, "link_byte_femtojoules", e.linkByte);
    mapRanged<Rate>(io, "processor_cycle_femtojoules", e.processorCycle);
  }
};

} // namespace llvm::yaml

LLVM_YAML_IS_SEQUENCE_VECTOR(takt::ProcessorClass)
LLVM_YAML_IS_SEQUENCE_VECTOR(takt::Dimension)
LLVM_YAML_IS_SEQUENCE_VECTOR(takt::Link)

namespace llvm::yaml {
template <> struct MappingContextTraits<Interconnect, Machine> {
  static void mapping(IO &io, Interconnect &i, Machine &machine) {
    io.mapOptional("topology", i.topology);
    mapRanged<Rate>(io, "bytes_per_cycle", i.bytesPerCycle);
    mapRanged<Rate>(io, "latency_cycles", i.latencyCycles);
    // Absent from the text of topologies without them.
    io.mapOptional("dimensions", i.dimensions);
    io.mapOptional("links", i.links);
    // Here, so that an error has the interconnect's position. Of how many
    // processors there may be speaks the machine's own check.
    int64_t processors = machine.processors();
    if (io.outputting() || processors < 1 || processors > kMaxProcessors)
      return;
    if (Error error = machine.connect())
      io.setError(toString(std::move(error)));
  }
};

template <> struct MappingTraits<Machine> {
  static void mapping(IO &io, Machine &machine) {
    Version version;
    io.mapRequired("takt-machine", version);
    io.mapOptional("description", machine.description);
    io.mapRequired("processors", machine.classes);
    io.mapOptionalWithContext("interconnect", machine.interconnect, machine);
    io.mapOptional("energy", machine.energy);
  }
  static std::string validate(IO &, Machine &machine) {
    int64_t processors = machine.processors();
    if (processors < 1 || processors > kMaxProcessors)
      return "the machine has " + std::to_string(processors) +
             " processors, expected 1 to " + std::to_string(kMaxProcessors);
    return {};
  }
};
} // namespace llvm::yaml

Expected<Machine> Machine::parse(MemoryBufferRef text) {
  return readYaml<Machine>(text, "expected a machine file");
}

Expected<Machine> Machine::uniform(int64_t processors) {
  if (processors < 1 || processors > kMaxProcessors)
    return createStringError("a machine of " + Twine(processors) +
                             " processors, expected 1 to " +
                             Twine(kMaxProcessors));
  Expected<Machine> machine =
      parse(MemoryBufferRef(kDefaultMachine, "default machine"));
  if (machine)
    machine->classes.front().count = processors;
  return machine;
}

std::string Machine::canonicalText() const {
  std::string text;
  raw_string_ostream os(text);
  yaml::Output output(os);
  Machine copy = *this;
  output << copy;
  // What stands between the document's markers; every key, also a default.
  StringRef body = text;
  body.consume_front("---\n");
  body.consume_back("...\n");
  return body.str();
}
