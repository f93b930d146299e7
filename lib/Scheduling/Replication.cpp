//===- Replication.cpp - layers that several processors share -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Replication.h"
#include "Cuts.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Twine;

int64_t takt::minibatchesOf(llvm::ArrayRef<int> replicas) {
  int64_t all = 1;
  for (int r : replicas)
    all = std::min(std::lcm(all, int64_t(std::max(r, 1))),
                   kMaxReplicatedMinibatches + 1);
  return all;
}

std::pair<int64_t, int64_t> takt::rowsOfShard(int64_t rows, int64_t shard,
                                              int64_t shards) {
  return {proportion(rows, shard, shards), proportion(rows, shard + 1, shards)};
}

std::string takt::nameInMinibatch(llvm::StringRef name, int64_t minibatch) {
  return (name + ".m" + Twine(minibatch)).str();
}

std::string takt::nameOfShard(llvm::StringRef name, int64_t minibatch,
                              int64_t shard, int64_t shards) {
  std::string result = nameInMinibatch(name, minibatch);
  return shards == 1 ? result : (result + ".s" + Twine(shard)).str();
}

llvm::StringRef takt::nameBeforeReplication(llvm::StringRef name) {
  auto dropSuffix = [&](char letter) {
    auto [rest, suffix] = name.rsplit('.');
    int number = 0;
    if (suffix.consume_front(letter) && !suffix.getAsInteger(10, number))
      name = rest;
  };
  dropSuffix('s');
  dropSuffix('m');
  return name;
}

namespace {
class Replicator {
public:
  Replicator(const TaskGraph &graph, llvm::ArrayRef<int> replicas,
             llvm::ArrayRef<int> delay)
      : graph(graph), replicas(replicas), delay(delay) {}

  llvm::Expected<TaskGraph> run();

private:
  Error check() const;
  void addTasks(int minibatch);
  void addUpdate(int task, int round);
  void addOfMinibatch(const Value &value, int minibatch);
  void addOfRound(const Value &value, int round);
  void addGradientShards(const Value &value, int minibatch);
  void collectDivided();
  void addUses(Value &copy, const Use &use, int minibatch) const;
  void addUsesOfShard(Value &copy, const Use &use, int producer, int round,
                      int shard) const;

  int layerOf(int task) const { return graph.tasks[task].layer; }
  int countOf(int task) const { return replicas[layerOf(task)]; }
  int rounds(int task) const { return minibatches / countOf(task); }
  bool isUpdate(int task) const {
    return task >= 0 && graph.tasks[task].kind == TaskKind::Update;
  }
  /// What only the updates of its own layer's shards need in parts.
  bool isSharded(const Value &value, const Use &use) const {
    return isUpdate(use.task) && use.distance == 0 && value.producer >= 0 &&
           layerOf(value.producer) == layerOf(use.task) &&
           graph.tasks[value.producer].kind == TaskKind::Wgrad &&
           countOf(use.task) > 1;
  }
  /// What a shard has of a number of bytes or operations.
  static int64_t share(int64_t total, int64_t rows, int shard, int shards) {
    if (rows == 0)
      return llvm::divideCeil(total, shards);
    auto [begin, end] = rowsOfShard(rows, shard, shards);
    return proportion(total, end - begin, rows);
  }
  /// Of fewer rows than shards some have nothing.
  static bool hasShare(int64_t rows, int shard, int shards) {
    if (rows == 0)
      return true;
    auto [begin, end] = rowsOfShard(rows, shard, shards);
    return begin < end;
  }
  /// An update without work that is known is there for every shard.
  bool hasUpdate(int task, int shard) const {
    llvm::ArrayRef<Work> work = graph.tasks[task].work;
    return work.empty() || llvm::any_of(work, [&](const Work &w) {
             return hasShare(w.rows, shard, countOf(task));
           });
  }
  void divideWork(Task &task, int original, int shard) const;
  void addCopies(Task &task, const Value &value) const;
  int lastOf(int round, int count) const { return round * count + count - 1; }

  const TaskGraph &graph;
  llvm::ArrayRef<int> replicas, delay;
  int minibatches = 1;
  TaskGraph result;
  /// By task of the graph: the gradients that an update gets in parts, and the
  /// values that another task divides, or puts together.
  std::vector<llvm::SmallVector<const Value *, 2>> gradientsOf, dividedBy;
  /// By task and minibatch; of updates by round and shard.
  std::vector<std::vector<int>> copyOf;
};
} // namespace

