//===- Memory.cpp - what processors hold ----------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Memory.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"
#include <optional>

using namespace takt;

namespace {
/// Of a value on a processor, from the first write of minibatch 0's instance to
/// its last read.
struct Lifetime {
  int processor;
  int64_t begin, end;

  void include(int64_t b, int64_t e) {
    begin = std::min(begin, b);
    end = std::max(end, e);
  }
};

/// A value, or a layer's constants, in a processor's memory.
struct Holding {
  int value = -1; ///< or -1: the constants of the layer
  int layer = -1;
  int processor = 0;
  int64_t bytes = 0;
  int64_t slots = 1; ///< instances alive at once
  /// Where it shares its place with others: when it is in use, within the
  /// interval.
  std::optional<std::pair<int64_t, int64_t>> within;

  int64_t total() const { return bytes * slots; }
};

/// The fullest moment of a processor.
struct Peak {
  int64_t bytes = 0;
  int64_t time = 0; ///< within the interval
};

class HoldingCollector {
public:
  explicit HoldingCollector(const Schedule &schedule)
      : schedule(schedule), graph(schedule.graph),
        constants(graph.layers.size()), homes(graph.layers.size()),
        transfersOf(graph.values.size()) {
    for (auto [layer, bytes] : llvm::zip_equal(graph.layers, constants))
      bytes = layer.parameterBytes + layer.optimizerBytes;
    for (const TransferPlacement &transfer : schedule.transfers)
      transfersOf[transfer.value].push_back(&transfer);
    for (auto [task, placement] : llvm::zip_equal(graph.tasks, schedule.tasks))
      if (homes[task.layer].empty() ||
          (replicasOf(task.layer) > 1 &&
           !llvm::is_contained(homes[task.layer], placement.processor)))
        homes[task.layer].push_back(placement.processor);
  }

  /// In the order of values and layers.
  std::vector<Holding> run() {
    for (size_t index = 0; index < graph.values.size(); ++index)
      addValue(static_cast<int>(index));
    for (auto [layer, bytes] : llvm::enumerate(constants))
      for (int home : homes[layer]) {
        Holding holding;
        holding.layer = static_cast<int>(layer);
        holding.processor = home;
        holding.bytes = bytes;
        if (bytes > 0)
          result.push_back(holding);
      }
    return std::move(result);
  }

private:
  using Lifetimes = llvm::SmallVector<Lifetime, 4>;

  void addValue(int index);
  void addReads(const Value &value, Lifetimes &lifetimes) const;
  bool isShared(const Value &value, const Lifetimes &lifetimes) const;
  bool isReplaced(const Value &value, const Use &use) const;
  int versionsOf(const Value &value) const;
  void addTimes(Holding holding, int64_t begin, int64_t end);
  int replicasOf(int layer) const {
    return schedule.replicas.empty() ? 1 : schedule.replicas[layer];
  }

  const Schedule &schedule;
  const TaskGraph &graph;
  std::vector<int64_t> constants; ///< by layer: parameters that are no values
  /// By layer: where its first task is, and its replicas.
  std::vector<llvm::SmallVector<int, 1>> homes;
  std::vector<llvm::SmallVector<const TransferPlacement *, 2>> transfersOf;
  std::vector<Holding> result;
};
} // namespace

static void include(llvm::SmallVectorImpl<Lifetime> &lifetimes, int processor,
                    int64_t begin, int64_t end) {
  for (Lifetime &life : lifetimes)
    if (life.processor == processor)
      return life.include(begin, end);
  lifetimes.push_back({processor, begin, end});
}

/// An update may replace in place what it updates.
bool HoldingCollector::isReplaced(const Value &value, const Use &use) const {
  if (use.task == value.producer)
    return true;
  // Of several minibatches, another update of the layer replaces it.
  const Task &reader = graph.tasks[use.task];
  return value.producer >= 0 && graph.minibatches > 1 &&
         reader.kind == TaskKind::Update &&
         graph.tasks[value.producer].kind == TaskKind::Update &&
         graph.tasks[value.producer].layer == reader.layer;
}

/// Extends lifetimes to the end of the readers on the same processor.
void HoldingCollector::addReads(const Value &value,
                                Lifetimes &lifetimes) const {
  for (const Use &use : value.uses) {
    const Placement &reader = schedule.tasks[use.task];
    int64_t shift = distance(schedule, value, use) * schedule.interval;
    int64_t begin = reader.start + shift;
    int64_t end = isReplaced(value, use) ? begin : begin + reader.cycles;
    include(lifetimes, reader.processor, begin, end);
  }
}

