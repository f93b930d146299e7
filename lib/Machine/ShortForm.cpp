//===- ShortForm.cpp - interconnects of the command line ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/Machine.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::StringRef;

static std::optional<Topology> topologyOf(StringRef name) {
  // A custom one needs its links listed.
  for (Topology topology : {Topology::Full, Topology::Bus, Topology::Ring,
                            Topology::Mesh, Topology::Torus, Topology::Tree})
    if (name == keyword(topology))
      return topology;
  return std::nullopt;
}

static Expected<std::vector<Dimension>> parseSizes(StringRef text) {
  std::vector<Dimension> result;
  for (StringRef part : llvm::split(text, 'x')) {
    Dimension dimension;
    if (part.getAsInteger(10, dimension.size) || dimension.size < 1 ||
        dimension.size > Machine::kMaxProcessors)
      return createStringError("expected sizes from 1 to " +
                               llvm::Twine(Machine::kMaxProcessors) +
                               " as in 4x2, found '" + text + "'");
    result.push_back(dimension);
  }
  return result;
}

static Error setRate(StringRef text, Interconnect &interconnect) {
  auto [key, number] = text.split('=');
  int64_t *field = key == "bytes_per_cycle"  ? &interconnect.bytesPerCycle
                   : key == "latency_cycles" ? &interconnect.latencyCycles
                                             : nullptr;
  if (!field || number.getAsInteger(10, *field) || *field < 0 ||
      *field > Machine::kMaxRate)
    return createStringError("expected bytes_per_cycle=N or latency_cycles=N "
                             "with N from 0 to " +
                             llvm::Twine(Machine::kMaxRate) + ", found '" +
                             text + "'");
  return Error::success();
}

/// The sizes of two dimensions that are closest to a square.
static std::vector<Dimension> squarest(int64_t processors) {
  Dimension rows;
  for (int64_t size = 1; size * size <= processors; ++size)
    if (processors % size == 0)
      rows.size = size;
  Dimension columns;
  columns.size = processors / rows.size;
  return {columns, rows};
}

Expected<Interconnect>
takt::parseInterconnect(StringRef text, std::optional<int64_t> &processors) {
  llvm::SmallVector<StringRef, 4> parts;
  text.split(parts, ',');
  auto [name, sizes] = parts.front().split(':');
  std::optional<Topology> topology = topologyOf(name);
  if (!topology)
    return createStringError(
        "expected full, bus, ring, mesh, torus or tree, found '" + name + "'");
  Interconnect result;
  result.topology = *topology;
  for (StringRef part : llvm::drop_begin(parts))
    if (Error error = setRate(part, result))
      return std::move(error);
  if (parts.front().contains(':')) {
    auto dimensions = parseSizes(sizes);
    if (!dimensions)
      return dimensions.takeError();
    result.dimensions = std::move(*dimensions);
    int64_t product = 1;
    for (const Dimension &dimension : result.dimensions)
      if (product <= Machine::kMaxProcessors)
        product *= dimension.size;
    if (!processors)
      processors = product;
    return result;
  }
  if (!processors)
    processors = 1;
  if (*topology == Topology::Mesh || *topology == Topology::Torus)
    result.dimensions = squarest(*processors);
  if (*topology == Topology::Tree)
    result.dimensions = {{*processors, std::nullopt, std::nullopt}};
  return result;
}