Error Replicator::check() const {
  if (replicas.size() != graph.layers.size() ||
      delay.size() != graph.layers.size())
    return createStringError("replicas of " + Twine(replicas.size()) +
                             " and delays of " + Twine(delay.size()) + " of " +
                             Twine(graph.layers.size()) + " layers");
  for (auto [layer, count, late] :
       llvm::zip_equal(graph.layers, replicas, delay))
    if (count < 1 || count > kMaxReplicas || late < 0 || late > kMaxReplicas)
      return createStringError(
          "layer '" + layer.name + "' has " + Twine(count) +
          " replicas and delay " + Twine(late) + ", expected 1 to " +
          Twine(kMaxReplicas) + " and 0 to " + Twine(kMaxReplicas));
  if (minibatchesOf(replicas) > kMaxReplicatedMinibatches)
    return createStringError("replicas that repeat after more than " +
                             Twine(kMaxReplicatedMinibatches) + " minibatches");
  if (graph.minibatches > 1 || graph.isDivided())
    return createStringError("layers of whole, single minibatches are "
                             "replicated, found several");
  for (const Value &value : graph.values)
    for (const Use &use : value.uses)
      if (isUpdate(value.producer) && isUpdate(use.task) &&
          layerOf(value.producer) != layerOf(use.task))
        return createStringError(
            "the updates of layers '" +
            graph.layers[layerOf(value.producer)].name + "' and '" +
            graph.layers[layerOf(use.task)].name + "' share '" + value.name +
            "', which replicas of one layer divide");
  return Error::success();
}

/// Of each update the gradients that come in parts; of each wgrad those that it
/// divides; of each other task the weights that it puts together from parts.
void Replicator::collectDivided() {
  gradientsOf.resize(graph.tasks.size());
  dividedBy.resize(graph.tasks.size());
  for (const Value &value : graph.values) {
    bool isDivided = false;
    for (const Use &use : value.uses) {
      if (isSharded(value, use)) {
        gradientsOf[use.task].push_back(&value);
        isDivided = true;
      } else if (isUpdate(value.producer) && !isUpdate(use.task) &&
                 countOf(value.producer) > 1) {
        dividedBy[use.task].push_back(&value);
      }
    }
    if (isDivided)
      dividedBy[value.producer].push_back(&value);
  }
}

/// A shard's work: its part of the update's, and the mean of the gradients'
/// parts.
void Replicator::divideWork(Task &task, int original, int shard) const {
  int count = countOf(original);
  if (task.cycles)
    task.cycles = llvm::divideCeil(*task.cycles, count);
  task.memory /= count;
  if (task.work.empty() || task.cycles)
    return;
  llvm::erase_if(task.work, [&](const Work &work) {
    return !hasShare(work.rows, shard, count);
  });
  for (Work &work : task.work) {
    work.elementwise = share(work.elementwise, work.rows, shard, count);
    work.bytesIn = share(work.bytesIn, work.rows, shard, count);
    work.bytesOut = share(work.bytesOut, work.rows, shard, count);
  }
  ElementType type = graph.tasks[original].work.front().type;
  for (const Value *gradient : gradientsOf[original]) {
    if (!hasShare(gradient->rows, shard, count))
      continue;
    int64_t bytes = share(gradient->bytes, gradient->rows, shard, count);
    task.work.push_back(copyWork(TaskKind::Update, type, count * bytes, bytes));
    task.work.push_back(copyWork(TaskKind::Update, type, bytes, bytes));
  }
}

/// Cutting a gradient into parts, or putting a weight together from them.
void Replicator::addCopies(Task &task, const Value &value) const {
  int count = countOf(value.producer);
  llvm::SmallVector<int64_t> shares;
  for (int shard = 0; shard < count; ++shard)
    if (hasShare(value.rows, shard, count))
      shares.push_back(share(value.bytes, value.rows, shard, count));
  if (shares.size() < 2)
    return;
  ElementType type = task.work.front().type;
  if (value.kind == ValueClass::Weight)
    task.work.push_back(copyWork(task.kind, type, value.bytes, value.bytes));
  else
    for (int64_t bytes : shares)
      task.work.push_back(copyWork(task.kind, type, value.bytes, bytes));
}

void Replicator::addUpdate(int task, int round) {
  int count = countOf(task);
  for (int shard = 0; shard < count; ++shard) {
    if (count > 1 && !hasUpdate(task, shard))
      continue;
    Task copy = graph.tasks[task];
    copy.microbatch = lastOf(round, count);
    copy.name = nameOfShard(copy.name, copy.microbatch, shard, count);
    if (count > 1)
      divideWork(copy, task, shard);
    copy.colocated = copyOf[copy.colocated][round * count + shard];
    copyOf[task][round * count + shard] = static_cast<int>(result.tasks.size());
    result.tasks.push_back(std::move(copy));
  }
}

/// A minibatch's tasks, with the updates whose rounds it completes.
void Replicator::addTasks(int minibatch) {
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    int count = countOf(task);
    if (isUpdate(task)) {
      if ((minibatch + 1) % count == 0)
        addUpdate(task, minibatch / count);
      continue;
    }
    Task copy = graph.tasks[task];
    copy.microbatch = minibatch;
    copy.name = nameInMinibatch(copy.name, minibatch);
    if (copy.colocated >= 0)
      copy.colocated = copyOf[copy.colocated][minibatch];
    if (!copy.work.empty() && !copy.cycles)
      for (const Value *value : dividedBy[task])
        addCopies(copy, *value);
    copyOf[task][minibatch] = static_cast<int>(result.tasks.size());
    result.tasks.push_back(std::move(copy));
  }
}

