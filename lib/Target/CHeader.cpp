//===- CHeader.cpp - the container for C ----------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/CHeader.h"
#include "Records.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/Format.h"
#include <type_traits>

using namespace llvm;
using namespace takt;

namespace {
/// The archive that declares a record's fields for C.
class CStructure {
public:
  explicit CStructure(raw_ostream &os) : os(os) {}

  template <typename T> void u8(const char *name, const T &) {
    field("uint8_t", name);
  }
  template <typename T> void u16(const char *name, const T &) {
    field("uint16_t", name);
  }
  template <typename T> void u32(const char *name, const T &) {
    field("uint32_t", name);
  }
  template <typename T> void u64(const char *name, const T &) {
    field("uint64_t", name);
  }
  void i16(const char *name, int32_t) { field("int16_t", name); }
  void flag(const char *name, bool) { field("uint8_t", name); }
  void f64(const char *name, double) {
    field("uint64_t", name);
    os << " /* bits of an IEEE double */";
  }
  void array(const char *name, ArrayRef<uint8_t> values) {
    field("uint8_t", name, values.size());
  }
  void zero(size_t count) {
    field("uint8_t", "reserved" + Twine(++reserved), count);
  }
  void str(const char *name, const std::string &) {
    field("struct takt_string", name);
  }
  template <typename List> void count(const char *name, const List &) {
    field("uint8_t", name);
  }
  template <typename Dims> void rank(const Dims &) { field("uint8_t", "rank"); }
  template <typename Size, typename Dims> void shape(const Dims &) {
    field("uint" + Twine(8 * sizeof(Size)) + "_t", "dims", kMaxRank);
  }
  void words(const char *name, ArrayRef<uint32_t>, size_t room) {
    field("uint32_t", name, room);
  }

private:
  void field(const Twine &type, const Twine &name, size_t count = 1) {
    os << "\n  " << type << " " << name;
    if (count > 1)
      os << "[" << count << "]";
    os << ";";
  }

  raw_ostream &os;
  unsigned reserved = 0;
};
} // namespace

static void endStructure(raw_ostream &os, StringRef name, size_t bytes) {
  os << "\n};\nTAKT_ASSERT_SIZE(" << name << ", " << bytes << ");\n";
}

/// A record; `further` are the fields that no member of T stands for.
template <typename T, typename... Further>
static void structure(raw_ostream &os, StringRef name, Further... further) {
  os << "\nstruct " << name << " {";
  CStructure fields(os);
  T example{};
  Record<T>::fields(fields, example, further...);
  endStructure(os, name, Record<T>::kBytes);
}

template <typename T, typename Example>
static void descriptor(raw_ostream &os, StringRef name, Example example) {
  os << "\nstruct " << name << " {";
  CStructure fields(os);
  fields.u8("type", Record<T>::kType);
  Record<T>::fields(fields, example);
  endStructure(os, name, kDescriptorBytes);
}

static void structures(raw_ostream &os) {
  os << "\n/* A range of section 'strings'; not terminated by zero. */"
        "\nstruct takt_string {\n  uint32_t offset;\n  uint32_t bytes;";
  endStructure(os, "takt_string", Record<std::string>::kBytes);
  structure<ContainerHeader>(os, "takt_header");
  structure<SectionEntry>(os, "takt_section");
  structure<Program>(os, "takt_info");
  structure<Region>(os, "takt_region");
  structure<Binding>(os, "takt_binding");
  structure<ScalarInfo>(os, "takt_scalar");
  structure<Semaphore>(os, "takt_semaphore");
  structure<ValueInfo>(os, "takt_value");
  structure<Parameter>(os, "takt_parameter", uint32_t(0));
  structure<Initializer>(os, "takt_initializer", uint32_t(0));
  descriptor<TensorRef>(os, "takt_tensor", TensorRef());
  descriptor<Kernel>(os, "takt_kernel", Kernel{});
  descriptor<FurtherWords>(os, "takt_words", ArrayRef<uint32_t>());
  descriptor<Transfer>(os, "takt_transfer", Transfer());
  descriptor<HostCopy>(os, "takt_host_copy", HostCopy());
  structure<CodeRange>(os, "takt_processor");
  structure<Instruction>(os, "takt_instruction");
  structure<TaskInfo>(os, "takt_task");
  structure<std::string>(os, "takt_layer");
  structure<TaskMapEntry>(os, "takt_task_map_entry");
}

namespace {
/// Writes an enumeration, its constants in upper case behind a prefix.
class Enumeration {
public:
  Enumeration(raw_ostream &os, StringRef name, StringRef prefix)
      : os(os), prefix(prefix) {
    os << "\nenum takt_" << name << " {";
  }
  ~Enumeration() { os << "\n};\n"; }

