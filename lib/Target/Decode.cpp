//===- Decode.cpp - from untrusted bytes to a program ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Descriptors.h"
#include "Header.h"
#include "Records.h"
#include "takt/Target/Container.h"
#include "takt/Target/Validate.h"
#include "llvm/ADT/StringExtras.h"
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

static Error invalid(const Twine &message) {
  return createStringError("the container " + message);
}

static Error checkHeader(ArrayRef<uint8_t> bytes,
                         const ContainerHeader &header) {
  if (header.major != kContainerMajor || header.minor > kContainerMinor)
    return invalid("is of version " + Twine(header.major) + "." +
                   Twine(header.minor) + ", this reader knows " +
                   Twine(kContainerMajor) + ".0 to " + Twine(kContainerMajor) +
                   "." + Twine(kContainerMinor));
  if (header.headerBytes < kHeaderBytes || header.headerBytes > bytes.size())
    return invalid("has a header of " + Twine(header.headerBytes) + " bytes");
  if (header.totalBytes != bytes.size())
    return invalid("says it has " + Twine(header.totalBytes) +
                   " bytes, but has " + Twine(bytes.size()));
  if (header.requiredFeatures != 0)
    return invalid("requires features that this reader does not know: " +
                   Twine::utohexstr(header.requiredFeatures));
  if (header.sections > kMaxSections ||
      header.sectionTable != header.headerBytes ||
      header.sections * uint64_t(kSectionEntryBytes) >
          bytes.size() - header.headerBytes)
    return invalid("has a section table of " + Twine(header.sections) +
                   " entries that does not lie behind the header");
  return Error::success();
}

static Error checkEntry(ArrayRef<uint8_t> file, const SectionEntry &entry,
                        uint64_t &end) {
  auto fail = [&](const Twine &message) {
    return invalid("has section " + Twine(uint32_t(entry.type)) + ", " +
                   message);
  };
  if (name(entry.type).empty() && entry.required)
    return fail("which is required and unknown to this reader");
  uint64_t expected = alignTo(end, kSectionAlignment);
  if (entry.offset != expected)
    return fail("at offset " + Twine(entry.offset) + ", expected " +
                Twine(expected));
  if (entry.offset > file.size() || entry.bytes > file.size() - entry.offset)
    return fail("which ends outside the file");
  if (any_of(file.slice(end, entry.offset - end),
             [](uint8_t byte) { return byte != 0; }))
    return fail("before which the padding is not zero");
  if (crc32c(file.slice(entry.offset, entry.bytes)) != entry.crc)
    return fail("whose checksum is wrong");
  end = entry.offset + entry.bytes;
  return Error::success();
}

Expected<std::pair<ContainerHeader, std::vector<SectionEntry>>>
takt::decodeHeader(ArrayRef<uint8_t> file) {
  if (file.size() < kHeaderBytes)
    return invalid("has " + Twine(file.size()) +
                   " bytes, less than its header of " + Twine(kHeaderBytes));
  ContainerHeader header;
  Reader in(file.take_front(kHeaderBytes), {});
  headerFields(in, header);
  if (!in.error.empty())
    return invalid(in.error);
  uint32_t crc = 0;
  in.u32(crc);
  if (crc != crc32c(file.take_front(kHeaderCrcOffset)))
    return invalid("has a header whose checksum is wrong");
  if (Error error = checkHeader(file, header))
    return std::move(error);

  uint64_t end =
      header.headerBytes + header.sections * uint64_t(kSectionEntryBytes);
  Reader table(file.slice(header.headerBytes, end - header.headerBytes), {});
  std::vector<SectionEntry> entries(header.sections);
  for (SectionEntry &entry : entries) {
    entryFields(table, entry);
    if (!table.error.empty())
      return invalid(table.error);
    if (&entry != &entries.front() && entry.type <= (&entry)[-1].type)
      return invalid("has sections that are not sorted by type");
    if (Error error = checkEntry(file, entry, end))
      return std::move(error);
  }
  if (alignTo(end, kSectionAlignment) != file.size() ||
      any_of(file.drop_front(end), [](uint8_t byte) { return byte != 0; }))
    return invalid("has something behind its last section");
  return std::pair(header, std::move(entries));
}

