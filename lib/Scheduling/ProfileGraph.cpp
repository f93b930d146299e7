//===- ProfileGraph.cpp - measured profiles as task graphs ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/ProfileGraph.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/LineIterator.h"
#include "llvm/Support/Path.h"
#include <cmath>
#include <deque>

using namespace llvm;
using namespace takt;

namespace {
struct Node {
  std::string id, description;
  double forward = 0, backward = 0; ///< ms
  SmallVector<double, 1> activations;
  double parameters = 0;
  SmallVector<int, 2> from, to;

  bool isInput() const { return StringRef(description).starts_with("Input"); }
};

/// The file's nodes and edges.
class ProfileReader {
public:
  explicit ProfileReader(MemoryBufferRef text) : text(text) {}

  Expected<std::vector<Node>> run() {
    SmallVector<std::pair<int64_t, StringRef>> edges;
    for (line_iterator line(text); !line.is_at_end(); ++line) {
      number = line.line_number();
      if (line->starts_with("\t"))
        edges.push_back({number, *line});
      else if (Error error = readNode(*line))
        return std::move(error);
    }
    for (auto [at, line] : edges) {
      number = at;
      if (Error error = readEdge(line))
        return std::move(error);
    }
    return std::move(nodes);
  }

private:
  Error fail(const Twine &message) const {
    return createStringError(text.getBufferIdentifier() + ":" + Twine(number) +
                             ": " + message);
  }

  Error readNumber(StringRef value, double &number) const {
    // Far beyond any time or size, and far from overflow.
    constexpr double kMax = 1e15;
    if (value.trim().getAsDouble(number) || !(number >= 0) || number > kMax)
      return fail("expected a number from 0 to 1e15, found '" + value.trim() +
                  "'");
    return Error::success();
  }

  Error readNode(StringRef line) {
    auto [id, rest] = line.split(" -- ");
    auto [description, figures] = rest.rsplit(" -- ");
    if (rest.empty() || figures.empty())
      return fail("expected 'NODE -- NAME -- FIGURES' or '<tab>NODE -- NODE'");
    Node node;
    node.id = id.str();
    node.description = description.str();
    SmallVector<StringRef> fields;
    figures.split(fields, ", ");
    static constexpr StringLiteral kNames[] = {
        "forward_compute_time=", "backward_compute_time=", "activation_size=",
        "parameter_size="};
    if (fields.size() != std::size(kNames))
      return fail("expected 4 figures, found " + Twine(fields.size()));
    for (auto [field, name] : zip_equal(fields, kNames))
      if (!field.consume_front(name))
        return fail("expected '" + name + "', found '" + field + "'");
    if (Error error = readNumber(fields[0], node.forward))
      return error;
    if (Error error = readNumber(fields[1], node.backward))
      return error;
    StringRef sizes = fields[2];
    if (sizes.consume_front("[") && !sizes.consume_back("]"))
      return fail("expected ']' behind the activation sizes");
    for (StringRef part : split(sizes, ';'))
      if (Error error = readNumber(part, node.activations.emplace_back()))
        return error;
    if (Error error = readNumber(fields[3], node.parameters))
      return error;
    if (!indices.try_emplace(id, nodes.size()).second)
      return fail("second node '" + id + "'");
    nodes.push_back(std::move(node));
    return Error::success();
  }

  Error readEdge(StringRef line) {
    auto [from, to] = line.drop_front().split(" -- ");
    StringRef ids[] = {from, to};
    int ends[2];
    for (auto [id, end] : zip(ids, ends)) {
      auto found = indices.find(id);
      if (found == indices.end())
        return fail("edge to or from node '" + id + "', which is not there");
      end = found->second;
    }
    nodes[ends[0]].to.push_back(ends[1]);
    nodes[ends[1]].from.push_back(ends[0]);
    return Error::success();
  }

  MemoryBufferRef text;
  int64_t number = 0;
  std::vector<Node> nodes;
  StringMap<int> indices;
};

/// A training step from the nodes.
class StepMaker {
public:
  StepMaker(const std::vector<Node> &nodes, double scale)
      : nodes(nodes), scale(scale), layer(nodes.size(), -1),
        needsD(nodes.size()), forward(nodes.size(), -1),
        dgrad(nodes.size(), -1), wgrad(nodes.size(), -1) {}

  Expected<TaskGraph> run() {
    if (Error error = sort())
      return std::move(error);
    for (int n : order)
      addForward(n);
    for (int n : reverse(order))
      addBackward(n);
    for (int n : order) {
      addActivations(n);
      addGradients(n);
      addWeight(n);
    }
    return std::move(graph);
  }

private:
  /// Topological order, by the file's order among equals, without inputs.
  Error sort() {
    std::vector<size_t> waiting(nodes.size());
    std::deque<int> ready;
    for (auto [n, node] : enumerate(nodes)) {
      waiting[n] = node.from.size();
      if (waiting[n] == 0)
        ready.push_back(n);
    }
    size_t done = 0;
    for (; !ready.empty(); ready.pop_front(), ++done) {
      const Node &node = nodes[ready.front()];
      if (!node.isInput())
        order.push_back(ready.front());
      for (int to : node.to)
        if (--waiting[to] == 0)
          ready.push_back(to);
    }
    if (done != nodes.size())
      return createStringError(
          "the profile has a cycle through node '" +
          nodes[llvm::find_if(waiting, [](size_t count) { return count > 0; }) -
                waiting.begin()]
              .id +
          "'");
    if (order.empty())
      return createStringError("the profile has no operation");
    return Error::success();
  }

