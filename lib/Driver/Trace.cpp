//===- Trace.cpp - Perfetto trace of a schedule ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Trace.h"
#include "takt/Support/Printable.h"

using namespace llvm;
using namespace takt;

namespace {
/// Minibatches that a trace shows at least; more when one takes longer than
/// that from its first task to its last, so that a full steady state is seen.
constexpr int64_t kMinibatches = 4;

class TraceWriter {
public:
  TraceWriter(raw_ostream &os, const ScheduledProgram &scheduled,
              const Machine &machine)
      : json(os), schedule(scheduled.schedule), machine(machine) {}

  void write() {
    json.object([&] {
      json.attribute("displayTimeUnit", "ms");
      json.attributeArray("traceEvents", [&] {
        writeTracks();
        for (int64_t minibatch = 0; minibatch < minibatches(); ++minibatch) {
          for (size_t task = 0; task < schedule.tasks.size(); ++task)
            writeTask(task, minibatch);
          for (const TransferPlacement &transfer : schedule.transfers)
            writeTransfer(transfer, minibatch);
        }
      });
    });
  }

private:
  int64_t minibatches() const {
    int64_t last = 0;
    for (const Placement &place : schedule.tasks)
      last = std::max(last, place.start + place.cycles);
    return kMinibatches + last / std::max<int64_t>(schedule.interval, 1);
  }

  void writeTracks() {
    for (int64_t p = 0; p < machine.processors(); ++p)
      json.object([&] {
        json.attribute("ph", "M");
        json.attribute("name", "thread_name");
        json.attribute("pid", 0);
        json.attribute("tid", p);
        json.attributeObject("args", [&] {
          json.attribute("name", ("processor " + Twine(p) + " (" +
                                  machine.processorClass(p).name + ")")
                                     .str());
        });
      });
  }

  /// Colour names of the trace viewer, by kind.
  static StringRef colour(TaskKind kind) {
    static const StringRef names[] = {"good", "bad", "terrible", "grey"};
    return names[static_cast<size_t>(kind)];
  }

  void writeTask(size_t index, int64_t minibatch) {
    const Task &task = schedule.graph.tasks[index];
    const Placement &place = schedule.tasks[index];
    json.object([&] {
      json.attribute("ph", "X");
      json.attribute("name", printable(task.name));
      json.attribute("cat", letter(task.kind));
      json.attribute("cname", colour(task.kind));
      json.attribute("pid", 0);
      json.attribute("tid", place.processor);
      json.attribute("ts", place.start + minibatch * schedule.interval);
      json.attribute("dur", place.cycles);
      json.attributeObject("args", [&] {
        json.attribute("layer",
                       printable(schedule.graph.layers[task.layer].name));
        json.attribute("minibatch", minibatch);
        json.attribute("stage",
                       place.start / std::max<int64_t>(schedule.interval, 1));
      });
    });
  }

  /// A flow: its start is bound to the producer's slice, its end to the slice
  /// of the first reader.
  void writeTransfer(const TransferPlacement &transfer, int64_t minibatch) {
    const Value &value = schedule.graph.values[transfer.value];
    int64_t departure = schedule.tasks[value.producer].start +
                        schedule.tasks[value.producer].cycles;
    int64_t arrival = -1;
    for (const Use &use : value.uses) {
      const Placement &reader = schedule.tasks[use.task];
      int64_t start =
          reader.start + distance(schedule, value, use) * schedule.interval;
      if (reader.processor == transfer.to && (arrival < 0 || start < arrival))
        arrival = start;
    }
    int64_t shift = minibatch * schedule.interval;
    writeFlow("s", value.name, transfer.from, departure + shift);
    writeFlow("f", value.name, transfer.to, arrival + shift);
    ++flow;
  }

  void writeFlow(StringRef phase, StringRef name, int processor, int64_t time) {
    json.object([&] {
      json.attribute("ph", phase);
      if (phase == "f")
        json.attribute("bp", "e");
      json.attribute("name", printable(name));
      json.attribute("cat", "transfer");
      json.attribute("id", flow);
      json.attribute("pid", 0);
      json.attribute("tid", processor);
      json.attribute("ts", time);
    });
  }

  json::OStream json;
  const Schedule &schedule;
  const Machine &machine;
  int64_t flow = 0;
};
} // namespace

void takt::writeTrace(raw_ostream &os, const ScheduledProgram &scheduled,
                      const Machine &machine) {
  TraceWriter(os, scheduled, machine).write();
  os << "\n";
}
