//===- Nodes.cpp - the nodes of a graph, one after the other --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Nodes.h"
#include "EmptyTensors.h"
#include "Node.h"
#include "Order.h"
#include "Registry.h"

using namespace mlir;
using namespace takt::import;

LogicalResult
takt::import::defineInitializers(Graph &graph, const onnx::GraphProto &proto,
                                 ArrayRef<std::optional<StringRef>> rawData) {
  for (auto [i, tensor] : llvm::enumerate(proto.initializer())) {
    if (!graph.used.contains(tensor.name()))
      continue;
    Subject subject{graph.builder.getUnknownLoc(),
                    "initializer '" + tensor.name() + "'"};
    FailureOr<Constant> constant = makeConstant(tensor.name(), tensor, subject);
    if (failed(constant))
      return failure();
    if (i < rawData.size())
      constant->rawData = rawData[i];
    constant->fixed = graph.fixed.contains(tensor.name());
    graph.constants.push_back(std::move(*constant));
    graph.operands[tensor.name()].constant = &graph.constants.back();
  }
  return success();
}

static LogicalResult importNode(Graph &graph, const onnx::NodeProto &node) {
  Subject subject = nodeSubject(node, graph.opset, graph.builder.getContext());
  std::optional<Registry::Match> match =
      Registry::get().lookup(node.domain(), node.op_type(), graph.opset);
  if (!match)
    return subject.unsupported() << "is of no operator that Takt knows";
  // Operators got today's attributes and broadcasting by opset 7.
  if (!match->convert && match->since <= 7)
    return subject.unsupported()
           << "is of a version of its operator from before opset 7";
  if (!match->convert)
    return subject.invalid()
           << "is of an operator that is new in opset " << match->since;
  if (!match->takesSequences)
    for (const std::string &name : node.input())
      if (graph.operands.lookup(name).sequence)
        return subject.unsupported()
               << "takes the sequence '" << name << "', expected a tensor";
  Node view(graph, node, match->since, subject.loc);
  FailureOr<bool> isDone = convertOfEmpty(view);
  if (failed(isDone) || (!*isDone && failed(match->convert(view))))
    return failure();
  // What a conversion does not define, Binder found to be unused.
  for (const std::string &name : node.output())
    if (!name.empty() && graph.used.contains(name) &&
        !graph.operands.contains(name))
      return subject.unsupported() << "does not compute '" << name << "'";
  return success();
}

LogicalResult
takt::import::importNodes(Graph &graph,
                          ArrayRef<const onnx::NodeProto *> nodes) {
  for (const onnx::NodeProto *node : nodes)
    if (failed(importNode(graph, *node)))
      return failure();
  return success();
}

FailureOr<SmallVector<Operand>>
takt::import::importBody(Graph &graph, onnx::GraphProto body) {
  const onnx::GraphProto &kept = graph.bodies.emplace_back(std::move(body));
  FailureOr<NodeOrder> order =
      orderNodes(kept, graph.opset, graph.builder.getContext(),
                 [&](StringRef name) { return graph.operands.contains(name); });
  if (failed(order))
    return failure();
  for (StringRef name : order->used.keys())
    graph.used.insert(name);
  if (failed(defineInitializers(graph, kept)) ||
      failed(importNodes(graph, order->nodes)))
    return failure();
  return llvm::map_to_vector(kept.output(),
                             [&](const onnx::ValueInfoProto &output) {
                               return graph.operands.lookup(output.name());
                             });
}
