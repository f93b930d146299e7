//===- ControlFlow.cpp - branches and loops that are known at import ------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A program has a fixed order of tasks, so that a branch must be decided and a
// loop be counted at import. The branch that is taken stands for If; each run
// of a body is imported by itself, its constants once for all.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Nodes.h"
#include "Registry.h"
#include "Subgraphs.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace takt::import;
using onnx::GraphProto;
using onnx::TensorProto;

/// Most bytes of bodies in all runs, and what a run counts for besides: a small
/// file can make very many.
static constexpr uint64_t kMaxUnrolledBytes = uint64_t(1) << 24;
static constexpr uint64_t kBytesPerRun = 2048;

/// For names in the node's graphs: outputs have names that no other node has.
static std::string prefixOf(const Node &node) {
  auto named = llvm::find_if(node.proto.output(), [](const std::string &name) {
    return !name.empty();
  });
  return *named + "/";
}

/// Fails unless a graph of the node has as many inputs and outputs.
static LogicalResult checkGraph(const Node &node, StringRef role,
                                const GraphProto &graph, int inputs,
                                int outputs) {
  if (graph.input_size() == inputs && graph.output_size() == outputs)
    return success();
  return node.invalid() << "has a " << role << " of " << graph.input_size()
                        << " inputs and " << graph.output_size()
                        << " outputs, expected " << inputs << " and "
                        << outputs;
}

//===----------------------------------------------------------------------===//
// Branches
//===----------------------------------------------------------------------===//

static LogicalResult convertIf(Node &node) {
  Binder bind(node);
  Dims condition = bind.integers("cond");
  const GraphProto *then = bind.requiredGraph("then_branch");
  const GraphProto *otherwise = bind.requiredGraph("else_branch");
  int outputs = node.proto.output_size();
  if (failed(bind.finish(outputs)))
    return failure();
  if (condition.size() != 1)
    return node.invalid() << "has a condition of " << condition.size()
                          << " elements, expected 1";
  const GraphProto &taken = condition[0] ? *then : *otherwise;
  if (failed(checkGraph(node, "branch", taken, 0, outputs)))
    return failure();
  auto values = importBody(node.graph, instantiate(taken, prefixOf(node)));
  if (failed(values))
    return failure();
  for (auto [i, value] : llvm::enumerate(*values))
    if (failed(node.define(i, value)))
      return failure();
  return success();
}

//===----------------------------------------------------------------------===//
// Bodies of loops
//===----------------------------------------------------------------------===//

namespace {
/// The runs of a loop's body. Values are carried from each to the next; what
/// else a run computes is kept by run.
class Unroller {
public:
  Unroller(Node &node, SmallVector<Operand> initial, int kept)
      : node(node), carried(std::move(initial)), results(kept) {}

  /// Imports what is the same in all runs.
  LogicalResult prepare(const GraphProto &body);

  /// Imports the next run, with `leading` inputs before the carried ones and
  /// `trailing` ones behind. Returns the outputs before the carried ones.
  /// Fails with a diagnostic, also if these become too many nodes.
  FailureOr<SmallVector<Operand>> run(ArrayRef<Operand> leading,
                                      ArrayRef<Operand> trailing);

  /// The node's outputs: the carried values, then the kept ones of all runs,
  /// joined along a new axis each, in reversed order where so said.
  LogicalResult finish(ArrayRef<int64_t> axes, ArrayRef<bool> reversed);

private:
  LogicalResult join(int output, ArrayRef<Operand> parts, int64_t axis);

  Node &node;
  GraphProto body;
  uint64_t bodyBytes = 0;
  SmallVector<Operand> carried;
  SmallVector<SmallVector<Operand>> results; ///< by kept output, then by run
  int64_t runs = 0;
};
} // namespace

LogicalResult Unroller::prepare(const GraphProto &original) {
  body = original;
  GraphProto constants = hoistConstants(body, prefixOf(node));
  bodyBytes = body.ByteSizeLong();
  if (constants.output_size() == 0)
    return success();
  return importBody(node.graph, std::move(constants));
}

FailureOr<SmallVector<Operand>> Unroller::run(ArrayRef<Operand> leading,
                                              ArrayRef<Operand> trailing) {
  Graph &graph = node.graph;
  graph.unrolledBytes += bodyBytes + kBytesPerRun;
  if (graph.unrolledBytes > kMaxUnrolledBytes)
    return node.unsupported()
           << "makes more than " << kMaxUnrolledBytes
           << " bytes of nodes in the runs of loops, in run " << runs;
  GraphProto copy =
      instantiate(body, prefixOf(node) + std::to_string(runs++) + "/");
  SmallVector<Operand> inputs(leading);
  inputs.append(carried);
  llvm::append_range(inputs, trailing);
  for (auto [info, operand] : llvm::zip_equal(copy.input(), inputs))
    graph.operands[info.name()] = operand;
  auto outputs = importBody(graph, std::move(copy));
  if (failed(outputs))
    return failure();
  size_t first = outputs->size() - carried.size() - results.size();
  for (auto [value, output] :
       llvm::zip(carried, llvm::drop_begin(*outputs, first)))
    value = output;
  for (auto [list, output] :
       llvm::zip(results, llvm::drop_begin(*outputs, first + carried.size())))
    list.push_back(output);
  outputs->truncate(first);
  return outputs;
}

