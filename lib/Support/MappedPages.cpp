//===- MappedPages.cpp - memory that a file has ready ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/MappedPages.h"
#include "llvm/Support/Process.h"
#include <cstdint>
#if __has_include(<sys/mman.h>)
#include <sys/mman.h>
#endif

void takt::releasePages(const llvm::MemoryBuffer &file) {
#ifdef MADV_DONTNEED
  if (file.getBufferKind() != llvm::MemoryBuffer::MemoryBuffer_MMap)
    return;
  // A slice may begin inside a page, all of which is mapped. Nobody writes to
  // a buffer's pages, so that nothing is lost.
  auto begin = reinterpret_cast<uintptr_t>(file.getBufferStart());
  uintptr_t into = begin % llvm::sys::Process::getPageSizeEstimate();
  madvise(reinterpret_cast<void *>(begin - into), file.getBufferSize() + into,
          MADV_DONTNEED);
#endif
}
