//===- PipeDream2bwScheduler.cpp - double-buffered weights ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Narayanan et al., "Memory-Efficient Pipeline-Parallel DNN Training", ICML
// 2021: 1F1B over the microbatches of one step after the other without a flush,
// one update a step, from gradients of the weights before the last update.
//
//===----------------------------------------------------------------------===//

#include "CyclicOrder.h"
#include "Deadline.h"
#include "Memory.h"
#include "Schedulers.h"
#include "StagePartition.h"
#include "llvm/ADT/STLExtras.h"

using namespace takt;

namespace {
class DoubleBuffered {
public:
  DoubleBuffered(const Problem &problem, const ScheduleOptions &options)
      : problem(problem), graph(*problem.graph),
        processors(static_cast<int>(problem.machine->processors())),
        deadline(options.timeLimitSeconds) {
    for (const Task &task : graph.tasks)
      microbatches = std::max(microbatches, task.microbatch + 1);
  }

  std::optional<Schedule> run();

private:
  StagePartition partition(int stages) const;
  CyclicOrder order(const StagePartition &partition,
                    llvm::ArrayRef<int> lead) const;
  std::vector<int> leads(int stages, int quarters, int most) const;
  void consider(const StagePartition &partition);
  void consider(const StagePartition &partition, llvm::ArrayRef<int> lead);
  bool fits() const { return best && std::get<0>(keyOf(*best)) == 0; }
  bool canBeBetter() const;

  /// Of a schedule: what it exceeds memories by, its interval, what it holds.
  using Key = std::tuple<int64_t, int64_t, int64_t>;
  Key keyOf(const Schedule &schedule) const;

  const Problem &problem;
  const TaskGraph &graph;
  int processors, microbatches = 1;
  Deadline deadline;
  std::optional<Schedule> best;
  int64_t bestLoad = 0; ///< cycles of the largest stage of `best`
};
} // namespace

/// Stages for the first `stages` processors.
StagePartition DoubleBuffered::partition(int stages) const {
  Machine first = *problem.machine;
  // Fewer processors than there are links for; partitions by work need none.
  first.interconnect = Interconnect();
  llvm::cantFail(first.connect());
  int64_t left = stages;
  for (ProcessorClass &on : first.classes) {
    on.count = std::min(on.count, left);
    left -= on.count;
  }
  llvm::erase_if(first.classes,
                 [](const ProcessorClass &on) { return on.count == 0; });
  return partitionStages({&graph, &first, problem.cost});
}

/// By how many microbatches each of n stages forwards ahead of the one that it
/// takes back: the stages behind it times `quarters`/4, at most `most`. Rounded
/// up where that is more than the stages behind, down where it is less.
std::vector<int> DoubleBuffered::leads(int stages, int quarters,
                                       int most) const {
  std::vector<int> lead;
  int up = quarters > 4 ? 3 : 0;
  for (int behind = stages - 1; behind >= 0; --behind)
    lead.push_back(
        std::min({(behind * quarters + up) / 4, most, microbatches}));
  return lead;
}

/// A stage alternates between a forward and a backward block. The update
/// follows the last microbatch's wgrads; the next but one step's first forward
/// needs it.
CyclicOrder DoubleBuffered::order(const StagePartition &partition,
                                  llvm::ArrayRef<int> lead) const {
  int stages = static_cast<int>(partition.processor.size());
  enum { kForward, kBackward, kUpdate, kBlocks };
  std::vector<std::vector<int>> blocks(size_t(stages) * microbatches * kBlocks);
  auto block = [&](int stage, int microbatch, int which) -> std::vector<int> & {
    return blocks[(size_t(stage) * microbatches + microbatch) * kBlocks +
                  which];
  };
  for (auto [index, task] : llvm::enumerate(graph.tasks))
    block(partition.stage[task.layer], task.microbatch,
          task.kind == TaskKind::Forward  ? kForward
          : task.kind == TaskKind::Update ? kUpdate
                                          : kBackward)
        .push_back(static_cast<int>(index));
  CyclicOrder result(processors);
  for (int k = 0; k < stages; ++k) {
    auto append = [&](llvm::ArrayRef<int> tasks, int ahead) {
      for (int task : tasks)
        result[partition.processor[k]].push_back({task, ahead});
    };
    for (int m = 0; m < microbatches; ++m) {
      append(block(k, (m + lead[k]) % microbatches, kForward),
             (m + lead[k]) / microbatches);
      append(block(k, m, kBackward), 0);
    }
    for (int m = 0; m < microbatches; ++m)
      append(block(k, m, kUpdate), 0);
  }
  return result;
}

DoubleBuffered::Key DoubleBuffered::keyOf(const Schedule &schedule) const {
  MemoryUse use = tightestMemory(problem, schedule);
  int64_t lack = use.limit > 0 ? std::max<int64_t>(0, use.excess()) : 0;
  return {lack, schedule.interval, use.bytes};
}

void DoubleBuffered::consider(const StagePartition &partition,
                              llvm::ArrayRef<int> lead) {
  int stages = static_cast<int>(partition.processor.size());
  std::vector<int> delay(graph.layers.size(), stages > 1 ? 1 : 0);
  std::optional<Schedule> found =
      scheduleCyclicOrder(problem, graph, order(partition, lead), delay);
  if (!found)
    return;
  found->stage = partition.stage;
  found->stages = stages;
  if (best && keyOf(*found) >= keyOf(*best))
    return;
  best = std::move(found);
  bestLoad = partition.largest;
}

/// A lead of the stages behind is what 1F1B needs without transfers; with them
/// more keeps stages busy, and with less activations take less memory.
void DoubleBuffered::consider(const StagePartition &partition) {
  int stages = static_cast<int>(partition.processor.size());
  std::vector<int> last;
  auto tryLeads = [&](int quarters, int most) {
    std::vector<int> lead = leads(stages, quarters, most);
    if (lead == last || (best && deadline.isOver()))
      return;
    consider(partition, lead);
    last = std::move(lead);
  };
  for (int quarters : {4, 5, 6, 7, 8, 12, 16})
    if (!fits() || best->interval > partition.largest)
      tryLeads(quarters, microbatches);
  if (fits())
    return;
  for (int most = stages - 2; most >= 0; --most)
    for (int quarters : {4, 3, 2, 1})
      tryLeads(quarters, most);
}

/// A partition into fewer stages has a larger one. It can still win where
/// transfers are in the way, or memory is short.
bool DoubleBuffered::canBeBetter() const {
  return !fits() || best->interval > bestLoad;
}

/// With one update behind, stage 0 of n takes back the last microbatch of a
/// step before the next but one begins: n - 1 <= m.
std::optional<Schedule> DoubleBuffered::run() {
  for (int stages = std::min(processors, microbatches + 1);
       stages > 0 && canBeBetter() && !(best && deadline.isOver());) {
    StagePartition found = partition(stages);
    consider(found);
    stages = std::min<int>(stages, found.processor.size()) - 1;
  }
  return std::move(best);
}

llvm::Expected<Schedule> takt::runPipeDream2bw(const Problem &problem,
                                               const ScheduleOptions &options) {
  if (std::optional<Schedule> schedule = DoubleBuffered(problem, options).run())
    return std::move(*schedule);
  return runSequential(problem, options);
}
