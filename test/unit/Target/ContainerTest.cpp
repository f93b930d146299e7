//===- ContainerTest.cpp - programs as bytes ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// What docs/container.md promises: one file for each program, every damage
// found, every change either refused or another program's one file.
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Container.h"
#include "PatchChecksums.h"
#include "PipelineProgram.h"
#include "takt/Machine/Machine.h"
#include "takt/Target/Disassemble.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Regex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>
#include <random>

using namespace llvm;
using namespace takt;
using namespace takt::test;
using namespace llvm::support;
using testing::HasSubstr;
using testing::StartsWith;

using Bytes = std::vector<uint8_t>;

namespace {
/// Also initial data, tensors of rank 5, and a kernel with more words than its
/// descriptor holds.
Program richProgram() {
  Program program = pipelineProgram();
  program.data = {0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64};
  program.parameters[0].splat = false;
  auto shape = [](auto &typed) { typed.dims = {1, 1, 1, 2, 2}; };
  for_each(program.values, shape);
  for_each(program.bindings, shape);
  for (Kernel &kernel : program.kernels) {
    for_each(kernel.operands, shape);
    for_each(kernel.results, shape);
  }
  for (Transfer &transfer : program.transfers) {
    shape(transfer.source);
    shape(transfer.destination);
  }
  for (HostCopy &copy : program.hostCopies)
    shape(copy.local);
  shape(program.parameters[0].home);
  shape(program.initializers[0].target);
  program.kernels[kRelu].id = KernelId::MaxPool;
  program.kernels[kRelu].words = {3, 1, 1, 1, 1, 1, 1, 0,
                                  0, 0, 0, 0, 0, 1, 1, 1};
  return program;
}

Bytes fileOf(const Program &program) { return cantFail(encode(program)); }

/// Empty if the bytes are accepted.
std::string refusal(ArrayRef<uint8_t> bytes) {
  Expected<Program> program = decode(bytes);
  return program ? "" : toString(program.takeError());
}

/// Of the table's part as of the whole.
size_t endOfTable(ArrayRef<uint8_t> file) {
  return kHeaderBytes +
         endian::read32le(&file[kSectionsAt]) * kSectionEntryBytes;
}

SectionEntry entryOf(ArrayRef<uint8_t> file, SectionType type) {
  auto entries = cantFail(decodeHeader(file)).second;
  return *find_if(entries, [&](auto &entry) { return entry.type == type; });
}

/// A section of a file that a test puts together.
struct Section {
  uint32_t type;
  bool required;
  Bytes bytes;
};

std::vector<Section> sectionsOf(ArrayRef<uint8_t> file) {
  std::vector<Section> sections;
  for (const SectionEntry &entry : cantFail(decodeHeader(file)).second)
    sections.push_back({uint32_t(entry.type), entry.required,
                        file.slice(entry.offset, entry.bytes).vec()});
  return sections;
}

/// A file of these sections in this order, its header like that of `original`.
Bytes assemble(ArrayRef<uint8_t> original, ArrayRef<Section> sections) {
  Bytes file = original.take_front(kHeaderBytes).vec();
  endian::write32le(&file[kSectionsAt], sections.size());
  file.resize(kHeaderBytes + sections.size() * kSectionEntryBytes);
  uint8_t *entry = file.data() + kHeaderBytes;
  for (const Section &section : sections) {
    size_t offset = alignTo(file.size(), kSectionAlignment),
           at = entry - file.data();
    file.resize(offset);
    append_range(file, section.bytes);
    entry = file.data() + at;
    endian::write32le(entry, section.type);
    entry[4] = section.required;
    endian::write64le(entry + kEntryOffsetAt, offset);
    endian::write64le(entry + kEntryBytesAt, section.bytes.size());
    endian::write32le(entry + 24, kSectionAlignment);
    entry += kSectionEntryBytes;
  }
  file.resize(alignTo(file.size(), kSectionAlignment));
  endian::write64le(&file[16], file.size());
  patchChecksums(file);
  return file;
}

Bytes withoutOptionalSections(ArrayRef<uint8_t> file) {
  std::vector<Section> sections = sectionsOf(file);
  erase_if(sections, [](const Section &section) { return !section.required; });
  return assemble(file, sections);
}

/// The change was refused, or made the one file of another program.
void expectRefusedOrCanonical(ArrayRef<uint8_t> bytes, size_t place,
                              unsigned &accepted) {
  Expected<Program> program = decode(bytes);
  if (!program) {
    EXPECT_FALSE(StringRef(toString(program.takeError())).contains('\n'));
    return;
  }
  ++accepted;
  Expected<Bytes> again = encode(*program);
  ASSERT_TRUE(bool(again)) << toString(again.takeError());
  EXPECT_TRUE(withoutOptionalSections(*again) == withoutOptionalSections(bytes))
      << "changed at " << place;
}
} // namespace

