//===- Report.cpp - what a compilation tells about itself -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Report.h"
#include "takt/Scheduling/Replication.h"
#include "takt/Support/Printable.h"
#include "llvm/ADT/StringMap.h"
#include <map>
#include <set>

using namespace llvm;
using namespace takt;

double ScheduledProgram::speedup() const {
  return double(metrics.singleProcessorCycles) / double(interval);
}

double ScheduledProgram::utilization() const {
  int64_t busy = 0;
  for (int64_t cycles : metrics.busyCycles)
    busy += cycles;
  return double(busy) / double(interval) / double(metrics.busyCycles.size());
}

void takt::perMinibatch(ScheduledProgram &scheduled) {
  int64_t minibatches = scheduled.schedule.graph.minibatches;
  for (int64_t *cycles : {&scheduled.bounds.loop, &scheduled.bounds.resource,
                          &scheduled.bounds.largestTask, &scheduled.interval,
                          &scheduled.steadyInterval})
    *cycles = llvm::divideCeil(*cycles, minibatches);
}

std::vector<int64_t> takt::regionBytes(const Program &program) {
  std::vector<int64_t> bytes(program.code.size());
  for (const Region &region : program.regions)
    if (region.processor != kHostProcessor)
      bytes[region.processor] += region.size;
  return bytes;
}

int64_t takt::span(const Schedule &schedule) {
  std::map<int, std::pair<int64_t, int64_t>> active;
  for (const Placement &place : schedule.tasks) {
    int64_t end = place.start + place.cycles;
    auto [it, isNew] =
        active.try_emplace(place.processor, std::pair(place.start, end));
    it->second = {std::min(it->second.first, place.start),
                  std::max(it->second.second, end)};
  }
  int64_t longest = 0;
  for (auto [processor, times] : active)
    longest = std::max(longest, times.second - times.first);
  return longest;
}

/// Trainable parameters by name, so that the report's order does not depend on
/// how the program lists them; of a tensor all parts and versions.
static std::map<std::string, SmallVector<uint32_t, 1>>
trainable(const Program &program) {
  std::map<std::string, SmallVector<uint32_t, 1>> byName;
  for (auto [index, parameter] : enumerate(program.parameters))
    if (parameter.kind == ParameterKind::Trainable)
      byName[parameter.name].push_back(static_cast<uint32_t>(index));
  return byName;
}

/// Copies of each weight on the processor that keeps most of them: the rings of
/// its versions between the update and the last reader, and of its
/// reconstruction, which is of the whole weight. Of a tensor in parts by the
/// first version of each part, for all of them.
static std::map<uint32_t, int64_t> weightVersions(const Program &program) {
  std::map<std::pair<StringRef, uint64_t>, uint32_t> parts;
  auto partOf = [&](uint32_t index) {
    const Parameter &parameter = program.parameters[index];
    return parts.try_emplace({parameter.name, parameter.begin}, index)
        .first->second;
  };
  std::map<uint32_t, int64_t> versions;
  std::map<std::pair<uint32_t, uint32_t>, int64_t> copies; ///< by processor
  std::set<std::pair<uint32_t, uint64_t>> places; // which versions may share
  for (const Initializer &init : program.initializers) {
    if (!places.insert({init.target.region, init.target.offset}).second)
      continue;
    int64_t slots = init.target.slots;
    uint32_t part = partOf(init.parameter);
    bool isWhole =
        init.target.dims == program.parameters[init.parameter].home.dims;
    if (isWhole)
      copies[{part, program.regions[init.target.region].processor}] += slots;
    else // a part of it, for a part of a dgrad
      versions[part] = std::max(versions[part], slots);
  }
  for (auto [place, slots] : copies) {
    int64_t &most = versions[place.first];
    most = std::max(most, slots);
  }
  return versions;
}

Figures takt::figuresOf(const ScheduledProgram &entry) {
  Figures result;
  result.interval = static_cast<double>(entry.interval);
  result.memory = static_cast<double>(*llvm::max_element(entry.peakMemory));
  result.traffic = static_cast<double>(entry.metrics.communicationBytes);
  result.staleness = static_cast<double>(totalStaleness(entry.schedule));
  result.energy = entry.metrics.energyPicojoules;
  return result;
}

static void writeList(json::OStream &json, StringRef key,
                      ArrayRef<int64_t> values) {
  json.attributeArray(key, [&] {
    for (int64_t value : values)
      json.value(value);
  });
}

int64_t ScheduledProgram::lowerBound() const {
  return schedule.lowerBound > 0 ? schedule.lowerBound : bounds.best();
}

double ScheduledProgram::gap() const {
  return interval <= lowerBound() ? 0
                                  : 1 - static_cast<double>(lowerBound()) /
                                            static_cast<double>(interval);
}

static void writeBounds(json::OStream &json, const Bounds &bounds) {
  json.attributeObject("bounds", [&] {
    json.attribute("loop", bounds.loop);
    json.attribute("resource", bounds.resource);
    json.attribute("largest_task", bounds.largestTask);
    json.attribute("best", bounds.best());
  });
}

static void writeParameters(json::OStream &json, const Program &program) {
  auto parameters = trainable(program);
  std::map<uint32_t, int64_t> versions = weightVersions(program);
  json.attributeObject("staleness", [&] {
    for (auto &[name, all] : parameters)
      json.attribute(printable(name),
                     static_cast<int64_t>(program.parameters[all[0]].delay));
  });
  json.attributeObject("weight_versions", [&] {
    for (auto &[name, all] : parameters) {
      int64_t most = 0;
      for (uint32_t part : all)
        most = std::max(most, versions[part]);
      json.attribute(printable(name), most);
    }
  });
}

