//===- Archive.h - records that are written and read alike ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A record's fields are listed once, in a function template over the archive:
// with a Writer it encodes, with a Reader it decodes, with CStructure (CHeader)
// it declares the record for C. So the three cannot differ. Each field has its
// name in C.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_ARCHIVE_H
#define TAKT_LIB_TARGET_ARCHIVE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

namespace takt {

constexpr size_t kMaxRank = 8;

/// Strings of a container: each distinct one once, in order of first use.
class StringTable {
public:
  /// Offset in the section.
  uint64_t add(llvm::StringRef text) {
    auto [it, isNew] = offsets.try_emplace(text, bytes.size());
    if (isNew)
      bytes.insert(bytes.end(), text.begin(), text.end());
    return it->second;
  }

  std::vector<uint8_t> bytes;

private:
  llvm::StringMap<uint64_t> offsets;
};

/// Appends fields to a section. A value that does not fit its field is
/// remembered as the error.
class Writer {
public:
  explicit Writer(StringTable &strings) : strings(strings) {}

  template <typename T> void u8(const char *name, const T &value) {
    put<uint8_t>(name, value);
  }
  template <typename T> void u16(const char *name, const T &value) {
    put<uint16_t>(name, value);
  }
  template <typename T> void u32(const char *name, const T &value) {
    put<uint32_t>(name, value);
  }
  template <typename T> void u64(const char *name, const T &value) {
    put<uint64_t>(name, value);
  }
  void i16(const char *name, int32_t value) { put<int16_t>(name, value); }
  void flag(const char *name, bool value) { u8(name, uint8_t(value)); }
  void f64(const char *name, double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    u64(name, bits);
  }
  void array(const char *, llvm::ArrayRef<uint8_t> values) {
    llvm::append_range(bytes, values);
  }
  void zero(size_t count) { bytes.insert(bytes.end(), count, 0); }
  void str(const char *name, const std::string &text) {
    u32(name, strings.add(text));
    u32(name, text.size());
  }
  /// How many elements a list has that follows elsewhere.
  template <typename List> void count(const char *name, const List &list) {
    u8(name, list.size());
  }
  /// A rank, and further on a shape with a place for eight sizes.
  template <typename Dims> void rank(const Dims &dims) {
    if (dims.size() > kMaxRank)
      fail("a tensor has " + llvm::Twine(dims.size()) +
           " dimensions, expected at most 8");
    u8("rank", std::min<size_t>(dims.size(), kMaxRank));
  }
  template <typename Size, typename Dims> void shape(const Dims &dims) {
    for (size_t i = 0; i < kMaxRank; ++i)
      put<Size>("dims", i < dims.size() ? dims[i] : int64_t(0));
  }
  /// The first of `words` in `room` places; the others follow elsewhere.
  void words(const char *name, llvm::ArrayRef<uint32_t> words, size_t room) {
    for (size_t i = 0; i < room; ++i)
      u32(name, i < words.size() ? words[i] : 0u);
  }

  void fail(const llvm::Twine &message) {
    if (error.empty())
      error = message.str();
  }

  std::vector<uint8_t> bytes;
  std::string error;

private:
  template <typename Field, typename T>
  void put(const char *name, const T &value) {
    auto field = static_cast<Field>(value);
    if (static_cast<T>(field) != value)
      fail(llvm::Twine("a value does not fit the ") +
           llvm::Twine(sizeof(Field)) + " bytes of its field '" + name + "'");
    for (size_t i = 0; i < sizeof(Field); ++i)
      bytes.push_back(static_cast<uint64_t>(field) >> (8 * i));
  }

  StringTable &strings;
};

/// Takes fields from a section. Reading beyond its end or a reserved field that
/// is not zero is remembered as the error, with the place in the file; what is
/// read then is zero.
class Reader {
public:
  /// `offset` is the place of `bytes` in the file.
  Reader(llvm::ArrayRef<uint8_t> bytes, llvm::ArrayRef<uint8_t> strings,
         uint64_t offset)
      : bytes(bytes), strings(strings), fileOffset(offset) {}

  template <typename T> void u8(const char *, T &value) {
    value = static_cast<T>(take(1));
  }
  template <typename T> void u16(const char *, T &value) {
    value = static_cast<T>(take(2));
  }
  template <typename T> void u32(const char *, T &value) {
    value = static_cast<T>(take(4));
  }
  template <typename T> void u64(const char *, T &value) {
    value = static_cast<T>(take(8));
  }
  void i16(const char *, int32_t &value) {
    value = static_cast<int16_t>(take(2));
  }
  void flag(const char *name, bool &value) {
    uint64_t byte = take(1);
    if (byte > 1)
      fail(llvm::Twine("flag '") + name + "' is " + llvm::Twine(byte) +
           ", expected 0 or 1");
    value = byte != 0;
  }
  void f64(const char *, double &value) {
    uint64_t bits = take(8);
    std::memcpy(&value, &bits, sizeof bits);
  }
  void array(const char *, llvm::MutableArrayRef<uint8_t> values) {
    for (uint8_t &value : values)
      value = take(1);
  }
  void zero(size_t count) {
    for (size_t i = 0; i < count; ++i)
      if (uint64_t byte = take(1))
        fail("a reserved field is " + llvm::Twine(byte) + ", expected 0");
  }
  void str(const char *name, std::string &text) {
    uint64_t offset = take(4), size = take(4);
    if (offset > strings.size() || size > strings.size() - offset)
      return fail(llvm::Twine("string '") + name +
                  "' ends outside section 'strings'");
    text.assign(reinterpret_cast<const char *>(strings.data()) + offset, size);
  }
  template <typename List> void count(const char *, List &list) {
    list.resize(take(1));
  }
  template <typename Dims> void rank(Dims &dims) {
    uint64_t rank = take(1);
    if (rank > kMaxRank) {
      fail("a tensor has " + llvm::Twine(rank) +
           " dimensions, expected at most 8");
      rank = 0;
    }
    dims.resize(rank);
  }
  template <typename Size, typename Dims> void shape(Dims &dims) {
    for (int64_t &dim : dims)
      dim = static_cast<int64_t>(take(sizeof(Size)));
    zero(sizeof(Size) * (kMaxRank - dims.size()));
  }
  void words(const char *, llvm::MutableArrayRef<uint32_t> words, size_t room) {
    for (uint32_t &word : words.take_front(std::min(room, words.size())))
      word = take(4);
    zero(4 * (room - std::min(room, words.size())));
  }

  bool atEnd() const { return position == bytes.size(); }
  /// Place of the next field in the file.
  uint64_t offset() const { return fileOffset + position; }
  /// Remembers the message, about the last field read.
  void fail(const llvm::Twine &message) { failAt(fileOffset + last, message); }
  void failAt(uint64_t offset, const llvm::Twine &message) {
    if (error.empty())
      error = ("offset " + llvm::Twine(offset) + ": " + message).str();
  }

  std::string error;

private:
  uint64_t take(size_t count) {
    last = position;
    if (count > bytes.size() - position) {
      fail("ends in the middle of a record");
      position = bytes.size();
      return 0;
    }
    uint64_t value = 0;
    for (size_t i = 0; i < count; ++i)
      value |= uint64_t(bytes[position + i]) << (8 * i);
    position += count;
    return value;
  }

  llvm::ArrayRef<uint8_t> bytes, strings;
  uint64_t fileOffset;
  size_t position = 0, last = 0; ///< of the next field, of the last one
};

} // namespace takt

#endif // TAKT_LIB_TARGET_ARCHIVE_H
