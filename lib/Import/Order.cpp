//===- Order.cpp - the order in which nodes are imported ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Order.h"
#include "Node.h"
#include "Subgraphs.h"
#include "llvm/ADT/StringMap.h"

using namespace mlir;
using namespace takt::import;

/// Stands for an input or initializer, or what is defined outside of the graph,
/// which no node computes.
static constexpr int kNoNode = -1;

namespace {
class Orderer {
public:
  Orderer(const onnx::GraphProto &graph, int64_t opset, MLIRContext *context,
          llvm::function_ref<bool(llvm::StringRef)> isDefinedOutside)
      : graph(graph), opset(opset), context(context),
        isDefinedOutside(isDefinedOutside),
        state(graph.node_size(), State::Unseen), uses(graph.node_size()) {}

  FailureOr<NodeOrder> run();

private:
  LogicalResult defineSources();
  LogicalResult defineOutputs();
  LogicalResult collectUses();
  LogicalResult visit(int root);
  void keepLive(NodeOrder &result) const;

  Subject subject(int node) const {
    return nodeSubject(graph.node(node), opset, context);
  }
  /// The node that computes a name that collectUses found to be defined.
  int producer(llvm::StringRef name) const {
    auto it = definitions.find(name);
    return it == definitions.end() ? kNoNode : it->second;
  }
  bool isDefined(llvm::StringRef name) const {
    return definitions.contains(name) ||
           (isDefinedOutside && isDefinedOutside(name));
  }

  enum class State : char { Unseen, Open, Done };

  const onnx::GraphProto &graph;
  int64_t opset;
  MLIRContext *context;
  llvm::StringMap<int> definitions; ///< name to node or kNoNode
  llvm::function_ref<bool(llvm::StringRef)> isDefinedOutside;
  std::vector<State> state;
  std::vector<SmallVector<StringRef, 4>> uses; ///< by node, of other nodes'
  std::vector<int> sorted;
};
} // namespace

/// An initializer may be listed as an input too; nothing else has two
/// definitions.
LogicalResult Orderer::defineSources() {
  Location unknown = UnknownLoc::get(context);
  llvm::StringSet<> initializers;
  for (const onnx::TensorProto &tensor : graph.initializer()) {
    Subject subject{unknown, "initializer '" + tensor.name() + "'"};
    if (tensor.name().empty())
      return subject.invalid() << "has no name";
    if (!initializers.insert(tensor.name()).second)
      return subject.invalid() << "is defined twice";
    definitions[tensor.name()] = kNoNode;
  }
  llvm::StringSet<> inputs;
  for (const onnx::ValueInfoProto &input : graph.input()) {
    Subject subject{unknown, "input '" + input.name() + "'"};
    if (input.name().empty())
      return subject.invalid() << "has no name";
    if (!inputs.insert(input.name()).second)
      return subject.invalid() << "is defined twice";
    definitions[input.name()] = kNoNode;
  }
  if (graph.sparse_initializer_size() != 0)
    return Subject{unknown, "the graph"}.unsupported()
           << "has sparse initializers";
  return success();
}

LogicalResult Orderer::defineOutputs() {
  for (int i = 0; i < graph.node_size(); ++i) {
    bool any = false;
    for (const std::string &name : graph.node(i).output()) {
      if (name.empty())
        continue;
      any = true;
      auto [it, inserted] = definitions.try_emplace(name, i);
      if (inserted)
        continue;
      InFlightDiagnostic error = subject(i).invalid();
      error << "defines '" << name << "', which "
            << (it->second == kNoNode ? "is an input or initializer"
                                      : subject(it->second).text + " defines")
            << " already";
      return error;
    }
    if (!any)
      return subject(i).invalid() << "has no output";
  }
  return success();
}

LogicalResult Orderer::collectUses() {
  for (auto [i, node] : llvm::enumerate(graph.node())) {
    forEachUse(node, [&, &list = uses[i]](const std::string &name) {
      if (!name.empty())
        list.push_back(name);
    });
    for (StringRef name : uses[i])
      if (!isDefined(name))
        return subject(i).invalid()
               << "uses '" << name << "', which nothing defines";
  }
  Location unknown = UnknownLoc::get(context);
  llvm::StringSet<> outputs;
  for (const onnx::ValueInfoProto &output : graph.output()) {
    Subject subject{unknown, "output '" + output.name() + "'"};
    if (output.name().empty() || !isDefined(output.name()))
      return subject.invalid() << "is defined by nothing";
    if (!outputs.insert(output.name()).second)
      return subject.invalid() << "is listed twice";
  }
  if (graph.output_size() == 0)
    return Subject{unknown, "the graph"}.invalid() << "has no outputs";
  return success();
}

/// Depth first, with the path on a stack of its own: graphs are as deep as they
/// like.
LogicalResult Orderer::visit(int root) {
  if (state[root] != State::Unseen)
    return success();
  std::vector<std::pair<int, int>> path = {{root, 0}}; ///< node, next input
  state[root] = State::Open;
  while (!path.empty()) {
    auto &[node, next] = path.back();
    if (next == int(uses[node].size())) {
      state[node] = State::Done;
      sorted.push_back(node);
      path.pop_back();
      continue;
    }
    int before = producer(uses[node][next++]);
    if (before == kNoNode || state[before] == State::Done)
      continue;
    if (state[before] == State::Open)
      return subject(before).invalid() << "takes part in a cycle";
    state[before] = State::Open;
    path.emplace_back(before, 0);
  }
  return success();
}

void Orderer::keepLive(NodeOrder &result) const {
  for (const onnx::ValueInfoProto &output : graph.output())
    result.used.insert(output.name());
  for (int node : llvm::reverse(sorted)) {
    const onnx::NodeProto &proto = graph.node(node);
    if (llvm::none_of(proto.output(), [&](const std::string &name) {
          return result.used.contains(name);
        }))
      continue;
    result.nodes.push_back(&proto);
    for (StringRef name : uses[node])
      result.used.insert(name);
  }
  std::reverse(result.nodes.begin(), result.nodes.end());
}

FailureOr<NodeOrder> Orderer::run() {
  if (failed(defineSources()) || failed(defineOutputs()) ||
      failed(collectUses()))
    return failure();
  for (int i = 0; i < graph.node_size(); ++i)
    if (failed(visit(i)))
      return failure();
  NodeOrder result;
  keepLive(result);
  return result;
}

FailureOr<NodeOrder>
takt::import::orderNodes(const onnx::GraphProto &graph, int64_t opset,
                         MLIRContext *context,
                         llvm::function_ref<bool(StringRef)> isDefinedOutside) {
  return Orderer(graph, opset, context, isDefinedOutside).run();
}
