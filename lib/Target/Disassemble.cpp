//===- Disassemble.cpp - a program as a listing ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/Disassemble.h"
#include "Header.h"
#include "takt/Support/Printable.h"
#include "takt/Target/Container.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/FormatVariadic.h"

using namespace llvm;
using namespace takt;

static std::string typeOf(ElementType type, ArrayRef<int64_t> dims) {
  std::string text;
  for (int64_t dim : dims)
    text += std::to_string(dim) + "x";
  return text + name(type).str();
}

namespace {
class Listing {
public:
  Listing(const Program &program, raw_ostream &os) : program(program), os(os) {}

  void summary() {
    os << "model '" << printable(program.model) << "', schedule '"
       << printable(program.schedule) << "', " << program.code.size()
       << " processors, batch " << program.batch << ", interval "
       << program.interval << " cycles\n";
  }

  void regions() {
    os << "\nregions\n";
    for (auto [index, region] : enumerate(program.regions)) {
      os << formatv("  r{0,-4} {1,-16} {2,14} bytes  ", index,
                    name(region.kind), region.size);
      if (region.processor == kHostProcessor)
        os << "host\n";
      else
        os << "processor " << region.processor << "\n";
    }
  }

  void parameters() {
    os << "\nparameters\n";
    for (const Parameter &parameter : program.parameters) {
      os << "  " << printable(parameter.name) << "  ";
      tensor(parameter.home);
      os << "  delay " << parameter.delay;
      if (parameter.lead > 0)
        os << "  lead " << parameter.lead;
      if (parameter.lastUpdate > 0)
        os << "  update " << parameter.update << " of "
           << parameter.lastUpdate + 1;
      if (parameter.kind == ParameterKind::Derived)
        os << "  slice of "
           << printable(program.parameters[parameter.base].name) << ", axis "
           << parameter.axis << " from " << parameter.begin;
      else if (parameter.begin > 0)
        os << "  rows from " << parameter.begin;
      os << "\n";
    }
  }

  void code(size_t processor) {
    os << "\nprocessor " << processor << "\n";
    for (auto [pc, instruction] : enumerate(program.code[processor])) {
      os << formatv("  {0,5}  s{1,-4} {2,-10} ", pc, instruction.stage,
                    mnemonic(instruction.op));
      operands(instruction);
      os << "\n";
    }
  }

private:
  /// r3+128[4x64]@-1: region, offset, slots and stride where there are several,
  /// lag where it is not 0.
  void tensor(const TensorRef &ref) {
    os << typeOf(ref.type, ref.dims) << " r" << ref.region << "+" << ref.offset;
    if (ref.slots > 1)
      os << "[" << ref.slots << "x" << ref.slotStride << "]";
    if (ref.lag != 0)
      os << "@" << ref.lag;
  }

  void tensors(ArrayRef<TensorRef> refs) {
    interleave(refs, os, [&](const TensorRef &ref) { tensor(ref); }, ", ");
  }

  void kernel(const Kernel &kernel) {
    os << mnemonic(kernel.id) << " (";
    tensors(kernel.operands);
    os << ") -> (";
    tensors(kernel.results);
    os << ")";
    if (!kernel.words.empty()) {
      os << " words ";
      interleave(kernel.words, os, " ");
    }
    os << "  ; " << printable(program.tasks[kernel.task].name) << ", "
       << kernel.cycles << " cycles";
  }

  void transfer(const Transfer &transfer, bool isSend) {
    uint32_t peer = program.semaphores[transfer.arrival].writer;
    if (isSend)
      peer = program.semaphores[transfer.arrival].waiter;
    os << (isSend ? "to processor " : "from processor ") << peer << ", ";
    tensor(isSend ? transfer.source : transfer.destination);
    os << ", sem " << transfer.arrival << "  ; "
       << printable(program.values[transfer.source.value].name);
  }

  void operands(const Instruction &instruction) {
    uint32_t values[] = {instruction.a, instruction.b, instruction.c};
    for (auto [field, value] : zip_equal(operandsOf(instruction.op), values)) {
      switch (field) {
      case OperandField::None:
        break;
      case OperandField::Kernel:
        kernel(program.kernels[value]);
        break;
      case OperandField::Transfer:
        transfer(program.transfers[value], instruction.op == Opcode::Send);
        break;
      case OperandField::Host:
        os << printable(
                  program.bindings[program.hostCopies[value].binding].name)
           << ", ";
        tensor(program.hostCopies[value].local);
        break;
      case OperandField::Semaphore:
        os << "sem " << value;
        break;
      case OperandField::Count:
        os << " " << value;
        break;
      case OperandField::Scalar:
        os << " " << printable(program.scalars[value].name);
        break;
      }
    }
  }

