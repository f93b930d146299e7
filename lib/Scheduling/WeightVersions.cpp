//===- WeightVersions.cpp - which weights tasks read ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "WeightVersions.h"
#include "takt/Scheduling/Retiming.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include <map>

using namespace takt;

namespace {
/// By how many minibatches the versions that a layer's readers find are older,
/// at the least.
struct Distances {
  bool any = false; ///< whether somebody reads them
  int oldest = 1;   ///< of all readers; forward tasks read these
  /// Of the dgrads that read a weight or shares of it, by the weight's name.
  llvm::StringMap<int> backward;
};

/// Where an update stands, judged by the versions that readers hold up.
struct Choice {
  int64_t bytes = 0; ///< in all rings of the layer's weights
  int oldest = 1;
  int64_t start = 0;

  bool operator<(const Choice &o) const {
    return std::tie(bytes, oldest, start) <
           std::tie(o.bytes, o.oldest, o.start);
  }
};

class NewestVersions {
public:
  explicit NewestVersions(Schedule &schedule)
      : schedule(schedule), graph(schedule.graph),
        weightsOf(graph.tasks.size()), gradientsOf(graph.tasks.size()),
        transfersOf(graph.values.size()) {
    for (auto [index, value] : llvm::enumerate(graph.values))
      if (value.producer >= 0 && value.kind == ValueClass::Weight)
        weightsOf[value.producer].push_back(static_cast<int>(index));
    for (const Value &value : graph.values)
      if (value.kind == ValueClass::WeightGradient && value.producer >= 0)
        for (const Use &use : value.uses)
          gradientsOf[use.task].push_back(value.producer);
    for (TransferPlacement &transfer : schedule.transfers)
      transfersOf[transfer.value].push_back(&transfer);
    collectBusy();
  }

  void run() {
    schedule.lead.assign(graph.values.size(), 0);
    for (auto [update, weights] : llvm::enumerate(weightsOf))
      if (!weights.empty())
        settle(static_cast<int>(update));
  }

private:
  void collectBusy();
  void settle(int update);
  Distances distances(int update) const;
  llvm::StringRef weightOf(int value) const {
    const Value &share = graph.values[value];
    return share.sliceOf.empty() ? share.name : share.sliceOf;
  }
  bool isForward(const Use &use) const {
    return graph.tasks[use.task].kind == TaskKind::Forward;
  }
  Choice judge(int update) const;
  int64_t arrival(int value, int processor) const;
  std::vector<int64_t> candidates(int update) const;
  std::optional<int64_t> nextFree(int update, int64_t from) const;
  bool canMove(int update) const;
  void move(int update, int64_t start);

  Schedule &schedule;
  const TaskGraph &graph;
  std::vector<llvm::SmallVector<int, 4>> weightsOf; ///< values, by update
  /// Tasks that make its gradients, by update.
  std::vector<llvm::SmallVector<int, 4>> gradientsOf;
  std::vector<llvm::SmallVector<TransferPlacement *, 2>> transfersOf;
  /// Tasks by processor, sorted: begin modulo the interval, task.
  std::vector<std::vector<std::pair<int64_t, int>>> busy;
};
} // namespace

void NewestVersions::collectBusy() {
  for (auto [index, place] : llvm::enumerate(schedule.tasks)) {
    if (busy.size() <= static_cast<size_t>(place.processor))
      busy.resize(place.processor + 1);
    busy[place.processor].push_back(
        {place.start % schedule.interval, static_cast<int>(index)});
  }
  for (auto &tasks : busy)
    llvm::sort(tasks);
}

int64_t NewestVersions::arrival(int value, int processor) const {
  const Placement &from = schedule.tasks[graph.values[value].producer];
  for (const TransferPlacement *transfer : transfersOf[value])
    if (transfer->to == processor)
      return transfer->start + transfer->cycles + transfer->latency;
  return from.start + from.cycles;
}

Distances NewestVersions::distances(int update) const {
  Distances result;
  for (int value : weightsOf[update])
    for (const Use &use : graph.values[value].uses) {
      if (!use.delayed)
        continue;
      const Placement &reader = schedule.tasks[use.task];
      int64_t late = arrival(value, reader.processor) - reader.start;
      int least =
          late > 0 ? static_cast<int>(llvm::divideCeil(late, schedule.interval))
                   : 0;
      result.any = true;
      result.oldest = std::max(result.oldest, least);
      // A dgrad may even come behind its own minibatch's update.
      if (!isForward(use)) {
        int &distance = result.backward[weightOf(value)];
        distance = std::max(distance, least);
      }
    }
  return result;
}

/// Versions of a weight that a reader needs room for: while it reads one on the
/// update's own processor no other is written there, on another one arrives.
static int64_t heldSlots(const Schedule &schedule, const Value &value,
                         const Use &use, int distance) {
  const Placement &reader = schedule.tasks[use.task];
  const Placement &update = schedule.tasks[value.producer];
  int64_t held = reader.start + distance * schedule.interval - update.start -
                 update.cycles +
                 (reader.processor == update.processor ? 0 : reader.cycles);
  return std::max<int64_t>(held, 0) / schedule.interval + 1;
}

Choice NewestVersions::judge(int update) const {
  const Placement &place = schedule.tasks[update];
  Distances layer = distances(update);
  Choice choice;
  choice.start = place.start;
  choice.oldest = layer.oldest;
  for (int value : weightsOf[update]) {
    std::map<int, int64_t> slots; // by processor
    for (const Use &use : graph.values[value].uses) {
      if (!use.delayed)
        continue;
      int distance = isForward(use) ? layer.oldest
                                    : layer.backward.lookup(weightOf(value));
      int64_t &most = slots[schedule.tasks[use.task].processor];
      most = std::max(most,
                      heldSlots(schedule, graph.values[value], use, distance));
    }
    for (auto [processor, count] : slots)
      choice.bytes += count * graph.values[value].bytes;
  }
  return choice;
}

