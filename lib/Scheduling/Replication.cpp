//===- Replication.cpp - layers that several processors share -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Replication.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <numeric>

using namespace takt;
using llvm::createStringError;
using llvm::Error;
using llvm::Twine;

static constexpr int64_t kMaxMinibatches = 65536;

int64_t takt::minibatchesOf(llvm::ArrayRef<int> replicas) {
  int64_t all = 1;
  for (int r : replicas)
    all = std::min(std::lcm(all, int64_t(std::max(r, 1))), kMaxMinibatches + 1);
  return all;
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
  void addUses(Value &copy, const Use &use, int minibatch) const;
  void addUsesOfShard(Value &copy, const Use &use, int round, int shard) const;

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
  int lastOf(int round, int count) const { return round * count + count - 1; }
  static std::string named(llvm::StringRef name, int minibatch) {
    return (name + ".m" + Twine(minibatch)).str();
  }
  static std::string named(llvm::StringRef name, int minibatch, int shard,
                           int shards) {
    std::string result = named(name, minibatch);
    return shards == 1 ? result : (result + ".s" + Twine(shard)).str();
  }

  const TaskGraph &graph;
  llvm::ArrayRef<int> replicas, delay;
  int minibatches = 1;
  TaskGraph result;
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
    if (count < 1 || count > 4096 || late < 0 || late > 4096)
      return createStringError("layer '" + layer.name + "' has " +
                               Twine(count) + " replicas and delay " +
                               Twine(late) +
                               ", expected 1 to 4096 and 0 to 4096");
  if (int64_t all = minibatchesOf(replicas); all > kMaxMinibatches)
    return createStringError("replicas that repeat after more than " +
                             Twine(kMaxMinibatches) + " minibatches");
  if (graph.minibatches > 1 ||
      llvm::any_of(graph.tasks, [](const Task &t) { return t.microbatch > 0; }))
    return createStringError("layers of whole, single minibatches are "
                             "replicated, found several");
  for (const Value &value : graph.values)
    for (const Use &use : value.uses)
      if (isUpdate(value.producer) &&
          countOf(value.producer) != countOf(use.task))
        return createStringError(
            "layers '" + graph.layers[layerOf(value.producer)].name +
            "' and '" + graph.layers[layerOf(use.task)].name + "' share '" +
            value.name + "', but have " + Twine(countOf(value.producer)) +
            " and " + Twine(countOf(use.task)) + " replicas");
  return Error::success();
}

/// A shard's work: its part of the update's, and adding up the gradients'
/// parts.
static void divideWork(Task &task, int64_t gradientBytes, int count) {
  if (task.cycles)
    task.cycles = llvm::divideCeil(*task.cycles, count);
  task.memory /= count;
  for (Work &work : task.work) {
    work.elementwise = llvm::divideCeil(work.elementwise, count);
    work.bytesIn = llvm::divideCeil(work.bytesIn, count);
    work.bytesOut = llvm::divideCeil(work.bytesOut, count);
  }
  if (task.work.empty() || task.cycles)
    return;
  Work &work = task.work.front();
  int64_t others = llvm::divideCeil(gradientBytes, count) * (count - 1);
  work.elementwise += others / (work.type == ElementType::F64 ? 8 : 4);
  work.bytesIn += others;
}

void Replicator::addUpdate(int task, int round) {
  int count = countOf(task);
  int64_t gradients = 0;
  for (const Value &value : graph.values)
    for (const Use &use : value.uses)
      if (use.task == task && isSharded(value, use))
        gradients += value.bytes;
  for (int shard = 0; shard < count; ++shard) {
    Task copy = graph.tasks[task];
    copy.microbatch = lastOf(round, count);
    copy.name = named(copy.name, copy.microbatch, shard, count);
    if (count > 1)
      divideWork(copy, gradients, count);
    copy.colocated = copyOf[copy.colocated][round * count + shard];
    copyOf[task][round * count + shard] = static_cast<int>(result.tasks.size());
    result.tasks.push_back(std::move(copy));
  }
}

/// A minibatch's tasks, then the updates whose rounds it completes.
void Replicator::addTasks(int minibatch) {
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    if (isUpdate(task))
      continue;
    Task copy = graph.tasks[task];
    copy.microbatch = minibatch;
    copy.name = named(copy.name, minibatch);
    if (copy.colocated >= 0)
      copy.colocated = copyOf[copy.colocated][minibatch];
    copyOf[task][minibatch] = static_cast<int>(result.tasks.size());
    result.tasks.push_back(std::move(copy));
  }
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task)
    if (isUpdate(task) && (minibatch + 1) % countOf(task) == 0)
      addUpdate(task, minibatch / countOf(task));
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
      Value part = value;
      part.name = named(value.name, minibatch, shard, count);
      part.producer = copyOf[value.producer][minibatch];
      part.bytes = llvm::divideCeil(value.bytes, count);
      Use added = use;
      added.task = copyOf[use.task][minibatch / count * count + shard];
      part.uses = {added};
      result.values.push_back(std::move(part));
    }
  }
}

void Replicator::addOfMinibatch(const Value &value, int minibatch) {
  Value copy = value;
  copy.name = named(value.name, minibatch);
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
void Replicator::addUsesOfShard(Value &copy, const Use &use, int round,
                                int shard) const {
  int count = countOf(use.task);
  int later =
      round + use.distance + (use.delayed ? delay[layerOf(use.task)] : 0);
  Use added = use;
  added.delayed = false;
  added.distance = later / rounds(use.task);
  int first = later % rounds(use.task) * count;
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
    Value copy = value;
    copy.name = named(value.name, lastOf(round, count), shard, count);
    copy.producer = copyOf[value.producer][round * count + shard];
    copy.bytes = llvm::divideCeil(value.bytes, count);
    copy.uses.clear();
    for (const Use &use : value.uses)
      addUsesOfShard(copy, use, round, shard);
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
  return std::move(result);
}

llvm::Expected<TaskGraph> takt::replicate(const TaskGraph &graph,
                                          llvm::ArrayRef<int> replicas,
                                          llvm::ArrayRef<int> delay) {
  return Replicator(graph, replicas, delay).run();
}
