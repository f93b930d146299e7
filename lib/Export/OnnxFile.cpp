//===- OnnxFile.cpp - the constants of an ONNX file -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxFile.h"
#include "takt/Support/Onnx.h"
#include "llvm/Support/Endian.h"

using namespace llvm;
using namespace takt;
using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;
using wire::Field;
using wire::forEachField;
using wire::Type;

/// Most elements of a shape, as the importer's.
static constexpr size_t kMaxRank = 8;

bool takt::isData(const Field &field) {
  switch (field.number) {
  case TensorProto::kFloatDataFieldNumber:
  case TensorProto::kInt32DataFieldNumber:
  case TensorProto::kStringDataFieldNumber:
  case TensorProto::kInt64DataFieldNumber:
  case TensorProto::kRawDataFieldNumber:
  case TensorProto::kDoubleDataFieldNumber:
  case TensorProto::kUint64DataFieldNumber:
  case TensorProto::kExternalDataFieldNumber:
  case TensorProto::kDataLocationFieldNumber:
    return true;
  default:
    return false;
  }
}

/// The int64 elements in raw data, of what may be a shape.
static void readRawIntegers(StringRef raw, SmallVectorImpl<int64_t> &numbers) {
  if (raw.size() % sizeof(int64_t) || raw.size() > kMaxRank * sizeof(int64_t))
    return;
  for (size_t at = 0; at < raw.size(); at += sizeof(int64_t))
    numbers.push_back(support::endian::read64le(raw.data() + at));
}

Expected<TensorInfo> takt::readTensor(StringRef message) {
  TensorInfo info;
  info.message = message;
  info.dims.emplace();
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.number == TensorProto::kDimsFieldNumber)
      return readIntegers(field, *info.dims);
    if (field.number == TensorProto::kInt64DataFieldNumber)
      return readIntegers(field, info.integers);
    if (field.is(TensorProto::kDataTypeFieldNumber, Type::Varint))
      info.type = static_cast<int64_t>(field.value);
    else if (field.is(TensorProto::kNameFieldNumber, Type::Length))
      info.name = field.payload;
    else if (field.is(TensorProto::kDataLocationFieldNumber, Type::Varint))
      info.external = field.value == TensorProto::EXTERNAL;
    else if (field.is(TensorProto::kRawDataFieldNumber, Type::Length))
      readRawIntegers(field.payload, info.integers);
    return Error::success();
  });
  if (error)
    return std::move(error);
  if (info.type != TensorProto::INT64)
    info.integers.clear();
  return info;
}

static Error readAttribute(StringRef message, NodeInfo &node) {
  StringRef name;
  std::optional<TensorInfo> tensor;
  int64_t number = 0;
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.is(AttributeProto::kNameFieldNumber, Type::Length)) {
      name = field.payload;
    } else if (field.is(AttributeProto::kIFieldNumber, Type::Varint)) {
      number = static_cast<int64_t>(field.value);
    } else if (field.is(AttributeProto::kTFieldNumber, Type::Length)) {
      Expected<TensorInfo> read = readTensor(field.payload);
      if (!read)
        return read.takeError();
      tensor = std::move(*read);
    }
    return Error::success();
  });
  if (tensor)
    node.value = std::move(tensor);
  if (name == "to")
    node.to = number;
  return error;
}

static Expected<NodeInfo> readNode(StringRef message) {
  NodeInfo node;
  node.message = message;
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.is(NodeProto::kInputFieldNumber, Type::Length))
      node.inputs.push_back(field.payload);
    else if (field.is(NodeProto::kOutputFieldNumber, Type::Length))
      node.outputs.push_back(field.payload);
    else if (field.is(NodeProto::kNameFieldNumber, Type::Length))
      node.name = field.payload;
    else if (field.is(NodeProto::kOpTypeFieldNumber, Type::Length))
      node.type = field.payload;
    else if (field.is(NodeProto::kDomainFieldNumber, Type::Length))
      node.domain = field.payload;
    else if (field.is(NodeProto::kAttributeFieldNumber, Type::Length))
      return readAttribute(field.payload, node);
    return Error::success();
  });
  if (error)
    return std::move(error);
  return node;
}

