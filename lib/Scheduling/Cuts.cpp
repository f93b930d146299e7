//===- Cuts.cpp - dgrad tasks divided in two ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cuts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/Error.h"

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Expected;
using llvm::SmallVector;
using llvm::Twine;

//===----------------------------------------------------------------------===//
// Shares
//===----------------------------------------------------------------------===//

int64_t takt::cutExtent(const Task &task, CutAxis axis) {
  for (const CutOption &option : task.cuts)
    if (option.axis == axis)
      return option.extent;
  return 0;
}

bool takt::slicesWeights(CutAxis axis) { return axis != CutAxis::Batch; }
bool takt::slicesGradient(CutAxis axis) { return axis != CutAxis::Channel; }

/// Number of indices in a part.
static int64_t indices(int64_t extent, const Cut &cut, int part) {
  return part == 0 ? cut.at : extent - cut.at;
}

int64_t takt::share(int64_t total, int64_t extent, const Cut &cut, int part) {
  // total = quotient * extent + rest, so that nothing overflows.
  int64_t n = indices(extent, cut, part);
  return total / extent * n + total % extent * n / extent;
}

static Gemm partGemm(const Gemm &gemm, int64_t extent, const Cut &cut,
                     int part) {
  Gemm result = gemm;
  int64_t &dimension = cut.axis == CutAxis::Channel ? result.n
                       : cut.axis == CutAxis::Batch ? result.m
                                                    : result.k;
  // The channels of a grouped convolution are cut between groups.
  int64_t &scaled = dimension % extent == 0 ? dimension : result.count;
  scaled = share(scaled, extent, cut, part);
  return result;
}

/// Bytes of the product's operands: the gradient, the weights.
static std::pair<int64_t, int64_t> operandBytes(const Work &product) {
  const Gemm &g = product.gemm;
  int64_t size =
      Gemm{elementBytes(product.type), g.n, g.k, g.count}.macs().value_or(
          product.bytesIn);
  int64_t weights = std::min(product.bytesIn, size);
  return {product.bytesIn - weights, weights};
}

/// An operation that only copies: `in` bytes read, `out` bytes written.
static Work copyWork(ElementType type, int64_t in, int64_t out) {
  Work work;
  work.kind = TaskKind::Dgrad;
  work.elementwise = out / std::max<int64_t>(1, elementBytes(type));
  work.bytesIn = in;
  work.bytesOut = out;
  work.type = type;
  return work;
}

int64_t takt::partBytes(const Task &task, const Cut &cut, int part) {
  int64_t bytes = task.work[0].bytesOut;
  return cut.axis == CutAxis::Reduction
             ? bytes
             : share(bytes, cutExtent(task, cut.axis), cut, part);
}

SmallVector<Work, 2> takt::partWork(const Task &task, const Cut &cut,
                                    int part) {
  int64_t extent = cutExtent(task, cut.axis);
  Work product = task.work[0];
  auto [gradient, weights] = operandBytes(product);
  SmallVector<Work, 2> slices;
  auto slice = [&](int64_t &bytes) {
    int64_t whole = bytes;
    bytes = share(whole, extent, cut, part);
    if (!cut.sliceAtProducer[part])
      slices.push_back(copyWork(product.type, whole, bytes));
  };
  if (slicesGradient(cut.axis))
    slice(gradient);
  if (slicesWeights(cut.axis))
    slice(weights);
  product.gemm = partGemm(product.gemm, extent, cut, part);
  product.bytesIn = gradient + weights;
  product.bytesOut = partBytes(task, cut, part);
  SmallVector<Work, 2> work{product};
  work.append(slices.begin(), slices.end());
  return work;
}

SmallVector<Work, 2> takt::joinWork(const Task &task, const Cut &cut) {
  const Work &product = task.work[0];
  SmallVector<Work, 2> work{
      copyWork(product.type, partBytes(task, cut, 0) + partBytes(task, cut, 1),
               product.bytesOut)};
  llvm::append_range(work, llvm::drop_begin(task.work));
  return work;
}

