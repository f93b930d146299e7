//===- Processor.h - interprets one instruction stream ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_PROCESSOR_H
#define TAKT_LIB_RUNTIME_PROCESSOR_H

#include "Checkpoint.h"
#include "takt/Runtime/Kernels.h"

namespace takt::runtime {

/// What the processors of a run share.
struct ProcessorArray {
  const Program &program;
  const RunOptions &options;
  std::vector<double> scalars;
  ParameterIndex parameters;
  Memory memory;
  Synchronizer synchronizer;
  Versions versions;
  Recorder recorder;
  /// What checkpoints save and load.
  MachineState state;
  bool resumed = false;      ///< the state is where to begin
  uint64_t resumedTrips = 0; ///< finished before this run

  /// Fails when memory is short or weights do not fit their parameter.
  static llvm::Expected<std::unique_ptr<ProcessorArray>>
  create(const Program &program, const RunOptions &options);

private:
  ProcessorArray(const Program &program, const RunOptions &options,
                 Memory memory);
};

/// One processor with its own kernels.
class Processor {
public:
  Processor(ProcessorArray &machine, uint32_t number)
      : machine(machine), program(machine.program), number(number),
        code(machine.program.code[number]) {}

  /// Runs the stream to its end, from behind a checkpoint instruction if the
  /// machine's state says so. Reports failure to the synchronizer.
  void run();

private:
  /// False: stop, the run has failed or the program has ended.
  bool step(const Instruction &instruction);
  bool execute(uint32_t kernel);
  bool send(uint32_t transfer);
  void load(uint32_t copy);
  void store(uint32_t copy);
  bool checkpoint();
  bool beginLoop(const Instruction &instruction);
  void endLoop();
  bool fail(const llvm::Twine &message);
  /// Enters the loop around `pc` at the trip after the saved one.
  void resume();
  uint64_t tripCount(const Instruction &loop, uint64_t &minibatches) const;
  size_t matchingEnd(size_t loop) const;

  ProcessorArray &machine;
  const Program &program;
  const uint32_t number;
  llvm::ArrayRef<Instruction> code;
  KernelLibrary kernels;
  size_t pc = 0;
  uint64_t minibatch = 0;
  bool inLoop = false;
  size_t loopStart = 0; ///< pc of the loop instruction
  uint64_t trip = 0, trips = 0, minibatches = 0;
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_PROCESSOR_H