Error OnnxFile::addInitializer(StringRef message) {
  Expected<TensorInfo> tensor = readTensor(message);
  if (!tensor)
    return tensor.takeError();
  if (tensor->external)
    externals.push_back(tensor->name);
  if (!initializers.try_emplace(tensor->name, tensors.size()).second)
    return createStringError("has two initializers '" + tensor->name + "'");
  tensors.push_back(std::move(*tensor));
  return Error::success();
}

Error OnnxFile::addNode(StringRef message) {
  Expected<NodeInfo> node = readNode(message);
  if (!node)
    return node.takeError();
  if (node->value && node->value->external && !node->outputs.empty())
    externals.push_back(node->outputs.front());
  for (StringRef output : node->outputs)
    if (!output.empty() && !makers.try_emplace(output, nodes.size()).second)
      return createStringError("has two nodes with the output '" + output +
                               "'");
  nodes.push_back(std::move(*node));
  return Error::success();
}

Error OnnxFile::addGraph(StringRef message) {
  return forEachField(message, [&](const Field &field) -> Error {
    if (field.is(GraphProto::kInitializerFieldNumber, Type::Length))
      return addInitializer(field.payload);
    if (field.is(GraphProto::kNodeFieldNumber, Type::Length))
      return addNode(field.payload);
    return Error::success();
  });
}

Error OnnxFile::separateMerged(StringRef bytes) {
  Expected<std::vector<SeparateInput>> found = findSeparateInputs(bytes);
  if (!found)
    return found.takeError();
  separate = std::move(*found);
  for (const SeparateInput &input : separate) {
    size_t tensor = initializers.lookup(input.initializer);
    if (initializers.try_emplace(input.name, tensor).second &&
        tensors[tensor].external)
      externals.push_back(input.name);
  }
  return Error::success();
}

Expected<OnnxFile> OnnxFile::read(StringRef bytes) {
  OnnxFile file;
  bool hasGraph = false;
  Error error = forEachField(bytes, [&](const Field &field) -> Error {
    if (!field.is(ModelProto::kGraphFieldNumber, Type::Length))
      return Error::success();
    hasGraph = true;
    return file.addGraph(field.payload);
  });
  if (!error && !hasGraph)
    error = createStringError("has no graph");
  if (!error)
    error = file.separateMerged(bytes);
  if (error)
    return std::move(error);
  return file;
}

const TensorInfo *OnnxFile::initializer(StringRef name) const {
  auto found = initializers.find(name);
  return found == initializers.end() ? nullptr : &tensors[found->second];
}

const NodeInfo *OnnxFile::maker(StringRef name) const {
  auto found = makers.find(name);
  return found == makers.end() ? nullptr : &nodes[found->second];
}

/// What ConstantOfShape makes; the shape may not be known.
static TensorInfo filled(const NodeInfo &node, const TensorInfo *shape) {
  TensorInfo result;
  result.type = node.value ? node.value->type : int64_t(TensorProto::FLOAT);
  if (shape && shape->dims && shape->dims->size() == 1 &&
      shape->dims->front() == static_cast<int64_t>(shape->integers.size()))
    result.dims.emplace(shape->integers.begin(), shape->integers.end());
  return result;
}

Expected<TensorInfo> OnnxFile::madeBy(const NodeInfo &node, StringRef name,
                                      int depth) const {
  if (node.is("Constant") && node.value)
    return *node.value;
  bool passes =
      node.is("Identity") || node.is("Cast") || node.is("ConstantOfShape");
  if (!passes || node.inputs.size() != 1 || depth > kMaxChain)
    return createStringError("computes '" + name + "' by a node of type '" +
                             node.type + "', expected a constant");
  Expected<TensorInfo> input = constant(node.inputs.front(), depth + 1);
  if (node.is("ConstantOfShape")) {
    TensorInfo result = filled(node, input ? &*input : nullptr);
    consumeError(input.takeError());
    return result;
  }
  if (input && node.is("Cast"))
    input->type = node.to;
  return input;
}

Expected<TensorInfo> OnnxFile::constant(StringRef name, int depth) const {
  if (const TensorInfo *tensor = initializer(name))
    return *tensor;
  if (const NodeInfo *node = maker(name))
    return madeBy(*node, name, depth);
  return createStringError("has no tensor '" + name + "'");
}

Expected<TensorInfo> OnnxFile::constant(StringRef name) const {
  return constant(name, 0);
}
