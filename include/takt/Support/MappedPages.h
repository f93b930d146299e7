//===- MappedPages.h - memory that a file has ready -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_MAPPEDPAGES_H
#define TAKT_SUPPORT_MAPPEDPAGES_H

#include "llvm/Support/MemoryBuffer.h"

namespace takt {

/// Gives back the memory of a file that is mapped and has been read; whoever
/// reads it again gets it from the file again. Does nothing for a buffer that
/// is not mapped. (MemoryBuffer::dontNeedIfMmap only asks by posix_madvise,
/// which glibc ignores.)
void releasePages(const llvm::MemoryBuffer &file);

} // namespace takt

#endif // TAKT_SUPPORT_MAPPEDPAGES_H