//===----------------------------------------------------------------------===//
// What is written is read
//===----------------------------------------------------------------------===//

TEST(Container, ChecksumIsCastagnolis) {
  // The check value of the polynomial, and RFC 3720, appendix B.4.
  EXPECT_EQ(crc32c(arrayRefFromStringRef("123456789")), 0xE3069283u);
  EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8A9136AAu);
  EXPECT_EQ(crc32c(Bytes(32, 0xFF)), 0x62A8AB43u);
  Bytes rising(32);
  std::iota(rising.begin(), rising.end(), 0);
  EXPECT_EQ(crc32c(rising), 0x46DD794Eu);
  for (size_t cut = 0; cut <= rising.size(); ++cut)
    EXPECT_EQ(crc32c(ArrayRef(rising).drop_front(cut),
                     crc32c(ArrayRef(rising).take_front(cut))),
              0x46DD794Eu)
        << cut;
}

TEST(Container, RoundTrip) {
  for (uint32_t delay : {0, 1, 5})
    for (uint32_t slots : {1, 3}) {
      PipelineOptions options;
      options.delay = delay;
      options.arrivalSlots = slots;
      Program program = pipelineProgram(options);
      Bytes file = fileOf(program);
      Expected<Program> read = decode(file);
      ASSERT_TRUE(bool(read)) << toString(read.takeError());
      EXPECT_TRUE(*read == program);
      EXPECT_EQ(fileOf(*read), file);
    }
}

TEST(Container, RoundTripOfEveryRecord) {
  Program program = richProgram();
  Bytes file = fileOf(program);
  ASSERT_EQ(refusal(file), "");
  Program read = cantFail(decode(file));
  EXPECT_TRUE(read == program);
  EXPECT_EQ(read.data, program.data);
  program.data.back() ^= 1;
  EXPECT_FALSE(read == program);
}

TEST(Container, HeaderIsThatOfTheProgram) {
  Program program = pipelineProgram();
  Bytes file = fileOf(program);
  auto [header, entries] = cantFail(decodeHeader(file));
  EXPECT_EQ(header.totalBytes, file.size());
  EXPECT_EQ(header.processors, 2u);
  EXPECT_EQ(header.predictedInterval, program.interval);
  EXPECT_EQ(header.sections, entries.size());
  for (const SectionEntry &entry : entries) {
    EXPECT_EQ(entry.offset % kSectionAlignment, 0u);
    EXPECT_EQ(entry.required, entry.type != SectionType::TaskMap);
  }
}

/// The example of docs/container.md is this program's file.
TEST(Container, PageShowsTheseBytes) {
  Program program = pipelineProgram();
  program.machine = "takt-machine: 1\nprocessors:\n  - class: example\n"
                    "    count: 2\n    macs_per_cycle: 16\n";
  Bytes file = fileOf(program);
  ASSERT_EQ(refusal(file), "");
  auto page =
      cantFail(errorOrToExpected(MemoryBuffer::getFile(TAKT_CONTAINER_PAGE)));
  Regex line("^([0-9a-f]{8})((  ?[0-9a-f]{2}){16})$");
  SmallVector<StringRef> lines, parts;
  page->getBuffer().split(lines, '\n');
  size_t compared = 0;
  for (StringRef shown : lines) {
    if (!line.match(shown, &parts))
      continue;
    size_t offset = std::stoul(parts[1].str(), nullptr, 16);
    ASSERT_LE(offset + 16, file.size());
    std::string found;
    for (size_t i = 0; i < 16; ++i)
      found += (i % 8 == 0 ? "  " : " ") +
               toHex(ArrayRef(file).slice(offset + i, 1), /*LowerCase=*/true);
    EXPECT_EQ(parts[2].str(), found) << "at " << parts[1].str();
    compared += 16;
  }
  EXPECT_GE(compared, 400u) << "the page shows no example";
}

//===----------------------------------------------------------------------===//
// Damage
//===----------------------------------------------------------------------===//