/// The uses of what a minibatch made, or got from the host.
void Replicator::addUses(Value &copy, const Use &use, int minibatch) const {
  int count = countOf(use.task);
  Use added = use;
  added.delayed = false;
  if (isUpdate(use.task)) {
    // Of the host's values an update takes those of its round's last minibatch.
    if (copy.producer < 0 && (minibatch + 1) % count != 0)
      return;
    int round = minibatch / count + use.distance;
    added.distance = round / rounds(use.task);
    for (int shard = 0; shard < count; ++shard) {
      added.task = copyOf[use.task][round % rounds(use.task) * count + shard];
      if (added.task >= 0)
        copy.uses.push_back(added);
    }
    return;
  }
  int later = minibatch + use.distance * count;
  added.distance = later / minibatches;
  added.task = copyOf[use.task][later % minibatches];
  copy.uses.push_back(added);
}

void Replicator::addGradientShards(const Value &value, int minibatch) {
  for (const Use &use : value.uses) {
    if (!isSharded(value, use))
      continue;
    int count = countOf(use.task);
    for (int shard = 0; shard < count; ++shard) {
      if (!hasShare(value.rows, shard, count))
        continue;
      Value part = value;
      part.name = nameOfShard(value.name, minibatch, shard, count);
      part.producer = copyOf[value.producer][minibatch];
      part.bytes = share(value.bytes, value.rows, shard, count);
      Use added = use;
      added.task = copyOf[use.task][minibatch / count * count + shard];
      part.uses = {added};
      result.values.push_back(std::move(part));
    }
  }
}

void Replicator::addOfMinibatch(const Value &value, int minibatch) {
  Value copy = value;
  copy.name = nameInMinibatch(value.name, minibatch);
  if (value.producer >= 0)
    copy.producer = copyOf[value.producer][minibatch];
  copy.uses.clear();
  bool isWhole = value.uses.empty();
  for (const Use &use : value.uses)
    if (!isSharded(value, use)) {
      addUses(copy, use, minibatch);
      isWhole = true;
    }
  if (isWhole)
    result.values.push_back(std::move(copy));
  addGradientShards(value, minibatch);
}

/// What a round's update made: for later updates of the same shard, and for all
/// replicas' tasks of a later round.
void Replicator::addUsesOfShard(Value &copy, const Use &use, int producer,
                                int round, int shard) const {
  int count = countOf(producer), all = rounds(producer);
  int later =
      round + use.distance + (use.delayed ? delay[layerOf(producer)] : 0);
  Use added = use;
  added.delayed = false;
  added.distance = later / all;
  int first = later % all * count;
  for (int replica = 0; replica < count; ++replica) {
    if (isUpdate(use.task) && replica != shard)
      continue;
    added.task = copyOf[use.task][first + replica];
    copy.uses.push_back(added);
  }
}

void Replicator::addOfRound(const Value &value, int round) {
  int count = countOf(value.producer);
  for (int shard = 0; shard < count; ++shard) {
    if (count > 1 && !hasShare(value.rows, shard, count))
      continue;
    Value copy = value;
    copy.name = nameOfShard(value.name, lastOf(round, count), shard, count);
    copy.producer = copyOf[value.producer][round * count + shard];
    if (count > 1)
      copy.bytes = share(value.bytes, value.rows, shard, count);
    copy.uses.clear();
    for (const Use &use : value.uses)
      addUsesOfShard(copy, use, value.producer, round, shard);
    result.values.push_back(std::move(copy));
  }
}

llvm::Expected<TaskGraph> Replicator::run() {
  if (Error error = check())
    return std::move(error);
  minibatches = static_cast<int>(minibatchesOf(replicas));
  result.name = graph.name;
  result.layers = graph.layers;
  result.minibatches = minibatches;
  copyOf.assign(graph.tasks.size(), std::vector<int>(minibatches, -1));
  collectDivided();
  for (int minibatch = 0; minibatch < minibatches; ++minibatch)
    addTasks(minibatch);
  for (const Value &value : graph.values) {
    if (isUpdate(value.producer))
      for (int round = 0; round < rounds(value.producer); ++round)
        addOfRound(value, round);
    else
      for (int minibatch = 0; minibatch < minibatches; ++minibatch)
        addOfMinibatch(value, minibatch);
  }
  for (Value &value : result.values)
    llvm::sort(value.uses, [](const Use &a, const Use &b) {
      return std::pair(a.task, a.distance) < std::pair(b.task, b.distance);
    });
  return std::move(result);
}

llvm::Expected<TaskGraph> takt::replicate(const TaskGraph &graph,
                                          llvm::ArrayRef<int> replicas,
                                          llvm::ArrayRef<int> delay) {
  return Replicator(graph, replicas, delay).run();
}
