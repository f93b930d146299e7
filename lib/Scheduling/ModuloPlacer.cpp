//===- ModuloPlacer.cpp - iterative modulo scheduling ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "ModuloPlacer.h"
#include "ModuloTable.h"
#include "Timing.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include <map>
#include <set>

using namespace takt;

namespace {
/// Tasks of larger graphs are placed without looking ahead to those to come.
constexpr size_t kMaxLookahead = 400;

class ModuloPlacer {
public:
  ModuloPlacer(const Problem &problem, const TaskGraph &graph,
               const PlacementRequest &request);

  std::optional<Schedule> run();

private:
  struct Edge {
    int task, value;
    int64_t away; ///< distance times interval
  };
  struct Transfer {
    int64_t start, cycles, latency;
    int64_t arrival() const { return start + cycles + latency; }
  };
  /// A place for a task, and what it costs.
  struct Offer {
    int processor = 0;
    int64_t start = 0, cycles = 0;
    int64_t bytes = 0; ///< to be sent there
    bool leavesRoom = false;
  };

  void collectEdges();
  bool findPriorities();
  int64_t cyclesOn(int task, int processor) const {
    return cycles[task][classOf[processor]];
  }
  bool isPlaced(int task) const { return places[task].processor >= 0; }
  int64_t endOf(int task) const {
    return places[task].start + places[task].cycles;
  }

  std::optional<Transfer> send(int value, int to);
  std::optional<int64_t> earliestOn(llvm::ArrayRef<int64_t> route,
                                    int64_t ready, int64_t cycles);
  void unsend(int value, int to);
  void unsendUnused(int task);
  std::optional<Offer> offer(int task, int processor);
  int64_t firstStart(int task, int processor, int64_t ready, bool &leavesRoom);
  bool leavesRoom(int task, int processor, int64_t start, int64_t taken);
  bool isBetter(const Offer &a, const Offer &b) const;
  llvm::SmallVector<int, 8> allowed(int task) const;

  void put(int task, const Offer &offer);
  void evict(int task);
  bool forcePlace(int task);
  void connect(int task);
  bool placeNext();

  const Machine &machine;
  const TaskGraph &graph;
  const PlacementRequest &request;
  int64_t interval;
  std::vector<int> classOf;                 ///< by processor
  std::vector<std::vector<int64_t>> cycles; ///< by task and class
  std::vector<int64_t> least;               ///< by task: over the classes
  std::vector<llvm::SmallVector<Edge, 4>> inputs, outputs;
  std::vector<llvm::SmallVector<int, 2>> valuesOf, colocatedWith;
  std::vector<int64_t> height;
  std::vector<int> rank, bySize; ///< tasks in order of urgency, and of size
  std::set<std::pair<int, int>> waiting; ///< rank, task

  std::vector<ModuloTable> processors;
  std::map<int64_t, ModuloTable> links;
  std::map<std::pair<int, int>, Transfer> transfers; ///< by value, processor
  std::vector<Placement> places;  ///< processor -1: not placed
  std::vector<int64_t> lastStart; ///< of its last place; -1: none
  int64_t budget;
};
} // namespace

ModuloPlacer::ModuloPlacer(const Problem &problem, const TaskGraph &graph,
                           const PlacementRequest &request)
    : machine(*problem.machine), graph(graph), request(request),
      interval(request.interval), cycles(graph.tasks.size()),
      inputs(graph.tasks.size()), outputs(graph.tasks.size()),
      valuesOf(graph.tasks.size()), colocatedWith(graph.tasks.size()),
      processors(machine.processors(), ModuloTable(interval)),
      places(graph.tasks.size(), {-1, 0, 0}), lastStart(graph.tasks.size(), -1),
      budget(10 * static_cast<int64_t>(graph.tasks.size()) + 100) {
  for (auto [index, on] : llvm::enumerate(machine.classes))
    classOf.insert(classOf.end(), on.count, static_cast<int>(index));
  for (auto [task, of] : llvm::zip_equal(graph.tasks, cycles)) {
    for (const ProcessorClass &on : machine.classes)
      of.push_back(*taskCycles(*problem.cost, task, on));
    least.push_back(*llvm::min_element(of));
  }
  for (auto [index, task] : llvm::enumerate(graph.tasks))
    if (task.colocated >= 0)
      colocatedWith[task.colocated].push_back(static_cast<int>(index));
  collectEdges();
}

