//===- PipelineProgram.h - a program made by hand ------------- -*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Two processors train y = relu(x') w element-wise:
//
//   processor 0:  load x; a = relu(x); send a
//   processor 1:  receive a; h = relu(a); k = relu(a); y = h w; g = y k;
//                 w' = sgd(w, g); store y
//
// h, k and g live within a trip; g takes h's memory.
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TARGET_PIPELINEPROGRAM_H
#define TAKT_TEST_UNIT_TARGET_PIPELINEPROGRAM_H

#include "takt/Target/Program.h"

namespace takt::test {

struct PipelineOptions {
  uint16_t stage = 1;       ///< of processor 1
  uint32_t delay = 1;       ///< of w
  uint32_t sourceSlots = 2; ///< of a on processor 0
  uint32_t arrivalSlots = 2;
  uint64_t reluCycles = 10; ///< on processor 0; processor 1 takes 12
  uint64_t transferCycles = 4, transferLatency = 3;
};

enum PipelineKernel : uint32_t { kRelu, kH, kK, kY, kG, kUpdate };
enum PipelineSemaphore : uint32_t { kArrival, kCompletion, kCredit };
enum PipelineValue : uint32_t { X, A, H, K, Y, G, W, NewW };

Program pipelineProgram(const PipelineOptions &options = {});

/// The first instruction of that opcode on the processor.
Instruction &find(Program &program, uint32_t processor, Opcode op,
                  uint32_t operand);
/// Removes it from the loop body.
void erase(Program &program, uint32_t processor, Opcode op, uint32_t operand);

} // namespace takt::test

#endif // TAKT_TEST_UNIT_TARGET_PIPELINEPROGRAM_H