//===----------------------------------------------------------------------===//
// Who reads what
//===----------------------------------------------------------------------===//

static bool isReadByWgrad(const TaskGraph &graph, const Value &value,
                          int layer) {
  return llvm::any_of(value.uses, [&](const Use &use) {
    const Task &task = graph.tasks[use.task];
    return task.kind == TaskKind::Wgrad && task.layer == layer;
  });
}

/// Without a W to tell, the gradient that is made last.
static bool isLatestGradient(const TaskGraph &graph, const Value &value,
                             int reader) {
  int layer = graph.tasks[reader].layer;
  return llvm::none_of(graph.values, [&](const Value &other) {
    return other.kind == ValueClass::Gradient &&
           llvm::any_of(other.uses,
                        [&](const Use &use) { return use.task == reader; }) &&
           (other.producer > value.producer ||
            isReadByWgrad(graph, other, layer));
  });
}

Reader takt::readerOf(const TaskGraph &graph, const Value &value,
                      const Use &use) {
  if (use.reader != Reader::Unknown)
    return use.reader;
  const Task &task = graph.tasks[use.task];
  auto [gradient, weights] = operandBytes(task.work[0]);
  if (value.kind == ValueClass::Weight && use.delayed)
    return value.bytes == weights ? Reader::Product : Reader::Fused;
  if (value.kind == ValueClass::Gradient && use.distance == 0)
    return isReadByWgrad(graph, value, task.layer) ||
                   isLatestGradient(graph, value, use.task)
               ? Reader::Product
               : Reader::Fused;
  return Reader::Fused;
}

//===----------------------------------------------------------------------===//
// The cut graph
//===----------------------------------------------------------------------===//

static llvm::StringRef axisName(CutAxis axis) {
  switch (axis) {
  case CutAxis::Channel:
    return "channel";
  case CutAxis::Batch:
    return "batch";
  case CutAxis::Reduction:
    return "reduction";
  }
  return "an unknown axis";
}

static Error checkCut(const TaskGraph &graph, const Cut &cut) {
  if (cut.task < 0 || static_cast<size_t>(cut.task) >= graph.tasks.size())
    return createStringError("a cut of task " + Twine(cut.task) + " of " +
                             Twine(graph.tasks.size()));
  const Task &task = graph.tasks[cut.task];
  int64_t extent = cutExtent(task, cut.axis);
  if (extent == 0)
    return createStringError("task '" + task.name + "' may not be cut along " +
                             axisName(cut.axis));
  if (cut.at < 1 || cut.at >= extent)
    return createStringError("a cut of task '" + task.name + "' at " +
                             Twine(cut.at) + ", expected 1 to " +
                             Twine(extent - 1));
  return Error::success();
}

namespace {
class Cutter {
public:
  Cutter(const TaskGraph &graph) : graph(graph), cutOf(graph.tasks.size()) {}

  Error add(llvm::ArrayRef<Cut> cuts);
  TaskGraph run();

private:
  void addTasks();
  void addValue(const Value &value);
  void addUse(const Value &value, const Use &use, Value &whole,
              SmallVector<Value, 2> &slices);
  bool isSliced(const Value &value, const Cut &cut) const;
  Value makeSlice(const Value &value, const Use &use, const Cut &cut, int part);
  void addPartResults(int task);

  const TaskGraph &graph;
  std::vector<const Cut *> cutOf; ///< by task of `graph`
  std::vector<int> first;         ///< part 0, or the task itself, in `result`
  TaskGraph result;

  /// The task in `result` that stands for an old one as producer: the join.
  int successor(int task) const {
    return cutOf[task] ? first[task] + 2 : first[task];
  }
};
} // namespace

Error Cutter::add(llvm::ArrayRef<Cut> cuts) {
  for (const Cut &cut : cuts) {
    if (Error error = checkCut(graph, cut))
      return error;
    if (cutOf[cut.task])
      return createStringError("task '" + graph.tasks[cut.task].name +
                               "' is cut twice");
    cutOf[cut.task] = &cut;
  }
  return Error::success();
}

