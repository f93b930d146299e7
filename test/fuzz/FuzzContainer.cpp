//===- FuzzContainer.cpp - hostile program containers ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Container.h"
#include "takt/Target/Simulate.h"
#include "llvm/Support/Endian.h"

using namespace llvm;
using namespace takt;

/// Where header and section table keep what is patched below.
constexpr size_t kHeaderCrc = kHeaderBytes - 4, kSections = 68,
                 kEntryOffset = 8, kEntryBytes = 16, kEntryCrc = 28;

/// Makes the checksums right, so that what they guard is reached.
static void patchChecksums(MutableArrayRef<uint8_t> file) {
  if (file.size() < kHeaderBytes)
    return;
  uint32_t sections = support::endian::read32le(&file[kSections]);
  for (uint32_t i = 0; i < std::min(sections, kMaxSections); ++i) {
    size_t entry = kHeaderBytes + i * kSectionEntryBytes;
    if (entry + kSectionEntryBytes > file.size())
      break;
    uint64_t offset = support::endian::read64le(&file[entry + kEntryOffset]);
    uint64_t bytes = support::endian::read64le(&file[entry + kEntryBytes]);
    if (offset <= file.size() && bytes <= file.size() - offset)
      support::endian::write32le(&file[entry + kEntryCrc],
                                 crc32c(file.slice(offset, bytes)));
  }
  support::endian::write32le(&file[kHeaderCrc], headerChecksum(file, sections));
}

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
  patchChecksums(patched);
  tryDecode(patched);
  return 0;
}
