//===- Records.h - the records of a container -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fields of every record, in the order of the bytes; docs/container.md
// shows them as tables. A record is aligned to its largest field and as long as
// `kBytes` says.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_RECORDS_H
#define TAKT_LIB_TARGET_RECORDS_H

#include "Archive.h"
#include "takt/Target/Container.h"

namespace takt {

template <typename T> struct Record;

constexpr size_t kHeaderCrcOffset = kHeaderBytes - 4;

/// Its last field, the checksum, covers everything before it and the section
/// table behind it.
template <> struct Record<ContainerHeader> {
  static constexpr size_t kBytes = kHeaderBytes;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.array("magic", r.magic);
    ar.u32("header_bytes", r.headerBytes);
    ar.u16("major_version", r.major);
    ar.u16("minor_version", r.minor);
    ar.u64("total_bytes", r.totalBytes);
    ar.u64("required_features", r.requiredFeatures);
    ar.array("machine_hash", r.machineHash);
    ar.u32("processors", r.processors);
    ar.u32("sections", r.sections);
    ar.u64("section_table", r.sectionTable);
    ar.u64("predicted_interval", r.predictedInterval);
    ar.zero(36);
    ar.u32("crc32c", r.crc);
  }
};

template <> struct Record<SectionEntry> {
  static constexpr size_t kBytes = kSectionEntryBytes;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u32("type", r.type);
    ar.flag("required", r.required);
    ar.zero(3);
    ar.u64("offset", r.offset);
    ar.u64("bytes", r.bytes);
    ar.u32("alignment", r.alignment);
    ar.u32("crc32c", r.crc);
    ar.zero(16);
  }
};

/// The program's own few fields.
template <> struct Record<Program> {
  static constexpr size_t kBytes = 32;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str("model", r.model);
    ar.str("schedule", r.schedule);
    ar.u64("interval", r.interval);
    ar.u64("batch", r.batch);
  }
};

template <> struct Record<Region> {
  static constexpr size_t kBytes = 24;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u8("kind", r.kind);
    ar.flag("readable", r.readable);
    ar.flag("writable", r.writable);
    ar.zero(1);
    ar.u32("processor", r.processor);
    ar.u64("size", r.size);
    ar.u32("alignment", r.alignment);
    ar.zero(4);
  }
};

template <> struct Record<Binding> {
  static constexpr size_t kBytes = 80;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str("name", r.name);
    ar.u32("region", r.region);
    ar.u8("kind", r.kind);
    ar.u8("element_type", r.type);
    ar.rank(r.dims);
    ar.zero(1);
    ar.template shape<uint64_t>(r.dims);
  }
};

template <> struct Record<ScalarInfo> {
  static constexpr size_t kBytes = 16;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str("name", r.name);
    ar.f64("value", r.value);
  }
};

template <> struct Record<Semaphore> {
  static constexpr size_t kBytes = 16;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u32("writer", r.writer);
    ar.u32("waiter", r.waiter);
    ar.u64("initial", r.initial);
  }
};

template <> struct Record<ValueInfo> {
  static constexpr size_t kBytes = 80;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str("name", r.name);
    ar.u8("element_type", r.type);
    ar.rank(r.dims);
    ar.zero(6);
    ar.template shape<uint64_t>(r.dims);
  }
};

/// `home` is the number of a tensor descriptor.
template <> struct Record<Parameter> {
  static constexpr size_t kBytes = 72;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r, uint32_t &home) {
    ar.str("name", r.name);
    ar.u8("kind", r.kind);
    ar.flag("splat", r.splat);
    ar.zero(2);
    ar.u32("layer", r.layer);
    ar.u32("delay", r.delay);
    ar.u32("read_value", r.readValue);
    ar.u32("write_value", r.writeValue);
    ar.u32("home", home);
    ar.u32("base", r.base);
    ar.u32("axis", r.axis);
    ar.u64("begin", r.begin);
    ar.array("splat_bytes", r.splatBytes);
    ar.u64("data_offset", r.dataOffset);
    ar.u32("lead", r.lead);
    ar.u16("update", r.update);
    ar.u16("last_update", r.lastUpdate);
  }
};

/// `target` is the number of a tensor descriptor.
template <> struct Record<Initializer> {
  static constexpr size_t kBytes = 24;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r, uint32_t &target) {
    ar.u32("parameter", r.parameter);
    ar.u32("target", target);
    ar.u32("axis", r.axis);
    ar.zero(4);
    ar.u64("begin", r.begin);
  }
};

