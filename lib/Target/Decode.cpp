//===- Decode.cpp - from untrusted bytes to a program ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Descriptors.h"
#include "Header.h"
#include "Records.h"
#include "takt/Support/Printable.h"
#include "takt/Target/Container.h"
#include "takt/Target/Validate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"
#include <map>

using namespace llvm;
using namespace takt;

std::array<OperandField, 3> takt::operandsOf(Opcode op) {
  using F = OperandField;
  switch (op) {
#define TAKT_OPCODE(Name, mnemonic, code, a, b, c, summary)                    \
  case Opcode::Name:                                                           \
    return {F::a, F::b, F::c};
#include "takt/Target/Isa.def"
  }
  return {F::None, F::None, F::None};
}

//===----------------------------------------------------------------------===//
// Header and section table
//===----------------------------------------------------------------------===//

/// One line, whatever names the message has from the file.
static Error invalid(const Twine &message) {
  return createStringError(printable(message.str()));
}

static Error invalidAt(const Twine &part, uint64_t offset,
                       const Twine &message) {
  return invalid(part + ", offset " + Twine(offset) + ": " + message);
}

static std::string titleOf(SectionType type) {
  StringRef known = name(type);
  if (known.empty())
    return "section of type " + std::to_string(uint32_t(type));
  return "section '" + known.str() + "'";
}

/// Whether this reader may look at the other fields of the header.
static Error checkFormat(ArrayRef<uint8_t> file) {
  constexpr uint64_t kVersion = 12;
  size_t compared = std::min(file.size(), kContainerMagic.size());
  if (file.take_front(compared) !=
      ArrayRef(kContainerMagic).take_front(compared))
    return invalidAt("header", 0, "no takt program: the magic number is wrong");
  if (file.size() < kHeaderBytes)
    return invalidAt("header", file.size(),
                     "the file ends, expected a header of " +
                         Twine(kHeaderBytes) + " bytes");
  uint16_t major = support::endian::read16le(&file[kVersion]),
           minor = support::endian::read16le(&file[kVersion + 2]);
  if (major != kContainerMajor || minor > kContainerMinor)
    return invalidAt("header", kVersion,
                     "version " + Twine(major) + "." + Twine(minor) +
                         ", this reader knows " + Twine(kContainerMajor) +
                         ".0 to " + Twine(kContainerMajor) + "." +
                         Twine(kContainerMinor));
  return Error::success();
}

static Error checkHeader(ArrayRef<uint8_t> file,
                         const ContainerHeader &header) {
  auto fail = [](uint64_t offset, const Twine &message) {
    return invalidAt("header", offset, message);
  };
  if (header.headerBytes != kHeaderBytes)
    return fail(8, "a header of " + Twine(header.headerBytes) +
                       " bytes, expected " + Twine(kHeaderBytes));
  if (header.totalBytes != file.size())
    return fail(16, "the file has " + Twine(file.size()) + " bytes, expected " +
                        Twine(header.totalBytes));
  if (header.requiredFeatures != 0)
    return fail(24, "required features that this reader does not know: 0x" +
                        Twine::utohexstr(header.requiredFeatures));
  if (header.sections > kMaxSections ||
      header.sections * uint64_t(kSectionEntryBytes) >
          file.size() - kHeaderBytes)
    return fail(68, Twine(header.sections) +
                        " sections, expected a table inside the file and at "
                        "most " +
                        Twine(kMaxSections));
  if (header.sectionTable != kHeaderBytes)
    return fail(72, "the section table is at " + Twine(header.sectionTable) +
                        ", expected " + Twine(kHeaderBytes));
  if (header.crc != headerChecksum(file, header.sections))
    return fail(kHeaderCrcOffset,
                "the checksum of header and section table is wrong");
  return Error::success();
}

/// Whether everything between two sections is zero.
static Error checkPadding(ArrayRef<uint8_t> file, uint64_t begin,
                          uint64_t end) {
  for (uint64_t offset = begin; offset < end; ++offset)
    if (file[offset] != 0)
      return invalidAt("padding", offset,
                       "a byte is " + Twine(unsigned(file[offset])) +
                           ", expected 0");
  return Error::success();
}