Error takt::checkMachine(ArrayRef<uint8_t> bytes, StringRef canonicalText) {
  auto header = decodeHeader(bytes);
  if (!header)
    return header.takeError();
  if (header->first.machineHash !=
      SHA256::hash(arrayRefFromStringRef(canonicalText)))
    return createStringError("the program was compiled for another machine: "
                             "the hash of its description differs");
  return Error::success();
}

//===----------------------------------------------------------------------===//
// Sections
//===----------------------------------------------------------------------===//

namespace {
class Decoder {
public:
  Decoder(ArrayRef<uint8_t> file, ContainerHeader header,
          ArrayRef<SectionEntry> entries)
      : header(header) {
    for (const SectionEntry &entry : entries)
      sections[entry.type] = file.slice(entry.offset, entry.bytes);
  }

  Expected<Program> decode() {
    for (uint32_t type = 1; type <= uint32_t(SectionType::Data); ++type)
      if (!sections.count(SectionType(type)))
        return invalid("has no section '" + name(SectionType(type)) + "'");
    if (header.machineHash != SHA256::hash(sections[SectionType::Machine]))
      return invalid("has a machine section that its header's hash is not of");
    readRecords();
    if (!error.empty())
      return invalid(error);
    if (Error error = readDescribed())
      return std::move(error);
    readCode();
    checkEnumerations();
    if (!error.empty())
      return invalid(error);
    return std::move(program);
  }

private:
  Reader open(SectionType type) {
    return Reader(sections[type], sections[SectionType::Strings]);
  }
  void fail(const Twine &message) {
    if (error.empty())
      error = message.str();
  }
  /// Calls `read` for every record of a section.
  template <typename Function>
  void each(SectionType type, size_t bytes, Function read) {
    Reader in = open(type);
    if (sections[type].size() % bytes != 0)
      return fail("has section '" + name(type) + "' of " +
                  Twine(sections[type].size()) +
                  " bytes, expected a multiple of " + Twine(bytes));
    while (!in.atEnd() && in.error.empty())
      read(in);
    if (!in.error.empty())
      fail("has section '" + name(type) + "', which " + in.error);
  }
  template <typename T> void records(SectionType type, std::vector<T> &all) {
    each(type, Record<T>::kBytes, [&](Reader &in) {
      all.emplace_back();
      Record<T>::fields(in, all.back());
    });
  }

  void readRecords();
  Error readDescribed();
  void readCode();
  void setIndex(Instruction &instruction, const Twine &where);
  void checkEnumerations();

  ContainerHeader header;
  std::map<SectionType, ArrayRef<uint8_t>> sections;
  Program program;
  std::unique_ptr<DescriptorReader> descriptors;
  std::string error;
};
} // namespace

void Decoder::readRecords() {
  program.machine = toStringRef(sections[SectionType::Machine]).str();
  program.data = sections[SectionType::Data].vec();
  if (sections[SectionType::Info].size() != Record<Program>::kBytes)
    return fail("has section 'info' of another size than " +
                Twine(Record<Program>::kBytes));
  each(SectionType::Info, Record<Program>::kBytes,
       [&](Reader &in) { Record<Program>::fields(in, program); });
  if (program.interval != header.predictedInterval)
    fail("has another interval in its header than in section 'info'");
  records(SectionType::Regions, program.regions);
  records(SectionType::Bindings, program.bindings);
  records(SectionType::Scalars, program.scalars);
  records(SectionType::Semaphores, program.semaphores);
  records(SectionType::Values, program.values);
  records(SectionType::Tasks, program.tasks);
  records(SectionType::Layers, program.layers);
}

