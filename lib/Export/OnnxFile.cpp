//===- OnnxFile.cpp - the constants of an ONNX file -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxFile.h"
#include "llvm/Support/Endian.h"

using namespace llvm;
using namespace takt;
using wire::Field;
using wire::forEachField;
using wire::Type;

/// Most elements of a shape, as the importer's.
static constexpr size_t kMaxRank = 8;

bool takt::isData(const Field &field) {
  using namespace onnxfield::tensor;
  switch (field.number) {
  case FloatData:
  case Int32Data:
  case StringData:
  case Int64Data:
  case RawData:
  case DoubleData:
  case Uint64Data:
  case ExternalData:
  case DataLocation:
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
  constexpr uint64_t kExternal = 1; // TensorProto.DataLocation
  constexpr int64_t kInt64 = 7;     // TensorProto.DataType
  using namespace onnxfield::tensor;
  TensorInfo info;
  info.message = message;
  info.dims.emplace();
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.number == Dims)
      return readIntegers(field, *info.dims);
    if (field.number == Int64Data)
      return readIntegers(field, info.integers);
    if (field.is(DataType, Type::Varint))
      info.type = static_cast<int64_t>(field.value);
    else if (field.is(Name, Type::Length))
      info.name = field.payload;
    else if (field.is(DataLocation, Type::Varint))
      info.external = field.value == kExternal;
    else if (field.is(RawData, Type::Length))
      readRawIntegers(field.payload, info.integers);
    return Error::success();
  });
  if (error)
    return std::move(error);
  if (info.type != kInt64)
    info.integers.clear();
  return info;
}

static Error readAttribute(StringRef message, NodeInfo &node) {
  using namespace onnxfield::attribute;
  StringRef name;
  std::optional<TensorInfo> tensor;
  int64_t number = 0;
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.is(Name, Type::Length)) {
      name = field.payload;
    } else if (field.is(Integer, Type::Varint)) {
      number = static_cast<int64_t>(field.value);
    } else if (field.is(Tensor, Type::Length)) {
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
  using namespace onnxfield::node;
  NodeInfo node;
  node.message = message;
  Error error = forEachField(message, [&](const Field &field) -> Error {
    if (field.is(Input, Type::Length))
      node.inputs.push_back(field.payload);
    else if (field.is(Output, Type::Length))
      node.outputs.push_back(field.payload);
    else if (field.is(Name, Type::Length))
      node.name = field.payload;
    else if (field.is(OpType, Type::Length))
      node.type = field.payload;
    else if (field.is(Domain, Type::Length))
      node.domain = field.payload;
    else if (field.is(Attribute, Type::Length))
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
    if (field.is(onnxfield::graph::Initializer, Type::Length))
      return addInitializer(field.payload);
    if (field.is(onnxfield::graph::Node, Type::Length))
      return addNode(field.payload);
    return Error::success();
  });
}

Expected<OnnxFile> OnnxFile::read(StringRef bytes) {
  OnnxFile file;
  bool hasGraph = false;
  Error error = forEachField(bytes, [&](const Field &field) -> Error {
    if (!field.is(onnxfield::model::Graph, Type::Length))
      return Error::success();
    hasGraph = true;
    return file.addGraph(field.payload);
  });
  if (!error && !hasGraph)
    error = createStringError("has no graph");
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
  result.type =
      node.value ? node.value->type : static_cast<int64_t>(OnnxType::Float);
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