/// An entry of the table at `place`; the section before it ends at `end`.
static Error checkEntry(ArrayRef<uint8_t> file, const SectionEntry &entry,
                        uint64_t place, uint64_t &end) {
  std::string title = titleOf(entry.type);
  auto fail = [&](const Twine &message) {
    return invalidAt("section table", place, title + " " + message);
  };
  bool isKnown = !name(entry.type).empty();
  if (!isKnown && entry.required)
    return fail("is required and unknown to this reader");
  if (isKnown && entry.required != isRequired(entry.type))
    return fail(entry.required ? "is required, expected optional"
                               : "is optional, expected required");
  if (entry.alignment != kSectionAlignment)
    return fail("has alignment " + Twine(entry.alignment) + ", expected " +
                Twine(kSectionAlignment));
  uint64_t expected = alignTo(end, kSectionAlignment);
  if (entry.offset != expected)
    return fail("is at offset " + Twine(entry.offset) + ", expected " +
                Twine(expected));
  if (entry.offset > file.size() || entry.bytes > file.size() - entry.offset)
    return fail("has " + Twine(entry.bytes) + " bytes, more than the file");
  if (Error error = checkPadding(file, end, entry.offset))
    return error;
  if (crc32c(file.slice(entry.offset, entry.bytes)) != entry.crc)
    return invalidAt(title, entry.offset, "the checksum is wrong");
  end = entry.offset + entry.bytes;
  return Error::success();
}

Expected<std::pair<ContainerHeader, std::vector<SectionEntry>>>
takt::decodeHeader(ArrayRef<uint8_t> file) {
  if (Error error = checkFormat(file))
    return std::move(error);
  ContainerHeader header;
  Reader in(file.take_front(kHeaderBytes), {}, 0);
  Record<ContainerHeader>::fields(in, header);
  if (!in.error.empty())
    return invalid("header, " + in.error);
  if (Error error = checkHeader(file, header))
    return std::move(error);

  uint64_t end = kHeaderBytes + header.sections * uint64_t(kSectionEntryBytes);
  Reader table(file.slice(kHeaderBytes, end - kHeaderBytes), {}, kHeaderBytes);
  std::vector<SectionEntry> entries(header.sections);
  for (SectionEntry &entry : entries) {
    uint64_t place = table.offset();
    Record<SectionEntry>::fields(table, entry);
    if (!table.error.empty())
      return invalid("section table, " + table.error);
    if (&entry != &entries.front() && entry.type <= (&entry)[-1].type)
      return invalidAt("section table", place,
                       titleOf(entry.type) + " is not sorted by type");
    if (Error error = checkEntry(file, entry, place, end))
      return std::move(error);
  }
  if (alignTo(end, kSectionAlignment) != file.size())
    return invalidAt(
        "header", 16,
        "the file has " + Twine(file.size()) + " bytes, expected " +
            Twine(alignTo(end, kSectionAlignment)) + " by its last section");
  if (Error error = checkPadding(file, end, file.size()))
    return std::move(error);
  return std::pair(header, std::move(entries));
}

