//===- PatchChecksums.h - checksums of changed containers -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TARGET_PATCHCHECKSUMS_H
#define TAKT_TEST_UNIT_TARGET_PATCHCHECKSUMS_H

#include "takt/Target/Container.h"
#include "llvm/ADT/ArrayRef.h"

namespace takt::test {

/// Where header and section table entries keep what the tests change.
constexpr size_t kVersionAt = 12, kSectionsAt = 68,
                 kHeaderCrcAt = kHeaderBytes - 4;
constexpr size_t kEntryOffsetAt = 8, kEntryBytesAt = 16, kEntryCrcAt = 28;

/// Makes every checksum of a container right that has its place in the file, so
/// that what they guard is reached. Bears any bytes.
void patchChecksums(llvm::MutableArrayRef<uint8_t> file);

} // namespace takt::test

#endif // TAKT_TEST_UNIT_TARGET_PATCHCHECKSUMS_H
