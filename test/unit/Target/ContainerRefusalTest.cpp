//===- ContainerRefusalTest.cpp - what is no container --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Each test makes one thing wrong behind right checksums, and expects the
// message that names it and its place.
//
//===----------------------------------------------------------------------===//

#include "ContainerFile.h"
#include "PatchChecksums.h"
#include "PipelineProgram.h"
#include "takt/Machine/Machine.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <cmath>

using namespace llvm;
using namespace takt;
using namespace takt::test;
using namespace llvm::support;
using testing::HasSubstr;
using testing::StartsWith;

//===----------------------------------------------------------------------===//
// Header and sections
//===----------------------------------------------------------------------===//

TEST(ContainerRefusal, OtherFormatsAreNamed) {
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

TEST(ContainerRefusal, EntriesOfTheTable) {
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

TEST(ContainerRefusal, UnknownSections) {
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

TEST(ContainerRefusal, KnownSections) {
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

TEST(ContainerRefusal, SectionsHoldWholeRecords) {
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

TEST(ContainerRefusal, PaddingIsZero) {
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

TEST(ContainerRefusal, MachineCheck) {
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

TEST(ContainerRefusal, DescriptorNumbers) {
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

TEST(ContainerRefusal, RecordsAreLocated) {
  using S = SectionType;
  expectRefused(S::Regions, 24, 0, 24, "kind of the region is 0");
  expectRefused(S::Regions, 24, 0x1000103, 27, "a reserved field is 1");
  expectRefused(S::Regions, 24, 0x0203, 25, "flag 'readable' is 2");
  expectRefused(S::Bindings, 80 + 12, 0x10105, 80, "kind of binding 'y' is 5");
  expectRefused(S::Bindings, 80 + 12, 0x16303, 80, "element type of binding");
  expectRefused(S::Bindings, 12, 0x90101, 14, "a tensor has 9 dimensions");
  expectRefused(S::Bindings, 24, 1, 24, "a reserved field is 1");
  expectRefused(S::Values, 8, 0x163, 0, "element type of value 'x' is 99");
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
  expectRefused(S::Descriptors, 64, 0x16301, 64, "element type of the tensor");
  expectRefused(S::Descriptors, 0, 9, 0, "descriptor 0 is of unknown type 9");
}

TEST(ContainerRefusal, TaskMapIsThatOfTheCode) {
  for (size_t field = 0; field < 32; field += 4)
    expectRefused(SectionType::TaskMap, 32 + field, 77, 32 + field,
                  "not as the program's only encoding has it");
}

/// Two names of the same text, or a string that nothing names.
TEST(ContainerRefusal, StringsAreThoseOfTheRecords) {
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

TEST(ContainerRefusal, DefaultsAreFinite) {
  for (double value : {std::nan(""), HUGE_VAL, -HUGE_VAL}) {
    Program program = pipelineProgram();
    program.scalars[0].value = value;
    EXPECT_THAT(toString(encode(program).takeError()),
                HasSubstr("default of scalar 'learning_rate' is not finite"));
  }
  expectRefused(SectionType::Scalars, 12, 0x7FF80000, 0,
                "default of scalar 'learning_rate' is not finite");
}

TEST(ContainerRefusal, WhatDoesNotFitIsNotEncoded) {
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
