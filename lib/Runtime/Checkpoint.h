//===- Checkpoint.h - the state of the machine as a file --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// DIRECTORY/checkpoint.npz, all arrays of integers but the losses:
//   version [1], program [32] (SHA-256), data_seed [1],
//   trips [1] (finished), pc [processors], semaphores [n], losses [trips],
//   barrier.K [processors], versions [n], region.K [bytes of region K]
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_CHECKPOINT_H
#define TAKT_LIB_RUNTIME_CHECKPOINT_H

#include "Memory.h"
#include "Recorder.h"
#include "Synchronizer.h"
#include "Versions.h"

namespace takt::runtime {

/// Everything that a run must find again.
struct MachineState {
  Memory &memory;
  Synchronizer &synchronizer;
  Versions &versions;
  Recorder &recorder;
  /// Of each processor: the checkpoint instruction at which it stands.
  std::vector<uint32_t> pc;
  uint64_t trips = 0; ///< finished ones
};

/// Makes the directory. Fails if it cannot be written, so that this is known
/// before the training and not after it.
llvm::Error prepareDirectory(const CheckpointOptions &options);

/// The file appears whole or not at all. Fails if it cannot be written.
llvm::Error saveCheckpoint(const CheckpointOptions &options,
                           const MachineState &state);

/// Fails if the file cannot be read, is corrupt or belongs to another program
/// or other data; the state is then unspecified.
llvm::Error loadCheckpoint(const CheckpointOptions &options,
                           const Program &program, MachineState &state);

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_CHECKPOINT_H