void ModuloPlacer::collectEdges() {
  for (auto [index, value] : llvm::enumerate(graph.values)) {
    if (value.producer < 0)
      continue;
    int v = static_cast<int>(index), from = value.producer;
    valuesOf[from].push_back(v);
    for (const Use &use : value.uses) {
      int64_t away = use.distance;
      if (use.delayed)
        away += request.delay[graph.tasks[from].layer];
      inputs[use.task].push_back({from, v, away * interval});
      outputs[from].push_back({use.task, v, away * interval});
    }
  }
}

/// Whether following `next`, -1 being an end, goes round somewhere.
static bool hasCycle(llvm::ArrayRef<int> next) {
  std::vector<int> visit(next.size(), -1);
  for (int root = 0; root < static_cast<int>(next.size()); ++root) {
    int node = root;
    while (node >= 0 && visit[node] < 0) {
      visit[node] = root;
      node = next[node];
    }
    if (node >= 0 && visit[node] == root)
      return true;
  }
  return false;
}

/// The longest path from each task's start over all dependences, those of later
/// iterations shortened by their intervals. False if a loop has a positive
/// length: then no times satisfy it.
bool ModuloPlacer::findPriorities() {
  int count = static_cast<int>(graph.tasks.size());
  height = least;
  std::vector<int> next(count, -1); // on the longest path
  bool changed = true;
  // Dependences of distance 0 go along the order of tasks, so a pass settles
  // all paths between two dependences of later iterations.
  while (changed) {
    changed = false;
    for (int task = count - 1; task >= 0; --task)
      for (const Edge &edge : outputs[task]) {
        int64_t length = least[task] + height[edge.task] - edge.away;
        if (length > height[task]) {
          height[task] = length;
          next[task] = edge.task;
          changed = true;
        }
      }
    // A path that becomes longer each time that it goes round.
    if (changed && hasCycle(next))
      return false;
  }
  auto order = llvm::to_vector(llvm::seq<int>(0, count));
  bySize.assign(order.begin(), order.end());
  llvm::stable_sort(bySize, [&](int a, int b) { return least[a] > least[b]; });
  llvm::stable_sort(order, [&](int a, int b) { return height[a] > height[b]; });
  rank.resize(count);
  for (auto [index, task] : llvm::enumerate(order)) {
    rank[task] = static_cast<int>(index);
    waiting.insert({rank[task], task});
  }
  return true;
}

//===----------------------------------------------------------------------===//
// Transfers
//===----------------------------------------------------------------------===//

/// Sends a value at the first time at which its links are free, unless that was
/// done before; nullopt if it never is.
std::optional<ModuloPlacer::Transfer> ModuloPlacer::send(int value, int to) {
  auto [it, isNew] = transfers.try_emplace({value, to});
  if (!isNew)
    return it->second;
  int producer = graph.values[value].producer;
  int from = places[producer].processor;
  Transfer &transfer = it->second;
  transfer.cycles = machine.transferCycles(from, to, graph.values[value].bytes);
  transfer.latency = machine.transferLatency(from, to);
  transfer.start = endOf(producer);
  if (transfer.cycles == 0)
    return transfer;
  Machine::Route route = machine.linksHeld(from, to);
  std::optional<int64_t> start =
      earliestOn(route, transfer.start, transfer.cycles);
  if (!start) {
    transfers.erase(it);
    return std::nullopt;
  }
  transfer.start = *start;
  for (int64_t link : route)
    links.at(link).reserve(*start, transfer.cycles,
                           value * machine.processors() + to);
  return transfer;
}

/// When all links of a route are free for so long; nullopt if they never are.
std::optional<int64_t> ModuloPlacer::earliestOn(llvm::ArrayRef<int64_t> route,
                                                int64_t ready, int64_t cycles) {
  if (cycles > interval)
    return std::nullopt;
  int64_t start = ready;
  for (bool moved = true; moved;) {
    moved = false;
    for (int64_t link : route) {
      ModuloTable &table = links.try_emplace(link, interval).first->second;
      std::optional<int64_t> free = table.earliest(start, cycles);
      if (!free || *free - ready >= interval)
        return std::nullopt;
      moved |= *free > start;
      start = *free;
    }
  }
  return start;
}

void ModuloPlacer::unsend(int value, int to) {
  auto it = transfers.find({value, to});
  if (it == transfers.end())
    return;
  int from = places[graph.values[value].producer].processor;
  if (it->second.cycles > 0)
    for (int64_t link : machine.linksHeld(from, to))
      links.at(link).release(value * static_cast<int>(machine.processors()) +
                             to);
  transfers.erase(it);
}