/// A processor's part of the code.
struct CodeRange {
  uint64_t first = 0, count = 0;
};
template <> struct Record<CodeRange> {
  static constexpr size_t kBytes = 8;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u32("first_instruction", r.first);
    ar.u32("instructions", r.count);
  }
};

template <> struct Record<Instruction> {
  static constexpr size_t kBytes = kInstructionBytes;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u8("op", r.op);
    ar.u8("flags", r.flags);
    ar.u16("stage", r.stage);
    ar.u32("a", r.a);
    ar.u32("b", r.b);
    ar.u32("c", r.c);
  }
};

template <> struct Record<TaskInfo> {
  static constexpr size_t kBytes = 40;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str("name", r.name);
    ar.u8("kind", r.kind);
    ar.zero(3);
    ar.u32("layer", r.layer);
    ar.u32("processor", r.processor);
    ar.zero(4);
    ar.u64("start", r.start);
    ar.u64("cycles", r.cycles);
  }
};

/// A layer.
template <> struct Record<std::string> {
  static constexpr size_t kBytes = 8;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str("name", r);
  }
};

/// What an instruction that executes belongs to; times of minibatch 0.
struct TaskMapEntry {
  uint32_t processor = 0, pc = 0, task = 0, layer = 0;
  uint64_t start = 0, end = 0;
};
template <> struct Record<TaskMapEntry> {
  static constexpr size_t kBytes = 32;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u32("processor", r.processor);
    ar.u32("pc", r.pc);
    ar.u32("task", r.task);
    ar.u32("layer", r.layer);
    ar.u64("start", r.start);
    ar.u64("end", r.end);
  }
};

//===----------------------------------------------------------------------===//
// Descriptors: 64 bytes, and the first byte says which it is.
//===----------------------------------------------------------------------===//

enum class DescriptorType : uint8_t {
  Tensor = 1,
  Kernel = 2,
  Transfer = 3,
  HostCopy = 4,
  Words = 5,
};

/// Attribute words in a kernel's own descriptor, and in each that follows.
constexpr size_t kInlineWords = 11, kFurtherWords = 15;

template <> struct Record<TensorRef> {
  static constexpr DescriptorType kType = DescriptorType::Tensor;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u8("element_type", r.type);
    ar.rank(r.dims);
    ar.zero(1);
    ar.u32("region", r.region);
    ar.u64("offset", r.offset);
    ar.u64("slot_stride", r.slotStride);
    ar.u32("value", r.value);
    ar.u16("slots", r.slots);
    ar.i16("lag", r.lag);
    ar.template shape<uint32_t>(r.dims);
  }
};

template <> struct Record<Kernel> {
  static constexpr DescriptorType kType = DescriptorType::Kernel;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.count("operands", r.operands);
    ar.count("results", r.results);
    ar.count("words", r.words);
    ar.u16("id", r.id);
    ar.zero(2);
    ar.u64("cycles", r.cycles);
    ar.u32("task", r.task);
    ar.words("word", r.words, kInlineWords);
  }
};

/// The words of a kernel that its own descriptor has no room for.
struct FurtherWords {};
template <> struct Record<FurtherWords> {
  static constexpr DescriptorType kType = DescriptorType::Words;
  template <typename Archive, typename Words>
  static void fields(Archive &ar, Words words) {
    ar.zero(3);
    ar.words("word", words, kFurtherWords);
  }
};

template <> struct Record<Transfer> {
  static constexpr DescriptorType kType = DescriptorType::Transfer;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.zero(7);
    ar.u32("arrival", r.arrival);
    ar.u32("completion", r.completion);
    ar.u64("cycles", r.cycles);
    ar.u64("latency", r.latency);
    ar.zero(32);
  }
};

template <> struct Record<HostCopy> {
  static constexpr DescriptorType kType = DescriptorType::HostCopy;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.zero(3);
    ar.u32("binding", r.binding);
    ar.zero(56);
  }
};

//===----------------------------------------------------------------------===//
// What must hold of a record by itself; the program's validation relies on it.
//===----------------------------------------------------------------------===//

/// What is wrong, or empty.
std::string problemOf(const Region &region);
std::string problemOf(const Binding &binding);
std::string problemOf(const ScalarInfo &scalar);
std::string problemOf(const ValueInfo &value);
std::string problemOf(const Parameter &parameter);
std::string problemOf(const TaskInfo &task);
std::string problemOf(const Instruction &instruction);
std::string problemOf(const TensorRef &tensor);
std::string problemOf(const Kernel &kernel);
template <typename T> std::string problemOf(const T &) { return ""; }

} // namespace takt

#endif // TAKT_LIB_TARGET_RECORDS_H
