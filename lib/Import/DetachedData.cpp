//===- DetachedData.cpp - weights that stay in the file -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Wire format: https://protobuf.dev/programming-guides/encoding. A message is a
// list of fields, each a varint of its number and type, then its value. A
// varint is a ULEB128 number.
//
//===----------------------------------------------------------------------===//

#include "DetachedData.h"
#include "Onnx.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/Support/LEB128.h"

using namespace takt::import;
using llvm::StringRef;

/// Smaller data are cheaper to copy than to note.
static constexpr size_t kMinDetachedBytes = 4096;

namespace {
enum class WireType { Varint = 0, Fixed64 = 1, Bytes = 2, Fixed32 = 5 };

struct Field {
  uint64_t number = 0;
  WireType type = WireType::Varint;
  StringRef whole;   ///< with number and type
  StringRef content; ///< of Bytes

  /// It is a message or a string of that number.
  bool is(int wanted) const {
    return type == WireType::Bytes && number == uint64_t(wanted);
  }
};
} // namespace

static std::optional<uint64_t> takeVarint(StringRef &bytes) {
  unsigned length = 0;
  const char *error = nullptr;
  uint64_t value = llvm::decodeULEB128(bytes.bytes_begin(), &length,
                                       bytes.bytes_end(), &error);
  if (error)
    return std::nullopt;
  bytes = bytes.drop_front(length);
  return value;
}

/// Takes the next field. Nullopt if it is cut off, or a group, which ONNX has
/// none of.
static std::optional<Field> takeField(StringRef &bytes) {
  StringRef rest = bytes;
  std::optional<uint64_t> tag = takeVarint(rest);
  if (!tag)
    return std::nullopt;
  Field field;
  field.number = *tag >> 3;
  field.type = WireType(*tag & 7);
  uint64_t length = 0;
  switch (field.type) {
  case WireType::Varint:
    if (!takeVarint(rest))
      return std::nullopt;
    break;
  case WireType::Fixed64:
    length = 8;
    break;
  case WireType::Fixed32:
    length = 4;
    break;
  case WireType::Bytes:
    if (std::optional<uint64_t> size = takeVarint(rest)) {
      length = *size;
      break;
    }
    return std::nullopt;
  default:
    return std::nullopt;
  }
  if (length > rest.size())
    return std::nullopt;
  field.content = rest.take_front(length);
  rest = rest.drop_front(length);
  field.whole = bytes.drop_back(rest.size());
  bytes = rest;
  return field;
}

/// Calls the function with each field. False if the message is malformed or the
/// function says so.
static bool forEachField(StringRef message,
                         llvm::function_ref<bool(const Field &)> function) {
  while (!message.empty()) {
    std::optional<Field> field = takeField(message);
    if (!field || !function(*field))
      return false;
  }
  return true;
}

static void append(std::string &bytes, StringRef more) {
  bytes.append(more.begin(), more.end());
}

static void appendVarint(std::string &bytes, uint64_t value) {
  uint8_t encoded[10];
  bytes.append(encoded, encoded + llvm::encodeULEB128(value, encoded));
}

/// Appends a message under its number.
static void appendMessage(std::string &bytes, int number,
                          const std::string &message) {
  appendVarint(bytes, uint64_t(number) << 3 | uint64_t(WireType::Bytes));
  appendVarint(bytes, message.size());
  bytes += message;
}

/// The last one of several raw data counts, as in the classes.
static bool detachTensor(StringRef tensor, std::string &bytes,
                         std::optional<StringRef> &rawData) {
  return forEachField(tensor, [&](const Field &field) {
    bool isRaw = field.is(onnx::TensorProto::kRawDataFieldNumber);
    bool isLarge = field.content.size() >= kMinDetachedBytes;
    if (isRaw)
      rawData = isLarge ? std::optional(field.content) : std::nullopt;
    if (!isRaw || !isLarge)
      append(bytes, field.whole);
    return true;
  });
}

static bool detachGraph(StringRef graph, std::string &bytes,
                        std::vector<std::optional<StringRef>> &rawData) {
  return forEachField(graph, [&](const Field &field) {
    constexpr int kInitializer = onnx::GraphProto::kInitializerFieldNumber;
    if (!field.is(kInitializer)) {
      append(bytes, field.whole);
      return true;
    }
    std::string tensor;
    if (!detachTensor(field.content, tensor, rawData.emplace_back()))
      return false;
    appendMessage(bytes, kInitializer, tensor);
    return true;
  });
}

std::optional<DetachedModel> takt::import::detachData(StringRef file) {
  DetachedModel model;
  bool isWhole = forEachField(file, [&](const Field &field) {
    constexpr int kGraph = onnx::ModelProto::kGraphFieldNumber;
    if (!field.is(kGraph)) {
      append(model.bytes, field.whole);
      return true;
    }
    std::string graph;
    if (!detachGraph(field.content, graph, model.rawData))
      return false;
    appendMessage(model.bytes, kGraph, graph);
    return true;
  });
  if (!isWhole)
    return std::nullopt;
  return model;
}