/// A value that lives only between tasks of one processor and one pass of its
/// loop body leaves its place to others when it is read; the memory plan of
/// programs keeps all others in places of their own.
bool HoldingCollector::isShared(const Value &value,
                                const Lifetimes &lifetimes) const {
  if (value.producer < 0 || lifetimes.size() != 1 ||
      value.kind == ValueClass::Weight || value.kind == ValueClass::State)
    return false;
  int64_t pass = schedule.tasks[value.producer].start / schedule.interval;
  return llvm::all_of(value.uses, [&](const Use &use) {
    return schedule.tasks[use.task].start / schedule.interval +
               distance(schedule, value, use) ==
           pass;
  });
}

/// How many versions of it an iteration makes: a replicated layer makes all of
/// its weights in each of its updates. Where they stay on their processor they
/// have the same places, one after the other.
int HoldingCollector::versionsOf(const Value &value) const {
  if (value.producer < 0 ||
      (value.kind != ValueClass::Weight && value.kind != ValueClass::State))
    return 1;
  return graph.minibatches / replicasOf(graph.tasks[value.producer].layer);
}

/// Each of several versions is counted while it is alive.
void HoldingCollector::addTimes(Holding holding, int64_t begin, int64_t end) {
  int64_t interval = schedule.interval;
  holding.slots = (end - begin) / interval;
  if (holding.slots > 0)
    result.push_back(holding);
  holding.slots = 1;
  int64_t from = begin % interval, to = from + (end - begin) % interval;
  holding.within = std::pair(from, std::min(to, interval));
  result.push_back(holding);
  holding.within = std::pair(int64_t(0), to - interval);
  if (to > interval)
    result.push_back(holding);
}

void HoldingCollector::addValue(int index) {
  const Value &value = graph.values[index];
  int64_t interval = schedule.interval;
  Lifetimes lifetimes;
  if (value.producer >= 0) {
    const Placement &p = schedule.tasks[value.producer];
    lifetimes.push_back({p.processor, p.start, p.start + p.cycles});
    for (const TransferPlacement *t : transfersOf[index]) {
      int64_t end = t->start + t->cycles;
      lifetimes.front().include(t->start, end);
      lifetimes.push_back({t->to, t->start, end + t->latency});
    }
    int layer = graph.tasks[value.producer].layer;
    if (value.kind == ValueClass::Weight || value.kind == ValueClass::State)
      constants[layer] = std::max<int64_t>(
          0, constants[layer] - value.bytes / versionsOf(value));
  }
  addReads(value, lifetimes);
  bool shared = isShared(value, lifetimes);
  for (const Lifetime &life : lifetimes) {
    Holding holding;
    holding.value = index;
    holding.processor = life.processor;
    holding.bytes = value.bytes;
    if (versionsOf(value) > 1 && lifetimes.size() == 1) {
      addTimes(holding, life.begin, life.end);
      continue;
    }
    holding.slots =
        std::max<int64_t>(1, (life.end - life.begin + interval - 1) / interval);
    if (shared && holding.slots == 1) {
      int64_t begin = life.begin % interval;
      holding.within = std::pair(begin, begin + life.end - life.begin);
    }
    result.push_back(holding);
  }
}

/// In the steady state, where instances of several minibatches overlap.
static std::vector<Peak> peaksOf(const Problem &problem,
                                 const Schedule &schedule,
                                 llvm::ArrayRef<Holding> holdings) {
  std::vector<Peak> peaks(problem.machine->processors());
  std::vector<int64_t> before(peaks.size(), 0); // the interval
  // Time within the interval, and amount; what is freed at an instant is free
  // for what starts then.
  std::vector<std::vector<std::pair<int64_t, int64_t>>> changes(peaks.size());
  for (const Holding &holding : holdings) {
    if (!holding.within) {
      peaks[holding.processor].bytes += holding.total();
      continue;
    }
    auto [begin, end] = *holding.within;
    changes[holding.processor].push_back({begin, holding.bytes});
    changes[holding.processor].push_back({end, -holding.bytes});
  }
  // A stated change that comes k intervals later has happened k times less.
  for (auto [task, place] :
       llvm::zip_equal(schedule.graph.tasks, schedule.tasks)) {
    if (task.memory == 0)
      continue;
    int64_t at = place.start + (task.memory < 0 ? place.cycles : 0);
    changes[place.processor].push_back({at % schedule.interval, task.memory});
    before[place.processor] -= task.memory * (at / schedule.interval);
  }
  for (auto [peak, change, base] : llvm::zip_equal(peaks, changes, before)) {
    llvm::sort(change);
    int64_t held = peak.bytes + base;
    for (auto [time, bytes] : change) {
      held += bytes;
      if (held > peak.bytes)
        peak = {held, time};
    }
  }
  return peaks;
}

