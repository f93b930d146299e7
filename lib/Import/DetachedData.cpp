//===- DetachedData.cpp - weights that stay in the file -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DetachedData.h"
#include "takt/Support/Onnx.h"
#include "takt/Support/Wire.h"

using namespace takt;
using namespace takt::import;
using llvm::Error;
using llvm::StringRef;
using wire::Field;

/// Smaller data are cheaper to copy than to note.
static constexpr size_t kMinDetachedBytes = 4096;

/// The last one of several raw data counts, as in the classes.
static Error detachTensor(StringRef tensor, std::string &bytes,
                          std::optional<StringRef> &rawData) {
  return wire::forEachField(tensor, [&](const Field &field) -> Error {
    bool isRaw =
        field.is(onnx::TensorProto::kRawDataFieldNumber, wire::Type::Length);
    bool isLarge = field.payload.size() >= kMinDetachedBytes;
    if (isRaw)
      rawData = isLarge ? std::optional(field.payload) : std::nullopt;
    if (!isRaw || !isLarge)
      bytes += field.bytes;
    return Error::success();
  });
}

static Error detachGraph(StringRef graph, std::string &bytes,
                         std::vector<std::optional<StringRef>> &rawData) {
  return wire::forEachField(graph, [&](const Field &field) -> Error {
    constexpr int kInitializer = onnx::GraphProto::kInitializerFieldNumber;
    if (!field.is(kInitializer, wire::Type::Length)) {
      bytes += field.bytes;
      return Error::success();
    }
    std::string tensor;
    Error error = detachTensor(field.payload, tensor, rawData.emplace_back());
    wire::appendBytes(bytes, kInitializer, tensor);
    return error;
  });
}

llvm::Expected<DetachedModel> takt::import::detachData(StringRef file) {
  DetachedModel model;
  Error error = wire::forEachField(file, [&](const Field &field) -> Error {
    constexpr int kGraph = onnx::ModelProto::kGraphFieldNumber;
    if (!field.is(kGraph, wire::Type::Length)) {
      model.bytes += field.bytes;
      return Error::success();
    }
    std::string graph;
    Error error = detachGraph(field.payload, graph, model.rawData);
    wire::appendBytes(model.bytes, kGraph, graph);
    return error;
  });
  if (error)
    return std::move(error);
  return model;
}
