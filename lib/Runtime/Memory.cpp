//===- Memory.cpp - the memories of an array of processors ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"
#include "CopyBox.h"
#include "llvm/ADT/STLExtras.h"
#include <cstring>

using namespace llvm;
using namespace takt;
using namespace takt::runtime;

/// Fails if something that must be in a processor's memory is the host's.
static Error checkOwners(const Program &program) {
  auto onHost = [&](const TensorRef &ref) {
    return program.regions[ref.region].processor == kHostProcessor;
  };
  for (const Parameter &parameter : program.parameters)
    if (onHost(parameter.home))
      return createStringError("parameter '" + parameter.name +
                               "' is in the host's memory");
  for (auto [number, initializer] : enumerate(program.initializers))
    if (onHost(initializer.target))
      return createStringError("initializer " + Twine(number) +
                               " writes to the host's memory");
  return Error::success();
}

Expected<Memory> Memory::create(const Program &program,
                                ArrayRef<Array> weights) {
  if (Error error = checkOwners(program))
    return std::move(error);
  Memory memory;
  for (const Region &region : program.regions) {
    bool onHost = region.processor == kHostProcessor;
    Expected<AlignedMemory> block =
        AlignedMemory::create(onHost ? 0 : region.size);
    if (!block)
      return createStringError("processor " + Twine(region.processor) + ": " +
                               toString(block.takeError()));
    memory.regions.push_back(std::move(*block));
  }
  if (Error error = memory.initialize(program, weights))
    return std::move(error);
  return memory;
}

/// Zeros that no weights replace: they are in fresh memory already, most of
/// them of optimizers, and its pages cost nothing until they are written.
static bool isZero(const Parameter &parameter, ArrayRef<Array> weights) {
  return parameter.kind != ParameterKind::Derived && parameter.splat &&
         all_of(parameter.splatBytes, [](uint8_t byte) { return byte == 0; }) &&
         !findArray(weights, parameter.name);
}

Error Memory::initialize(const Program &program, ArrayRef<Array> weights) {
  // Initializers of one parameter mostly stand together.
  uint32_t last = 0;
  InitialValue value;
  bool loaded = false;
  for (const Initializer &initializer : program.initializers) {
    if (isZero(program.parameters[initializer.parameter], weights))
      continue;
    if (!loaded || last != initializer.parameter) {
      Expected<InitialValue> next =
          initialValue(program, initializer.parameter, weights);
      if (!next)
        return next.takeError();
      value = std::move(*next);
      last = initializer.parameter;
      loaded = true;
    }
    const TensorRef &target = initializer.target;
    char *base = regions[target.region].data() + target.offset;
    copyBox(value.view(), initializer.axis, initializer.begin, target.dims,
            base);
    for (uint32_t slot = 1; slot < target.slots; ++slot)
      std::memcpy(base + slot * target.slotStride, base, target.bytes());
  }
  return Error::success();
}
