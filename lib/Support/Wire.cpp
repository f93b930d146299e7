//===- Wire.cpp - protobuf's encoding -------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/Wire.h"
#include "llvm/ADT/bit.h"
#include "llvm/Support/Endian.h"
#include "llvm/Support/LEB128.h"
#include "llvm/Support/raw_ostream.h"

using namespace llvm;
using namespace takt::wire;

static Error malformed() {
  return createStringError("is no protobuf of a model, or is truncated");
}

/// Takes a varint off the front. False if there is none.
static bool takeVarint(StringRef &bytes, uint64_t &value) {
  // Behind these, LLVM shifts by more bits than there are.
  constexpr size_t kLongestVarint = 10;
  const char *error = nullptr;
  unsigned length = 0;
  StringRef window = bytes.take_front(kLongestVarint);
  value =
      decodeULEB128(window.bytes_begin(), &length, window.bytes_end(), &error);
  bytes = bytes.drop_front(length);
  return !error;
}

/// Takes a field off the front. False if there is none that Takt knows; groups
/// are in no ONNX file.
static bool takeField(StringRef &bytes, Field &field) {
  StringRef begin = bytes;
  uint64_t tag = 0, length = 0;
  if (!takeVarint(bytes, tag))
    return false;
  field.number = tag >> 3;
  field.type = static_cast<Type>(tag & 7);
  switch (field.type) {
  case Type::Varint:
    if (!takeVarint(bytes, field.value))
      return false;
    break;
  case Type::Fixed64:
    length = 8;
    break;
  case Type::Fixed32:
    length = 4;
    break;
  case Type::Length:
    if (!takeVarint(bytes, length))
      return false;
    break;
  default:
    return false;
  }
  if (length > bytes.size())
    return false;
  field.payload = bytes.take_front(length);
  bytes = bytes.drop_front(length);
  field.bytes = begin.drop_back(bytes.size());
  return field.number != 0;
}

Error takt::wire::forEachField(StringRef message,
                               function_ref<Error(const Field &)> visit) {
  while (!message.empty()) {
    Field field;
    if (!takeField(message, field))
      return malformed();
    if (Error error = visit(field))
      return error;
  }
  return Error::success();
}

Error takt::wire::readIntegers(const Field &field,
                               SmallVectorImpl<int64_t> &numbers) {
  if (field.type == Type::Varint) {
    numbers.push_back(static_cast<int64_t>(field.value));
    return Error::success();
  }
  if (field.type != Type::Length)
    return malformed();
  for (StringRef rest = field.payload; !rest.empty();) {
    uint64_t value = 0;
    if (!takeVarint(rest, value))
      return malformed();
    numbers.push_back(static_cast<int64_t>(value));
  }
  return Error::success();
}

static void appendRaw(std::string &out, uint64_t value) {
  raw_string_ostream os(out);
  encodeULEB128(value, os);
}

void takt::wire::appendVarint(std::string &out, uint64_t field,
                              uint64_t value) {
  appendRaw(out, field << 3 | static_cast<uint64_t>(Type::Varint));
  appendRaw(out, value);
}

void takt::wire::appendFloat(std::string &out, uint64_t field, float value) {
  appendRaw(out, field << 3 | static_cast<uint64_t>(Type::Fixed32));
  char bytes[sizeof(uint32_t)];
  support::endian::write32le(bytes, llvm::bit_cast<uint32_t>(value));
  out.append(bytes, sizeof(bytes));
}

std::string takt::wire::header(uint64_t field, uint64_t size) {
  std::string out;
  appendRaw(out, field << 3 | static_cast<uint64_t>(Type::Length));
  appendRaw(out, size);
  return out;
}

void takt::wire::appendBytes(std::string &out, uint64_t field,
                             StringRef payload) {
  out += header(field, payload.size());
  out += payload;
}

takt::Rope takt::wire::bytes(uint64_t field, Rope payload) {
  Rope out;
  out.keep(header(field, payload.size()));
  out.append(std::move(payload));
  return out;
}

takt::Rope takt::wire::changed(const Field &field, Rope payload) {
  if (payload.size() != field.payload.size())
    return bytes(field.number, std::move(payload));
  Rope out;
  out.refer(field.bytes.drop_back(payload.size()));
  out.append(std::move(payload));
  return out;
}
