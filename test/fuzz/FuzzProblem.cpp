//===- FuzzProblem.cpp - hostile scheduling problems ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Any text is a machine file, or a pipeline problem, a profile or a problem in
// the sched dialect, or one message. What is read and small is scheduled, which
// verifies the schedule.
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Problem.h"
#include "llvm/Support/MemoryBuffer.h"
#include <cstdlib>

using namespace takt;

static void trySchedule(const StatedProblem &problem) {
  // Large ones are no finding.
  if (problem.graph.tasks.size() > 64 || problem.machine.processors() > 8)
    return;
  ScheduleOptions options;
  options.timeLimitSeconds = 0.1;
  for (llvm::StringRef name :
       {"list", "pipedream", "layerpipe", "1f1b", "zb-h1", "pipedream-2bw"})
    llvm::consumeError(solveProblem(problem, name, options).takeError());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const Machine machine = llvm::cantFail(Machine::uniform(2));
  // Parsers of text count on the zero behind it.
  auto file = llvm::MemoryBuffer::getMemBufferCopy(
      {reinterpret_cast<const char *>(data), size}, "fuzz");
  llvm::StringRef text = file->getBuffer();
  if (text.starts_with("takt-machine:")) {
    llvm::consumeError(Machine::parse(*file).takeError());
    return 0;
  }
  InputKind kind = classifyInput("fuzz", text);
  if (kind == InputKind::Onnx)
    kind = InputKind::Sched;
  ProblemDefaults defaults{machine, false, "macs", false};
  llvm::Expected<StatedProblem> problem = readProblem(kind, *file, defaults);
  if (problem)
    trySchedule(*problem);
  else
    llvm::consumeError(problem.takeError());
  return 0;
}
