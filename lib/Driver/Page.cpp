//===- Page.cpp - report and picture as one page --------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Trace.h"
#include "takt/Support/Printable.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include <set>

using namespace llvm;
using namespace takt;

static constexpr StringLiteral kStyle = R"(<style>
body { font: 15px/1.5 system-ui, sans-serif; margin: 2em auto; max-width: 75em; padding: 0 1em; color: #1c2430; }
table { border-collapse: collapse; margin: 1em 0; }
th, td { padding: .25em .8em; text-align: right; border-bottom: 1px solid #d5dae2; }
th:first-child, td:first-child { text-align: left; }
svg { width: 100%; background: #f4f6f9; }
svg text { font: 12px system-ui, sans-serif; fill: #1c2430; }
.F { fill: #4c8fd6; } .D { fill: #e8a33d; } .W { fill: #5aa864; } .U { fill: #8a8f99; }
</style>
)";

static std::string escaped(StringRef text) {
  std::string result;
  raw_string_ostream os(result);
  printHTMLEscaped(printable(text), os);
  return result;
}

static void writeRow(raw_ostream &os, const ScheduledProgram &entry) {
  const Schedule &schedule = entry.schedule;
  int64_t memory = 0;
  for (int64_t bytes : entry.peakMemory)
    memory = std::max(memory, bytes);
  std::set<int> delays(schedule.delay.begin(), schedule.delay.end());
  os << "<tr><td>" << escaped(schedule.scheduler) << "</td><td>"
     << entry.interval << "</td><td>" << entry.lowerBound() << "</td><td>"
     << format("%.2f", entry.speedup()) << "</td><td>"
     << format("%.1f %%", 100 * entry.utilization()) << "</td><td>"
     << entry.metrics.communicationBytes << "</td><td>" << memory
     << "</td><td>";
  interleave(delays, os, ", ");
  os << "</td></tr>\n";
}

/// One interval of the steady state: every task once, where it stands modulo
/// the interval; a task that runs over the end goes on at the beginning.
static void writePicture(raw_ostream &os, const Schedule &schedule,
                         int64_t processors) {
  constexpr int kWidth = 1200, kRow = 28, kLabel = 40;
  int64_t interval = std::max<int64_t>(schedule.interval, 1);
  auto x = [&](int64_t time) {
    return kLabel + static_cast<double>(time) / interval * (kWidth - kLabel);
  };
  os << "<svg viewBox=\"0 0 " << kWidth << " " << processors * kRow << "\">\n";
  for (int64_t p = 0; p < processors; ++p)
    os << "<text x=\"4\" y=\"" << p * kRow + 19 << "\">" << p << "</text>\n";
  auto box = [&](const Task &task, const Placement &place, int64_t from,
                 int64_t to) {
    if (from >= to)
      return;
    os << "<rect class=\"" << letter(task.kind) << "\" x=\""
       << format("%.2f", x(from)) << "\" y=\"" << place.processor * kRow + 2
       << "\" width=\"" << format("%.2f", x(to) - x(from)) << "\" height=\""
       << kRow - 4 << "\" stroke=\"#fff\"><title>" << escaped(task.name)
       << ", stage " << place.start / interval << ", " << place.cycles
       << " cycles</title></rect>\n";
  };
  for (auto [task, place] :
       llvm::zip_equal(schedule.graph.tasks, schedule.tasks)) {
    int64_t from = place.start % interval, to = from + place.cycles;
    box(task, place, from, std::min(to, interval));
    box(task, place, 0, to - interval);
  }
  os << "</svg>\n";
}

void takt::writePage(raw_ostream &os, const ModelSummary &model,
                     const Machine &machine,
                     ArrayRef<ScheduledProgram> schedules) {
  os << "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>"
     << escaped(model.name) << " on " << machine.processors()
     << " processors</title>\n"
     << kStyle << "<h1>" << escaped(model.name) << " on "
     << machine.processors() << " processors</h1>\n<p>" << model.layers
     << " layers, " << model.parameters << " parameters, " << model.forwardMacs
     << " multiply-accumulates in the forward pass of a minibatch. Machine: "
     << escaped(machine.description)
     << ".</p>\n<table>\n<tr><th>schedule</th><th>interval (cycles)</th>"
        "<th>bound</th><th>speedup</th><th>utilisation</th>"
        "<th>bytes moved</th><th>peak memory (B)</th><th>staleness</th></tr>\n";
  for (const ScheduledProgram &entry : schedules)
    writeRow(os, entry);
  os << "</table>\n";
  for (const ScheduledProgram &entry : schedules) {
    os << "<h2>" << escaped(entry.schedule.scheduler)
       << "</h2>\n<p>One interval of the steady state. "
          "<b style=\"color:#4c8fd6\">F</b> forward, "
          "<b style=\"color:#e8a33d\">D</b> dgrad, "
          "<b style=\"color:#5aa864\">W</b> wgrad. Point at a task for its "
          "name.</p>\n";
    writePicture(os, entry.schedule, machine.processors());
  }
  os << "</html>\n";
}
