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
#include <map>

using namespace takt;

namespace {
/// From the first write of minibatch 0's instance to its last read.
struct Lifetime {
  int64_t begin, end;

  void include(int64_t b, int64_t e) {
    begin = std::min(begin, b);
    end = std::max(end, e);
  }
};

class HoldingCollector {
public:
  HoldingCollector(const Problem &problem, const Schedule &schedule)
      : schedule(schedule), graph(schedule.graph),
        constants(graph.layers.size()), home(graph.layers.size(), -1) {
    for (auto [layer, bytes] : llvm::zip_equal(graph.layers, constants))
      bytes = layer.parameterBytes + layer.optimizerBytes;
    for (const TransferPlacement &transfer : schedule.transfers)
      transfersOf[transfer.value].push_back(&transfer);
    for (auto [task, placement] : llvm::zip_equal(graph.tasks, schedule.tasks))
      if (home[task.layer] < 0)
        home[task.layer] = placement.processor;
  }

  std::vector<Holding> run() {
    for (auto [index, value] : llvm::enumerate(graph.values))
      addValue(static_cast<int>(index), value);
    for (auto [layer, bytes] : llvm::enumerate(constants))
      if (bytes > 0 && home[layer] >= 0)
        result.push_back({"constants of " + graph.layers[layer].name,
                          home[layer], bytes, 1, 0});
    return std::move(result);
  }

private:
  void addValue(int index, const Value &value);
  void addReads(const Value &value, std::map<int, Lifetime> &lifetimes) const;

  const Schedule &schedule;
  const TaskGraph &graph;
  std::vector<int64_t> constants; ///< by layer: parameters that are no values
  std::vector<int> home;          ///< by layer: where its first task is
  std::map<int, llvm::SmallVector<const TransferPlacement *, 2>> transfersOf;
  std::vector<Holding> result;
};
} // namespace

/// Extends lifetimes to the end of the readers on the same processor. What an
/// update replaces it may replace in place.
void HoldingCollector::addReads(const Value &value,
                                std::map<int, Lifetime> &lifetimes) const {
  for (const Use &use : value.uses) {
    const Placement &reader = schedule.tasks[use.task];
    int64_t shift = distance(schedule, value, use) * schedule.interval;
    int64_t begin = reader.start + shift;
    int64_t end = use.task == value.producer ? begin : begin + reader.cycles;
    auto [it, isNew] =
        lifetimes.try_emplace(reader.processor, Lifetime{begin, end});
    if (!isNew)
      it->second.include(begin, end);
  }
}

void HoldingCollector::addValue(int index, const Value &value) {
  std::map<int, Lifetime> lifetimes;
  if (value.producer >= 0) {
    const Placement &p = schedule.tasks[value.producer];
    lifetimes[p.processor] = {p.start, p.start + p.cycles};
    for (const TransferPlacement *t : transfersOf[index]) {
      int64_t end = t->start + t->cycles;
      lifetimes[p.processor].include(t->start, end);
      lifetimes[t->to] = {t->start, end + t->latency};
    }
    const Task &producer = graph.tasks[value.producer];
    if (value.kind == ValueClass::Weight || value.kind == ValueClass::State)
      constants[producer.layer] =
          std::max<int64_t>(0, constants[producer.layer] - value.bytes);
  }
  addReads(value, lifetimes);
  for (auto [processor, life] : lifetimes) {
    int64_t length = life.end - life.begin;
    int64_t slots = std::max<int64_t>(1, (length + schedule.interval - 1) /
                                             schedule.interval);
    result.push_back({value.name, processor, value.bytes, slots,
                      life.begin + (slots - 1) * schedule.interval});
  }
}

std::vector<Holding> takt::holdings(const Problem &problem,
                                    const Schedule &schedule) {
  return HoldingCollector(problem, schedule).run();
}

/// The most that the stated changes of memory add up to on each processor in
/// the steady state, where instances of several minibatches overlap.
static std::vector<int64_t> statedPeaks(const Problem &problem,
                                        const Schedule &schedule) {
  // Time modulo the interval, and amount; what is freed at an instant is free
  // for what starts then. A change that comes k intervals later has happened k
  // times less.
  std::vector<std::vector<std::pair<int64_t, int64_t>>> changes(
      problem.machine->processors());
  std::vector<int64_t> before(problem.machine->processors(), 0);
  for (auto [task, place] :
       llvm::zip_equal(schedule.graph.tasks, schedule.tasks)) {
    if (task.memory == 0)
      continue;
    int64_t at = place.start + (task.memory < 0 ? place.cycles : 0);
    changes[place.processor].push_back({at % schedule.interval, task.memory});
    before[place.processor] -= task.memory * (at / schedule.interval);
  }
  std::vector<int64_t> peak(problem.machine->processors(), 0);
  for (auto [processor, events] : llvm::enumerate(changes)) {
    llvm::sort(events);
    int64_t held = before[processor];
    for (auto [at, amount] : events)
      peak[processor] = std::max(peak[processor], held += amount);
  }
  return peak;
}

std::vector<int64_t> takt::peakMemory(const Problem &problem,
                                      const Schedule &schedule) {
  std::vector<int64_t> peak = statedPeaks(problem, schedule);
  for (const Holding &holding : holdings(problem, schedule))
    peak[holding.processor] += holding.total();
  return peak;
}

/// "NAME (BYTES bytes x SLOTS), …" of the largest of a processor's holdings.
static std::string largestOwners(std::vector<Holding> held) {
  constexpr size_t kShown = 3;
  llvm::sort(held, [](const Holding &a, const Holding &b) {
    return std::pair(-a.total(), a.name) < std::pair(-b.total(), b.name);
  });
  std::string text;
  llvm::raw_string_ostream os(text);
  llvm::ListSeparator comma;
  for (const Holding &holding : llvm::ArrayRef(held).take_front(kShown))
    os << comma << holding.name << " (" << holding.bytes << " bytes x "
       << holding.slots << ")";
  return text;
}

llvm::Error takt::checkMemoryFits(const Problem &problem,
                                  const Schedule &schedule) {
  if (llvm::all_of(problem.machine->classes,
                   [](const ProcessorClass &c) { return c.memoryBytes == 0; }))
    return llvm::Error::success();
  std::vector<int64_t> stated = statedPeaks(problem, schedule);
  std::vector<std::vector<Holding>> held(problem.machine->processors());
  for (Holding &holding : holdings(problem, schedule))
    held[holding.processor].push_back(std::move(holding));
  for (auto [processor, holdings] : llvm::enumerate(held)) {
    const ProcessorClass &on = problem.machine->processorClass(processor);
    int64_t total = stated[processor], complete = 0;
    for (const Holding &holding : holdings) {
      total += holding.total();
      complete = std::max(complete, holding.complete);
    }
    if (on.memoryBytes == 0 || total <= on.memoryBytes)
      continue;
    if (stated[processor] > 0)
      return llvm::createStringError(
          "processor " + llvm::Twine(processor) + " holds up to " +
          llvm::Twine(total) + " bytes, but its memory has " +
          llvm::Twine(on.memoryBytes) + " (class '" + on.name + "')");
    return llvm::createStringError(
          "processor " + llvm::Twine(processor) + " holds " +
          llvm::Twine(total) + " bytes from cycle " + llvm::Twine(complete) +
          " on, but its memory has " + llvm::Twine(on.memoryBytes) +
          " (class '" + on.name + "'); the largest owners are " +
          largestOwners(std::move(holdings)));
  }
  return llvm::Error::success();
}
