//===- Records.h - the records of a container -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The fields of every record but descriptors, in the order of the bytes, with
// their sizes; docs/container.md shows them as tables. A record is aligned to
// its largest field and as long as `kBytes` says.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_RECORDS_H
#define TAKT_LIB_TARGET_RECORDS_H

#include "Archive.h"
#include "takt/Target/Program.h"

namespace takt {

constexpr size_t kMaxRank = 8;

/// Rank and shape where all eight dimensions have a place.
template <typename Archive, typename Dims>
void fieldsOfShape(Archive &ar, uint8_t &rank, Dims &dims) {
  if constexpr (Archive::kReads) {
    if (rank > kMaxRank)
      return ar.fail("has a tensor of rank " + llvm::Twine(unsigned(rank)) +
                     ", expected at most 8");
    dims.resize(rank);
    for (int64_t &dim : dims)
      ar.u64(dim);
    ar.zero(8 * (kMaxRank - rank));
  } else {
    if (dims.size() > kMaxRank)
      ar.error = "a tensor has more than 8 dimensions";
    for (int64_t dim : dims)
      ar.u64(uint64_t(dim));
    ar.zero(dims.size() > kMaxRank ? 0 : 8 * (kMaxRank - dims.size()));
  }
}

template <typename T> struct Record;

template <> struct Record<Region> {
  static constexpr size_t kBytes = 24;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u8(r.kind);
    ar.flag(r.readable);
    ar.flag(r.writable);
    ar.zero(1);
    ar.u32(r.processor);
    ar.u64(r.size);
    ar.u32(r.alignment);
    ar.zero(4);
  }
};

template <> struct Record<Binding> {
  static constexpr size_t kBytes = 80;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    uint8_t rank = static_cast<uint8_t>(r.dims.size());
    ar.str(r.name);
    ar.u32(r.region);
    ar.u8(r.kind);
    ar.u8(r.type);
    ar.u8(rank);
    ar.zero(1);
    fieldsOfShape(ar, rank, r.dims);
  }
};

template <> struct Record<ScalarInfo> {
  static constexpr size_t kBytes = 16;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str(r.name);
    ar.f64(r.value);
  }
};

template <> struct Record<Semaphore> {
  static constexpr size_t kBytes = 16;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u32(r.writer);
    ar.u32(r.waiter);
    ar.u64(r.initial);
  }
};

template <> struct Record<ValueInfo> {
  static constexpr size_t kBytes = 80;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    uint8_t rank = static_cast<uint8_t>(r.dims.size());
    ar.str(r.name);
    ar.u8(r.type);
    ar.u8(rank);
    ar.zero(6);
    fieldsOfShape(ar, rank, r.dims);
  }
};

/// `home` is the index of a tensor descriptor.
template <> struct Record<Parameter> {
  static constexpr size_t kBytes = 72;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r, uint32_t &home) {
    ar.str(r.name);
    ar.u8(r.kind);
    ar.flag(r.splat);
    ar.zero(2);
    ar.u32(r.layer);
    ar.u32(r.delay);
    ar.u32(r.readValue);
    ar.u32(r.writeValue);
    ar.u32(home);
    ar.u32(r.base);
    ar.u32(r.axis);
    ar.u64(r.begin);
    for (auto &byte : r.splatBytes)
      ar.u8(byte);
    ar.u64(r.dataOffset);
    ar.zero(8);
  }
};

/// `target` is the index of a tensor descriptor.
template <> struct Record<Initializer> {
  static constexpr size_t kBytes = 24;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r, uint32_t &target) {
    ar.u32(r.parameter);
    ar.u32(target);
    ar.u32(r.axis);
    ar.zero(4);
    ar.u64(r.begin);
  }
};

template <> struct Record<TaskInfo> {
  static constexpr size_t kBytes = 40;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str(r.name);
    ar.u8(r.kind);
    ar.zero(3);
    ar.u32(r.layer);
    ar.u32(r.processor);
    ar.zero(4);
    ar.u64(r.start);
    ar.u64(r.cycles);
  }
};

template <> struct Record<std::string> {
  static constexpr size_t kBytes = 8;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str(r);
  }
};

template <> struct Record<Instruction> {
  static constexpr size_t kBytes = 16;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.u8(r.op);
    ar.u8(r.flags);
    ar.u16(r.stage);
    ar.u32(r.a);
    ar.u32(r.b);
    ar.u32(r.c);
  }
};

/// The program's own few fields.
template <> struct Record<Program> {
  static constexpr size_t kBytes = 32;
  template <typename Archive, typename R>
  static void fields(Archive &ar, R &r) {
    ar.str(r.model);
    ar.str(r.schedule);
    ar.u64(r.interval);
    ar.u64(r.batch);
  }
};

} // namespace takt

#endif // TAKT_LIB_TARGET_RECORDS_H