LogicalResult Unroller::join(int output, ArrayRef<Operand> parts,
                             int64_t axis) {
  if (parts.empty())
    return node.unsupported() << "runs its body never, but has output #"
                              << output << ", which would have no elements";
  Emit emit(node);
  SmallVector<Value> values;
  for (const Operand &part : parts) {
    FailureOr<Value> value =
        node.toValue(part, "an output of its body", Accept::Any);
    if (failed(value))
      return failure();
    int64_t rank = shapeOf(*value).size() + 1;
    FailureOr<int64_t> at = resolveAxis(node, axis, rank);
    if (failed(at))
      return failure();
    Dims shape(shapeOf(*value));
    shape.insert(shape.begin() + *at, 1);
    values.push_back(emit.reshape(*value, shape));
    axis = *at;
  }
  return emit.define(output, values.size() == 1 ? values.front()
                                                : emit.concat(values, axis));
}

LogicalResult Unroller::finish(ArrayRef<int64_t> axes,
                               ArrayRef<bool> reversed) {
  for (auto [i, value] : llvm::enumerate(carried))
    if (failed(node.define(i, value)))
      return failure();
  for (auto [i, parts] : llvm::enumerate(results)) {
    int output = carried.size() + i;
    if (!node.isUsed(output))
      continue;
    if (reversed[i])
      std::reverse(parts.begin(), parts.end());
    if (failed(join(output, parts, axes[i])))
      return failure();
  }
  return success();
}

//===----------------------------------------------------------------------===//
// Loops
//===----------------------------------------------------------------------===//

/// A constant of one element.
static Operand scalar(Graph &graph, int64_t value, int32_t type) {
  Constant &constant = graph.constants.emplace_back();
  constant.type = type;
  constant.integers = {value};
  // Only where the body computes with it does it become a parameter.
  constant.fixed = true;
  constant.name = (type == TensorProto::BOOL ? "condition" : "run") +
                  std::to_string(graph.constants.size());
  while (graph.operands.contains(constant.name))
    constant.name += "_";
  return Operand{{}, &constant};
}

/// The condition of a loop or of its next run.
static FailureOr<bool> readCondition(Node &node, const Operand &operand) {
  if (!operand.constant)
    return node.unsupported() << "ends by a condition that is computed from "
                                 "the inputs, expected a constant";
  auto values = node.graph.reader.integers(*operand.constant, node.subject());
  if (failed(values))
    return failure();
  if (values->size() != 1)
    return node.invalid() << "has a condition of " << values->size()
                          << " elements, expected 1";
  return values->front() != 0;
}

/// Loop(trips, condition, carried…): a body of (run, condition, carried…) gives
/// the next condition, the carried values and what is kept.
static LogicalResult convertLoop(Node &node) {
  Binder bind(node);
  std::optional<Dims> trips = bind.optionalIntegers("M");
  Operand condition = bind.optionalOperand();
  SmallVector<Operand> carried;
  while (bind.hasMoreInputs())
    carried.push_back(bind.operand("v_initial"));
  const GraphProto *body = bind.requiredGraph("body");
  int outputs = node.proto.output_size(), count = carried.size();
  if (failed(bind.finish(outputs)))
    return failure();
  if (outputs < count)
    return node.invalid() << "has " << outputs << " outputs, expected at least "
                          << count << ", one for each value that it carries";
  if (trips && trips->size() != 1)
    return node.invalid() << "has " << trips->size()
                          << " trip counts, expected 1";
  FailureOr<bool> goes = true;
  if (condition)
    goes = readCondition(node, condition);
  Unroller unroller(node, carried, outputs - count);
  if (failed(goes) ||
      failed(checkGraph(node, "body", *body, 2 + count, 1 + outputs)) ||
      failed(unroller.prepare(*body)))
    return failure();
  for (int64_t run = 0; *goes && (!trips || run < trips->front()); ++run) {
    Operand leading[] = {scalar(node.graph, run, TensorProto::INT64),
                         scalar(node.graph, 1, TensorProto::BOOL)};
    auto next = unroller.run(leading, {});
    if (failed(next))
      return failure();
    goes = readCondition(node, next->front());
    if (failed(goes))
      return failure();
  }
  SmallVector<int64_t> axes(outputs - count, 0);
  SmallVector<bool> reversed(outputs - count, false);
  return unroller.finish(axes, reversed);
}

