//===- Header.h - header and section table ----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_HEADER_H
#define TAKT_LIB_TARGET_HEADER_H

#include "Archive.h"
#include "takt/Target/Container.h"

namespace takt {

/// All of the header but the checksum in its last four bytes.
template <typename Archive, typename H>
void headerFields(Archive &ar, H &header) {
  for (uint8_t byte : kContainerMagic) {
    uint8_t found = byte;
    ar.u8(found);
    if (found != byte)
      ar.error = "is no takt program: the magic number is wrong";
  }
  ar.u32(header.headerBytes);
  ar.u16(header.major);
  ar.u16(header.minor);
  ar.u64(header.totalBytes);
  ar.u64(header.requiredFeatures);
  for (auto &byte : header.machineHash)
    ar.u8(byte);
  ar.u32(header.processors);
  ar.u32(header.sections);
  ar.u64(header.sectionTable);
  ar.u64(header.predictedInterval);
  ar.zero(36);
}

constexpr size_t kHeaderCrcOffset = kHeaderBytes - 4;

template <typename Archive, typename E>
void entryFields(Archive &ar, E &entry) {
  ar.u32(entry.type);
  ar.flag(entry.required);
  ar.zero(3);
  ar.u64(entry.offset);
  ar.u64(entry.bytes);
  uint32_t alignment = kSectionAlignment;
  ar.u32(alignment);
  if (alignment != kSectionAlignment)
    ar.error = "has a section whose alignment is not 64";
  ar.u32(entry.crc);
  ar.zero(16);
}

/// What a field of an instruction means; see Isa.def.
enum class OperandField : uint8_t {
  None,
  Kernel,
  Transfer,
  Host,
  Semaphore,
  Count,
  Scalar
};

/// Meanings of a, b and c of an opcode; all None when it is illegal.
std::array<OperandField, 3> operandsOf(Opcode op);

inline OperandField operandOf(Opcode op) { return operandsOf(op)[0]; }

} // namespace takt

#endif // TAKT_LIB_TARGET_HEADER_H
