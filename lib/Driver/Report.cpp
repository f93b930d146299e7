//===- Report.cpp - what a compilation tells about itself -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Report.h"
#include <map>

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

std::vector<int64_t> takt::regionBytes(const Program &program) {
  std::vector<int64_t> bytes(program.code.size());
  for (const Region &region : program.regions)
    if (region.processor != kHostProcessor)
      bytes[region.processor] += region.size;
  return bytes;
}

/// Trainable parameters by name, so that the report's order does not depend on
/// how the program lists them.
static std::map<std::string, const Parameter *>
trainable(const Program &program) {
  std::map<std::string, const Parameter *> byName;
  for (const Parameter &parameter : program.parameters)
    if (parameter.kind == ParameterKind::Trainable)
      byName[parameter.name] = &parameter;
  return byName;
}

/// Copies of each weight on the processor that keeps most of them: its ring is
/// the stash of versions between the update and the last reader.
static std::map<uint32_t, int64_t> weightVersions(const Program &program) {
  std::map<uint32_t, int64_t> versions;
  for (const Initializer &init : program.initializers) {
    int64_t &most = versions[init.parameter];
    most = std::max<int64_t>(most, init.target.slots);
  }
  return versions;
}

static void writeList(json::OStream &json, StringRef key,
                      ArrayRef<int64_t> values) {
  json.attributeArray(key, [&] {
    for (int64_t value : values)
      json.value(value);
  });
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
    for (auto &[name, parameter] : parameters)
      json.attribute(name, static_cast<int64_t>(parameter->delay));
  });
  json.attributeObject("weight_versions", [&] {
    for (auto &[name, parameter] : parameters)
      json.attribute(name, versions[parameter - program.parameters.data()]);
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
    json.attribute("iteration_cycles", entry.interval);
    json.attribute("steady_interval_cycles", entry.steadyInterval);
    json.attribute("single_processor_cycles",
                   entry.metrics.singleProcessorCycles);
    json.attribute("speedup", entry.speedup());
    json.attribute("utilization", entry.utilization());
    json.attribute("stages", schedule.stages);
    json.attribute("cuts", static_cast<int64_t>(schedule.cuts.size()));
    writeBounds(json, entry.bounds);
    json.attribute("communication_bytes", entry.metrics.communicationBytes);
    writeList(json, "peak_memory_bytes", regionBytes(entry.program));
    writeList(json, "processor_busy_cycles", entry.metrics.busyCycles);
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
      json.attribute("name", model.name);
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