/// The first time from then on at which the update's processor has room for it.
std::optional<int64_t> NewestVersions::nextFree(int update,
                                                int64_t from) const {
  const Placement &place = schedule.tasks[update];
  const auto &tasks = busy[place.processor];
  int64_t interval = schedule.interval, at = from;
  constexpr int kTries = 8; // a processor as full as that has hardly any
  for (int tries = 0; tries < kTries; ++tries) {
    int64_t position = at % interval;
    auto conflict = llvm::find_if(tasks, [&](auto &task) {
      if (task.second == update)
        return false;
      int64_t begin = task.first - position;
      int64_t end = begin + schedule.tasks[task.second].cycles;
      // As it stands, and one interval later or earlier.
      for (int64_t shift : {-interval, int64_t(0), interval})
        if (begin + shift < place.cycles && end + shift > 0 &&
            (place.cycles > 0 || begin + shift < 0))
          return true;
      return false;
    });
    if (conflict == tasks.end())
      return at;
    int64_t end = conflict->first + schedule.tasks[conflict->second].cycles;
    at += ((end - position) % interval + interval) % interval;
  }
  return std::nullopt;
}

/// Behind each of its readers, where that is later, but less than an interval
/// and before the next gradient.
std::vector<int64_t> NewestVersions::candidates(int update) const {
  const Placement &place = schedule.tasks[update];
  int64_t interval = schedule.interval, latest = place.start + interval - 1;
  for (int producer : gradientsOf[update])
    latest = std::min(latest,
                      schedule.tasks[producer].start + interval - place.cycles);
  std::vector<int64_t> starts;
  for (int value : weightsOf[update])
    for (const Use &use : graph.values[value].uses) {
      if (!use.delayed)
        continue;
      const Placement &reader = schedule.tasks[use.task];
      int64_t behind = (reader.start + reader.cycles - place.start) % interval;
      if (behind < 0)
        behind += interval;
      // On another processor the next version must come strictly later.
      behind += reader.processor != place.processor;
      std::optional<int64_t> start = nextFree(update, place.start + behind);
      if (start && *start > place.start && *start <= latest)
        starts.push_back(*start);
    }
  return starts;
}

/// Its weights leave when it ends; on links that are busy meanwhile they would
/// be in the way of others.
bool NewestVersions::canMove(int update) const {
  return llvm::all_of(weightsOf[update], [&](int value) {
    return llvm::all_of(transfersOf[value], [](const TransferPlacement *t) {
      return t->cycles == 0;
    });
  });
}

void NewestVersions::move(int update, int64_t start) {
  Placement &place = schedule.tasks[update];
  for (int value : weightsOf[update])
    for (TransferPlacement *transfer : transfersOf[value])
      transfer->start += start - place.start;
  place.start = start;
}

/// Puts the update where its layer's weights need the least room, as long as no
/// gradient is staler for it, and says what the layer's tasks read.
void NewestVersions::settle(int update) {
  int layer = graph.tasks[update].layer;
  if (!distances(update).any)
    return;
  Choice best = judge(update);
  if (canMove(update)) {
    int64_t before = best.start;
    for (int64_t start : candidates(update)) {
      move(update, start);
      Choice choice = judge(update);
      if (choice.oldest - 1 <= schedule.delay[layer])
        best = std::min(best, choice);
      move(update, before);
    }
    move(update, best.start);
    auto &tasks = busy[schedule.tasks[update].processor];
    llvm::find_if(tasks, [&](auto &task) {
      return task.second == update;
    })->first = best.start % schedule.interval;
    llvm::sort(tasks);
  }
  Distances read = distances(update);
  schedule.delay[layer] = read.oldest - 1;
  for (int value : weightsOf[update])
    if (auto found = read.backward.find(weightOf(value));
        found != read.backward.end())
      schedule.lead[value] = read.oldest - found->second;
}

void takt::readCurrentWeights(Schedule &schedule) {
  NewestVersions(schedule).run();
}

int64_t takt::surplusCopies(const Schedule &schedule) {
  const TaskGraph &graph = schedule.graph;
  struct Copies {
    int64_t count = 0, bytes = 0;
  };
  // By the weight or the share of one, and the processor.
  std::map<std::pair<llvm::StringRef, int>, Copies> copies;
  for (const Value &value : graph.values) {
    if (value.kind != ValueClass::Weight || value.producer < 0)
      continue;
    // By processor; the update replaces its own in place.
    std::map<int, int64_t> slots = {
        {schedule.tasks[value.producer].processor, 1}};
    for (const Use &use : value.uses) {
      if (!use.delayed)
        continue;
      int64_t &most = slots[schedule.tasks[use.task].processor];
      most = std::max(most, heldSlots(schedule, value, use,
                                      distance(schedule, value, use)));
    }
    llvm::StringRef name = value.name;
    name.consume_back(kEarlierSuffix);
    for (auto [processor, count] : slots) {
      Copies &all = copies[{name, processor}];
      all.count += count;
      all.bytes = value.bytes;
    }
  }
  int64_t surplus = 0;
  for (const auto &[place, all] : copies)
    surplus += std::max<int64_t>(0, all.count - 2) * all.bytes;
  return surplus;
}
