//===- AlignedMemory.h - memory of a region, internal -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_ALIGNEDMEMORY_H
#define TAKT_LIB_RUNTIME_ALIGNEDMEMORY_H

#include "llvm/Support/Error.h"
#include "llvm/Support/Memory.h"
#include <cstdint>

namespace takt::runtime {

/// Zeroed memory on a page boundary. Pages that nobody touches cost nothing.
class AlignedMemory {
public:
  AlignedMemory() = default;

  /// Fails when the system has no such amount.
  static llvm::Expected<AlignedMemory> create(uint64_t bytes) {
    AlignedMemory memory;
    std::error_code code = std::make_error_code(std::errc::not_enough_memory);
    if (bytes <= INT64_MAX) // rounding up to pages must not wrap around
      memory.block =
          llvm::sys::OwningMemoryBlock(llvm::sys::Memory::allocateMappedMemory(
              bytes, nullptr,
              llvm::sys::Memory::MF_READ | llvm::sys::Memory::MF_WRITE, code));
    if (code)
      return llvm::createStringError("cannot allocate " + llvm::Twine(bytes) +
                                     " bytes: " + code.message());
    memory.size = bytes;
    return memory;
  }

  char *data() const { return static_cast<char *>(block.base()); }
  uint64_t bytes() const { return size; }

private:
  llvm::sys::OwningMemoryBlock block;
  uint64_t size = 0;
};

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_ALIGNEDMEMORY_H
