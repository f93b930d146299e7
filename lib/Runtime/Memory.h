//===- Memory.h - the memories of an array of processors --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_MEMORY_H
#define TAKT_LIB_RUNTIME_MEMORY_H

#include "AlignedMemory.h"
#include "takt/Runtime/Run.h"

namespace takt::runtime {

/// The regions of a program that lie in processors' memories.
class Memory {
public:
  /// Allocates the regions and copies initial values into them. Fails when
  /// memory is short or weights do not fit their parameter.
  static llvm::Expected<Memory> create(const Program &program,
                                       llvm::ArrayRef<Array> weights);

  /// Slot of the instance of a ring that a user at `minibatch` means.
  static uint64_t slot(const TensorRef &ref, uint64_t minibatch) {
    if (ref.slots == 1)
      return 0;
    int64_t slots = ref.slots;
    int64_t s = (static_cast<int64_t>(minibatch) + ref.lag) % slots;
    return s < 0 ? s + slots : s;
  }

  /// Address of that instance.
  char *address(const TensorRef &ref, uint64_t minibatch) const {
    return regions[ref.region].data() + ref.offset +
           slot(ref, minibatch) * ref.slotStride;
  }

  /// By region; those of the host are empty.
  std::vector<AlignedMemory> regions;

private:
  llvm::Error initialize(const Program &program, llvm::ArrayRef<Array> weights);
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_MEMORY_H
