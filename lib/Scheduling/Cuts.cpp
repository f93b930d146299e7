//===- Cuts.cpp - tasks divided in parts ----------------------------------===//
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
using llvm::SmallVectorImpl;
using llvm::Twine;

static Error checkCut(const TaskGraph &graph, const Cut &cut) {
  if (cut.task < 0 || static_cast<size_t>(cut.task) >= graph.tasks.size())
    return createStringError("a cut of task " + Twine(cut.task) + " of " +
                             Twine(graph.tasks.size()));
  const Task &task = graph.tasks[cut.task];
  int64_t extent = cutExtent(task, cut.axis);
  if (extent == 0)
    return createStringError("task '" + task.name + "' may not be cut along " +
                             keyword(cut.axis));
  if (cut.at.empty())
    return createStringError("a cut of task '" + task.name + "' at no place");
  int64_t least = 1;
  for (int64_t at : cut.at) {
    if (at < least || at >= extent)
      return createStringError("a cut of task '" + task.name + "' at " +
                               Twine(at) + ", expected " + Twine(least) +
                               " to " + Twine(extent - 1));
    least = at + 1;
  }
  return Error::success();
}

namespace {
class Cutter {
public:
  Cutter(const TaskGraph &graph) : graph(graph), cutOf(graph.tasks.size()) {}

  Error add(llvm::ArrayRef<Cut> cuts);
  TaskGraph run();

private:
  /// A value of the uncut graph in the cut one.
  struct Divided {
    Value whole;
    SmallVector<Value, 2> parts; ///< of a producer all of which is divided
    SmallVector<Value, 2> slices;
  };

  const Cut *rowCut(int task) const;
  bool comesInRows(const Value &value, const Use &use) const;
  bool needsWhole(const Value &value, const Use &use) const;
  bool isJoined(const Value &value) const;
  bool hasJoin(int task) const;
  void addTasks();
  void addTask(int index, const Task &like, const std::string &suffix, int part,
               SmallVector<Work, 2> work);
  void addValue(const Value &value);
  void addUse(const Value &value, const Use &use, Divided &divided);
  void addPartUse(const Value &value, const Use &use, int part,
                  Divided &divided);
  void takePieces(const Value &value, const Use &use, int part,
                  Divided &divided);
  void addSlice(const Value &from, int64_t begin, int64_t end, int64_t bytes,
                const Use &use, int part, Divided &divided);
  /// For the parts of `cutTask`, whose product says of what type.
  void addCopy(int task, int cutTask, int64_t in, int64_t out) {
    Task &at = result.tasks[task];
    at.work.push_back(
        copyWork(at.kind, graph.tasks[cutTask].work[0].type, in, out));
  }
  Use partUse(const Use &use, int part) const {
    return {first[use.task] + part, use.distance, use.delayed};
  }
  void addPartResults(int task);