/// Takes back what was sent to a task's processor for it alone.
void ModuloPlacer::unsendUnused(int task) {
  int processor = places[task].processor;
  for (const Edge &edge : inputs[task])
    if (llvm::none_of(graph.values[edge.value].uses, [&](const Use &use) {
          return use.task != task && places[use.task].processor == processor;
        }))
      unsend(edge.value, processor);
}

//===----------------------------------------------------------------------===//
// Offers
//===----------------------------------------------------------------------===//

/// Whether the tasks that are still to be placed there fit into the gaps that
/// remain, the largest first.
bool ModuloPlacer::leavesRoom(int task, int processor, int64_t start,
                              int64_t taken) {
  if (graph.tasks.size() > kMaxLookahead)
    return true;
  bool isFree = request.processor.empty();
  processors[processor].reserve(start, taken, task);
  llvm::SmallVector<int64_t, 32> gaps;
  llvm::SmallVector<int, 32> where;
  for (int p = 0; p < static_cast<int>(processors.size()); ++p)
    if (isFree || p == processor) {
      processors[p].appendGaps(gaps);
      where.resize(gaps.size(), classOf[p]);
    }
  processors[processor].release(task);
  for (int other : bySize) {
    if (other == task || isPlaced(other) || least[other] == 0 ||
        (!isFree && request.processor[other] != processor))
      continue;
    bool found = false;
    for (size_t i = 0; i < gaps.size() && !found; ++i)
      if (int64_t needs = cycles[other][where[i]]; gaps[i] >= needs) {
        gaps[i] -= needs;
        found = true;
      }
    if (!found)
      return false;
  }
  return true;
}

/// The first start from `ready` on; if any leaves room for those to come, the
/// first of these. -1: there is none.
int64_t ModuloPlacer::firstStart(int task, int processor, int64_t ready,
                                 bool &hasRoom) {
  int64_t takes = cyclesOn(task, processor);
  const ModuloTable &table = processors[processor];
  if (graph.tasks.size() > kMaxLookahead) {
    hasRoom = true;
    return table.earliest(ready, takes).value_or(-1);
  }
  llvm::SmallVector<int64_t, 8> starts = table.tightStarts(ready, takes);
  hasRoom = true;
  for (int64_t start : starts)
    if (leavesRoom(task, processor, start, takes))
      return start;
  hasRoom = false;
  return starts.empty() ? -1 : starts.front();
}

/// What a processor could do for a task; what would have to be sent is not sent
/// in the end.
std::optional<ModuloPlacer::Offer> ModuloPlacer::offer(int task,
                                                       int processor) {
  Offer result;
  result.processor = processor;
  result.cycles = cyclesOn(task, processor);
  if (processors[processor].load() + result.cycles > interval)
    return std::nullopt;
  int64_t ready = 0;
  llvm::SmallVector<int, 4> sent;
  bool isPossible = true;
  for (const Edge &edge : inputs[task]) {
    if (!isPlaced(edge.task) || edge.task == task)
      continue;
    int64_t at = endOf(edge.task);
    if (places[edge.task].processor != processor) {
      bool isNew = !transfers.count({edge.value, processor});
      std::optional<Transfer> transfer = send(edge.value, processor);
      isPossible = transfer.has_value();
      if (!isPossible)
        break;
      if (isNew) {
        sent.push_back(edge.value);
        result.bytes += graph.values[edge.value].bytes;
      }
      at = transfer->arrival();
    }
    ready = std::max(ready, at - edge.away);
  }
  for (int value : sent)
    unsend(value, processor);
  if (!isPossible)
    return std::nullopt;
  result.start = firstStart(task, processor, ready, result.leavesRoom);
  if (result.start < 0)
    return std::nullopt;
  return result;
}

bool ModuloPlacer::isBetter(const Offer &a, const Offer &b) const {
  if (a.leavesRoom != b.leavesRoom)
    return a.leavesRoom;
  int64_t endA = a.start + a.cycles, endB = b.start + b.cycles;
  return request.rule == PlacementRule::Earliest
             ? std::tie(endA, a.bytes) < std::tie(endB, b.bytes)
             : std::tie(a.bytes, endA) < std::tie(b.bytes, endB);
}

llvm::SmallVector<int, 8> ModuloPlacer::allowed(int task) const {
  if (int with = graph.tasks[task].colocated; with >= 0 && isPlaced(with))
    return {places[with].processor};
  if (!request.processor.empty())
    return {request.processor[task]};
  return llvm::to_vector<8>(
      llvm::seq<int>(0, static_cast<int>(processors.size())));
}

//===----------------------------------------------------------------------===//
// Placing and taking back
//===----------------------------------------------------------------------===//

