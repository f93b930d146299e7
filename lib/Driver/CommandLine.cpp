//===- CommandLine.cpp - the command line of taktc ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/CommandLine.h"
#include "Options.h"
#include "takt/Driver/Diagnostics.h"
#include "takt/Driver/Problem.h"
#include "takt/Support/Tool.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace takt;

namespace {
/// What the options ask to be told instead of compiling. True when it was.
bool answerQuestions(const Options &options) {
  if (options.listSchedules)
    for (const SchedulerInfo &info : schedulers())
      outs() << left_justify(info.name, 21) << info.summary << "\n";
  if (options.listSchedules) {
    outs() << "\nof --microbatches, and of pipeline problems (takt-pipeline "
              "files):\n";
    for (const PipelineScheduler &info : pipelineSchedulers())
      outs() << left_justify(info.name, 21) << info.summary << "\n";
  }
  if (options.listOps)
    listOps(outs());
  if (options.printOperators)
    printOperatorPage(outs());
  return options.listSchedules || options.listOps || options.printOperators;
}

ProblemDefaults problemDefaults(const Options &options,
                                const Machine &machine) {
  return {machine,
          options.machine.getNumOccurrences() != 0 ||
              options.topology.getNumOccurrences() != 0 ||
              options.processors.getNumOccurrences() != 0,
          options.cost, options.cost.getNumOccurrences() != 0,
          options.minibatchScale};
}

Error compileAndEmit(const Options &options) {
  Expected<CompileOptions> compile = readOptions(options);
  if (!compile)
    return compile.takeError();
  if (options.emit == EmitKind::CHeader)
    return emitCHeaderFile(options.output);
  Expected<Machine> machine = readMachine(options);
  if (!machine)
    return machine.takeError();
  if (options.dumpMachine) {
    outs() << machine->canonicalText();
    return Error::success();
  }
  if (options.input.empty())
    return badOption("no model given: taktc MODEL.onnx -o OUT (--help tells "
                     "the options)");
  if (options.output.empty() && !options.explain)
    return badOption("no output file given: -o OUT");
  EmitRequest request{options.emit,
                      options.input,
                      options.output,
                      options.schedule,
                      {options.compare.begin(), options.compare.end()},
                      options.showParameters,
                      options.checkpoint,
                      options.explain,
                      options.pareto};
  if (options.explain && request.output.empty())
    request.output = "-";
  auto buffer = MemoryBuffer::getFileOrSTDIN(options.input);
  if (!buffer)
    return createStringError(options.input + ": " +
                             buffer.getError().message());
  std::shared_ptr<MemoryBuffer> file = std::move(*buffer);
  MemoryBufferRef content(file->getBuffer(), options.input);
  if (InputKind kind = classifyInput(options.input, content.getBuffer());
      kind != InputKind::Onnx) {
    if (compile->recomputation != Recomputation::None)
      return badOption("--recompute is for models: the tasks of " +
                       options.input + " are as they are");
    if (options.explain)
      return badOption("--explain is for models: " + options.input +
                       " is a problem without a network");
    return emitProblem(kind, content, request,
                       problemDefaults(options, *machine), compile->scheduling);
  }
  auto cost = createCostModel(options.cost);
  if (!cost)
    return cost.takeError();
  compile->import.owner = file;
  return emitModel(content, request, *machine, **cost, *compile);
}
} // namespace

int takt::taktcMain(int argc, char **argv) {
  InitLLVM init(argc, argv);
  Options options;
  cl::HideUnrelatedOptions(options.category);
  registerVersion();
  cl::ParseCommandLineOptions(
      argc, argv,
      "taktc: compiles the training of an ONNX model for an array of "
      "processors\n");
  if (answerQuestions(options))
    return 0;
  return exitCode("taktc", compileAndEmit(options));
}