//===----------------------------------------------------------------------===//
// Scans
//===----------------------------------------------------------------------===//

namespace {
/// Tensors that are taken apart along one axis each, or put together.
struct Scanned {
  Dims axes, directions;

  SmallVector<bool> reversed() const {
    return llvm::map_to_vector(
        directions, [](int64_t direction) { return direction == 1; });
  }
};
} // namespace

/// What the attributes say of `count` tensors; "input" or "output" is the kind.
static Scanned bindScanned(Binder &bind, StringRef kind, int64_t count) {
  auto list = [&](StringRef what) {
    return bind.list(("scan_" + kind + "_" + what).str())
        .value_or(Dims(count, 0));
  };
  return {list("axes"), list("directions")};
}

static LogicalResult checkScanned(const Node &node, StringRef kind,
                                  const Scanned &scanned, int64_t count) {
  if (int64_t(scanned.axes.size()) != count ||
      int64_t(scanned.directions.size()) != count)
    return node.invalid() << "has " << scanned.axes.size() << " axes and "
                          << scanned.directions.size()
                          << " directions of scanned " << kind << "s, expected "
                          << count;
  for (int64_t direction : scanned.directions)
    if (direction != 0 && direction != 1)
      return node.invalid()
             << "has direction " << direction << ", expected 0 or 1";
  return success();
}

/// How often the body runs: the size that all scanned inputs have.
static FailureOr<int64_t> countRuns(Node &node, ArrayRef<Value> values,
                                    Scanned &scanned) {
  std::optional<int64_t> runs;
  for (auto [value, axis] : llvm::zip_equal(values, scanned.axes)) {
    FailureOr<int64_t> at = resolveAxis(node, axis, shapeOf(value).size());
    if (failed(at))
      return failure();
    axis = *at;
    int64_t size = shapeOf(value)[axis];
    if (runs && *runs != size)
      return node.invalid()
             << "scans axes of sizes " << *runs << " and " << size;
    runs = size;
  }
  return *runs;
}

/// The index of an axis, without the axis.
static Value element(Emit &emit, Value value, int64_t axis, int64_t index) {
  Dims shape(shapeOf(value));
  shape.erase(shape.begin() + axis);
  Value slice = emit.slice(value, axis, index, 1);
  return emit.reshape(slice, shape);
}

/// Scan(carried…, scanned…): a body of (carried…, elements…) gives the carried
/// values and what is kept.
static LogicalResult convertScan(Node &node) {
  Binder bind(node);
  int64_t inputs = node.proto.input_size(), outputs = node.proto.output_size();
  int64_t count = bind.integer("num_scan_inputs", 0);
  bool counted = count >= 1 && count <= inputs;
  int64_t kept = counted ? outputs - (inputs - count) : 0;
  if (!counted || kept < 0)
    return node.invalid() << "has " << count << " scanned of " << inputs
                          << " inputs, and " << outputs << " outputs";
  SmallVector<Operand> carried;
  while (int64_t(carried.size()) < inputs - count)
    carried.push_back(bind.operand("initial_state"));
  SmallVector<Value> values = bind.tensors("scan_inputs", Accept::Any);
  const GraphProto *body = bind.requiredGraph("body");
  Scanned in = bindScanned(bind, "input", count);
  Scanned out = bindScanned(bind, "output", kept);
  if (failed(bind.finish(outputs)) ||
      failed(checkScanned(node, "input", in, count)) ||
      failed(checkScanned(node, "output", out, kept)) ||
      failed(checkGraph(node, "body", *body, inputs, outputs)))
    return failure();
  FailureOr<int64_t> runs = countRuns(node, values, in);
  Unroller unroller(node, carried, kept);
  if (failed(runs) || failed(unroller.prepare(*body)))
    return failure();
  Emit emit(node);
  for (int64_t run = 0; run < *runs; ++run) {
    SmallVector<Operand> elements;
    for (auto [value, axis, reversed] :
         llvm::zip_equal(values, in.axes, in.reversed())) {
      Value part = element(emit, value, axis, reversed ? *runs - 1 - run : run);
      if (!part)
        return failure();
      elements.push_back(Operand{part});
    }
    if (failed(unroller.run({}, elements)))
      return failure();
  }
  return unroller.finish(out.axes, out.reversed());
}

void takt::import::addControlFlow(Registry &registry) {
  // Version 8 of Scan has batches and lengths of sequences.
  registry.add("If", {1, 11, 13, 16, 19, 21, 23, 24, 25}, convertIf,
               "the branch that is taken; its condition is known at import");
  registry.add("Loop", {1, 11, 13, 16, 19, 21, 23, 24, 25}, convertLoop,
               "unrolled; its trip count is known at import");
  registry.add("Scan", {9, 11, 16, 19, 21, 23, 24, 25}, convertScan,
               "unrolled");
}
