//===- OnnxGraph.cpp - an ONNX graph under construction -------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "OnnxGraph.h"
#include "takt/Support/Onnx.h"
#include "takt/Support/Wire.h"
#include "llvm/ADT/Twine.h"

using namespace llvm;
using namespace takt;
using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::ModelProto;
using onnx::NodeProto;
using onnx::TensorProto;
using wire::appendBytes;
using wire::appendVarint;

std::string OnnxGraph::unique(StringRef wanted) {
  std::string name = wanted.str();
  for (unsigned number = 1; !reserve(name); ++number)
    name = (wanted + "." + Twine(number)).str();
  return name;
}

static std::string valueInfo(StringRef name, ElementType type,
                             ArrayRef<int64_t> dims) {
  using Dimension = onnx::TensorShapeProto_Dimension;
  using TensorType = onnx::TypeProto_Tensor;
  std::string shape, tensor, typeProto, info;
  for (int64_t dim : dims) {
    std::string dimension;
    appendVarint(dimension, Dimension::kDimValueFieldNumber, dim);
    appendBytes(shape, onnx::TensorShapeProto::kDimFieldNumber, dimension);
  }
  appendVarint(tensor, TensorType::kElemTypeFieldNumber, onnxDataType(type));
  appendBytes(tensor, TensorType::kShapeFieldNumber, shape);
  appendBytes(typeProto, onnx::TypeProto::kTensorTypeFieldNumber, tensor);
  appendBytes(info, onnx::ValueInfoProto::kNameFieldNumber, name);
  appendBytes(info, onnx::ValueInfoProto::kTypeFieldNumber, typeProto);
  return info;
}

void OnnxGraph::addInput(StringRef name, ElementType type,
                         ArrayRef<int64_t> dims) {
  appendBytes(inputs, GraphProto::kInputFieldNumber,
              valueInfo(name, type, dims));
}

void OnnxGraph::addOutput(StringRef name, ElementType type,
                          ArrayRef<int64_t> dims) {
  appendBytes(outputs, GraphProto::kOutputFieldNumber,
              valueInfo(name, type, dims));
}

void OnnxGraph::addInitializer(StringRef name, ElementType type,
                               ArrayRef<int64_t> dims, Rope raw) {
  std::string declaration;
  for (int64_t dim : dims)
    appendVarint(declaration, TensorProto::kDimsFieldNumber, dim);
  appendVarint(declaration, TensorProto::kDataTypeFieldNumber,
               onnxDataType(type));
  appendBytes(declaration, TensorProto::kNameFieldNumber, name);
  Rope tensor;
  tensor.keep(std::move(declaration));
  tensor.append(wire::bytes(TensorProto::kRawDataFieldNumber, std::move(raw)));
  initializers.append(
      wire::bytes(GraphProto::kInitializerFieldNumber, std::move(tensor)));
}

static std::string encodeAttribute(const NodeAttribute &attribute) {
  std::string out;
  appendBytes(out, AttributeProto::kNameFieldNumber, attribute.name);
  AttributeProto::AttributeType type = AttributeProto::INT;
  if (const auto *integer = std::get_if<int64_t>(&attribute.value)) {
    appendVarint(out, AttributeProto::kIFieldNumber,
                 static_cast<uint64_t>(*integer));
  } else if (const auto *number = std::get_if<float>(&attribute.value)) {
    wire::appendFloat(out, AttributeProto::kFFieldNumber, *number);
    type = AttributeProto::FLOAT;
  } else if (const auto *text = std::get_if<StringRef>(&attribute.value)) {
    appendBytes(out, AttributeProto::kSFieldNumber, *text);
    type = AttributeProto::STRING;
  } else {
    for (int64_t each : std::get<std::vector<int64_t>>(attribute.value))
      appendVarint(out, AttributeProto::kIntsFieldNumber,
                   static_cast<uint64_t>(each));
    type = AttributeProto::INTS;
  }
  appendVarint(out, AttributeProto::kTypeFieldNumber, type);
  return out;
}

void OnnxGraph::addNode(StringRef type, ArrayRef<std::string> inputs,
                        ArrayRef<std::string> outputs,
                        NodeAttributes attributes) {
  std::string node;
  for (const std::string &input : inputs) {
    appendBytes(node, NodeProto::kInputFieldNumber, input);
    used.insert(input);
  }
  for (const std::string &output : outputs)
    appendBytes(node, NodeProto::kOutputFieldNumber, output);
  appendBytes(node, NodeProto::kNameFieldNumber, outputs.front());
  appendBytes(node, NodeProto::kOpTypeFieldNumber, type);
  for (const NodeAttribute &attribute : attributes)
    appendBytes(node, NodeProto::kAttributeFieldNumber,
                encodeAttribute(attribute));
  appendBytes(nodes, GraphProto::kNodeFieldNumber, node);
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
  appendBytes(front, GraphProto::kNameFieldNumber, name);
  appendBytes(behind, GraphProto::kDocStringFieldNumber, description);
  Rope graph;
  graph.keep(std::move(nodes));
  graph.keep(std::move(front));
  graph.append(std::move(initializers));
  graph.keep(behind + inputs + outputs);

  std::string head, tail;
  appendVarint(head, ModelProto::kIrVersionFieldNumber, kIrVersion);
  appendBytes(head, ModelProto::kProducerNameFieldNumber, "takt");
  appendBytes(opsetId, onnx::OperatorSetIdProto::kDomainFieldNumber, "");
  appendVarint(opsetId, onnx::OperatorSetIdProto::kVersionFieldNumber, opset);
  appendBytes(tail, ModelProto::kOpsetImportFieldNumber, opsetId);
  Rope model;
  model.keep(std::move(head));
  model.append(wire::bytes(ModelProto::kGraphFieldNumber, std::move(graph)));
  model.keep(std::move(tail));
  return model;
}