Error takt::checkMachine(ArrayRef<uint8_t> bytes, StringRef canonicalText) {
  auto header = decodeHeader(bytes);
  if (!header)
    return header.takeError();
  if (header->first.machineHash !=
      SHA256::hash(arrayRefFromStringRef(canonicalText)))
    return invalidAt("header", 32,
                     "the program was compiled for another machine: the hash "
                     "of its description differs");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Sections
//===----------------------------------------------------------------------===//

namespace {
class Decoder {
public:
  Decoder(ArrayRef<uint8_t> file, std::shared_ptr<const void> owner,
          ContainerHeader header, ArrayRef<SectionEntry> entries)
      : file(file), owner(std::move(owner)), header(header) {
    for (const SectionEntry &entry : entries)
      sections[entry.type] = entry;
  }

  Expected<Program> decode() {
    checkPresence();
    if (error.empty())
      readRecords();
    if (error.empty())
      readDescribed();
    if (error.empty())
      readCode();
    if (!error.empty())
      return invalid(error);
    return std::move(program);
  }

  /// Fails unless the sections are what encode makes of the program.
  Error checkCanonical(const Program &program);

private:
  ArrayRef<uint8_t> bytesOf(SectionType type) {
    const SectionEntry &entry = sections[type];
    return file.slice(entry.offset, entry.bytes);
  }
  Reader open(SectionType type) {
    return Reader(bytesOf(type), bytesOf(SectionType::Strings),
                  sections[type].offset);
  }
  void fail(const Twine &message) {
    if (error.empty())
      error = message.str();
  }
  void failAt(SectionType type, uint64_t offset, const Twine &message) {
    fail(titleOf(type) + ", offset " + Twine(offset) + ": " + message);
  }
  bool holdsWhole(SectionType type, size_t recordBytes);
  /// Calls `read` for every record of a section.
  template <typename Function>
  void each(SectionType type, size_t recordBytes, Function read);
  /// Reads a record and checks it by itself.
  template <typename T, typename... Further>
  static void record(Reader &in, T &into, Further &...further) {
    uint64_t begin = in.offset();
    Record<T>::fields(in, into, further...);
    std::string problem = problemOf(into);
    if (!problem.empty())
      in.failAt(begin, problem);
  }
  template <typename T> void records(SectionType type, std::vector<T> &all) {
    each(type, Record<T>::kBytes, [&](Reader &in) {
      all.emplace_back();
      record(in, all.back());
    });
  }
  /// Reads records with the number of a tensor descriptor.
  template <typename T>
  void described(SectionType type, std::vector<T> &all, TensorRef T::*tensor);

  void checkPresence();
  void readRecords();
  void readDescribed();
  void readCode();
  void readRanges(ArrayRef<Instruction> code);
  void setIndex(Instruction &instruction, uint64_t offset);

  ArrayRef<uint8_t> file;
  std::shared_ptr<const void> owner; ///< of the file's bytes; may be null
  ContainerHeader header;
  std::map<SectionType, SectionEntry> sections;
  Program program;
  std::unique_ptr<DescriptorReader> descriptors;
  std::string error;
};
} // namespace

void Decoder::checkPresence() {
  for (uint32_t type = 1; type <= uint32_t(SectionType::Data); ++type)
    if (!sections.count(SectionType(type)))
      return fail("section table, offset " + Twine(kHeaderBytes) + ": no " +
                  titleOf(SectionType(type)));
  if (header.machineHash != SHA256::hash(bytesOf(SectionType::Machine)))
    failAt(SectionType::Machine, sections[SectionType::Machine].offset,
           "the hash in the header is not of this machine");
}

bool Decoder::holdsWhole(SectionType type, size_t recordBytes) {
  const SectionEntry &entry = sections[type];
  if (entry.bytes % recordBytes == 0)
    return true;
  failAt(type, entry.offset,
         Twine(entry.bytes) + " bytes, expected a multiple of " +
             Twine(recordBytes));
  return false;
}

template <typename Function>
void Decoder::each(SectionType type, size_t recordBytes, Function read) {
  if (!holdsWhole(type, recordBytes))
    return;
  Reader in = open(type);
  while (!in.atEnd() && in.error.empty())
    read(in);
  if (!in.error.empty())
    fail(titleOf(type) + ", " + in.error);
}

void Decoder::readRecords() {
  program.machine = toStringRef(bytesOf(SectionType::Machine)).str();
  ArrayRef<uint8_t> data = bytesOf(SectionType::Data);
  program.data = owner ? InitialData(data, owner) : InitialData(data.vec());
  const SectionEntry &info = sections[SectionType::Info];
  if (info.bytes != Record<Program>::kBytes)
    return failAt(SectionType::Info, info.offset,
                  Twine(info.bytes) + " bytes, expected " +
                      Twine(Record<Program>::kBytes));
  each(SectionType::Info, Record<Program>::kBytes,
       [&](Reader &in) { record(in, program); });
  if (program.interval != header.predictedInterval)
    failAt(SectionType::Info, info.offset,
           "the interval is " + Twine(program.interval) +
               ", but in the header " + Twine(header.predictedInterval));
  records(SectionType::Regions, program.regions);
  records(SectionType::Bindings, program.bindings);
  records(SectionType::Scalars, program.scalars);
  records(SectionType::Semaphores, program.semaphores);
  records(SectionType::Values, program.values);
  records(SectionType::Tasks, program.tasks);
  records(SectionType::Layers, program.layers);
}

template <typename T>
void Decoder::described(SectionType type, std::vector<T> &all,
                        TensorRef T::*tensor) {
  each(type, Record<T>::kBytes, [&](Reader &in) {
    uint64_t begin = in.offset();
    uint32_t number = 0;
    all.emplace_back();
    record(in, all.back(), number);
    if (const TensorRef *found = descriptors->tensor(number))
      all.back().*tensor = *found;
    else
      in.failAt(begin,
                "descriptor " + Twine(number) + " is no tensor of its own");
  });
}

/// Descriptors, and the records that name tensors among them.
void Decoder::readDescribed() {
  constexpr SectionType kType = SectionType::Descriptors;
  if (!holdsWhole(kType, kDescriptorBytes))
    return;
  descriptors = std::make_unique<DescriptorReader>(open(kType), program);
  std::string problem = descriptors->read();
  if (!problem.empty())
    return fail(titleOf(kType) + ", " + problem);
  described(SectionType::Parameters, program.parameters, &Parameter::home);
  described(SectionType::Initializers, program.initializers,
            &Initializer::target);
}

/// The index in place of the descriptor's number.
void Decoder::setIndex(Instruction &instruction, uint64_t offset) {
  int64_t index = instruction.a;
  switch (operandOf(instruction.op)) {
  case OperandField::Kernel:
    index = descriptors->kernel(instruction.a);
    break;
  case OperandField::Transfer:
    index = descriptors->transfer(instruction.a);
    break;
  case OperandField::Host:
    index = descriptors->hostCopy(instruction.a);
    break;
  default:
    break;
  }
  if (index < 0)
    return failAt(SectionType::Code, offset,
                  "'" + mnemonic(instruction.op) + "' names descriptor " +
                      Twine(instruction.a) + ", which is not of its type");
  instruction.a = static_cast<uint32_t>(index);
}

void Decoder::readCode() {
  std::vector<Instruction> code;
  records(SectionType::Code, code);
  uint64_t offset = sections[SectionType::Code].offset;
  for (Instruction &instruction : code) {
    setIndex(instruction, offset);
    offset += kInstructionBytes;
  }
  if (error.empty())
    readRanges(code);
}

/// Each processor's part of the code, one after the other.
void Decoder::readRanges(ArrayRef<Instruction> code) {
  ArrayRef<Instruction> rest = code;
  each(SectionType::Processors, Record<CodeRange>::kBytes, [&](Reader &in) {
    uint64_t begin = in.offset();
    CodeRange range;
    record(in, range);
    if (range.first != code.size() - rest.size() || range.count > rest.size())
      return in.failAt(begin, "instructions " + Twine(range.first) + " to " +
                                  Twine(range.first + range.count) +
                                  " are not the next ones of " +
                                  Twine(code.size()));
    program.code.push_back(rest.take_front(range.count).vec());
    rest = rest.drop_front(range.count);
  });
  uint64_t offset = sections[SectionType::Processors].offset;
  if (!rest.empty())
    failAt(SectionType::Processors, offset,
           Twine(rest.size()) + " instructions belong to no processor");
  if (program.code.size() != header.processors)
    failAt(SectionType::Processors, offset,
           Twine(program.code.size()) + " processors, but in the header " +
               Twine(header.processors));
}

Error Decoder::checkCanonical(const Program &program) {
  Expected<Sections> expected = encodeSections(program);
  if (!expected)
    return expected.takeError();
  for (const auto &[type, bytes] : *expected) {
    if (!sections.count(type))
      continue;
    ArrayRef<uint8_t> found = bytesOf(type);
    if (found == ArrayRef(bytes))
      continue;
    auto [differs, end] =
        std::mismatch(found.begin(), found.end(), bytes.begin(), bytes.end());
    return invalidAt(titleOf(type),
                     sections[type].offset + (differs - found.begin()),
                     "not as the program's only encoding has it");
  }
  return Error::success();
}

Expected<Program> takt::decode(ArrayRef<uint8_t> bytes,
                               std::shared_ptr<const void> owner) {
  auto header = decodeHeader(bytes);
  if (!header)
    return header.takeError();
  Decoder decoder(bytes, std::move(owner), header->first, header->second);
  Expected<Program> program = decoder.decode();
  if (!program)
    return program.takeError();
  if (Error error = validate(*program))
    return invalid(toString(std::move(error)));
  if (Error error = decoder.checkCanonical(*program))
    return std::move(error);
  return program;
}