void Cutter::addTasks() {
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    first.push_back(static_cast<int>(result.tasks.size()));
    const Cut *cut = cutOf[index];
    if (!cut) {
      result.tasks.push_back(task);
      continue;
    }
    Task part = task;
    part.cuts.clear();
    for (int i : {0, 1}) {
      part.name = task.name + "." + std::to_string(i);
      part.work = partWork(task, *cut, i);
      result.tasks.push_back(part);
    }
    part.name = task.name + ".join";
    part.work = joinWork(task, *cut);
    result.tasks.push_back(part);
  }
  for (Task &task : result.tasks)
    if (task.colocated >= 0)
      task.colocated = successor(task.colocated);
}

bool Cutter::isSliced(const Value &value, const Cut &cut) const {
  return value.kind == ValueClass::Weight ? slicesWeights(cut.axis)
                                          : slicesGradient(cut.axis);
}

Value Cutter::makeSlice(const Value &value, const Use &use, const Cut &cut,
                        int part) {
  const Task &task = graph.tasks[cut.task];
  Value slice = value;
  slice.name =
      value.name + ".slice" + std::to_string(part) + " for " + task.name;
  slice.sliceOf = value.name;
  slice.bytes = share(value.bytes, cutExtent(task, cut.axis), cut, part);
  slice.producer = successor(value.producer);
  slice.uses = {use};
  slice.uses[0].task = first[cut.task] + part;
  slice.uses[0].reader = Reader::Unknown;
  Task &producer = result.tasks[slice.producer];
  Work work = copyWork(task.work[0].type, value.bytes, slice.bytes);
  work.kind = producer.kind;
  producer.work.push_back(work);
  return slice;
}

/// Divides a use by a cut task among its parts and its join.
void Cutter::addUse(const Value &value, const Use &use, Value &whole,
                    SmallVector<Value, 2> &slices) {
  const Cut *cut = cutOf[use.task];
  Use mapped = use;
  mapped.task = first[use.task];
  if (!cut) {
    whole.uses.push_back(mapped);
    return;
  }
  mapped.reader = Reader::Unknown;
  Reader reader = readerOf(graph, value, use);
  if (reader != Reader::Fused)
    for (int part : {0, 1}) {
      if (cut->sliceAtProducer[part] && value.producer >= 0 &&
          isSliced(value, *cut)) {
        slices.push_back(makeSlice(value, use, *cut, part));
        continue;
      }
      mapped.task = first[use.task] + part;
      whole.uses.push_back(mapped);
    }
  if (reader != Reader::Product) {
    mapped.task = successor(use.task);
    whole.uses.push_back(mapped);
  }
}

void Cutter::addValue(const Value &value) {
  Value whole = value;
  whole.uses.clear();
  if (value.producer >= 0)
    whole.producer = successor(value.producer);
  SmallVector<Value, 2> slices;
  for (const Use &use : value.uses)
    addUse(value, use, whole, slices);
  if (!whole.uses.empty() || value.uses.empty())
    result.values.push_back(std::move(whole));
  for (Value &slice : slices)
    result.values.push_back(std::move(slice));
}

void Cutter::addPartResults(int task) {
  for (int part : {0, 1}) {
    Value value;
    value.name = graph.tasks[task].name + "." + std::to_string(part);
    value.kind = ValueClass::Gradient;
    value.producer = first[task] + part;
    value.bytes = partBytes(graph.tasks[task], *cutOf[task], part);
    value.uses = {Use{successor(task)}};
    result.values.push_back(std::move(value));
  }
}

TaskGraph Cutter::run() {
  result.name = graph.name;
  result.layers = graph.layers;
  addTasks();
  for (const Value &value : graph.values)
    addValue(value);
  for (size_t task = 0; task < graph.tasks.size(); ++task)
    if (cutOf[task])
      addPartResults(static_cast<int>(task));
  return std::move(result);
}

Expected<TaskGraph> takt::applyCuts(const TaskGraph &graph,
                                    llvm::ArrayRef<Cut> cuts) {
  Cutter cutter(graph);
  if (Error error = cutter.add(cuts))
    return error;
  return cutter.run();
}