  template <typename Code>
  void constant(StringRef name, Code code, const Twine &comment = "") {
    os << separator << "\n  TAKT_" << prefix << "_" << name.upper() << " = "
       << format("0x%02X", unsigned(code));
    if (!comment.isTriviallyEmpty())
      os << " /* " << comment << " */";
    separator = ",";
  }
  /// The values from `first` on that have names.
  template <typename T> void named(T first) {
    for (auto code = static_cast<std::underlying_type_t<T>>(first);
         !name(T(code)).empty(); ++code)
      constant(name(T(code)), code);
  }

private:
  raw_ostream &os;
  StringRef prefix, separator;
};
} // namespace

static void enumerations(raw_ostream &os) {
  {
    Enumeration sections(os, "section_type", "SECTION");
    sections.named(SectionType::Machine);
    sections.named(SectionType::TaskMap);
  }
  Enumeration(os, "region_class", "REGION").named(RegionClass::Parameter);
  Enumeration(os, "binding_kind", "BINDING").named(BindingKind::Input);
  Enumeration(os, "element_type", "ELEMENT").named(ElementType::F32);
  Enumeration(os, "parameter_kind", "PARAMETER")
      .named(ParameterKind::Trainable);
  {
    Enumeration tasks(os, "task_kind", "TASK");
    tasks.constant("forward", TaskKind::Forward);
    tasks.constant("dgrad", TaskKind::Dgrad);
    tasks.constant("wgrad", TaskKind::Wgrad);
    tasks.constant("update", TaskKind::Update);
  }
  {
    Enumeration descriptors(os, "descriptor_type", "DESCRIPTOR");
    descriptors.constant("tensor", DescriptorType::Tensor);
    descriptors.constant("kernel", DescriptorType::Kernel);
    descriptors.constant("transfer", DescriptorType::Transfer);
    descriptors.constant("host_copy", DescriptorType::HostCopy);
    descriptors.constant("words", DescriptorType::Words);
  }
  {
    Enumeration opcodes(os, "opcode", "OP");
#define TAKT_OPCODE(Name, mnemonic, code, a, b, c, summary)                    \
  opcodes.constant(mnemonic, code, summary);
#include "takt/Target/Isa.def"
    opcodes.constant("illegal", 0xFF);
  }
  Enumeration(os, "unary_function", "UNARY").named(UnaryFunction::Abs);
  Enumeration(os, "binary_function", "BINARY").named(BinaryFunction::Sub);
  Enumeration(os, "compare_function", "COMPARE").named(CompareFunction::Equal);
  Enumeration(os, "scatter_mode", "SCATTER").named(ScatterMode::Replace);
  Enumeration(os, "pad_mode", "PAD").named(PadMode::Constant);
  Enumeration kernels(os, "kernel_id", "KERNEL");
#define TAKT_KERNEL(Name, mnemonic, code, operands, results, words)            \
  kernels.constant(mnemonic, code,                                             \
                   "(" operands ") -> (" results "); words: " words);
#include "takt/Target/Kernels.def"
}

void takt::emitCHeader(raw_ostream &os) {
  os << "/* Generated by taktc --emit=c-header: the TAKT program container, "
        "version "
     << kContainerMajor << "." << kContainerMinor
     << ".\n   Little-endian; every offset counts from the start of the file. "
        "The checksum in\n   the header covers the bytes before it and the "
        "section table behind it. */\n#ifndef TAKT_PROGRAM_H\n#define "
        "TAKT_PROGRAM_H\n\n#include <stdint.h>\n\n#define "
        "TAKT_ASSERT_SIZE(name, bytes_of_it) \\\n  typedef char "
        "name##_has_##bytes_of_it##_bytes[sizeof(struct name) == bytes_of_it ? "
        "1 : -1]\n\n#define TAKT_MAJOR_VERSION "
     << kContainerMajor << "\n#define TAKT_MINOR_VERSION " << kContainerMinor
     << "\n#define TAKT_MAX_SECTIONS " << kMaxSections
     << "\n#define TAKT_SECTION_ALIGNMENT " << kSectionAlignment
     << "\n#define TAKT_HOST_PROCESSOR 0xFFFFFFFFu\n\nstatic const uint8_t "
        "takt_magic[8] = {";
  interleaveComma(kContainerMagic, os,
                  [&](uint8_t byte) { os << format("0x%02X", byte); });
  os << "};\n";
  structures(os);
  enumerations(os);
  os << "\n#endif\n";
}
