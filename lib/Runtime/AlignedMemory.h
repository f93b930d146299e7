//===- AlignedMemory.h - memory of a region, internal -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_ALIGNEDMEMORY_H
#define TAKT_LIB_RUNTIME_ALIGNEDMEMORY_H

#include "llvm/Support/Error.h"
#include "llvm/Support/MathExtras.h"
#include <cstdint>
#include <cstdlib>
#include <memory>

namespace takt::runtime {

/// Zeroed memory on a 64-byte boundary. From calloc, so that pages which a
/// program never touches cost nothing.
class AlignedMemory {
public:
  static constexpr size_t kAlignment = 64;

  AlignedMemory() = default;

  /// Fails when the system has no such amount.
  static llvm::Expected<AlignedMemory> create(uint64_t bytes) {
    AlignedMemory memory;
    if (bytes <= SIZE_MAX - kAlignment)
      memory.block.reset(std::calloc(bytes + kAlignment, 1));
    if (!memory.block)
      return llvm::createStringError("cannot allocate " + llvm::Twine(bytes) +
                                     " bytes");
    memory.size = bytes;
    return memory;
  }

  char *data() const {
    return reinterpret_cast<char *>(
        llvm::alignTo(reinterpret_cast<uintptr_t>(block.get()), kAlignment));
  }
  uint64_t bytes() const { return size; }

private:
  struct Free {
    void operator()(void *p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> block;
  uint64_t size = 0;
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_ALIGNEDMEMORY_H
