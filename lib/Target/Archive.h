//===- Archive.h - records that are written and read alike ------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A record's fields are listed once, in a function template over the archive;
// with a Writer it encodes, with a Reader it decodes. So the two cannot differ.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_TARGET_ARCHIVE_H
#define TAKT_LIB_TARGET_ARCHIVE_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/Twine.h"
#include "llvm/Support/Error.h"
#include <cstring>
#include <string>
#include <vector>

namespace takt {

/// Strings of a container: each distinct one once, in order of first use.
class StringTable {
public:
  uint32_t add(llvm::StringRef text) {
    auto [it, isNew] = offsets.try_emplace(text, bytes.size());
    if (isNew)
      bytes.insert(bytes.end(), text.begin(), text.end());
    return it->second;
  }

  std::vector<uint8_t> bytes;

private:
  llvm::StringMap<uint32_t> offsets;
};

/// Appends fields to a section. A value that does not fit its field is
/// remembered as the error.
class Writer {
public:
  static constexpr bool kReads = false;

  explicit Writer(StringTable &strings) : strings(strings) {}

  template <typename Field, typename T> void put(const T &value) {
    auto field = static_cast<Field>(value);
    if (error.empty() && static_cast<T>(field) != value)
      error = "a value does not fit its field of " +
              std::to_string(sizeof(Field)) + " bytes";
    for (size_t i = 0; i < sizeof(Field); ++i)
      bytes.push_back(static_cast<uint64_t>(field) >> (8 * i));
  }
  template <typename T> void u8(const T &value) { put<uint8_t>(value); }
  template <typename T> void u16(const T &value) { put<uint16_t>(value); }
  template <typename T> void u32(const T &value) { put<uint32_t>(value); }
  template <typename T> void u64(const T &value) { put<uint64_t>(value); }
  void i16(int32_t value) { put<int16_t>(value); }
  void flag(bool value) { u8(uint8_t(value)); }
  void f64(double value) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof bits);
    u64(bits);
  }
  void zero(size_t count) { bytes.insert(bytes.end(), count, 0); }
  void str(const std::string &text) {
    u32(strings.add(text));
    u32(text.size());
  }

  std::vector<uint8_t> bytes;
  std::string error;

private:
  StringTable &strings;
};

/// Takes fields from a section. Reading beyond its end or a reserved field that
/// is not zero is remembered as the error; what is read then is zero.
class Reader {
public:
  static constexpr bool kReads = true;

  Reader(llvm::ArrayRef<uint8_t> bytes, llvm::ArrayRef<uint8_t> strings)
      : bytes(bytes), strings(strings) {}

  uint64_t take(size_t count) {
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
  template <typename T> void u8(T &value) { value = static_cast<T>(take(1)); }
  template <typename T> void u16(T &value) { value = static_cast<T>(take(2)); }
  template <typename T> void u32(T &value) { value = static_cast<T>(take(4)); }
  template <typename T> void u64(T &value) { value = static_cast<T>(take(8)); }
  void i16(int32_t &value) { value = static_cast<int16_t>(take(2)); }
  void flag(bool &value) {
    uint64_t byte = take(1);
    if (byte > 1)
      fail("has a flag that is " + llvm::Twine(byte) + ", expected 0 or 1");
    value = byte != 0;
  }
  void f64(double &value) {
    uint64_t bits = take(8);
    std::memcpy(&value, &bits, sizeof bits);
  }
  void zero(size_t count) {
    for (size_t i = 0; i < count; ++i)
      if (take(1) != 0)
        fail("has a reserved field that is not zero, before byte " +
             llvm::Twine(position));
  }
  void str(std::string &text) {
    uint64_t offset = take(4), size = take(4);
    if (offset > strings.size() || size > strings.size() - offset)
      return fail("names a string outside the string section");
    text.assign(reinterpret_cast<const char *>(strings.data()) + offset, size);
  }

  bool atEnd() const { return position == bytes.size(); }
  void fail(const llvm::Twine &message) {
    if (error.empty())
      error = message.str();
  }

  std::string error;

private:
  llvm::ArrayRef<uint8_t> bytes, strings;
  size_t position = 0;
};

} // namespace takt

#endif // TAKT_LIB_TARGET_ARCHIVE_H
