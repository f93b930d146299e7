//===- ContainerFile.cpp - files taken apart and put together -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ContainerFile.h"
#include "PatchChecksums.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace takt;
using namespace takt::test;
using namespace llvm::support;

Bytes takt::test::fileOf(const Program &program) {
  return cantFail(encode(program));
}

std::string takt::test::refusal(ArrayRef<uint8_t> bytes) {
  Expected<Program> program = decode(bytes);
  return program ? "" : toString(program.takeError());
}

size_t takt::test::endOfTable(ArrayRef<uint8_t> file) {
  return kHeaderBytes +
         endian::read32le(&file[kSectionsAt]) * kSectionEntryBytes;
}

SectionEntry takt::test::entryOf(ArrayRef<uint8_t> file, SectionType type) {
  auto entries = cantFail(decodeHeader(file)).second;
  return *find_if(entries, [&](auto &entry) { return entry.type == type; });
}

std::vector<Section> takt::test::sectionsOf(ArrayRef<uint8_t> file) {
  std::vector<Section> sections;
  for (const SectionEntry &entry : cantFail(decodeHeader(file)).second)
    sections.push_back({uint32_t(entry.type), entry.required,
                        file.slice(entry.offset, entry.bytes).vec()});
  return sections;
}

Bytes takt::test::assemble(ArrayRef<uint8_t> original,
                           ArrayRef<Section> sections) {
  Bytes file = original.take_front(kHeaderBytes).vec();
  endian::write32le(&file[kSectionsAt], sections.size());
  file.resize(kHeaderBytes + sections.size() * kSectionEntryBytes);
  size_t place = kHeaderBytes;
  for (const Section &section : sections) {
    size_t offset = alignTo(file.size(), kSectionAlignment);
    file.resize(offset);
    append_range(file, section.bytes);
    uint8_t *entry = &file[place];
    endian::write32le(entry, section.type);
    entry[4] = section.required;
    endian::write64le(entry + kEntryOffsetAt, offset);
    endian::write64le(entry + kEntryBytesAt, section.bytes.size());
    endian::write32le(entry + 24, kSectionAlignment);
    place += kSectionEntryBytes;
  }
  file.resize(alignTo(file.size(), kSectionAlignment));
  endian::write64le(&file[16], file.size());
  patchChecksums(file);
  return file;
}

Bytes takt::test::withoutOptionalSections(ArrayRef<uint8_t> file) {
  std::vector<Section> sections = sectionsOf(file);
  erase_if(sections, [](const Section &section) { return !section.required; });
  return assemble(file, sections);
}