TEST(Container, EveryBitOfHeaderAndTableCounts) {
  Bytes file = fileOf(pipelineProgram());
  size_t end = endOfTable(file);
  for (size_t bit = 0; bit < 8 * end; ++bit) {
    file[bit / 8] ^= 1 << (bit % 8);
    EXPECT_NE(refusal(file), "") << "byte " << bit / 8 << ", bit " << bit % 8;
    file[bit / 8] ^= 1 << (bit % 8);
  }
  EXPECT_EQ(refusal(file), "");
}

TEST(Container, TruncationIsFound) {
  Bytes file = fileOf(pipelineProgram());
  for (size_t size = 0; size < file.size(); ++size)
    // A copy, so that the sanitizer sees a read behind the end.
    EXPECT_THAT(refusal(Bytes(file.begin(), file.begin() + size)),
                HasSubstr("offset "))
        << size;
  file.push_back(0);
  EXPECT_THAT(refusal(file), StartsWith("header, offset 16: the file has"));
}

TEST(Container, FlipsAreFound) {
  Bytes file = fileOf(richProgram());
  std::mt19937 random(1);
  for (int i = 0; i < 10000; ++i) {
    size_t bit = 8 * endOfTable(file) +
                 random() % (8 * (file.size() - endOfTable(file)));
    file[bit / 8] ^= 1 << (bit % 8);
    EXPECT_NE(refusal(file), "") << "byte " << bit / 8 << ", bit " << bit % 8;
    file[bit / 8] ^= 1 << (bit % 8);
  }
}

TEST(Container, FlipsBehindRightChecksumsAreRefusedOrCanonical) {
  const Bytes file = fileOf(richProgram());
  std::mt19937 random(2);
  unsigned accepted = 0;
  for (int i = 0; i < 10000; ++i) {
    Bytes changed = file;
    size_t bit = random() % (8 * file.size());
    changed[bit / 8] ^= 1 << (bit % 8);
    patchChecksums(changed);
    // A flip of a checksum is no change.
    if (changed != file)
      expectRefusedOrCanonical(changed, bit / 8, accepted);
  }
  // Data, predicted times and defaults may be anything.
  EXPECT_GT(accepted, 100u);
  EXPECT_LT(accepted, 5000u);
}

TEST(Container, ExtremeFieldsAreRefusedOrCanonical) {
  const Bytes file = fileOf(richProgram());
  unsigned accepted = 0;
  for (size_t place = 0; place + 4 <= file.size(); place += 2)
    for (uint32_t value : {0u, 0x7FFFFFFFu, 0x80000000u, 0xFFFFFFFFu}) {
      Bytes changed = file;
      endian::write32le(&changed[place], value);
      patchChecksums(changed);
      if (changed != file)
        expectRefusedOrCanonical(changed, place, accepted);
    }
  EXPECT_GT(accepted, 0u);
}

//===----------------------------------------------------------------------===//
// Header and sections
//===----------------------------------------------------------------------===//

TEST(Container, OtherFormatsAreNamed) {
  const Bytes file = fileOf(pipelineProgram());
  struct {
    size_t place;
    uint16_t value;
    const char *message;
  } cases[] = {
      {0, 0x5450, "header, offset 0: no takt program"},
      {4, 0x0A54, "header, offset 0: no takt program"},
      {12, 2, "header, offset 12: version 2.0, this reader knows 1.0 to 1.0"},
      {12, 0, "header, offset 12: version 0.0, this reader knows 1.0 to 1.0"},
      {14, 1, "header, offset 12: version 1.1, this reader knows 1.0 to 1.0"},
      {8, 192, "header, offset 8: a header of 192 bytes, expected 128"},
      {8, 64, "header, offset 8: a header of 64 bytes, expected 128"},
      {24, 4,
       "header, offset 24: required features that this reader does not "
       "know: 0x4"},
      {64, 3, "processors, but in the header 3"},
      {68, 65, "header, offset 68: 65 sections"},
      {72, 192, "header, offset 72: the section table is at 192, expected 128"},
      {80, 13, "the interval is 12, but in the header 13"},
      {88, 1, "header, offset 88: a reserved field is 1, expected 0"},
      {122, 0x100, "header, offset 123: a reserved field is 1, expected 0"},
      {32, 7, "the hash in the header is not of this machine"},
  };
  for (auto &[place, value, message] : cases) {
    Bytes changed = file;
    endian::write16le(&changed[place], value);
    patchChecksums(changed);
    EXPECT_THAT(refusal(changed), HasSubstr(message)) << place;
  }
  EXPECT_THAT(refusal({}), HasSubstr("header, offset 0: the file ends"));
}

