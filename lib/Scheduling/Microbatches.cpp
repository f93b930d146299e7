//===- Microbatches.cpp - task graphs of many microbatches ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Microbatches.h"
#include "takt/Scheduling/MicrobatchNames.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"

using namespace takt;

namespace {
constexpr int kFirst = 0, kMiddle = 1, kLast = 2; ///< of the graph of three

/// Updates are of the whole step, whatever their names.
std::string taskInMicrobatch(const Task &task, int m) {
  return task.kind == TaskKind::Update
             ? task.name
             : inMicrobatch(task.name, task.microbatch, m);
}

class Repeater {
public:
  Repeater(const TaskGraph &three, const TaskGraph &four, int count)
      : three(three), four(four), count(count) {
    for (const Task &task : three.tasks)
      ++tasksOf[task.microbatch];
    for (auto [index, task] : llvm::enumerate(three.tasks))
      indexOf[task.name] = index;
    for (auto [index, task] : llvm::enumerate(four.tasks))
      inFour[task.name] = index;
    for (const Value &value : three.values)
      valueOf[value.name] = &value;
    for (const Value &value : four.values)
      valueInFour[value.name] = &value;
  }

  TaskGraph run() {
    result.name = three.name;
    result.layers = three.layers;
    addTasks();
    addValues();
    return std::move(result);
  }

private:
  int last() const { return count - 1; }
  int64_t grown(int64_t ofThree, int64_t ofFour) const {
    return ofThree + (ofFour - ofThree) * (count - 3);
  }
  int microbatchInFour(const Task &task) const {
    return task.microbatch == kLast ? 3 : task.microbatch;
  }
  int microbatchOf(int task) const { return three.tasks[task].microbatch; }
  /// Updates and parameters are of the whole step, and so are inputs.
  bool isOfMicrobatch(const Value &value) const {
    return value.producer >= 0 && value.kind != ValueClass::Weight &&
           value.kind != ValueClass::State &&
           three.tasks[value.producer].kind != TaskKind::Update;
  }

  /// Of a task of the graph of three, in microbatch m of those that it stands
  /// for.
  int at(int task, int m) const {
    switch (microbatchOf(task)) {
    case kFirst:
      return task;
    case kMiddle:
      return task + (m - 1) * tasksOf[kMiddle];
    default:
      return task + (count - 3) * tasksOf[kMiddle];
    }
  }

  void addTasks();
  void addTask(int index, int m);
  void growWork(const Task &from, Task &task) const;
  void addValues();
  void addValue(const Value &value, int m);
  void addShared(const Use &use, llvm::SmallVectorImpl<Use> &uses) const;
  void addUse(const Value &value, const Use &use, int m,
              llvm::SmallVectorImpl<Use> &uses) const;
  bool firstIsUsedBy(int task, const Value &value) const;

  const TaskGraph &three, &four;
  int count;
  int tasksOf[3] = {0, 0, 0};
  llvm::StringMap<int> indexOf, inFour;
  llvm::StringMap<const Value *> valueOf, valueInFour;
  TaskGraph result;
};
} // namespace

void Repeater::growWork(const Task &from, Task &task) const {
  auto found = inFour.find(taskInMicrobatch(from, microbatchInFour(from)));
  if (found == inFour.end())
    return;
  const Task &larger = four.tasks[found->second];
  if (larger.work.size() != task.work.size())
    return;
  for (auto [more, work] : llvm::zip_equal(larger.work, task.work)) {
    work.elementwise = grown(work.elementwise, more.elementwise);
    work.bytesIn = grown(work.bytesIn, more.bytesIn);
    work.bytesOut = grown(work.bytesOut, more.bytesOut);
    work.rowBytesIn = grown(work.rowBytesIn, more.rowBytesIn);
  }
}

void Repeater::addTask(int index, int m) {
  const Task &from = three.tasks[index];
  Task &task = result.tasks.emplace_back(from);
  task.name = taskInMicrobatch(from, m);
  task.microbatch = m;
  if (from.colocated >= 0)
    task.colocated = at(from.colocated, m);
  growWork(from, task);
}

