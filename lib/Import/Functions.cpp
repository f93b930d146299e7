//===- Functions.cpp - model-local functions ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Functions.h"
#include "Node.h"
#include "Subgraphs.h"
#include "llvm/ADT/StringMap.h"
#include <map>

using namespace mlir;
using namespace takt::import;
using onnx::AttributeProto;
using onnx::FunctionProto;
using onnx::NodeProto;

/// Deepest nesting of calls, most bytes of nodes that they become, and what a
/// call counts for besides: small functions that call each other twice can make
/// very many, or none in very many calls.
static constexpr int kMaxDepth = 64;
static constexpr uint64_t kMaxInlinedBytes = uint64_t(1) << 24;
static constexpr uint64_t kBytesPerCall = 256;

namespace {
class Inliner {
public:
  Inliner(const onnx::ModelProto &model, int64_t opset, MLIRContext *context)
      : opset(opset), context(context) {
    for (const FunctionProto &function : model.functions())
      functions[{function.domain(), function.name()}] = &function;
  }

  bool isEmpty() const { return functions.empty(); }

  /// Replaces the calls in the graph, which is `depth` calls deep, and in the
  /// graphs in it.
  LogicalResult inlineCalls(onnx::GraphProto &graph, int depth);

private:
  /// Appends the node, or the nodes that it stands for, to the graph.
  LogicalResult add(const NodeProto &node, int depth, onnx::GraphProto &graph);
  LogicalResult checkFunction(const NodeProto &call,
                              const FunctionProto &function) const;
  LogicalResult addCall(const NodeProto &call, const FunctionProto &function,
                        int depth, onnx::GraphProto &graph);

  std::map<std::pair<std::string, std::string>, const FunctionProto *>
      functions; ///< by domain and name
  int64_t opset;
  MLIRContext *context;
  uint64_t inlinedBytes = 0;
};
} // namespace

LogicalResult Inliner::checkFunction(const NodeProto &call,
                                     const FunctionProto &function) const {
  Subject subject = nodeSubject(call, opset, context);
  for (const onnx::OperatorSetIdProto &import : function.opset_import())
    if ((import.domain().empty() || import.domain() == "ai.onnx") &&
        import.version() != opset)
      return subject.unsupported()
             << "calls a function of opset " << import.version()
             << ", expected the model's, " << opset;
  if (call.input_size() > function.input_size() ||
      call.output_size() > function.output_size())
    return subject.invalid()
           << "has " << call.input_size() << " inputs and "
           << call.output_size() << " outputs, expected at most "
           << function.input_size() << " and " << function.output_size()
           << " as its function";
  return success();
}

/// The function's attributes that have a default. This version of ONNX's
/// classes does not know the field.
static std::vector<AttributeProto> defaultsOf(const FunctionProto &function) {
  constexpr int kAttributeProtoField = 11;
  std::vector<AttributeProto> defaults;
  const google::protobuf::UnknownFieldSet &unknown =
      function.GetReflection()->GetUnknownFields(function);
  for (int i = 0; i < unknown.field_count(); ++i) {
    const google::protobuf::UnknownField &field = unknown.field(i);
    AttributeProto attribute;
    if (field.number() == kAttributeProtoField &&
        field.type() == google::protobuf::UnknownField::TYPE_LENGTH_DELIMITED &&
        attribute.ParseFromString(field.length_delimited()))
      defaults.push_back(std::move(attribute));
  }
  return defaults;
}

/// Attributes that refer to the function's own become the given ones; those
/// that are not given are left out.
static void bindAttributes(const llvm::StringMap<AttributeProto> &given,
                           NodeProto &node) {
  google::protobuf::RepeatedPtrField<AttributeProto> bound;
  for (const AttributeProto &attribute : node.attribute()) {
    if (attribute.ref_attr_name().empty()) {
      *bound.Add() = attribute;
      continue;
    }
    auto it = given.find(attribute.ref_attr_name());
    if (it == given.end())
      continue;
    AttributeProto copy = it->second;
    copy.set_name(attribute.name());
    *bound.Add() = copy;
  }
  node.mutable_attribute()->Swap(&bound);
  forEachSubgraph(node, [&](onnx::GraphProto &graph) {
    for (NodeProto &inner : *graph.mutable_node())
      bindAttributes(given, inner);
  });
}

LogicalResult Inliner::addCall(const NodeProto &call,
                               const FunctionProto &function, int depth,
                               onnx::GraphProto &graph) {
  Subject subject = nodeSubject(call, opset, context);
  if (depth > kMaxDepth)
    return subject.invalid() << "calls functions that call each other";
  if (failed(checkFunction(call, function)))
    return failure();
  inlinedBytes += kBytesPerCall;
  for (const NodeProto &node : function.node())
    inlinedBytes += node.ByteSizeLong();
  if (inlinedBytes > kMaxInlinedBytes)
    return subject.unsupported() << "makes more than " << kMaxInlinedBytes
                                 << " bytes of nodes in calls of functions";
  llvm::StringMap<std::string> names;
  for (int i = 0; i < function.input_size(); ++i)
    names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
  for (int i = 0; i < call.output_size(); ++i)
    if (!call.output(i).empty())
      names[function.output(i)] = call.output(i);
  llvm::StringMap<AttributeProto> attributes;
  for (const AttributeProto &attribute : defaultsOf(function))
    attributes[attribute.name()] = attribute;
  for (const AttributeProto &attribute : call.attribute())
    attributes[attribute.name()] = attribute;
  std::string prefix = nodeName(call).str() + "/";
  auto rename = [&](std::string &name) {
    if (!name.empty())
      name = names.try_emplace(name, prefix + name).first->second;
  };
  for (NodeProto node : function.node()) {
    node.set_name(prefix + nodeName(node).str());
    forEachName(node, rename);
    bindAttributes(attributes, node);
    if (failed(add(node, depth + 1, graph)))
      return failure();
  }
  return success();
}

LogicalResult Inliner::add(const NodeProto &node, int depth,
                           onnx::GraphProto &graph) {
  auto function = functions.find({node.domain(), node.op_type()});
  if (function != functions.end())
    return addCall(node, *function->second, depth, graph);
  NodeProto &added = *graph.add_node() = node;
  LogicalResult result = success();
  forEachSubgraph(added, [&](onnx::GraphProto &inner) {
    if (succeeded(result))
      result = inlineCalls(inner, depth);
  });
  return result;
}

LogicalResult Inliner::inlineCalls(onnx::GraphProto &graph, int depth) {
  google::protobuf::RepeatedPtrField<NodeProto> nodes;
  nodes.Swap(graph.mutable_node());
  for (const NodeProto &node : nodes)
    if (failed(add(node, depth, graph)))
      return failure();
  return success();
}

LogicalResult takt::import::inlineFunctions(onnx::ModelProto &model,
                                            int64_t opset,
                                            MLIRContext *context) {
  Inliner inliner(model, opset, context);
  if (inliner.isEmpty())
    return success();
  return inliner.inlineCalls(*model.mutable_graph(), /*depth=*/0);
}