/// Times of a layer's updates in an interval.
static int64_t updatesOf(const Schedule &schedule, int layer) {
  return schedule.replicas.empty()
             ? 1
             : schedule.graph.minibatches / schedule.replicas[layer];
}

/// Copies of a weight, or of a shard of it, from its update to its last reader.
static int64_t copiesOf(const Schedule &schedule, const Value &value) {
  int64_t made = schedule.tasks[value.producer].start, last = made;
  for (const Use &use : value.uses) {
    const Placement &reader = schedule.tasks[use.task];
    last =
        std::max(last, reader.start + reader.cycles +
                           distance(schedule, value, use) * schedule.interval);
  }
  int layer = schedule.graph.tasks[value.producer].layer;
  return divideCeil((last - made) * updatesOf(schedule, layer),
                    schedule.interval);
}

/// The same of a schedule that has weights, but no program. Of what replicas
/// and rounds have apart, the most.
static void writeWeights(json::OStream &json, const Schedule &schedule) {
  const TaskGraph &graph = schedule.graph;
  auto each = [&](StringRef key, auto figure) {
    std::vector<std::pair<StringRef, int64_t>> figures;
    StringMap<size_t> known;
    for (const Value &value : graph.values) {
      if (value.kind != ValueClass::Weight || value.producer < 0)
        continue;
      StringRef name = schedule.replicas.empty()
                           ? StringRef(value.name)
                           : nameBeforeReplication(value.name);
      auto [it, isNew] = known.try_emplace(name, figures.size());
      if (isNew)
        figures.push_back({name, 0});
      int64_t &most = figures[it->second].second;
      most = std::max<int64_t>(most, figure(value));
    }
    json.attributeObject(key, [&] {
      for (auto [name, most] : figures)
        json.attribute(printable(name), most);
    });
  };
  each("staleness", [&](const Value &value) {
    return schedule.delay[graph.tasks[value.producer].layer];
  });
  each("weight_versions",
       [&](const Value &value) { return copiesOf(schedule, value); });
}

/// By stage: how many processors take its minibatches in turn.
static void writeReplicas(json::OStream &json, const Schedule &schedule) {
  if (schedule.replicas.empty())
    return;
  std::vector<int64_t> ofStage(schedule.stages, 1);
  for (auto [stage, count] : llvm::zip_equal(schedule.stage, schedule.replicas))
    ofStage[stage] = count;
  writeList(json, "replicas", ofStage);
}

/// In bytes, or in the unit of a problem that has its own.
static void writeMemory(json::OStream &json, const ScheduledProgram &entry) {
  writeList(json, "peak_memory_bytes", entry.peakMemory);
  json.attributeArray("peak_memory", [&] {
    for (int64_t held : entry.peakMemory)
      if (held % entry.memoryScale == 0)
        json.value(held / entry.memoryScale);
      else
        json.value(double(held) / double(entry.memoryScale));
  });
}

static void writeSchedule(json::OStream &json, const ScheduledProgram &entry) {
  const Schedule &schedule = entry.schedule;
  json.object([&] {
    json.attribute("name", schedule.scheduler);
    json.attribute("semantics", schedule.semantics == Semantics::Delayed
                                    ? "delayed"
                                    : "synchronous");
    json.attribute("status", schedule.status == SolveStatus::Optimal
                                 ? "optimal"
                                 : "feasible");
    json.attribute("measured_on",
                   entry.program.code.empty() ? "schedule" : "program");
    json.attribute("iteration_cycles", entry.interval);
    if (schedule.semantics == Semantics::Synchronous)
      json.attribute("span_cycles", span(schedule));
    json.attribute("steady_interval_cycles", entry.steadyInterval);
    json.attribute("single_processor_cycles",
                   entry.metrics.singleProcessorCycles);
    json.attribute("speedup", entry.speedup());
    json.attribute("utilization", entry.utilization());
    json.attribute("stages", schedule.stages);
    writeReplicas(json, schedule);
    json.attributeArray("recomputed", [&] {
      for (const std::string &value : entry.recomputed)
        json.value(printable(value));
    });
    json.attribute("cuts", static_cast<int64_t>(schedule.cuts.size()));
    writeBounds(json, entry.bounds);
    json.attribute("lower_bound", entry.lowerBound());
    json.attribute("gap", entry.gap());
    json.attribute("communication_bytes", entry.metrics.communicationBytes);
    json.attribute("energy_picojoules", entry.metrics.energyPicojoules);
    writeMemory(json, entry);
    writeList(json, "processor_busy_cycles", entry.metrics.busyCycles);
    if (schedule.semantics == Semantics::Delayed)
      json.attribute("weights", keyword(schedule.weights));
    if (entry.program.code.empty())
      writeWeights(json, schedule);
    else
      writeParameters(json, entry.program);
    json.attribute("compile_seconds", entry.compileSeconds);
  });
}

void takt::writeReport(raw_ostream &os, const ModelSummary &model,
                       const Machine &machine,
                       ArrayRef<ScheduledProgram> schedules) {
  json::OStream json(os, 2);
  json.object([&] {
    json.attribute("format", "takt-report");
    json.attribute("version", 1);
    json.attributeObject("model", [&] {
      json.attribute("name", printable(model.name));
      json.attribute("operations", model.operations);
      json.attribute("layers", model.layers);
      json.attribute("parameters", model.parameters);
      json.attribute("forward_macs", model.forwardMacs);
    });
    json.attributeObject("machine", [&] {
      json.attribute("processors", machine.processors());
      json.attribute("description", machine.description);
    });
    json.attributeArray("schedules", [&] {
      for (const ScheduledProgram &entry : schedules)
        writeSchedule(json, entry);
    });
  });
  os << "\n";
}
