//===- PatchChecksums.cpp - checksums of changed containers ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "PatchChecksums.h"
#include "llvm/Support/Endian.h"

using namespace llvm;
using namespace takt;
using namespace llvm::support;

void takt::test::patchChecksums(MutableArrayRef<uint8_t> file) {
  if (file.size() < kHeaderBytes)
    return;
  uint32_t sections = endian::read32le(&file[kSectionsAt]);
  for (uint32_t i = 0; i < std::min(sections, kMaxSections); ++i) {
    size_t entry = kHeaderBytes + i * kSectionEntryBytes;
    if (entry + kSectionEntryBytes > file.size())
      break;
    uint64_t offset = endian::read64le(&file[entry + kEntryOffsetAt]);
    uint64_t bytes = endian::read64le(&file[entry + kEntryBytesAt]);
    if (offset <= file.size() && bytes <= file.size() - offset)
      endian::write32le(&file[entry + kEntryCrcAt],
                        crc32c(file.slice(offset, bytes)));
  }
  endian::write32le(&file[kHeaderCrcAt], headerChecksum(file, sections));
}