  int64_t cycles(double ms) const { return std::llround(ms * 1000 * scale); }
  static int64_t bytes(double size) { return std::llround(size); }
  bool trains(int n) const { return nodes[n].parameters > 0; }

  int addTask(TaskKind kind, int n, int64_t cycles) {
    Task task;
    task.name = nodes[n].id + "." + letter(kind).str();
    task.kind = kind;
    task.layer = layer[n];
    task.cycles = cycles;
    graph.tasks.push_back(std::move(task));
    return static_cast<int>(graph.tasks.size()) - 1;
  }

  void addForward(int n) {
    layer[n] = static_cast<int>(graph.layers.size());
    graph.layers.push_back({nodes[n].id, bytes(nodes[n].parameters), 0});
    needsD[n] = any_of(nodes[n].from,
                       [&](int from) { return trains(from) || needsD[from]; });
    forward[n] = addTask(TaskKind::Forward, n, cycles(nodes[n].forward));
  }

  void addBackward(int n) {
    int64_t both = cycles(nodes[n].backward);
    int64_t ofW = !trains(n) ? 0 : needsD[n] ? both / 2 : both;
    if (needsD[n])
      dgrad[n] = addTask(TaskKind::Dgrad, n, both - ofW);
    if (!trains(n))
      return;
    wgrad[n] = addTask(TaskKind::Wgrad, n, ofW);
    int update = addTask(TaskKind::Update, n, 0);
    graph.tasks[update].colocated = wgrad[n];
  }

  Value &addValue(std::string name, ValueClass kind, int producer,
                  int64_t size) {
    Value &value = graph.values.emplace_back();
    value.name = std::move(name);
    value.kind = kind;
    value.producer = producer;
    value.bytes = size;
    return value;
  }

  /// "__getitem__(2)" of a node with several results takes only the third.
  static bool takesPart(const Node &taker, size_t part, size_t parts) {
    StringRef text = taker.description;
    size_t only = 0;
    return parts == 1 || !text.consume_front("__getitem__(") ||
           text.consumeInteger(10, only) || only >= parts || only == part;
  }

  void addActivations(int n) {
    const Node &node = nodes[n];
    size_t parts = node.activations.size();
    for (size_t part = 0; part < parts; ++part) {
      std::string suffix = parts == 1 ? "" : "#" + std::to_string(part);
      Value &value =
          addValue(node.id + suffix, ValueClass::Activation, forward[n],
                   bytes(node.activations[part] * scale));
      for (int to : node.to) {
        if (!takesPart(nodes[to], part, parts))
          continue;
        value.uses.push_back({forward[to]});
        if (trains(to))
          value.uses.push_back({wgrad[to]});
        else if (dgrad[to] >= 0)
          value.uses.push_back({dgrad[to]});
      }
      if (node.to.empty())
        for (int task : {dgrad[n], wgrad[n]})
          if (task >= 0)
            value.uses.push_back({task});
    }
  }

  /// From D to the backward tasks of each operation before.
  void addGradients(int n) {
    if (dgrad[n] < 0)
      return;
    for (int from : nodes[n].from) {
      if (dgrad[from] < 0 && wgrad[from] < 0)
        continue;
      double size = 0;
      ArrayRef<double> activations = nodes[from].activations;
      for (auto [part, of] : enumerate(activations))
        if (takesPart(nodes[n], part, activations.size()))
          size += of;
      Value &value =
          addValue(nodes[n].id + ".D for " + nodes[from].id,
                   ValueClass::Gradient, dgrad[n], bytes(size * scale));
      for (int task : {dgrad[from], wgrad[from]})
        if (task >= 0)
          value.uses.push_back({task});
    }
  }

  void addWeight(int n) {
    if (!trains(n))
      return;
    int update = wgrad[n] + 1;
    int64_t size = bytes(nodes[n].parameters);
    addValue(nodes[n].id + ".W", ValueClass::WeightGradient, wgrad[n], size)
        .uses.push_back({update});
    Value &weight =
        addValue(nodes[n].id + ".weight", ValueClass::Weight, update, size);
    for (int task : {forward[n], dgrad[n]})
      if (task >= 0)
        weight.uses.push_back({task, 1, true});
    weight.uses.push_back({update, 1});
  }

  const std::vector<Node> &nodes;
  double scale;
  std::vector<int> order, layer;
  std::vector<bool> needsD;
  std::vector<int> forward, dgrad, wgrad; ///< task of a node, or -1
  TaskGraph graph;
};
} // namespace

Expected<TaskGraph> takt::parseProfileGraph(MemoryBufferRef text,
                                            double minibatchScale) {
  Expected<std::vector<Node>> nodes = ProfileReader(text).run();
  if (!nodes)
    return nodes.takeError();
  Expected<TaskGraph> graph = StepMaker(*nodes, minibatchScale).run();
  if (!graph)
    return createStringError(text.getBufferIdentifier() + ": " +
                             toString(graph.takeError()));
  graph->name = sys::path::stem(text.getBufferIdentifier()).str();
  return graph;
}
