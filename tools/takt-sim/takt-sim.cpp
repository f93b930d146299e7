//===- takt-sim.cpp - timing of a program's bytes -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Machine/Machine.h"
#include "takt/Support/Printable.h"
#include "takt/Support/Tool.h"
#include "takt/Target/BindingTurns.h"
#include "takt/Target/Container.h"
#include "takt/Target/Simulate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/JSON.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace takt;

static cl::OptionCategory category("takt-sim options");
static cl::opt<std::string> input(cl::Positional, cl::desc("PROGRAM.takt"),
                                  cl::cat(category));
static cl::opt<bool> asJson("json", cl::desc("print JSON"), cl::cat(category));
static cl::opt<uint64_t> minibatches("minibatches", cl::cat(category),
                                     cl::desc("0: until the steady state"));
static cl::opt<std::string>
    machineFile("machine", cl::value_desc("FILE.yaml"), cl::cat(category),
                cl::desc("refuse a program for another machine"));

static void printJson(const Program &program, const SimulationResult &result) {
  json::OStream json(outs(), 2);
  auto list = [&](StringRef key, auto &values) {
    json.attributeArray(key, [&] {
      for (auto value : values)
        json.value(int64_t(value));
    });
  };
  json.object([&] {
    json.attribute("interval", int64_t(result.interval));
    json.attribute("predicted_interval", int64_t(program.interval));
    // All figures are of an iteration.
    if (uint32_t several = BindingTurns(program).minibatches(); several > 1)
      json.attribute("minibatches_per_iteration", int64_t(several));
    json.attribute("total_cycles", int64_t(result.totalCycles));
    json.attribute("minibatches", int64_t(result.minibatches));
    json.attribute("utilization", result.utilization);
    list("processor_busy_cycles", result.busyCycles);
    list("peak_memory_bytes", result.peakMemory);
    json.attribute("communication_bytes", int64_t(result.communicationBytes));
    json.attributeObject("staleness", [&] {
      for (auto &[name, updates] : result.staleness)
        json.attribute(printable(name), updates);
    });
  });
  outs() << "\n";
}

static void printText(const Program &program, const SimulationResult &result) {
  outs() << printable(program.model) << ", schedule "
         << printable(program.schedule) << ", " << program.code.size()
         << " processors\n"
         << "interval     " << result.interval << " cycles (predicted "
         << program.interval << ")\n"
         << "whole run    " << result.totalCycles << " cycles for "
         << result.minibatches << " minibatches\n"
         << "utilisation  " << format("%.1f %%", 100 * result.utilization)
         << "\ntransfers    " << result.communicationBytes
         << " bytes a minibatch\n";
  if (uint32_t several = BindingTurns(program).minibatches(); several > 1)
    outs() << "minibatch    here an iteration, of " << several
           << " minibatches of " << program.batch / several << " samples\n";
  int64_t stalest = 0;
  for (auto &[name, updates] : result.staleness)
    stalest = std::max(stalest, updates);
  outs() << "staleness    " << (result.staleness.empty() ? "" : "at most ")
         << stalest << " updates\n";
  for (size_t p = 0; p < program.code.size(); ++p)
    outs() << "processor " << p << ": busy " << result.busyCycles[p]
           << " cycles a minibatch, memory " << result.peakMemory[p]
           << " bytes\n";
}

/// "FILE: reason".
static Error at(StringRef file, Error error) {
  return error ? createStringError(file + ": " + toString(std::move(error)))
               : Error::success();
}

static Error checkMachineFile(ArrayRef<uint8_t> program) {
  auto text = MemoryBuffer::getFile(machineFile);
  if (!text)
    return at(machineFile, errorCodeToError(text.getError()));
  Expected<Machine> machine = Machine::parse((*text)->getMemBufferRef());
  if (!machine)
    return machine.takeError();
  return at(input, checkMachine(program, machine->canonicalText()));
}

static Error run() {
  if (input.empty())
    return createStringError("no program given: takt-sim PROGRAM.takt");
  auto buffer = MemoryBuffer::getFileOrSTDIN(input, /*IsText=*/false,
                                             /*RequiresNullTerminator=*/false);
  if (!buffer)
    return at(input, errorCodeToError(buffer.getError()));
  std::shared_ptr<MemoryBuffer> file = std::move(*buffer);
  ArrayRef<uint8_t> bytes = arrayRefFromStringRef(file->getBuffer());
  if (!machineFile.empty())
    if (Error error = checkMachineFile(bytes))
      return error;
  Expected<Program> program = decode(bytes, file);
  if (!program)
    return at(input, program.takeError());
  SimulateOptions options;
  options.minibatches = minibatches;
  Expected<SimulationResult> result = simulate(*program, options);
  if (!result)
    return at(input, result.takeError());
  asJson ? printJson(*program, *result) : printText(*program, *result);
  return Error::success();
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  cl::HideUnrelatedOptions(category);
  registerVersion();
  cl::ParseCommandLineOptions(argc, argv,
                              "takt-sim: timing of a program's bytes\n");
  return exitCode("takt-sim", run());
}
