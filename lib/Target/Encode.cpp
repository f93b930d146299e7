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
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"
#include <map>

using namespace llvm;
using namespace takt;

namespace {
class Encoder {
public:
  explicit Encoder(const Program &program) : program(program) {}

  Expected<std::vector<uint8_t>> encode() {
    addRecords();
    addDescriptors();
    addCode();
    addTaskMap();
    if (!error.empty())
      return createStringError("the program cannot be encoded: " + error);
    section(SectionType::Machine,
            {program.machine.begin(), program.machine.end()});
    section(SectionType::Data, program.data);
    section(SectionType::Strings, std::move(strings.bytes));
    return assemble();
  }

private:
  void section(SectionType type, std::vector<uint8_t> bytes) {
    sections[type] = std::move(bytes);
  }
  void finish(SectionType type, Writer &out) {
    if (error.empty() && !out.error.empty())
      error = "section '" + name(type).str() + "': " + out.error;
    section(type, std::move(out.bytes));
  }
  template <typename T>
  void records(SectionType type, const std::vector<T> &all) {
    Writer out(strings);
    for (const T &record : all)
      Record<T>::fields(out, record);
    finish(type, out);
  }

  void addRecords();
  void addDescriptors();
  void addCode();
  void addTaskMap();
  Instruction withDescriptorNumbers(Instruction instruction);
  std::vector<uint8_t> assemble();

  const Program &program;
  StringTable strings;
  std::map<SectionType, std::vector<uint8_t>> sections;
  std::vector<uint32_t> kernels, transfers, hostCopies; ///< numbers
  std::string error;
};
} // namespace

void Encoder::addRecords() {
  Writer info(strings);
  Record<Program>::fields(info, program);
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
    Record<Parameter>::fields(parameters, parameter, home);
  }
  for (const Initializer &initializer : program.initializers) {
    uint32_t target = descriptors.write(initializer.target);
    Record<Initializer>::fields(initializers, initializer, target);
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
      error = "an instruction names a descriptor that does not exist";
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
  uint32_t first = 0;
  for (const std::vector<Instruction> &stream : program.code) {
    processors.u32(first);
    processors.u32(stream.size());
    first += stream.size();
    for (const Instruction &instruction : stream) {
      Instruction encoded = withDescriptorNumbers(instruction);
      Record<Instruction>::fields(code, encoded);
    }
  }
  finish(SectionType::Code, code);
  finish(SectionType::Processors, processors);
}

/// (processor, pc, task, layer, predicted start, predicted end) of everything
/// that executes.
void Encoder::addTaskMap() {
  Writer out(strings);
  for (auto [processor, stream] : enumerate(program.code))
    for (auto [pc, instruction] : enumerate(stream)) {
      if (instruction.op != Opcode::Execute ||
          instruction.a >= program.kernels.size())
        continue;
      uint32_t task = program.kernels[instruction.a].task;
      if (task >= program.tasks.size())
        continue;
      const TaskInfo &info = program.tasks[task];
      out.u32(processor);
      out.u32(pc);
      out.u32(task);
      out.u32(info.layer);
      out.u64(info.start);
      out.u64(info.start + info.cycles);
    }
  finish(SectionType::TaskMap, out);
}

std::vector<uint8_t> Encoder::assemble() {
  ContainerHeader header;
  header.machineHash = SHA256::hash(ArrayRef(sections[SectionType::Machine]));
  header.processors = program.code.size();
  header.sections = sections.size();
  header.predictedInterval = program.interval;
  uint64_t offset = alignTo(kHeaderBytes + sections.size() * kSectionEntryBytes,
                            kSectionAlignment);
  Writer table(strings);
  for (auto &[type, bytes] : sections) {
    SectionEntry entry{type, type != SectionType::TaskMap, offset, bytes.size(),
                       crc32c(bytes)};
    entryFields(table, entry);
    offset = alignTo(offset + bytes.size(), kSectionAlignment);
  }
  header.totalBytes = offset;
  Writer out(strings);
  headerFields(out, header);
  uint32_t crc = crc32c(out.bytes);
  out.u32(crc);
  append_range(out.bytes, table.bytes);
  std::vector<uint8_t> file = std::move(out.bytes);
  file.reserve(offset);
  for (auto &[type, bytes] : sections) {
    file.resize(alignTo(file.size(), kSectionAlignment));
    append_range(file, bytes);
  }
  file.resize(offset);
  return file;
}

Expected<std::vector<uint8_t>> takt::encode(const Program &program) {
  return Encoder(program).encode();
}