TEST(Container, EntriesOfTheTable) {
  const Bytes file = fileOf(pipelineProgram());
  struct {
    size_t place; ///< in the first entry
    uint64_t value;
    const char *message;
  } cases[] = {
      {4, 0, "section 'machine' is optional, expected required"},
      {4, 2, "flag 'required' is 2, expected 0 or 1"},
      {5, 1, "a reserved field is 1, expected 0"},
      {8, 1024, "section 'machine' is at offset 1024, expected 960"},
      {8, ~0ull, "section 'machine' is at offset 18446744073709551615"},
      {16, ~0ull, "has 18446744073709551615 bytes, more than the file"},
      {24, 32, "section 'machine' has alignment 32, expected 64"},
      {32, 1, "a reserved field is 1, expected 0"},
      {40, 1ull << 56, "a reserved field is 1, expected 0"},
  };
  for (auto &[place, value, message] : cases) {
    Bytes changed = file;
    size_t at = kHeaderBytes + place;
    if (place == 4 || place == 5)
      changed[at] = value;
    else if (place == 24)
      endian::write32le(&changed[at], value);
    else
      endian::write64le(&changed[at], value);
    patchChecksums(changed);
    EXPECT_THAT(refusal(changed), StartsWith("section table, offset 1"))
        << place;
    EXPECT_THAT(refusal(changed), HasSubstr(message)) << place;
  }
}

TEST(Container, UnknownSections) {
  Program program = pipelineProgram();
  Bytes file = fileOf(program);
  std::vector<Section> sections = sectionsOf(file);
  ASSERT_EQ(assemble(file, sections), file);
  for (uint32_t type : {0u, 17u, 0xFFu, 0x101u, 0xFFFFFFFFu}) {
    auto with = sections;
    auto after = find_if(with, [&](auto &s) { return s.type > type; });
    size_t index = after - with.begin();
    with.insert(after, {type, false, {1, 2, 3}});
    Bytes changed = assemble(file, with);
    Expected<Program> read = decode(changed);
    ASSERT_TRUE(bool(read)) << toString(read.takeError());
    EXPECT_TRUE(*read == program) << type;
    EXPECT_EQ(fileOf(*read), file) << "the encoder knows no such section";
    with[index].required = true;
    EXPECT_THAT(refusal(assemble(file, with)),
                HasSubstr("section of type " + std::to_string(type) +
                          " is required and unknown to this reader"));
  }
}

TEST(Container, KnownSections) {
  Program program = pipelineProgram();
  Bytes file = fileOf(program);
  const std::vector<Section> sections = sectionsOf(file);
  for (size_t i = 0; i < sections.size(); ++i) {
    SectionType type{sections[i].type};
    std::string title = "section '" + name(type).str() + "'";
    auto without = sections, turned = sections, twice = sections;
    without.erase(without.begin() + i);
    if (isRequired(type))
      EXPECT_THAT(refusal(assemble(file, without)), HasSubstr("no " + title));
    else
      EXPECT_TRUE(cantFail(decode(assemble(file, without))) == program);
    turned[i].required = !isRequired(type);
    EXPECT_THAT(refusal(assemble(file, turned)), HasSubstr(title + " is "));
    twice.insert(twice.begin() + i, sections[i]);
    EXPECT_THAT(refusal(assemble(file, twice)),
                HasSubstr(title + " is not sorted by type"));
  }
}

TEST(Container, SectionsHoldWholeRecords) {
  Bytes file = fileOf(pipelineProgram());
  const std::vector<Section> sections = sectionsOf(file);
  for (size_t i = 0; i < sections.size(); ++i) {
    SectionType type{sections[i].type};
    // Of these any size is whole, and then the content does not fit.
    if (is_contained(
            {SectionType::Machine, SectionType::Strings, SectionType::Data},
            type))
      continue;
    auto changed = sections;
    changed[i].bytes.pop_back();
    EXPECT_THAT(refusal(assemble(file, changed)),
                StartsWith("section '" + name(type).str() + "', offset "));
  }
}

