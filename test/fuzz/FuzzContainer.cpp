//===- FuzzContainer.cpp - hostile program containers ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "../unit/Target/PatchChecksums.h"
#include "takt/Target/Container.h"
#include "takt/Target/Simulate.h"

using namespace llvm;
using namespace takt;

static void tryDecode(ArrayRef<uint8_t> bytes) {
  Expected<Program> program = decode(bytes);
  if (!program) {
    consumeError(program.takeError());
    return;
  }
  // Long runs are no finding.
  if (program->code[0][0].b > 64)
    return;
  SimulateOptions options;
  options.minibatches = 2;
  Expected<SimulationResult> result = simulate(*program, options);
  if (!result)
    consumeError(result.takeError());
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  ArrayRef<uint8_t> bytes(data, size);
  tryDecode(bytes);
  std::vector<uint8_t> patched = bytes.vec();
  test::patchChecksums(patched);
  tryDecode(patched);
  return 0;
}