  const TaskGraph &graph;
  std::vector<const Cut *> cutOf;                   ///< by task of `graph`
  std::vector<std::vector<const Value *>> valuesOf; ///< by task of `graph`
  std::vector<int> first; ///< part 0, or the task itself, in `result`
  std::vector<int> last;  ///< the join, or the task itself
  TaskGraph result;
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

/// The cut of a task all of which is divided.
const Cut *Cutter::rowCut(int task) const {
  if (task < 0 || !cutOf[task] ||
      !dividesAll(graph.tasks[task], cutOf[task]->axis))
    return nullptr;
  return cutOf[task];
}

/// Whether both sides are cut by samples, so that samples need not be
/// collected.
bool Cutter::comesInRows(const Value &value, const Use &use) const {
  const Cut *from = rowCut(value.producer), *to = cutOf[use.task];
  if (!from || !to || use.distance != 0)
    return false;
  const Task &producer = graph.tasks[value.producer];
  const Task &user = graph.tasks[use.task];
  return !addsParts(from->axis) && to->axis == sampleAxis(user.kind) &&
         isSliced(value.kind, user, to->axis) &&
         cutExtent(producer, from->axis) == cutExtent(user, to->axis);
}

bool Cutter::needsWhole(const Value &value, const Use &use) const {
  if (!comesInRows(value, use))
    return true;
  const Cut &cut = *cutOf[use.task];
  if (!rowCut(use.task) && readerOf(graph, value, use) != Reader::Product)
    return true;
  for (int part = 0; part < cut.parts(); ++part)
    if (!cut.slicesAtProducer(part))
      return true;
  return false;
}

/// Whether anyone reads more of what parts make than a part.
bool Cutter::isJoined(const Value &value) const {
  return value.uses.empty() || llvm::any_of(value.uses, [&](const Use &use) {
           return needsWhole(value, use);
         });
}

bool Cutter::hasJoin(int task) const {
  return !rowCut(task) || llvm::any_of(valuesOf[task], [&](const Value *value) {
    return isJoined(*value);
  });
}

void Cutter::addTask(int index, const Task &like, const std::string &suffix,
                     int part, SmallVector<Work, 2> work) {
  Task task = like;
  task.name += suffix;
  task.work = std::move(work);
  task.uncut = index;
  task.part = part;
  result.tasks.push_back(std::move(task));
}

void Cutter::addTasks() {
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    auto at = static_cast<int>(index);
    first.push_back(static_cast<int>(result.tasks.size()));
    if (const Cut *cut = cutOf[index]) {
      Task like = task;
      like.cuts.clear();
      like.rowwise = false;
      for (int part = 0; part < cut->parts(); ++part)
        addTask(at, like, "." + std::to_string(part), part,
                partWork(task, *cut, part));
      if (rowCut(at)) {
        if (hasJoin(at))
          addTask(at, like, ".join", kWhole, {});
      } else {
        addTask(at, like, ".join", kWhole, joinWork(task, *cut));
      }
    } else {
      addTask(at, task, "", kWhole, task.work);
    }
    last.push_back(static_cast<int>(result.tasks.size()) - 1);
  }
  for (Task &task : result.tasks)
    if (task.colocated >= 0)
      task.colocated = last[task.colocated];
}

/// A share of `from`, indices [begin, end), cut out by the task that makes it.
/// All that need the same samples share them.
void Cutter::addSlice(const Value &from, int64_t begin, int64_t end,
                      int64_t bytes, const Use &use, int part,
                      Divided &divided) {
  const Task &user = graph.tasks[use.task];
  int producer = from.producer;
  Value slice = from;
  if (cutOf[use.task]->axis == sampleAxis(user.kind)) {
    slice.name =
        from.name + ".rows" + std::to_string(begin) + "-" + std::to_string(end);
    auto same = llvm::find_if(divided.slices, [&](const Value &other) {
      return other.name == slice.name;
    });
    if (same != divided.slices.end()) {
      same->uses.push_back(partUse(use, part));
      return;
    }
  } else {
    slice.name =
        from.name + ".slice" + std::to_string(part) + " for " + user.name;
  }
  slice.sliceOf = from.name;
  slice.bytes = bytes;
  slice.producer = producer;
  slice.uses = {partUse(use, part)};
  divided.slices.push_back(std::move(slice));
  addCopy(producer, use.task, from.bytes, bytes);
}

/// A part's samples from the producer's parts.
void Cutter::takePieces(const Value &value, const Use &use, int part,
                        Divided &divided) {
  const Cut &from = *cutOf[value.producer], &to = *cutOf[use.task];
  int64_t extent = cutExtent(graph.tasks[use.task], to.axis);
  int64_t low = partBegin(to, part), high = partEnd(extent, to, part);
  int pieces = 0;
  for (int j = 0; j < from.parts(); ++j) {
    int64_t b = std::max(low, partBegin(from, j));
    int64_t e = std::min(high, partEnd(extent, from, j));
    if (b >= e)
      continue;
    ++pieces;
    if (e - b == partEnd(extent, from, j) - partBegin(from, j))
      divided.parts[j].uses.push_back(partUse(use, part));
    else
      addSlice(divided.parts[j], b - partBegin(from, j), e - partBegin(from, j),
               proportion(value.bytes, e - b, extent), use, part, divided);
  }
  int64_t bytes = share(value.bytes, extent, to, part);
  if (pieces > 1)
    addCopy(first[use.task] + part, use.task, bytes, bytes);
}

void Cutter::addPartUse(const Value &value, const Use &use, int part,
                        Divided &divided) {
  const Cut &cut = *cutOf[use.task];
  const Task &task = graph.tasks[use.task];
  int64_t bytes = 0;
  bool sliced = isSliced(value.kind, task, cut.axis);
  if (sliced)
    bytes = share(value.bytes, cutExtent(task, cut.axis), cut, part);
  if (sliced && cut.slicesAtProducer(part) && value.producer >= 0) {
    if (comesInRows(value, use))
      takePieces(value, use, part, divided);
    else
      addSlice(divided.whole, partBegin(cut, part),
               partEnd(cutExtent(task, cut.axis), cut, part), bytes, use, part,
               divided);
    return;
  }
  divided.whole.uses.push_back(partUse(use, part));
  // partWork knows of the product's operands, but not whose the host supplies.
  if (sliced && (rowCut(use.task) || cut.slicesAtProducer(part)))
    addCopy(first[use.task] + part, use.task, value.bytes, bytes);
}

/// Divides a use by a cut task among its parts and its join.
void Cutter::addUse(const Value &value, const Use &use, Divided &divided) {
  const Cut *cut = cutOf[use.task];
  Use mapped = use;
  mapped.task = first[use.task];
  if (!cut) {
    divided.whole.uses.push_back(mapped);
    return;
  }
  mapped.reader = Reader::Unknown;
  Reader reader =
      rowCut(use.task) ? Reader::Product : readerOf(graph, value, use);
  if (reader != Reader::Fused)
    for (int part = 0; part < cut->parts(); ++part)
      addPartUse(value, use, part, divided);
  if (reader != Reader::Product) {
    mapped.task = last[use.task];
    divided.whole.uses.push_back(mapped);
  }
}

static void sortByTask(SmallVectorImpl<Use> &uses) {
  llvm::sort(uses, [](const Use &a, const Use &b) { return a.task < b.task; });
}

void Cutter::addValue(const Value &value) {
  Divided divided;
  divided.whole = value;
  divided.whole.uses.clear();
  if (value.producer >= 0)
    divided.whole.producer = last[value.producer];
  const Cut *rows = rowCut(value.producer);
  for (int part = 0; rows && part < rows->parts(); ++part) {
    const Task &task = graph.tasks[value.producer];
    Value of = value;
    of.name += "." + std::to_string(part);
    of.producer = first[value.producer] + part;
    if (!addsParts(rows->axis))
      of.bytes = share(value.bytes, cutExtent(task, rows->axis), *rows, part);
    of.uses.clear();
    divided.parts.push_back(std::move(of));
  }
  for (const Use &use : value.uses)
    addUse(value, use, divided);
  if (rows && isJoined(value)) {
    int64_t bytes = 0;
    for (Value &part : divided.parts) {
      part.uses.push_back({last[value.producer]});
      bytes += part.bytes;
    }
    addCopy(last[value.producer], value.producer, bytes, value.bytes);
  }
  if (!divided.whole.uses.empty() || value.uses.empty())
    result.values.push_back(std::move(divided.whole));
  for (Value &part : divided.parts) {
    sortByTask(part.uses);
    if (!part.uses.empty())
      result.values.push_back(std::move(part));
  }
  for (Value &slice : divided.slices) {
    sortByTask(slice.uses);
    result.values.push_back(std::move(slice));
  }
}

/// What the parts of a product hand to the join.
void Cutter::addPartResults(int task) {
  const Cut &cut = *cutOf[task];
  for (int part = 0; part < cut.parts(); ++part) {
    Value value;
    value.name = graph.tasks[task].name + "." + std::to_string(part);
    value.kind = graph.tasks[task].kind == TaskKind::Forward
                     ? ValueClass::Activation
                 : graph.tasks[task].kind == TaskKind::Dgrad
                     ? ValueClass::Gradient
                     : ValueClass::WeightGradient;
    value.producer = first[task] + part;
    value.bytes = partBytes(graph.tasks[task], cut, part);
    value.uses = {Use{last[task]}};
    result.values.push_back(std::move(value));
  }
}

TaskGraph Cutter::run() {
  result.name = graph.name;
  result.layers = graph.layers;
  valuesOf.resize(graph.tasks.size());
  for (const Value &value : graph.values)
    if (value.producer >= 0)
      valuesOf[value.producer].push_back(&value);
  addTasks();
  for (const Value &value : graph.values)
    addValue(value);
  for (size_t task = 0; task < graph.tasks.size(); ++task)
    if (cutOf[task] && !rowCut(static_cast<int>(task)))
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