/// Descriptors, and the records that name tensors among them.
Error Decoder::readDescribed() {
  if (sections[SectionType::Descriptors].size() % kDescriptorBytes != 0)
    return invalid("has section 'descriptors' of " +
                   Twine(sections[SectionType::Descriptors].size()) +
                   " bytes, expected a multiple of 64");
  descriptors = std::make_unique<DescriptorReader>(
      sections[SectionType::Descriptors], program);
  if (Error error = descriptors->read())
    return error;
  auto tensor = [&](uint32_t number, TensorRef &into) {
    if (const TensorRef *found = descriptors->tensor(number))
      into = *found;
    else
      fail("names descriptor " + Twine(number) +
           " where a tensor of its own is expected");
  };
  each(SectionType::Parameters, Record<Parameter>::kBytes, [&](Reader &in) {
    Parameter parameter;
    uint32_t home = 0;
    Record<Parameter>::fields(in, parameter, home);
    tensor(home, parameter.home);
    program.parameters.push_back(std::move(parameter));
  });
  each(SectionType::Initializers, Record<Initializer>::kBytes, [&](Reader &in) {
    Initializer initializer;
    uint32_t target = 0;
    Record<Initializer>::fields(in, initializer, target);
    tensor(target, initializer.target);
    program.initializers.push_back(std::move(initializer));
  });
  return error.empty() ? Error::success() : invalid(error);
}

/// The index in place of the descriptor's number.
void Decoder::setIndex(Instruction &instruction, const Twine &where) {
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
    return fail("has an instruction at " + where + " that names descriptor " +
                Twine(instruction.a) + ", which is of another type");
  instruction.a = static_cast<uint32_t>(index);
}

void Decoder::readCode() {
  std::vector<Instruction> all;
  records(SectionType::Code, all);
  size_t next = 0;
  each(SectionType::Processors, 8, [&](Reader &in) {
    uint32_t first = 0, count = 0;
    in.u32(first);
    in.u32(count);
    if (first != next || count > all.size() - next)
      return in.fail("does not divide the code one processor after the other");
    program.code.emplace_back(all.begin() + first, all.begin() + first + count);
    next += count;
  });
  if (error.empty() &&
      (next != all.size() || program.code.size() != header.processors))
    fail("has code or processors that its tables do not count");
  for (auto [processor, stream] : enumerate(program.code))
    for (auto [pc, instruction] : enumerate(stream)) {
      std::string where =
          ("processor " + Twine(processor) + ", pc " + Twine(pc)).str();
      if (mnemonic(instruction.op).empty())
        return fail("has an instruction with illegal opcode " +
                    Twine(unsigned(instruction.op)) + " at " + where);
      setIndex(instruction, where);
    }
}

void Decoder::checkEnumerations() {
  for (const Region &region : program.regions)
    if (name(region.kind).empty())
      fail("has a region of unknown class " + Twine(unsigned(region.kind)));
  for (const Binding &binding : program.bindings)
    if (binding.kind < BindingKind::Input || binding.kind > BindingKind::Loss ||
        elementBytes(binding.type) == 0)
      fail("has binding '" + binding.name + "' of unknown kind or type");
  for (const ValueInfo &value : program.values)
    if (elementBytes(value.type) == 0)
      fail("has value '" + value.name + "' of unknown type");
  for (const Parameter &parameter : program.parameters)
    if (parameter.kind < ParameterKind::Trainable ||
        parameter.kind > ParameterKind::Derived)
      fail("has parameter '" + parameter.name + "' of unknown kind");
  for (const TaskInfo &task : program.tasks)
    if (task.kind > TaskKind::Update)
      fail("has task '" + task.name + "' of unknown kind");
}

Expected<Program> takt::decode(ArrayRef<uint8_t> bytes) {
  auto header = decodeHeader(bytes);
  if (!header)
    return header.takeError();
  Expected<Program> program =
      Decoder(bytes, header->first, header->second).decode();
  if (!program)
    return program.takeError();
  if (Error error = validate(*program))
    return std::move(error);
  return program;
}
