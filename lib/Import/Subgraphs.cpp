//===- Subgraphs.cpp - graphs in the attributes of nodes ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Subgraphs.h"
#include "Node.h"
#include "llvm/ADT/StringSet.h"

using namespace takt::import;
using llvm::StringRef;
using onnx::AttributeProto;
using onnx::GraphProto;
using onnx::NodeProto;

void takt::import::forEachSubgraph(
    NodeProto &node, llvm::function_ref<void(GraphProto &)> function) {
  for (AttributeProto &attribute : *node.mutable_attribute()) {
    if (attribute.has_g())
      function(*attribute.mutable_g());
    for (GraphProto &graph : *attribute.mutable_graphs())
      function(graph);
  }
}

/// The same for graphs that stay as they are.
static void
forEachSubgraph(const NodeProto &node,
                llvm::function_ref<void(const GraphProto &)> function) {
  for (const AttributeProto &attribute : node.attribute()) {
    if (attribute.has_g())
      function(attribute.g());
    for (const GraphProto &graph : attribute.graphs())
      function(graph);
  }
}

bool takt::import::hasSubgraph(const NodeProto &node) {
  bool any = false;
  ::forEachSubgraph(node, [&](const GraphProto &) { any = true; });
  return any;
}

/// Calls the function with every name that the graph itself defines.
static void
forEachDefinition(const GraphProto &graph,
                  llvm::function_ref<void(const std::string &)> function) {
  for (const onnx::ValueInfoProto &input : graph.input())
    function(input.name());
  for (const onnx::TensorProto &tensor : graph.initializer())
    function(tensor.name());
  for (const NodeProto &node : graph.node())
    for (const std::string &name : node.output())
      function(name);
}

void takt::import::forEachUse(
    const NodeProto &node,
    llvm::function_ref<void(const std::string &)> function) {
  for (const std::string &name : node.input())
    function(name);
  ::forEachSubgraph(node, [&](const GraphProto &graph) {
    llvm::StringSet<> own;
    forEachDefinition(graph,
                      [&](const std::string &name) { own.insert(name); });
    auto useOfOuter = [&](const std::string &name) {
      if (!own.contains(name))
        function(name);
    };
    for (const NodeProto &inner : graph.node())
      forEachUse(inner, useOfOuter);
    for (const onnx::ValueInfoProto &output : graph.output())
      useOfOuter(output.name());
  });
}

static void forEachName(GraphProto &graph,
                        llvm::function_ref<void(std::string &)> function) {
  for (onnx::ValueInfoProto &input : *graph.mutable_input())
    function(*input.mutable_name());
  for (onnx::TensorProto &tensor : *graph.mutable_initializer())
    function(*tensor.mutable_name());
  for (NodeProto &node : *graph.mutable_node())
    takt::import::forEachName(node, function);
  for (onnx::ValueInfoProto &output : *graph.mutable_output())
    function(*output.mutable_name());
}

void takt::import::forEachName(
    NodeProto &node, llvm::function_ref<void(std::string &)> function) {
  for (std::string &name : *node.mutable_input())
    function(name);
  for (std::string &name : *node.mutable_output())
    function(name);
  forEachSubgraph(node,
                  [&](GraphProto &graph) { ::forEachName(graph, function); });
}

static bool isConstant(const NodeProto &node) {
  return node.op_type() == "Constant" &&
         (node.domain().empty() || node.domain() == "ai.onnx");
}

/// Puts the prefix before what the first graph defines, in the second.
static void addPrefix(const GraphProto &definitions, GraphProto &graph,
                      StringRef prefix) {
  llvm::StringSet<> names;
  forEachDefinition(definitions, [&](const std::string &name) {
    if (!name.empty())
      names.insert(name);
  });
  forEachName(graph, [&](std::string &name) {
    if (names.contains(name))
      name.insert(0, prefix.data(), prefix.size());
  });
}

static void hoist(GraphProto &body, const std::string &prefix,
                  GraphProto &hoisted) {
  GraphProto constants;
  constants.mutable_initializer()->Swap(body.mutable_initializer());
  google::protobuf::RepeatedPtrField<NodeProto> nodes;
  nodes.Swap(body.mutable_node());
  for (NodeProto &node : nodes)
    (isConstant(node) ? constants : body).add_node()->Swap(&node);
  addPrefix(constants, body, prefix);
  addPrefix(GraphProto(constants), constants, prefix);
  hoisted.MergeFrom(constants);
  int count = 0;
  for (NodeProto &node : *body.mutable_node())
    forEachSubgraph(node, [&](GraphProto &inner) {
      hoist(inner, prefix + std::to_string(count++) + "/", hoisted);
    });
}

GraphProto takt::import::hoistConstants(GraphProto &body, StringRef prefix) {
  GraphProto hoisted;
  hoist(body, prefix.str(), hoisted);
  forEachDefinition(GraphProto(hoisted), [&](const std::string &name) {
    hoisted.add_output()->set_name(name);
  });
  return hoisted;
}

GraphProto takt::import::instantiate(const GraphProto &body, StringRef prefix) {
  GraphProto copy = body;
  addPrefix(body, copy, prefix);
  for (NodeProto &node : *copy.mutable_node())
    node.set_name(prefix.str() + nodeName(node).str());
  return copy;
}
