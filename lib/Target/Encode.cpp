//===- Encode.cpp - from a program to its bytes ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Descriptors.h"
#include "Header.h"
#include "Records.h"
#include "takt/Target/Container.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;
using namespace takt;

namespace {
class Encoder {
public:
  explicit Encoder(const Program &program) : program(program) {}

  Expected<Sections> encode() {
    addRecords();
    addDescriptors();
    addCode();
    addTaskMap();
    if (!error.empty())
      return createStringError("the program cannot be encoded: " + error);
    sections[SectionType::Strings] = std::move(strings.bytes);
    return std::move(sections);
  }

private:
  void fail(const Twine &message) {
    if (error.empty())
      error = message.str();
  }
  void finish(SectionType type, Writer &out) {
    if (!out.error.empty())
      fail("section '" + name(type) + "': " + out.error);
    sections[type] = std::move(out.bytes);
  }
  template <typename T, typename... Further>
  void record(Writer &out, const T &record, Further &...further) {
    Record<T>::fields(out, record, further...);
    std::string problem = problemOf(record);
    if (!problem.empty())
      out.fail(problem);
  }
  template <typename T>
  void records(SectionType type, const std::vector<T> &all) {
    Writer out(strings);
    for (const T &each : all)
      record(out, each);
    finish(type, out);
  }

  void addRecords();
  void addDescriptors();
  void addCode();
  void addTaskMap();
  Instruction withDescriptorNumbers(Instruction instruction);

  const Program &program;
  StringTable strings;
  Sections sections;
  std::vector<uint32_t> kernels, transfers, hostCopies; ///< numbers
  std::string error;
};
} // namespace

/// The order is that of the strings in their section.
void Encoder::addRecords() {
  Writer info(strings);
  record(info, program);
  finish(SectionType::Info, info);
  records(SectionType::Regions, program.regions);
  records(SectionType::Bindings, program.bindings);
  records(SectionType::Scalars, program.scalars);
  records(SectionType::Semaphores, program.semaphores);
  records(SectionType::Values, program.values);
  records(SectionType::Tasks, program.tasks);
  records(SectionType::Layers, program.layers);
}

void Encoder::addDescriptors() {
  Writer out(strings), parameters(strings), initializers(strings);
  DescriptorWriter descriptors(out);
  descriptors.write(program);
  for (const Parameter &parameter : program.parameters) {
    uint32_t home = descriptors.write(parameter.home);
    record(parameters, parameter, home);
  }
  for (const Initializer &initializer : program.initializers) {
    uint32_t target = descriptors.write(initializer.target);
    record(initializers, initializer, target);
  }
  kernels = std::move(descriptors.kernels);
  transfers = std::move(descriptors.transfers);
  hostCopies = std::move(descriptors.hostCopies);
  finish(SectionType::Descriptors, out);
  finish(SectionType::Parameters, parameters);
  finish(SectionType::Initializers, initializers);
}

/// The instruction with the descriptor's number in place of its index.
Instruction Encoder::withDescriptorNumbers(Instruction instruction) {
  auto number = [&](ArrayRef<uint32_t> numbers) {
    if (instruction.a >= numbers.size())
      fail("an instruction names a descriptor that does not exist");
    else
      instruction.a = numbers[instruction.a];
  };
  switch (operandOf(instruction.op)) {
  case OperandField::Kernel:
    number(kernels);
    break;
  case OperandField::Transfer:
    number(transfers);
    break;
  case OperandField::Host:
    number(hostCopies);
    break;
  default:
    break;
  }
  return instruction;
}

void Encoder::addCode() {
  Writer code(strings), processors(strings);
  CodeRange range;
  for (const std::vector<Instruction> &stream : program.code) {
    range.count = stream.size();
    record(processors, range);
    range.first += range.count;
    for (const Instruction &instruction : stream)
      record(code, withDescriptorNumbers(instruction));
  }
  finish(SectionType::Code, code);
  finish(SectionType::Processors, processors);
}