  const Program &program;
  raw_ostream &os;
};
} // namespace

void takt::disassemble(const Program &program, raw_ostream &os,
                       const ListingOptions &options) {
  Listing listing(program, os);
  listing.summary();
  if (options.regions)
    listing.regions();
  if (options.parameters)
    listing.parameters();
  if (options.code)
    for (size_t p = 0; p < program.code.size(); ++p)
      listing.code(p);
}

Error takt::listHeader(ArrayRef<uint8_t> bytes, raw_ostream &os) {
  auto read = decodeHeader(bytes);
  if (!read)
    return read.takeError();
  auto &[header, entries] = *read;
  os << "takt program, format " << header.major << "." << header.minor << ", "
     << header.totalBytes << " bytes, " << header.processors
     << " processors, predicted interval " << header.predictedInterval
     << "\nmachine " << toHex(header.machineHash, /*LowerCase=*/true)
     << "\n\nsection        type   offset        bytes         crc32c\n";
  for (const SectionEntry &entry : entries)
    os << formatv("{0,-14} {1,-6} {2,-13} {3,-13} {4:x-8}{5}\n",
                  name(entry.type).empty() ? "unknown" : name(entry.type),
                  uint32_t(entry.type), entry.offset, entry.bytes, entry.crc,
                  entry.required ? "" : "  optional");
  return Error::success();
}

static StringRef fieldName(OperandField field) {
  static constexpr StringLiteral names[] = {
      "zero",      "kernel", "transfer", "host copy",
      "semaphore", "count",  "scalar"};
  return names[static_cast<size_t>(field)];
}

void takt::emitIsaReference(raw_ostream &os) {
  os << "# Instruction set\n\nGenerated from `Target/Isa.def` and "
        "`Target/Kernels.def`.\n\nAn instruction has 16 bytes: opcode (u8), "
        "flags (u8, zero), pipeline stage (u16), and the fields a, b and c "
        "(u32). In trip t of its loop it works on minibatch m = t - stage, and "
        "does nothing when m is outside [0, N). Opcodes 0x00 and 0xFF are "
        "illegal.\n\n| code | instruction | a | b | c | meaning |\n"
        "|---|---|---|---|---|---|\n";
  auto row = [&](Opcode op, StringRef summary) {
    auto [a, b, c] = operandsOf(op);
    os << format("| 0x%02X | `", unsigned(op)) << mnemonic(op) << "` | "
       << fieldName(a) << " | " << fieldName(b) << " | " << fieldName(c)
       << " | " << summary << " |\n";
  };
#define TAKT_OPCODE(Name, mnemonic, code, a, b, c, summary)                    \
  row(Opcode::Name, summary);
#include "takt/Target/Isa.def"
  os << "\n# Kernels\n\nOperands and results are tensor descriptors behind the "
        "kernel's, in this order (`?`: may be absent, `*`: any number). Words "
        "are its attributes, 32 bits each (`f`: an IEEE single; `[n]`: n "
        "words).\n\n| code | kernel | operands | results | words |\n"
        "|---|---|---|---|---|\n";
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  os << format("| 0x%02X | `", code) << mnemonic << "` | " << operands         \
     << " | " << results << " | " << words << " |\n";
#include "takt/Target/Kernels.def"
  os << "\n# Functions\n\nOf the kernels `unary`, `binary` and `compare`, and "
        "modes "
        "of `pad` and `scatter_elements`, from "
        "`Target/Functions.def`.\n\n| kernel | code | function | value |\n"
        "|---|---|---|---|\n";
#define TAKT_UNARY(Name, mnemonic, code, formula)                              \
  os << "| `unary` | " << code << " | `" mnemonic "` | " formula " |\n";
#define TAKT_BINARY(Name, mnemonic, code, formula)                             \
  os << "| `binary` | " << code << " | `" mnemonic "` | " formula " |\n";
#define TAKT_COMPARISON(Name, mnemonic, code, formula)                         \
  os << "| `compare` | " << code << " | `" mnemonic "` | " formula " |\n";
#define TAKT_SCATTERING(Name, mnemonic, code, formula)                         \
  os << "| `scatter_elements` | " << code                                      \
     << " | `" mnemonic "` | " formula " |\n";
#define TAKT_PADDING(Name, mnemonic, code, meaning)                            \
  os << "| `pad` | " << code << " | `" mnemonic "` | " meaning " |\n";
#include "takt/Target/Functions.def"
}