TEST(Container, PaddingIsZero) {
  Bytes original = fileOf(pipelineProgram());
  std::vector<Section> sections = sectionsOf(original);
  sections.back() = {0x200, false, {1, 2, 3}};
  Bytes file = assemble(original, sections);
  SectionEntry machine = entryOf(file, SectionType::Machine),
               info = entryOf(file, SectionType::Info),
               last = entryOf(file, SectionType(0x200));
  const size_t gaps[][2] = {{endOfTable(file), machine.offset},
                            {machine.offset + machine.bytes, info.offset},
                            {last.offset + last.bytes, file.size()}};
  for (auto &[begin, end] : gaps) {
    ASSERT_LT(begin, end);
    for (size_t place : {begin, end - 1}) {
      file[place] = 1;
      EXPECT_EQ(refusal(file), "padding, offset " + std::to_string(place) +
                                   ": a byte is 1, expected 0");
      file[place] = 0;
    }
  }
}

TEST(Container, MachineCheck) {
  Program program = pipelineProgram();
  Bytes file = fileOf(program);
  EXPECT_EQ(toString(checkMachine(file, program.machine)), "");
  std::string other = cantFail(Machine::uniform(3)).canonicalText();
  EXPECT_THAT(toString(checkMachine(file, other)),
              HasSubstr("compiled for another machine"));
  EXPECT_THAT(toString(checkMachine({}, program.machine)),
              HasSubstr("the file ends"));
}

//===----------------------------------------------------------------------===//
// Content
//===----------------------------------------------------------------------===//

/// Writes at `place` of a section and refuses, at the record that begins at
/// `record` of it.
static void expectRefused(SectionType type, size_t place, uint32_t value,
                          size_t record, StringRef message) {
  Bytes file = fileOf(pipelineProgram());
  SectionEntry entry = entryOf(file, type);
  endian::write32le(&file[entry.offset + place], value);
  patchChecksums(file);
  EXPECT_THAT(refusal(file),
              StartsWith(("section '" + name(type) + "', offset " +
                          Twine(entry.offset + record) + ": " + message)
                             .str()));
}

TEST(Container, DescriptorNumbers) {
  using S = SectionType;
  // 0 is a kernel, 1 a tensor of its, and the last ones homes and targets.
  for (uint32_t number :
       {1u, 0x10000u, 0x7FFFFFFFu, 0xFFFFFFFEu, 0xFFFFFFFFu}) {
    std::string named = "descriptor " + std::to_string(number);
    expectRefused(S::Code, 16 + 4, number, 16, "'load' names " + named);
    expectRefused(S::Code, 3 * 16 + 4, number, 3 * 16,
                  "'execute' names " + named);
    expectRefused(S::Code, 5 * 16 + 4, number, 5 * 16, "'send' names " + named);
    expectRefused(S::Parameters, 28, number, 0, named + " is no tensor");
    expectRefused(S::Initializers, 4, number, 0, named + " is no tensor");
  }
}

TEST(Container, RecordsAreLocated) {
  using S = SectionType;
  expectRefused(S::Regions, 24, 0, 24, "kind of the region is 0");
  expectRefused(S::Regions, 24, 0x1000103, 27, "a reserved field is 1");
  expectRefused(S::Regions, 24, 0x0203, 25, "flag 'readable' is 2");
  expectRefused(S::Bindings, 80 + 12, 0x10105, 80, "kind of binding 'y' is 5");
  expectRefused(S::Bindings, 80 + 12, 0x10903, 80, "element type of binding");
  expectRefused(S::Bindings, 12, 0x90101, 14, "a tensor has 9 dimensions");
  expectRefused(S::Bindings, 24, 1, 24, "a reserved field is 1");
  expectRefused(S::Values, 8, 0x109, 0, "element type of value 'x' is 9");
  expectRefused(S::Values, 0, 0xFFFFFFFF, 4, "string 'name' ends outside");
  expectRefused(S::Values, 4, 0xFFFFFFFF, 4, "string 'name' ends outside");
  expectRefused(S::Parameters, 8, 0x106, 0, "kind of parameter 'w' is 6");
  expectRefused(S::Tasks, 40 + 8, 4, 40, "kind of task 'second.F' is 4");
  expectRefused(S::Code, 16, 0xFF, 16, "opcode is 255, which is unknown");
  expectRefused(S::Code, 16, 0, 16, "opcode is 0, which is unknown");
  expectRefused(S::Processors, 4, 7, 8, "instructions ");
  expectRefused(S::Processors, 12, 0x7FFFFFFF, 8, "instructions ");
  expectRefused(S::Descriptors, 4, 0xFFFF, 0, "code of the kernel is 65535");
  expectRefused(S::Descriptors, 64, 2, 64, "descriptor 1 is of type 2, expect");
  expectRefused(S::Descriptors, 64, 0x10901, 64, "element type of the tensor");
  expectRefused(S::Descriptors, 0, 9, 0, "descriptor 0 is of unknown type 9");
}

