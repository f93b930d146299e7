//===- Functions.cpp - model-local functions ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Functions.h"
#include "Node.h"
#include "llvm/ADT/StringMap.h"
#include <map>

using namespace mlir;
using namespace takt::import;
using onnx::AttributeProto;
using onnx::FunctionProto;
using onnx::NodeProto;

/// Deepest nesting of calls, and most nodes after inlining: small functions
/// that call each other can make very many.
static constexpr int kMaxDepth = 64;
static constexpr int64_t kMaxNodes = int64_t(1) << 20;

namespace {
class Inliner {
public:
  Inliner(const onnx::ModelProto &model, int64_t opset, MLIRContext *context)
      : opset(opset), context(context) {
    for (const FunctionProto &function : model.functions())
      functions[{function.domain(), function.name()}] = &function;
  }

  bool isEmpty() const { return functions.empty(); }

  /// Appends the node, or the nodes that it stands for, to the graph.
  LogicalResult add(const NodeProto &node, int depth, onnx::GraphProto &graph);

private:
  LogicalResult checkFunction(const NodeProto &call,
                              const FunctionProto &function) const;
  LogicalResult addCall(const NodeProto &call, const FunctionProto &function,
                        int depth, onnx::GraphProto &graph);

  std::map<std::pair<std::string, std::string>, const FunctionProto *>
      functions; ///< by domain and name
  int64_t opset;
  MLIRContext *context;
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
  // Attributes with a default, which this version of ONNX's classes does not
  // know, are not read.
  const google::protobuf::UnknownFieldSet &unknown =
      function.GetReflection()->GetUnknownFields(function);
  if (unknown.field_count() != 0)
    for (int i = 0; i < unknown.field_count(); ++i)
      if (unknown.field(i).number() == 11)
        return subject.unsupported()
               << "calls a function whose attributes have defaults";
  if (call.input_size() > function.input_size() ||
      call.output_size() > function.output_size())
    return subject.invalid()
           << "has " << call.input_size() << " inputs and "
           << call.output_size() << " outputs, expected at most "
           << function.input_size() << " and " << function.output_size()
           << " as its function";
  return success();
}

/// What a function's attribute is in a call: none where the call has none.
static const AttributeProto *findAttribute(const NodeProto &call,
                                           StringRef name) {
  for (const AttributeProto &attribute : call.attribute())
    if (attribute.name() == name)
      return &attribute;
  return nullptr;
}

/// Attributes that refer to the function's own are those of the call.
static void bindAttributes(const NodeProto &call, NodeProto &node) {
  google::protobuf::RepeatedPtrField<AttributeProto> bound;
  for (const AttributeProto &attribute : node.attribute()) {
    if (attribute.ref_attr_name().empty()) {
      *bound.Add() = attribute;
      continue;
    }
    const AttributeProto *given =
        findAttribute(call, attribute.ref_attr_name());
    if (!given)
      continue;
    AttributeProto copy = *given;
    copy.set_name(attribute.name());
    *bound.Add() = copy;
  }
  node.mutable_attribute()->Swap(&bound);
}

static bool hasGraph(const NodeProto &node) {
  return llvm::any_of(node.attribute(), [](const AttributeProto &attribute) {
    return attribute.type() == AttributeProto::GRAPH ||
           attribute.type() == AttributeProto::GRAPHS;
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
  llvm::StringMap<std::string> names;
  for (int i = 0; i < function.input_size(); ++i)
    names[function.input(i)] = i < call.input_size() ? call.input(i) : "";
  for (int i = 0; i < call.output_size(); ++i)
    if (!call.output(i).empty())
      names[function.output(i)] = call.output(i);
  std::string prefix = nodeName(call).str() + "/";
  auto rename = [&](std::string &name) {
    if (!name.empty())
      name = names.try_emplace(name, prefix + name).first->second;
  };
  for (NodeProto node : function.node()) {
    if (hasGraph(node))
      return subject.unsupported() << "calls a function with graphs of its own";
    node.set_name(prefix + nodeName(node).str());
    for (std::string &name : *node.mutable_input())
      rename(name);
    for (std::string &name : *node.mutable_output())
      rename(name);
    bindAttributes(call, node);
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
  if (graph.node_size() >= kMaxNodes)
    return nodeSubject(node, opset, context).unsupported()
           << "is one of more than " << kMaxNodes << " nodes";
  *graph.add_node() = node;
  return success();
}

LogicalResult takt::import::inlineFunctions(onnx::ModelProto &model,
                                            int64_t opset,
                                            MLIRContext *context) {
  Inliner inliner(model, opset, context);
  if (inliner.isEmpty())
    return success();
  google::protobuf::RepeatedPtrField<NodeProto> nodes;
  nodes.Swap(model.mutable_graph()->mutable_node());
  for (const NodeProto &node : nodes)
    if (failed(inliner.add(node, 0, *model.mutable_graph())))
      return failure();
  return success();
}
