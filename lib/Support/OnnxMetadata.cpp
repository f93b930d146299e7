//===- OnnxMetadata.cpp - what exporters say of nodes and values ----------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/OnnxMetadata.h"
#include "takt/Support/Onnx.h"
#include "takt/Support/Wire.h"

using namespace llvm;
using onnx::StringStringEntryProto;
using takt::wire::Field;
using takt::wire::Type;

Expected<std::optional<StringRef>> takt::metadataValue(StringRef entry,
                                                       StringRef wanted) {
  StringRef key, value;
  Error error = wire::forEachField(entry, [&](const Field &field) -> Error {
    if (field.is(StringStringEntryProto::kKeyFieldNumber, Type::Length))
      key = field.payload;
    else if (field.is(StringStringEntryProto::kValueFieldNumber, Type::Length))
      value = field.payload;
    return Error::success();
  });
  if (error)
    return std::move(error);
  return key == wanted ? std::optional(value) : std::nullopt;
}