TEST(Container, TaskMapIsThatOfTheCode) {
  for (size_t field = 0; field < 32; field += 4)
    expectRefused(SectionType::TaskMap, 32 + field, 77, 32 + field,
                  "not as the program's only encoding has it");
}

/// Two names of the same text, or a string that nothing names.
TEST(Container, StringsAreThoseOfTheRecords) {
  Bytes file = fileOf(pipelineProgram());
  auto sections = sectionsOf(file);
  auto strings = find_if(sections, [](auto &s) {
    return s.type == uint32_t(SectionType::Strings);
  });
  strings->bytes.push_back('!');
  EXPECT_THAT(refusal(assemble(file, sections)),
              HasSubstr("section 'strings', offset "));
  // The value 'k' becomes 'y', which the binding 'y' has stored before.
  strings->bytes.pop_back();
  *find(strings->bytes, 'k') = 'y';
  EXPECT_THAT(refusal(assemble(file, sections)),
              HasSubstr("not as the program's only encoding has it"));
}

TEST(Container, DefaultsAreFinite) {
  for (double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Program program = pipelineProgram();
    program.scalars[0].value = value;
    EXPECT_THAT(toString(encode(program).takeError()),
                HasSubstr("default of scalar 'learning_rate' is not finite"));
  }
  expectRefused(SectionType::Scalars, 12, 0x7FF80000, 0,
                "default of scalar 'learning_rate' is not finite");
}

TEST(Container, WhatDoesNotFitIsNotEncoded) {
  using Change = void (*)(Program &);
  const std::pair<Change, const char *> cases[] = {
      {[](Program &p) { p.kernels[0].operands[0].slots = 65536; }, "'slots'"},
      {[](Program &p) { p.kernels[0].operands[0].lag = -32769; }, "'lag'"},
      {[](Program &p) { p.kernels[0].operands[0].dims[0] = 1ll << 32; },
       "'dims'"},
      {[](Program &p) { p.kernels[0].operands[0].dims.assign(9, 1); },
       "9 dimensions, expected at most 8"},
      {[](Program &p) { p.kernels[0].words.assign(256, 0); }, "'words'"},
      {[](Program &p) { p.values[0].dims.assign(9, 1); }, "9 dimensions"},
      {[](Program &p) { p.values[0].type = ElementType(0); }, "element type"},
      {[](Program &p) { p.code[0][0].op = Opcode(0xFF); }, "opcode is 255"},
      {[](Program &p) { find(p, 0, Opcode::Send, 0).a = 1; },
       "names a descriptor that does not exist"},
  };
  for (auto &[change, message] : cases) {
    Program program = pipelineProgram();
    change(program);
    EXPECT_THAT(toString(encode(program).takeError()), HasSubstr(message));
  }
}

//===----------------------------------------------------------------------===//
// Names from hostile files
//===----------------------------------------------------------------------===//

TEST(Container, ListingsAndMessagesEscapeNames) {
  Program program = pipelineProgram();
  const char *hostile = "\x1b[2J\r\nok\xC2\x9B\xE2\x80\xAE";
  program.model = program.schedule = hostile;
  for (auto &binding : program.bindings)
    binding.name += hostile;
  for (auto &value : program.values)
    value.name += hostile;
  for (auto &task : program.tasks)
    task.name += hostile;
  program.parameters[0].name = hostile;
  program.scalars[1].name += hostile;
  Program read = cantFail(decode(fileOf(program)));
  std::string listing;
  raw_string_ostream os(listing);
  disassemble(read, os);
  EXPECT_THAT(listing, HasSubstr("x\\1B[2J\\0D\\0Aok\\C2\\9B"));
  for (unsigned char c : listing)
    EXPECT_TRUE(isPrint(c) || c == '\n') << unsigned(c);

  program.parameters[0].delay = 9;
  std::string message = refusal(fileOf(program));
  EXPECT_NE(message, "");
  EXPECT_THAT(message, HasSubstr("\\1B[2J"));
  EXPECT_TRUE(all_of(message, isPrint)) << message;
}

TEST(Container, ListingsKeepReadableNames) {
  Program program = pipelineProgram();
  program.model = "réseau \"α\"";
  std::string listing;
  raw_string_ostream os(listing);
  disassemble(program, os);
  EXPECT_THAT(listing, HasSubstr("model 'réseau \"α\"'"));
}