std::vector<int64_t> takt::peakMemory(const Problem &problem,
                                      const Schedule &schedule) {
  std::vector<int64_t> bytes;
  for (const Peak &peak :
       peaksOf(problem, schedule, HoldingCollector(schedule).run()))
    bytes.push_back(peak.bytes);
  return bytes;
}

MemoryUse takt::tightestMemory(const Problem &problem,
                               const Schedule &schedule) {
  std::optional<MemoryUse> tightest;
  for (auto [p, bytes] : llvm::enumerate(peakMemory(problem, schedule))) {
    MemoryUse use{static_cast<int>(p), bytes,
                  problem.machine->processorClass(p).memoryBytes};
    // Memory without a limit is never the tightest beside one with a limit.
    auto key = [](const MemoryUse &u) {
      return std::pair(u.limit > 0, u.excess());
    };
    if (!tightest || key(*tightest) < key(use))
      tightest = use;
  }
  return *tightest;
}

/// "NAME (BYTES bytes x SLOTS), …" of the largest of a processor's holdings at
/// a moment of the interval.
static std::string largestOwners(const TaskGraph &graph,
                                 llvm::ArrayRef<Holding> holdings,
                                 int processor, int64_t time) {
  constexpr size_t kShown = 3;
  struct Owner {
    int64_t total;
    std::string name;
    const Holding *holding;
  };
  std::vector<Owner> owners;
  for (const Holding &holding : holdings)
    if (holding.processor == processor &&
        (!holding.within ||
         (holding.within->first <= time && time < holding.within->second)))
      owners.push_back({holding.total(),
                        holding.value < 0
                            ? "constants of " + graph.layers[holding.layer].name
                            : graph.values[holding.value].name,
                        &holding});
  llvm::sort(owners, [](const Owner &a, const Owner &b) {
    return std::tie(b.total, a.name) < std::tie(a.total, b.name);
  });
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::ListSeparator comma;
  for (const Owner &owner : llvm::ArrayRef(owners).take_front(kShown))
    os << comma << owner.name << " (" << owner.holding->bytes << " bytes x "
       << owner.holding->slots << ")";
  return text;
}

llvm::Error takt::checkMemoryFits(const Problem &problem,
                                  const Schedule &schedule) {
  if (llvm::all_of(problem.machine->classes,
                   [](const ProcessorClass &c) { return c.memoryBytes == 0; }))
    return llvm::Error::success();
  std::vector<Holding> holdings = HoldingCollector(schedule).run();
  std::vector<Peak> peaks = peaksOf(problem, schedule, holdings);
  std::optional<MemoryUse> worst;
  for (auto [processor, peak] : llvm::enumerate(peaks)) {
    MemoryUse use{static_cast<int>(processor), peak.bytes,
                  problem.machine->processorClass(processor).memoryBytes};
    if (use.limit > 0 && use.excess() > (worst ? worst->excess() : 0))
      worst = use;
  }
  int64_t number = worst ? problem.machine->numberOf(worst->processor) : 0;
  bool isStated = llvm::any_of(schedule.graph.tasks,
                               [](const Task &t) { return t.memory != 0; });
  if (worst && isStated)
    return llvm::createStringError(
        "processor " + llvm::Twine(number) + " holds up to " +
        llvm::Twine(worst->bytes) + " bytes, but its memory has " +
        llvm::Twine(worst->limit) + " (class '" +
        problem.machine->processorClass(worst->processor).name + "')");
  if (worst)
    return llvm::createStringError(
        "processor " + llvm::Twine(number) + " holds " +
        llvm::Twine(worst->bytes) + " bytes at cycle " +
        llvm::Twine(peaks[worst->processor].time) +
        " of the interval, but its memory has " + llvm::Twine(worst->limit) +
        " (class '" + problem.machine->processorClass(worst->processor).name +
        "'); the largest owners are " +
        largestOwners(schedule.graph, holdings, worst->processor,
                      peaks[worst->processor].time));
  return llvm::Error::success();
}