void Repeater::addTasks() {
  result.tasks.reserve(three.tasks.size() +
                       size_t(count - 3) * tasksOf[kMiddle]);
  int next = 0;
  for (; next < tasksOf[kFirst]; ++next)
    addTask(next, 0);
  for (int m = 1; m < last(); ++m)
    for (int i = 0; i < tasksOf[kMiddle]; ++i)
      addTask(next + i, m);
  next += tasksOf[kMiddle];
  for (; next < static_cast<int>(three.tasks.size()); ++next)
    addTask(next, last());
}

/// Of what belongs to no microbatch, or comes from the step before.
void Repeater::addShared(const Use &use,
                         llvm::SmallVectorImpl<Use> &uses) const {
  bool repeats = microbatchOf(use.task) == kMiddle;
  for (int m = 1; m < (repeats ? last() : 2); ++m) {
    uses.push_back(use);
    uses.back().task = at(use.task, m);
  }
}

/// The use of the first microbatch's value that is like this one of the middle
/// one's, but by that task.
bool Repeater::firstIsUsedBy(int task, const Value &value) const {
  auto first = valueOf.find(inMicrobatch(value.name, kMiddle, kFirst));
  return task >= 0 && first != valueOf.end() &&
         llvm::any_of(first->second->uses,
                      [&](const Use &use) { return use.task == task; });
}

/// What one microbatch hands to another goes to the next one (sums, running
/// statistics) or to the last one (all results): the first microbatch, from
/// which these are two, tells.
void Repeater::addUse(const Value &value, const Use &use, int m,
                      llvm::SmallVectorImpl<Use> &uses) const {
  int from = microbatchOf(value.producer), to = microbatchOf(use.task);
  auto add = [&](int task) {
    uses.push_back(use);
    uses.back().task = task;
  };
  if (from != kMiddle || to == kMiddle)
    return add(at(use.task, from == kMiddle ? m : 1));
  auto found = indexOf.find(taskInMicrobatch(three.tasks[use.task], kMiddle));
  int next = found == indexOf.end() ? -1 : found->second;
  bool toLast = firstIsUsedBy(use.task, value);
  bool toNext = next >= 0 && microbatchOf(next) == kMiddle &&
                (!toLast || firstIsUsedBy(next, value));
  if (toNext && m + 1 < last())
    add(at(next, m + 1));
  if (toLast || !toNext || m + 1 == last())
    add(at(use.task, last()));
}

/// A value of the first, of the last, or of the middle microbatch as number m.
void Repeater::addValue(const Value &value, int m) {
  Value &copy = result.values.emplace_back();
  copy.name = value.name;
  copy.kind = value.kind;
  copy.bytes = value.bytes;
  copy.rows = value.rows;
  copy.producer = value.producer < 0 ? -1 : at(value.producer, m);
  for (const Use &use : value.uses)
    if (value.producer < 0 || use.distance > 0)
      addShared(use, copy.uses);
    else
      addUse(value, use, m, copy.uses);
  llvm::sort(copy.uses, [](const Use &a, const Use &b) {
    return std::tuple(a.task, a.distance, a.delayed) <
           std::tuple(b.task, b.distance, b.delayed);
  });
  std::string nameInFour = value.name;
  if (isOfMicrobatch(value)) {
    const Task &producer = three.tasks[value.producer];
    copy.name = inMicrobatch(value.name, producer.microbatch, m);
    nameInFour = inMicrobatch(value.name, producer.microbatch,
                              microbatchInFour(producer));
  }
  auto larger = valueInFour.find(nameInFour);
  if (larger != valueInFour.end())
    copy.bytes = grown(value.bytes, larger->second->bytes);
}

/// In the order of the graph of three, what the middle microbatch makes as
/// often as it is there.
void Repeater::addValues() {
  auto isMiddle = [&](const Value &value) {
    return value.producer >= 0 && microbatchOf(value.producer) == kMiddle;
  };
  for (auto it = three.values.begin(), end = three.values.end(); it != end;) {
    if (!isMiddle(*it)) {
      bool isFirst = it->producer >= 0 && microbatchOf(it->producer) == kFirst;
      addValue(*it, isFirst ? 0 : last());
      ++it;
      continue;
    }
    auto behind = std::find_if_not(it, end, isMiddle);
    for (int m = 1; m < last(); ++m)
      for (auto value = it; value != behind; ++value)
        addValue(*value, m);
    it = behind;
  }
}

TaskGraph takt::repeatMicrobatches(const TaskGraph &three,
                                   const TaskGraph &four, int count) {
  return Repeater(three, four, count).run();
}
