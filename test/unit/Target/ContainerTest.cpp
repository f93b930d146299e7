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

#include "ContainerFile.h"
#include "PatchChecksums.h"
#include "PipelineProgram.h"
#include "takt/Target/Disassemble.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Regex.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include <random>

using namespace llvm;
using namespace takt;
using namespace takt::test;
using namespace llvm::support;
using testing::HasSubstr;
using testing::StartsWith;

namespace {
/// Also initial data, tensors of rank 5, and a kernel with more words than its
/// descriptor holds.
Program richProgram() {
  Program program = pipelineProgram();
  program.data = InitialData(
      Bytes{0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64, 0, 0, 128, 64});
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
  for (auto checksum : {crc32c, crc32cByTables}) {
    // The check value of the polynomial, and RFC 3720, appendix B.4.
    EXPECT_EQ(checksum(arrayRefFromStringRef("123456789"), 0), 0xE3069283u);
    EXPECT_EQ(checksum(Bytes(32, 0x00), 0), 0x8A9136AAu);
    EXPECT_EQ(checksum(Bytes(32, 0xFF), 0), 0x62A8AB43u);
    Bytes rising(32);
    std::iota(rising.begin(), rising.end(), 0);
    EXPECT_EQ(checksum(rising, 0), 0x46DD794Eu);
    for (size_t cut = 0; cut <= rising.size(); ++cut)
      EXPECT_EQ(checksum(ArrayRef(rising).drop_front(cut),
                         checksum(ArrayRef(rising).take_front(cut), 0)),
                0x46DD794Eu)
          << cut;
  }
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
  EXPECT_TRUE(read.data == program.data);
  program.data = InitialData(Bytes(program.data.size(), 0));
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
