//===- Executor.cpp - runs a program's instruction streams ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Runtime/Executor.h"
#include "Processor.h"
#include "RunSupport.h"
#include "TensorParts.h"
#include "llvm/ADT/STLExtras.h"
#include <system_error>
#include <thread>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

ProcessorArray::ProcessorArray(const Program &program,
                               const RunOptions &options, Memory initial)
    : program(program), options(options),
      scalars(runTimeScalars(program, options)), parameters(program),
      memory(std::move(initial)), synchronizer(program), versions(program),
      recorder(program, options),
      state{memory, synchronizer, versions, recorder,
            std::vector<uint32_t>(program.code.size())} {}

Expected<std::unique_ptr<ProcessorArray>>
ProcessorArray::create(const Program &program, const RunOptions &options) {
  Expected<Memory> memory = Memory::create(program, options.weights);
  if (!memory)
    return memory.takeError();
  return std::unique_ptr<ProcessorArray>(
      new ProcessorArray(program, options, std::move(*memory)));
}

/// Fails unless the program has a place in every stream where it can be saved.
static Error checkCheckpoints(const Program &program) {
  for (auto [p, code] : enumerate(program.code))
    if (none_of(code, [](const Instruction &instruction) {
          return instruction.op == Opcode::Checkpoint;
        }))
      return createStringError(
          "the program cannot be checkpointed: processor " + Twine(p) +
          " has no checkpoint instruction");
  return Error::success();
}

static Error prepareCheckpoints(ProcessorArray &machine) {
  const CheckpointOptions &options = machine.options.checkpoint;
  if (options.directory.empty())
    return Error::success();
  if (Error error = checkCheckpoints(machine.program))
    return error;
  if (Error error = prepareDirectory(options))
    return error;
  if (!options.resume)
    return Error::success();
  if (Error error = loadCheckpoint(options, machine.program, machine.state))
    return error;
  machine.resumed = true;
  machine.resumedTrips = machine.state.trips;
  if (machine.state.trips > machine.options.iterations)
    return createStringError("the checkpoint has " +
                             Twine(machine.state.trips) +
                             " iterations behind it, expected at most " +
                             Twine(machine.options.iterations));
  return Error::success();
}

/// Runs all processors to their end.
static Error runThreads(ProcessorArray &machine) {
  std::vector<std::unique_ptr<Processor>> processors;
  for (uint32_t p = 0; p < machine.program.code.size(); ++p)
    processors.push_back(std::make_unique<Processor>(machine, p));
  std::vector<std::thread> threads;
  for (auto [p, processor] : enumerate(processors)) {
    try {
      threads.emplace_back([&, &processor = *processor] {
        try {
          processor.run();
        } catch (const std::bad_alloc &) {
          machine.synchronizer.fail(createStringError("out of memory"));
        }
      });
    } catch (const std::system_error &error) {
      machine.synchronizer.fail(
          createStringError("processor " + Twine(p) +
                            ": cannot start a thread: " + error.what()));
      break;
    }
  }
  for (std::thread &thread : threads)
    thread.join();
  return machine.synchronizer.takeError();
}

/// The parameters as the last update left them in their home rings.
static std::vector<Array> finalParameters(const ProcessorArray &machine) {
  std::vector<Part> parts;
  uint64_t last = machine.options.iterations - 1;
  for (auto [index, parameter] : enumerate(machine.program.parameters)) {
    if (!isReturned(parameter, machine.options.weights))
      continue;
    const TensorRef &home = parameter.home;
    const auto *bytes =
        reinterpret_cast<uint8_t *>(machine.memory.address(home, last));
    parts.push_back({static_cast<uint32_t>(index),
                     {parameter.name,
                      home.type,
                      home.dims,
                      {bytes, bytes + home.bytes()}}});
  }
  return joinParts(machine.program, std::move(parts));
}

Expected<RunResult> takt::execute(const Program &program,
                                  const RunOptions &options) {
  if (Error error = checkOptions(program, options))
    return std::move(error);
  auto machine = ProcessorArray::create(program, options);
  if (!machine)
    return machine.takeError();
  if (options.onInitialized)
    options.onInitialized();
  if (Error error = prepareCheckpoints(**machine))
    return std::move(error);
  if (Error error = runThreads(**machine))
    return std::move(error);
  RunResult result;
  if (options.keepParameters)
    result.parameters = finalParameters(**machine);
  result.staleness = (*machine)->versions.staleness();
  result.firstMinibatch = (*machine)->resumedTrips;
  (*machine)->recorder.finish(result);
  return result;
}
