//===- TaskGraph.cpp - the cyclic task graph of training ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Cuts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/Error.h"

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Twine;

int TaskGraph::find(llvm::StringRef taskName) const {
  for (auto [index, task] : llvm::enumerate(tasks))
    if (task.name == taskName)
      return static_cast<int>(index);
  return -1;
}

bool TaskGraph::isDivided() const {
  return llvm::any_of(tasks,
                      [](const Task &task) { return task.microbatch > 0; });
}

static bool isIndex(int index, size_t size) {
  return index >= 0 && static_cast<size_t>(index) < size;
}

/// A cut divides a dimension of the product, or, where that has no such
/// divisor, the number of products.
static Error checkCuts(const Task &task) {
  if (task.cuts.empty())
    return Error::success();
  if (task.kind == TaskKind::Update || task.work.empty() ||
      task.work[0].gemm.count == 0)
    return createStringError("task '" + task.name +
                             "' has cuts, expected work that starts with a "
                             "matrix product and no update");
  for (const CutOption &cut : task.cuts) {
    Gemm product = task.work[0].gemm;
    int64_t most = std::max(product.count, dimensionAlong(product, cut.axis));
    if (cut.extent < 2 || cut.extent > most)
      return createStringError(
          "task '" + task.name + "' has a cut along an axis of extent " +
          Twine(cut.extent) + ", expected 2 to " + Twine(most));
  }
  return Error::success();
}

static Error checkWork(const Task &task) {
  for (const Work &work : task.work) {
    const Gemm &g = work.gemm;
    if (std::min({g.m, g.n, g.k, g.count, work.elementwise, work.bytesIn,
                  work.bytesOut, work.rowBytesIn, work.rows}) < 0)
      return createStringError("task '" + task.name + "' has negative work");
    if (work.rowBytesIn > work.bytesIn)
      return createStringError("task '" + task.name + "' reads " +
                               Twine(work.rowBytesIn) + " bytes of rows of " +
                               Twine(work.bytesIn));
  }
  if (task.cycles.value_or(0) < 0)
    return createStringError("task '" + task.name + "' takes " +
                             Twine(*task.cycles) + " cycles");
  if (task.cycles && !task.cuts.empty())
    return createStringError("task '" + task.name +
                             "' has cuts, but a duration of its own");
  return checkCuts(task);
}

static Error checkColocation(const TaskGraph &graph, const Task &task) {
  if (task.colocated < 0) {
    if (task.kind == TaskKind::Update)
      return createStringError("update '" + task.name +
                               "' is not colocated with a wgrad");
    return Error::success();
  }
  if (!isIndex(task.colocated, graph.tasks.size()))
    return createStringError(
        "task '" + task.name + "' is colocated with task number " +
        Twine(task.colocated) + " of " + Twine(graph.tasks.size()));
  const Task &other = graph.tasks[task.colocated];
  if (&other >= &task)
    return createStringError("task '" + task.name + "' is colocated with '" +
                             other.name + "', which is not before it");
  if (other.colocated >= 0)
    return createStringError("task '" + task.name + "' is colocated with '" +
                             other.name +
                             "', which is colocated with another task itself");
  if (task.kind == TaskKind::Update && other.kind != TaskKind::Wgrad)
    return createStringError("update '" + task.name + "' is colocated with '" +
                             other.name + "', which is no wgrad");
  return Error::success();
}

static Error checkTask(const TaskGraph &graph, const Task &task) {
  if (!isIndex(task.layer, graph.layers.size()))
    return createStringError("task '" + task.name + "' is of layer " +
                             Twine(task.layer) + " of " +
                             Twine(graph.layers.size()));
  if (Error error = checkWork(task))
    return error;
  return checkColocation(graph, task);
}

static Error checkUse(const TaskGraph &graph, const Value &value,
                      const Use &use) {
  if (!isIndex(use.task, graph.tasks.size()))
    return createStringError("value '" + value.name + "' is used by task " +
                             Twine(use.task) + " of " +
                             Twine(graph.tasks.size()));
  const Task &user = graph.tasks[use.task];
  if (use.distance < 0 || (use.distance > 1 && graph.minibatches == 1))
    return createStringError("value '" + value.name + "' is used by '" +
                             user.name + "' at distance " +
                             Twine(use.distance) + ", expected 0 or 1");
  if (value.producer < 0)
    return Error::success();
  const Task &producer = graph.tasks[value.producer];
  if (use.delayed && use.distance != 1)
    return createStringError("value '" + value.name +
                             "' has a delayed use by "
                             "'" +
                             user.name + "' at distance 0, expected 1");
  if (use.delayed && producer.kind != TaskKind::Update)
    return createStringError("value '" + value.name +
                             "' has a delayed use by "
                             "'" +
                             user.name + "', but '" + producer.name +
                             "' is no update");
  if (use.distance == 0 && producer.kind == TaskKind::Forward &&
      user.kind == TaskKind::Forward && user.layer < producer.layer)
    return createStringError("value '" + value.name + "' goes from '" +
                             producer.name + "' to '" + user.name +
                             "', against the order of layers");
  if (use.distance == 0 && use.task <= value.producer)
    return createStringError("value '" + value.name + "' goes from '" +
                             producer.name + "' to '" + user.name +
                             "', against the order of tasks");
  return Error::success();
}

static Error checkValue(const TaskGraph &graph, const Value &value) {
  if (value.bytes < 0)
    return createStringError("value '" + value.name + "' has " +
                             Twine(value.bytes) + " bytes");
  if (value.rows < 0)
    return createStringError("value '" + value.name + "' has " +
                             Twine(value.rows) + " rows");
  if (value.producer != -1 && !isIndex(value.producer, graph.tasks.size()))
    return createStringError("value '" + value.name + "' is made by task " +
                             Twine(value.producer) + " of " +
                             Twine(graph.tasks.size()));
  for (const Use &use : value.uses)
    if (Error error = checkUse(graph, value, use))
      return error;
  return Error::success();
}

/// Names of one sort of thing; fails at the second of a pair.
template <typename Range>
static Error checkNames(const Range &things, llvm::StringRef sort) {
  llvm::StringSet<> seen;
  for (const auto &thing : things)
    if (!seen.insert(thing.name).second)
      return createStringError("two " + sort + "s are named '" + thing.name +
                               "'");
  return Error::success();
}

Error TaskGraph::check() const {
  if (Error error = checkNames(tasks, "task"))
    return error;
  if (Error error = checkNames(values, "value"))
    return error;
  for (const Layer &layer : layers)
    if (layer.parameterBytes < 0 || layer.optimizerBytes < 0)
      return createStringError("layer '" + layer.name +
                               "' has a negative size");
  for (const Task &task : tasks)
    if (Error error = checkTask(*this, task))
      return error;
  for (const Value &value : values)
    if (Error error = checkValue(*this, value))
      return error;
  return Error::success();
}
