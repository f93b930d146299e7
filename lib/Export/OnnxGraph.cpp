//===- OnnxGraph.cpp - an ONNX graph under construction -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxGraph.h"
#include "OnnxFile.h"
#include "takt/Support/Wire.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;
using namespace takt;
using wire::appendBytes;
using wire::appendVarint;

int64_t takt::onnxDataType(ElementType type) {
  switch (type) {
  case ElementType::F32:
    return 1;
  case ElementType::F64:
    return 11;
  case ElementType::I32:
    return 6;
  case ElementType::I64:
    return 7;
  case ElementType::I1:
    break;
  }
  return 9;
}

std::string OnnxGraph::unique(StringRef wanted) {
  std::string name = wanted.str();
  for (unsigned number = 1; !reserve(name); ++number)
    name = (wanted + "." + Twine(number)).str();
  return name;
}

/// ValueInfoProto.
static std::string valueInfo(StringRef name, ElementType type,
                             ArrayRef<int64_t> dims) {
  std::string shape, tensor, typeProto, info;
  for (int64_t dim : dims) {
    std::string dimension;
    appendVarint(dimension, /*dim_value=*/1, dim);
    appendBytes(shape, /*dim=*/1, dimension);
  }
  appendVarint(tensor, /*elem_type=*/1, onnxDataType(type));
  appendBytes(tensor, /*shape=*/2, shape);
  appendBytes(typeProto, /*tensor_type=*/1, tensor);
  appendBytes(info, /*name=*/1, name);
  appendBytes(info, /*type=*/2, typeProto);
  return info;
}

void OnnxGraph::addInput(StringRef name, ElementType type,
                         ArrayRef<int64_t> dims) {
  appendBytes(inputs, onnxfield::graph::Input, valueInfo(name, type, dims));
}

void OnnxGraph::addOutput(StringRef name, ElementType type,
                          ArrayRef<int64_t> dims) {
  appendBytes(outputs, onnxfield::graph::Output, valueInfo(name, type, dims));
}

void OnnxGraph::addInitializer(StringRef name, ElementType type,
                               ArrayRef<int64_t> dims, Rope raw) {
  using namespace onnxfield::tensor;
  std::string declaration;
  for (int64_t dim : dims)
    appendVarint(declaration, Dims, dim);
  appendVarint(declaration, DataType, onnxDataType(type));
  appendBytes(declaration, Name, name);
  Rope tensor;
  tensor.keep(std::move(declaration));
  tensor.append(wire::bytes(RawData, std::move(raw)));
  initializers.append(
      wire::bytes(onnxfield::graph::Initializer, std::move(tensor)));
}

static std::string encodeAttribute(const NodeAttribute &attribute) {
  using namespace onnxfield::attribute;
  enum : uint64_t { kFloat = 1, kInt = 2, kString = 3, kInts = 7 };
  std::string out;
  appendBytes(out, Name, attribute.name);
  uint64_t type = kInt;
  if (const auto *integer = std::get_if<int64_t>(&attribute.value)) {
    appendVarint(out, Integer, static_cast<uint64_t>(*integer));
  } else if (const auto *number = std::get_if<float>(&attribute.value)) {
    wire::appendFloat(out, Number, *number);
    type = kFloat;
  } else if (const auto *text = std::get_if<StringRef>(&attribute.value)) {
    appendBytes(out, Text, *text);
    type = kString;
  } else {
    for (int64_t each : std::get<std::vector<int64_t>>(attribute.value))
      appendVarint(out, Integers, static_cast<uint64_t>(each));
    type = kInts;
  }
  appendVarint(out, Type, type);
  return out;
}

void OnnxGraph::addNode(StringRef type, ArrayRef<std::string> inputs,
                        ArrayRef<std::string> outputs,
                        NodeAttributes attributes) {
  using namespace onnxfield::node;
  std::string node;
  for (const std::string &input : inputs) {
    appendBytes(node, Input, input);
    used.insert(input);
  }
  for (const std::string &output : outputs)
    appendBytes(node, Output, output);
  appendBytes(node, Name, outputs.front());
  appendBytes(node, OpType, type);
  for (const NodeAttribute &attribute : attributes)
    appendBytes(node, Attribute, encodeAttribute(attribute));
  appendBytes(nodes, onnxfield::graph::Node, node);
}

std::string OnnxGraph::constant(ElementType type, ArrayRef<int64_t> dims,
                                StringRef raw) {
  std::string key;
  appendVarint(key, 1, onnxDataType(type));
  for (int64_t dim : dims)
    appendVarint(key, 2, dim);
  appendBytes(key, 3, raw);
  auto [known, isNew] = constants.try_emplace(key);
  if (isNew) {
    known->second = unique("constant");
    Rope elements;
    elements.keep(raw.str());
    addInitializer(known->second, type, dims, std::move(elements));
  }
  return known->second;
}

Rope OnnxGraph::takeModel(StringRef name, StringRef description,
                          int64_t opset) {
  constexpr uint64_t kIrVersion = 8; // that of ONNX 1.10 to 1.12
  std::string front, behind, opsetId;
  appendBytes(front, onnxfield::graph::Name, name);
  appendBytes(behind, onnxfield::graph::DocString, description);
  Rope graph;
  graph.keep(std::move(nodes));
  graph.keep(std::move(front));
  graph.append(std::move(initializers));
  graph.keep(behind + inputs + outputs);

  std::string head, tail;
  appendVarint(head, onnxfield::model::IrVersion, kIrVersion);
  appendBytes(head, onnxfield::model::ProducerName, "takt");
  appendBytes(opsetId, /*domain=*/1, "");
  appendVarint(opsetId, /*version=*/2, opset);
  appendBytes(tail, onnxfield::model::OpsetImport, opsetId);
  Rope model;
  model.keep(std::move(head));
  model.append(wire::bytes(onnxfield::model::Graph, std::move(graph)));
  model.keep(std::move(tail));
  return model;
}
