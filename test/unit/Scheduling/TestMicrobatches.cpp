//===- TestMicrobatches.cpp - steps in microbatches for tests -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "TestMicrobatches.h"

using namespace takt;
using namespace takt::test;

namespace {
class Divider {
public:
  Divider(const TaskGraph &whole, int count) : whole(whole), count(count) {}

  TaskGraph run() {
    graph.name = whole.name;
    graph.layers = whole.layers;
    at.assign(count, std::vector<int>(whole.tasks.size(), -1));
    for (int m = 0; m < count; ++m)
      addTasks(m, /*updates=*/false);
    addTasks(count - 1, /*updates=*/true);
    for (const Value &value : whole.values)
      addValues(value);
    return std::move(graph);
  }

private:
  bool isUpdate(int task) const {
    return whole.tasks[task].kind == TaskKind::Update;
  }

  void addTasks(int m, bool updates) {
    for (size_t old = 0; old < whole.tasks.size(); ++old) {
      if (isUpdate(int(old)) != updates)
        continue;
      Task task = whole.tasks[old];
      if (!updates)
        task.name += ".m" + std::to_string(m);
      task.microbatch = m;
      task.cuts.clear();
      // With the first microbatch's: wgrads, and what is with one of them.
      if (task.colocated >= 0)
        task.colocated = at[0][task.colocated];
      else if (task.kind == TaskKind::Wgrad && m > 0)
        task.colocated = at[0][old];
      at[m][old] = int(graph.tasks.size());
      if (updates)
        for (std::vector<int> &each : at)
          each[old] = at[m][old];
      graph.tasks.push_back(std::move(task));
    }
  }

  void addValues(const Value &value) {
    bool once = value.producer < 0 || isUpdate(value.producer);
    for (int m = 0; m < (once ? 1 : count); ++m) {
      Value copy = value;
      copy.name += once ? "" : ".m" + std::to_string(m);
      copy.producer = value.producer < 0 ? -1 : at[m][value.producer];
      copy.uses.clear();
      for (const Use &use : value.uses)
        addUses(use, value, once, m, copy);
      graph.values.push_back(std::move(copy));
    }
  }

  void addUses(Use use, const Value &value, bool once, int m, Value &copy) {
    auto add = [&](int task, int distance) {
      Use added = use;
      added.task = task;
      added.distance = distance;
      copy.uses.push_back(added);
    };
    if (once && !isUpdate(use.task)) {
      for (int each = 0; each < count; ++each)
        add(at[each][use.task], use.distance);
    } else if (once || m == count - 1) {
      add(at[once || use.distance == 0 ? m : 0][use.task], use.distance);
    } else if (isUpdate(use.task)) { // the gradient so far
      add(at[m + 1][value.producer], 0);
    } else {
      add(at[use.distance == 0 ? m : m + 1][use.task], 0);
    }
  }

  const TaskGraph &whole;
  int count;
  TaskGraph graph;
  std::vector<std::vector<int>> at; ///< by microbatch and the whole's task
};
} // namespace

TaskGraph takt::test::inMicrobatches(const TaskGraph &whole, int count) {
  return Divider(whole, count).run();
}
