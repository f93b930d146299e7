//===- Container.h - a program as bytes -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// One file holds the program of the whole array. Little-endian fixed-width
// structures, every offset from the start of the file, no pointers and no
// relocations; docs/container.md describes it. Every program has exactly one
// file: *decode(*encode(p)) == p, and *encode(*decode(b)) == b, but for
// optional sections, which may lack or be unknown.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_CONTAINER_H
#define TAKT_TARGET_CONTAINER_H

#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"

namespace takt {

/// First bytes of a container: not ASCII, and broken by text-mode transfers.
constexpr std::array<uint8_t, 8> kContainerMagic = {0x89, 'T',  'A',  'K',
                                                    'T',  '\r', '\n', 0x1A};
constexpr uint16_t kContainerMajor = 1, kContainerMinor = 0;
constexpr uint32_t kHeaderBytes = 128, kSectionEntryBytes = 48;
constexpr uint32_t kSectionAlignment = 64;
constexpr uint32_t kInstructionBytes = 16, kDescriptorBytes = 64;
constexpr uint32_t kMaxSections = 64;

/// Fixed values of the header and of section table entries.
struct ContainerHeader {
  std::array<uint8_t, 8> magic = kContainerMagic;
  uint32_t headerBytes = kHeaderBytes;
  uint16_t major = kContainerMajor, minor = kContainerMinor;
  uint64_t totalBytes = 0;
  uint64_t requiredFeatures = 0;            ///< none is defined yet
  std::array<uint8_t, 32> machineHash = {}; ///< SHA-256 of the machine's text
  uint32_t processors = 0;
  uint32_t sections = 0;
  uint64_t sectionTable = kHeaderBytes; ///< offset
  uint64_t predictedInterval = 0;       ///< cycles: the watchdog's base
  uint32_t crc = 0; ///< CRC-32C of the header before it and the section table
};

enum class SectionType : uint32_t {
  Machine = 1,
  Info = 2,
  Regions = 3,
  Bindings = 4,
  Scalars = 5,
  Semaphores = 6,
  Values = 7,
  Parameters = 8,
  Initializers = 9,
  Descriptors = 10,
  Processors = 11,
  Code = 12,
  Tasks = 13,
  Layers = 14,
  Strings = 15,
  Data = 16,
  /// Optional: what every instruction that executes belongs to, and when it is
  /// predicted to run.
  TaskMap = 0x100,
};

/// Empty when the type is unknown.
llvm::StringRef name(SectionType type);

/// Whether a section of a known type must be there.
constexpr bool isRequired(SectionType type) {
  return type != SectionType::TaskMap;
}

struct SectionEntry {
  SectionType type;
  bool required = true;
  uint64_t offset = 0, bytes = 0;
  uint32_t alignment = kSectionAlignment;
  uint32_t crc = 0; ///< CRC-32C of the section's bytes
};

/// Writes the container's bytes. Fails, with nothing written, if a number does
/// not fit its field (more than 65,535 slots, a tensor of rank above 8, strings
/// beyond 2^32 - 1) or a record is nothing that decode would take (an unknown
/// kind, a default that is NaN).
llvm::Error encode(const Program &program, llvm::raw_ostream &os);

/// The same in memory.
llvm::Expected<std::vector<uint8_t>> encode(const Program &program);

/// Reads and validates untrusted bytes: header, section table, checksums, every
/// index and range, reserved fields, then the program itself (Validate.h), and
/// that these are the bytes that encode writes. Fails with one line: what is
/// wrong and where; never reads outside `bytes`. The program's data stay where
/// they are if there is an `owner`, which keeps them alive, and are copied
/// otherwise.
llvm::Expected<Program> decode(llvm::ArrayRef<uint8_t> bytes,
                               std::shared_ptr<const void> owner = nullptr);

/// Header and section table alone, checked as decode checks them.
llvm::Expected<std::pair<ContainerHeader, std::vector<SectionEntry>>>
decodeHeader(llvm::ArrayRef<uint8_t> bytes);

/// Fails unless the container was compiled for the machine of that canonical
/// text.
llvm::Error checkMachine(llvm::ArrayRef<uint8_t> bytes,
                         llvm::StringRef canonicalText);

/// The checksum that the header must have: of the header before it and of the
/// section table of that many entries, as far as the file has them.
uint32_t headerChecksum(llvm::ArrayRef<uint8_t> file, uint32_t sections);

/// CRC-32C (Castagnoli), as in RFC 3720, appendix B.4. `before` is the checksum
/// of the bytes that these continue. By the processor's instruction, where it
/// has one.
uint32_t crc32c(llvm::ArrayRef<uint8_t> bytes, uint32_t before = 0);

/// The same on any processor.
uint32_t crc32cByTables(llvm::ArrayRef<uint8_t> bytes, uint32_t before = 0);

} // namespace takt

#endif // TAKT_TARGET_CONTAINER_H
