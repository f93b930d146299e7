//===- Crc32c.cpp - CRC-32C -----------------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// LLVM's crc32 has the polynomial of zlib; storage and firmware use
// Castagnoli's, for which processors have an instruction.
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Container.h"
#include <cstring>
#if defined(__x86_64__)
#include <nmmintrin.h>
#endif

using namespace takt;

/// Eight tables, so that eight bytes are taken at a time.
static std::array<std::array<uint32_t, 256>, 8> makeTables() {
  constexpr uint32_t kReversedPolynomial = 0x82F63B78;
  std::array<std::array<uint32_t, 256>, 8> tables;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit)
      crc = (crc >> 1) ^ (crc & 1 ? kReversedPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (int table = 1; table < 8; ++table)
    for (uint32_t byte = 0; byte < 256; ++byte) {
      uint32_t before = tables[table - 1][byte];
      tables[table][byte] = (before >> 8) ^ tables[0][before & 0xFF];
    }
  return tables;
}

uint32_t takt::crc32cByTables(llvm::ArrayRef<uint8_t> bytes, uint32_t before) {
  static const auto tables = makeTables();
  uint32_t crc = ~before;
  while (bytes.size() >= 8) {
    uint32_t next = 0;
    for (int i = 0; i < 4; ++i)
      next ^= tables[7 - i][bytes[i] ^ ((crc >> (8 * i)) & 0xFF)];
    for (int i = 4; i < 8; ++i)
      next ^= tables[7 - i][bytes[i]];
    crc = next;
    bytes = bytes.drop_front(8);
  }
  for (uint8_t byte : bytes)
    crc = (crc >> 8) ^ tables[0][(crc ^ byte) & 0xFF];
  return ~crc;
}

#if defined(__x86_64__)
__attribute__((target("sse4.2"))) static uint32_t
crc32cByInstruction(llvm::ArrayRef<uint8_t> bytes, uint32_t before) {
  uint64_t crc = ~before;
  for (; bytes.size() >= 8; bytes = bytes.drop_front(8)) {
    uint64_t word;
    std::memcpy(&word, bytes.data(), 8);
    crc = _mm_crc32_u64(crc, word);
  }
  for (uint8_t byte : bytes)
    crc = _mm_crc32_u8(crc, byte);
  return ~crc;
}
#endif

uint32_t takt::crc32c(llvm::ArrayRef<uint8_t> bytes, uint32_t before) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("sse4.2"))
    return crc32cByInstruction(bytes, before);
#endif
  return crc32cByTables(bytes, before);
}