void Encoder::addTaskMap() {
  std::vector<TaskMapEntry> entries;
  for (auto [processor, stream] : enumerate(program.code))
    for (auto [pc, instruction] : enumerate(stream)) {
      if (instruction.op != Opcode::Execute ||
          instruction.a >= program.kernels.size())
        continue;
      uint32_t task = program.kernels[instruction.a].task;
      if (task >= program.tasks.size())
        continue;
      const TaskInfo &info = program.tasks[task];
      entries.push_back({uint32_t(processor), uint32_t(pc), task, info.layer,
                         info.start, info.start + info.cycles});
    }
  records(SectionType::TaskMap, entries);
}

//===----------------------------------------------------------------------===//
// The file
//===----------------------------------------------------------------------===//

/// Calls the function with the section's bytes, in pieces.
static void forEachPiece(const Program &program, const Sections &sections,
                         SectionType type,
                         function_ref<void(ArrayRef<uint8_t>)> function) {
  if (type == SectionType::Data)
    program.data.forEach(function);
  else
    function(sections.at(type));
}

static void assemble(const Program &program, const Sections &sections,
                     raw_ostream &os) {
  StringTable none;
  ContainerHeader header;
  header.machineHash = SHA256::hash(sections.at(SectionType::Machine));
  header.processors = program.code.size();
  header.sections = sections.size();
  header.predictedInterval = program.interval;
  Writer table(none);
  uint64_t end = kHeaderBytes + sections.size() * kSectionEntryBytes;
  for (SectionType type : make_first_range(sections)) {
    SectionEntry entry;
    entry.type = type;
    entry.required = isRequired(type);
    entry.offset = alignTo(end, kSectionAlignment);
    forEachPiece(program, sections, type, [&](ArrayRef<uint8_t> piece) {
      entry.bytes += piece.size();
      entry.crc = crc32c(piece, entry.crc);
    });
    Record<SectionEntry>::fields(table, entry);
    end = entry.offset + entry.bytes;
  }
  header.totalBytes = alignTo(end, kSectionAlignment);
  Writer out(none);
  Record<ContainerHeader>::fields(out, header);
  append_range(out.bytes, table.bytes);
  support::endian::write32le(&out.bytes[kHeaderCrcOffset],
                             headerChecksum(out.bytes, header.sections));
  uint64_t written = 0;
  auto write = [&](ArrayRef<uint8_t> bytes) {
    os << toStringRef(bytes);
    written += bytes.size();
  };
  auto align = [&] {
    uint64_t gap = alignTo(written, kSectionAlignment) - written;
    os.write_zeros(gap);
    written += gap;
  };
  write(out.bytes);
  for (SectionType type : make_first_range(sections)) {
    align();
    forEachPiece(program, sections, type, write);
  }
  align();
}

uint32_t takt::headerChecksum(ArrayRef<uint8_t> file, uint32_t sections) {
  uint32_t crc = crc32c(file.take_front(kHeaderCrcOffset));
  ArrayRef<uint8_t> behind =
      file.drop_front(std::min<size_t>(file.size(), kHeaderBytes));
  uint64_t tableBytes = uint64_t(sections) * kSectionEntryBytes;
  return crc32c(behind.take_front(tableBytes), crc);
}

Expected<Sections> takt::encodeSections(const Program &program) {
  return Encoder(program).encode();
}

Error takt::encode(const Program &program, raw_ostream &os) {
  Expected<Sections> sections = encodeSections(program);
  if (!sections)
    return sections.takeError();
  (*sections)[SectionType::Machine] = {program.machine.begin(),
                                       program.machine.end()};
  sections->try_emplace(SectionType::Data);
  assemble(program, *sections, os);
  return Error::success();
}

Expected<std::vector<uint8_t>> takt::encode(const Program &program) {
  SmallVector<char, 0> bytes;
  raw_svector_ostream os(bytes);
  if (Error error = encode(program, os))
    return std::move(error);
  return std::vector<uint8_t>(bytes.begin(), bytes.end());
}