void ModuloPlacer::put(int task, const Offer &offer) {
  places[task] = {offer.processor, offer.start, offer.cycles};
  lastStart[task] = offer.start;
  processors[offer.processor].reserve(offer.start, offer.cycles, task);
  waiting.erase({rank[task], task});
}

void ModuloPlacer::evict(int task) {
  if (!isPlaced(task))
    return;
  // An update has no place of its own.
  for (int with : colocatedWith[task])
    evict(with);
  unsendUnused(task);
  for (int value : valuesOf[task])
    for (int p = 0; p < static_cast<int>(processors.size()); ++p)
      unsend(value, p);
  processors[places[task].processor].release(task);
  places[task].processor = -1;
  waiting.insert({rank[task], task});
}

/// Sends what the task reads and makes, and takes back the tasks for which that
/// comes too late: the task itself, if it is with one of them.
void ModuloPlacer::connect(int task) {
  int processor = places[task].processor;
  for (const Edge &edge : inputs[task]) {
    if (!isPlaced(edge.task) || places[edge.task].processor == processor)
      continue;
    std::optional<Transfer> transfer = send(edge.value, processor);
    if (!transfer || transfer->arrival() > places[task].start + edge.away)
      evict(edge.task);
    if (!isPlaced(task))
      return;
  }
  for (int with : colocatedWith[task])
    if (isPlaced(with) && places[with].processor != processor)
      evict(with);
  for (const Edge &edge : outputs[task]) {
    if (!isPlaced(edge.task) || edge.task == task)
      continue;
    int to = places[edge.task].processor;
    int64_t at = endOf(task);
    if (to != processor) {
      std::optional<Transfer> transfer = send(edge.value, to);
      if (transfer)
        at = transfer->arrival();
      else
        at = std::numeric_limits<int64_t>::max();
    }
    if (at > places[edge.task].start + edge.away)
      evict(edge.task);
    if (!isPlaced(task))
      return;
  }
}

/// Takes a time on the processor where least is in the way, later than the last
/// time the task had, so that two tasks do not drive each other out for ever.
bool ModuloPlacer::forcePlace(int task) {
  std::optional<std::pair<int64_t, int>> best;
  for (int p : allowed(task))
    if (cyclesOn(task, p) <= interval) {
      std::pair<int64_t, int> its(processors[p].load() + cyclesOn(task, p), p);
      best = best ? std::min(*best, its) : its;
    }
  if (!best)
    return false;
  Offer place;
  place.processor = best->second;
  place.cycles = cyclesOn(task, place.processor);
  for (const Edge &edge : inputs[task])
    if (isPlaced(edge.task) && edge.task != task)
      place.start = std::max(place.start, endOf(edge.task) - edge.away);
  if (lastStart[task] >= place.start) {
    // The next moment at which something there ends.
    std::optional<int64_t> next;
    for (const ModuloTable::Entry &entry :
         processors[place.processor].entries()) {
      int64_t after =
          (entry.position + entry.cycles - lastStart[task] - 1) % interval;
      after = after < 0 ? after + interval : after;
      next = next ? std::min(*next, after) : after;
    }
    place.start = lastStart[task] + 1 + next.value_or(0);
  }
  for (int other :
       processors[place.processor].conflicts(place.start, place.cycles))
    evict(other);
  // What was in the way may have taken the task that it is with along.
  if (int with = graph.tasks[task].colocated;
      with >= 0 && isPlaced(with) && places[with].processor != place.processor)
    return true;
  put(task, place);
  connect(task);
  return true;
}

bool ModuloPlacer::placeNext() {
  --budget;
  int task = waiting.begin()->second;
  std::optional<Offer> best;
  for (int p : allowed(task))
    if (std::optional<Offer> its = offer(task, p))
      if (!best || isBetter(*its, *best))
        best = its;
  if (!best)
    return forcePlace(task);
  put(task, *best);
  connect(task);
  return true;
}

std::optional<Schedule> ModuloPlacer::run() {
  if (!findPriorities())
    return std::nullopt;
  while (!waiting.empty())
    if (budget <= 0 || request.deadline->isOver() || !placeNext())
      return std::nullopt;
  Schedule schedule = emptySchedule(graph);
  schedule.interval = interval;
  schedule.tasks = places;
  for (const auto &[key, transfer] : transfers)
    schedule.transfers.push_back(
        {key.first, places[graph.values[key.first].producer].processor,
         key.second, transfer.start, transfer.cycles, transfer.latency});
  return schedule;
}

std::optional<Schedule> takt::placeModulo(const Problem &problem,
                                          const TaskGraph &graph,
                                          const PlacementRequest &request) {
  return ModuloPlacer(problem, graph, request).run();
}
