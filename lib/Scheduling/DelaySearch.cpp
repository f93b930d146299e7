//===- DelaySearch.cpp - orders with few stages ---------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "DelaySearch.h"
#include "LinkTable.h"
#include "Memory.h"
#include "WeightVersions.h"
#include "llvm/ADT/STLExtras.h"
#include <random>

using namespace takt;

namespace {

/// Orders and offsets: all that the search changes.
struct Candidate {
  std::vector<std::vector<int>> order; ///< by processor; tasks that last
  std::vector<int64_t> offset; ///< by processor: start of its first task
};

/// What the search minimises, in this order.
struct Quality {
  int excess = 0; ///< stages beyond what layers there are to hold them
  /// Of the fullest processor and of all; 0 while it is not looked at.
  int64_t memory = 0, totalMemory = 0;
  int64_t surplus = 0; ///< bytes of weights beyond two copies; likewise
  int stages = 0;
  int64_t delays = 0; ///< summed over layers

  bool operator<(const Quality &o) const {
    return std::tie(excess, surplus, memory, totalMemory, stages, delays) <
           std::tie(o.excess, o.surplus, o.memory, o.totalMemory, o.stages,
                    o.delays);
  }
};

class DelaySearch {
public:
  DelaySearch(const Problem &problem, const Assignment &assignment,
              const DelayRequest &request);

  std::optional<Schedule> run();
  std::optional<Schedule> runWithGaps();

private:
  enum class Template { Interleaved, DgradFirst, WgradFirst };

  int64_t &positionOf(int task) { return arrangement.position[task]; }
  void place(const Candidate &candidate);
  bool placeWithGaps();
  std::optional<Quality> evaluate(const Candidate &candidate, Times &times);
  std::optional<Quality> evaluatePlaced(Times &times);
  bool consider(const Candidate &candidate);
  Candidate initial(Template order) const;
  void alignForward(Candidate &candidate) const;
  std::vector<std::pair<int, int>> waitingHops() const;
  bool improve();
  void wander();
  Candidate shifted(int from, int to) const;
  Candidate moved(int task, size_t to) const;
  int64_t endOf(int task) const {
    return bestTimes.start[task] + arrangement.cycles[task];
  }
  bool goesOn() const {
    return budget > 0 && idle < patience && !deadline.isOver();
  }
  void saveMemory();
  void saveCopies(int effort);
  void measureMemory(const Times &times, Quality &quality);
  bool setStages(const Times &times, int stages);

  const Problem &problem;
  const Machine &machine;
  const TaskGraph &graph;
  const Deadline &deadline;
  int wanted;
  WeightVersions weights;
  Arrangement arrangement; ///< of the candidate evaluated last
  Timing timing;
  struct Input {
    int task, value;
  };
  std::vector<llvm::SmallVector<Input, 4>> inputs; ///< at distance 0
  std::minstd_rand random;
  int budget;   ///< evaluations left
  int patience; ///< evaluations without an improvement after which it ends
  int idle = 0; ///< evaluations since the last improvement

  /// The candidate measured last, complete but for the graph's cuts.
  Schedule draft;
  bool looksAtMemory = false, looksAtCopies = false;
  bool found = false;
  Candidate best;
  Quality bestQuality;
  Times bestTimes;
};

/// Work, in tasks and uses timed, that a search may take.
constexpr int64_t kSearchWork = 10000000;

} // namespace

DelaySearch::DelaySearch(const Problem &problem, const Assignment &assignment,
                         const DelayRequest &request)
    : problem(problem), machine(*problem.machine), graph(assignment.graph),
      deadline(*request.deadline), wanted(request.stages),
      weights(request.weights), timing(machine, graph),
      inputs(graph.tasks.size()),
      random(static_cast<unsigned>(request.seed) + 1),
      draft(emptySchedule(graph)) {
  arrangement.interval = request.interval;
  arrangement.processor = assignment.processor;
  arrangement.cycles = assignment.cycles;
  int64_t size = static_cast<int64_t>(graph.tasks.size()) + 1;
  for (auto [index, value] : llvm::enumerate(graph.values))
    for (const Use &use : value.uses) {
      ++size;
      if (value.producer >= 0 && use.distance == 0)
        inputs[use.task].push_back({value.producer, static_cast<int>(index)});
    }
  budget = static_cast<int>(std::clamp<int64_t>(kSearchWork / size, 40, 3000));
  patience = 200 + 20 * static_cast<int>(graph.tasks.size());
}

//===----------------------------------------------------------------------===//
// Candidates
//===----------------------------------------------------------------------===//

/// Packs each processor's order from its offset on; idle time comes last.
void DelaySearch::place(const Candidate &candidate) {
  arrangement.position.assign(graph.tasks.size(), Arrangement::kFloating);
  for (auto [order, offset] :
       llvm::zip_equal(candidate.order, candidate.offset)) {
    int64_t at = offset;
    for (int task : order) {
      positionOf(task) = at % arrangement.interval;
      at += arrangement.cycles[task];
    }
  }
}

std::optional<Quality> DelaySearch::evaluate(const Candidate &candidate,
                                             Times &times) {
  --budget;
  ++idle;
  place(candidate);
  return evaluatePlaced(times);
}

std::optional<Quality> DelaySearch::evaluatePlaced(Times &times) {
  std::optional<Times> computed = timing.compute(arrangement);
  if (!computed)
    return std::nullopt;
  times = std::move(*computed);
  Quality quality;
  int behind = 0;
  int last = static_cast<int>(graph.layers.size()) - 1;
  for (int layer = last; layer >= 0; --layer) {
    behind = std::max(behind, (times.delay[layer] + 1) / 2);
    quality.excess = std::max(quality.excess, behind - (last - layer));
    quality.delays += times.delay[layer];
  }
  quality.stages = behind + 1;
  if (wanted > 0) {
    quality.excess = std::max(quality.excess, quality.stages - wanted);
    quality.stages = wanted;
  }
  if (looksAtMemory && quality.excess == 0)
    measureMemory(times, quality);
  return quality;
}

/// Takes the candidate if it is the best so far.
bool DelaySearch::consider(const Candidate &candidate) {
  Times times;
  std::optional<Quality> quality = evaluate(candidate, times);
  if (!quality || (found && !(*quality < bestQuality)))
    return false;
  found = true;
  idle = 0;
  best = candidate;
  bestQuality = *quality;
  bestTimes = std::move(times);
  return true;
}

/// Each processor's tasks in the order of a sequential step, its dgrads before
/// or after its wgrads, or as they come; offsets so that the forward tasks of
/// one processor follow those of the one before at once.
Candidate DelaySearch::initial(Template order) const {
  Candidate candidate;
  candidate.order.resize(machine.processors());
  candidate.offset.assign(machine.processors(), 0);
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task)
    if (arrangement.cycles[task] > 0)
      candidate.order[arrangement.processor[task]].push_back(task);
  auto rank = [&](int task) {
    TaskKind kind = graph.tasks[task].kind;
    if (kind == TaskKind::Forward || order == Template::Interleaved)
      return std::pair(kind == TaskKind::Forward ? 0 : 1, task);
    bool isDgrad = kind == TaskKind::Dgrad;
    return std::pair(isDgrad == (order == Template::DgradFirst) ? 1 : 2, task);
  };
  for (std::vector<int> &tasks : candidate.order)
    llvm::sort(tasks, [&](int a, int b) { return rank(a) < rank(b); });
  alignForward(candidate);
  return candidate;
}

/// Sets the offset of each processor when its first task of a step is ready.
void DelaySearch::alignForward(Candidate &candidate) const {
  int64_t interval = arrangement.interval;
  std::vector<int64_t> end(graph.tasks.size(), 0),
      before(graph.tasks.size(), 0);
  for (const std::vector<int> &order : candidate.order) {
    int64_t sum = 0;
    for (int task : order) {
      before[task] = sum;
      sum += arrangement.cycles[task];
    }
  }
  std::vector<bool> aligned(machine.processors(), false);
  for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
    int64_t ready = 0;
    for (const Input &input : inputs[task])
      ready = std::max(ready, end[input.task]);
    end[task] = ready;
    if (arrangement.cycles[task] == 0)
      continue;
    int processor = arrangement.processor[task];
    int64_t &offset = candidate.offset[processor];
    if (!aligned[processor]) {
      offset = ((ready - before[task]) % interval + interval) % interval;
      aligned[processor] = true;
    }
    int64_t late = (ready - offset - before[task]) % interval;
    int64_t wait = late > 0 ? interval - late : -late;
    end[task] = ready + wait + arrangement.cycles[task];
  }
}

/// The best candidate with `to`'s processor turned so that `to` starts when
/// `from` ends.
Candidate DelaySearch::shifted(int from, int to) const {
  Candidate candidate = best;
  int64_t interval = arrangement.interval;
  int64_t wait = bestTimes.start[to] - endOf(from);
  int64_t &offset = candidate.offset[arrangement.processor[to]];
  offset = ((offset - wait) % interval + interval) % interval;
  return candidate;
}

/// The best candidate with a task at another place of its processor's order.
Candidate DelaySearch::moved(int task, size_t to) const {
  Candidate candidate = best;
  std::vector<int> &order = candidate.order[arrangement.processor[task]];
  order.erase(llvm::find(order, task));
  order.insert(order.begin() + std::min(to, order.size()), task);
  return candidate;
}

//===----------------------------------------------------------------------===//
// Search
//===----------------------------------------------------------------------===//

/// The dependences on the path into the update of the layer with the largest
/// delay whose consumer waits for its turn, latest first.
std::vector<std::pair<int, int>> DelaySearch::waitingHops() const {
  int worst = static_cast<int>(llvm::max_element(bestTimes.delay) -
                               bestTimes.delay.begin());
  int task = -1;
  for (int t = 0; t < static_cast<int>(graph.tasks.size()); ++t)
    if (graph.tasks[t].layer == worst && (task < 0 || endOf(t) > endOf(task)))
      task = t;
  std::vector<std::pair<int, int>> hops;
  while (task >= 0 && !inputs[task].empty()) {
    int latest = inputs[task][0].task;
    for (const Input &input : inputs[task])
      if (endOf(input.task) > endOf(latest))
        latest = input.task;
    if (bestTimes.start[task] > endOf(latest) && arrangement.cycles[task] > 0)
      hops.push_back({latest, task});
    task = latest;
  }
  return hops;
}

/// Tries to shorten each wait on the critical path; true at the first success.
bool DelaySearch::improve() {
  // Places tried for a task that waits, around its own.
  constexpr int kReach = 6;
  for (auto [from, to] : waitingHops()) {
    if (budget <= 0)
      return false;
    if (consider(shifted(from, to)))
      return true;
    const std::vector<int> &order = best.order[arrangement.processor[to]];
    int at = static_cast<int>(llvm::find(order, to) - order.begin());
    for (int place = std::max(0, at - kReach);
         place <= std::min<int>(at + kReach, order.size() - 1); ++place)
      if (place != at && budget > 0 && consider(moved(to, place)))
        return true;
  }
  return false;
}

/// A random change of one processor, kept if it is an improvement.
void DelaySearch::wander() {
  auto pick = [&](size_t n) { return random() % n; };
  int task = static_cast<int>(pick(graph.tasks.size()));
  if (arrangement.cycles[task] == 0) {
    ++idle;
    return;
  }
  if (!inputs[task].empty() && pick(2) == 0) {
    consider(shifted(inputs[task][pick(inputs[task].size())].task, task));
    return;
  }
  consider(moved(task, pick(best.order[arrangement.processor[task]].size())));
}

/// Completes the draft with delays of 2·S, S falling by at most one from layer
/// to layer. False if there are more stages than that leaves room for.
bool DelaySearch::setStages(const Times &times, int stages) {
  fillSchedule(machine, arrangement, times, draft);
  draft.lead.clear();
  draft.stages = stages;
  std::vector<int> &stage = draft.stage;
  int behind = 0;
  for (size_t layer = stage.size(); layer-- > 0;) {
    behind = std::max(behind, (times.delay[layer] + 1) / 2);
    stage[layer] = behind;
  }
  int least = stages - 1;
  for (auto [s, delay] : llvm::zip_equal(stage, draft.delay)) {
    int stagesBehind = std::max(s, least);
    least = stagesBehind - 1;
    s = stages - 1 - stagesBehind;
    delay = 2 * stagesBehind;
  }
  return stage.back() == stages - 1;
}

void DelaySearch::measureMemory(const Times &times, Quality &quality) {
  if (!setStages(times, quality.stages)) {
    quality.excess = 1;
    return;
  }
  if (looksAtCopies) {
    readCurrentWeights(draft);
    quality.surplus = surplusCopies(draft);
  }
  quality.memory = tightestMemory(problem, draft).excess();
  quality.totalMemory = 0;
  for (int64_t bytes : peakMemory(problem, draft))
    quality.totalMemory += bytes;
}

/// Goes on from the best candidate, now with an eye on memory.
void DelaySearch::saveMemory() {
  // A share of the effort: to measure memory takes longer than to find times.
  budget = std::max(20, budget / 8);
  patience = std::max(20, patience / 4);
  looksAtMemory = true;
  found = false;
  idle = 0;
  consider(Candidate(best));
  while (goesOn())
    wander();
}

/// Then, without a stash, until no weight has more than two copies.
void DelaySearch::saveCopies(int effort) {
  budget = patience = effort;
  looksAtCopies = true;
  found = false;
  idle = 0;
  consider(Candidate(best));
  while (goesOn() && bestQuality.surplus > 0)
    wander();
}

std::optional<Schedule> DelaySearch::run() {
  for (Template order :
       {Template::Interleaved, Template::DgradFirst, Template::WgradFirst})
    consider(initial(order));
  if (!found)
    return std::nullopt;
  while (goesOn() && bestQuality.delays > 0)
    if (!improve())
      wander();
  if (bestQuality.excess > 0)
    return std::nullopt;
  int effort = std::max(20, budget / 4);
  saveMemory();
  if (weights != WeightVersions::Stash)
    saveCopies(effort);
  place(best);
  if (!setStages(bestTimes, bestQuality.stages))
    return std::nullopt;
  return std::move(draft);
}

/// False if the gaps left on some processor are too short for a task.
bool DelaySearch::placeWithGaps() {
  LinkTable processors(arrangement.interval);
  std::vector<int64_t> end(graph.tasks.size(), 0);
  arrangement.position.assign(graph.tasks.size(), Arrangement::kFloating);
  auto put = [&](int task) {
    int on = arrangement.processor[task];
    int64_t ready = 0;
    for (const Input &input : inputs[task]) {
      int from = arrangement.processor[input.task];
      ready =
          std::max(ready, end[input.task] +
                              machine.transferCycles(
                                  from, on, graph.values[input.value].bytes) +
                              machine.transferLatency(from, on));
    }
    std::optional<int64_t> start =
        processors.reserve(int64_t(on), ready, arrangement.cycles[task]);
    if (!start)
      return false;
    end[task] = *start + arrangement.cycles[task];
    if (arrangement.cycles[task] > 0)
      positionOf(task) = *start % arrangement.interval;
    return true;
  };
  for (bool isUrgent : {true, false})
    for (int task = 0; task < static_cast<int>(graph.tasks.size()); ++task) {
      TaskKind kind = graph.tasks[task].kind;
      if ((kind == TaskKind::Forward || kind == TaskKind::Dgrad) == isUrgent &&
          !put(task))
        return false;
    }
  return true;
}

std::optional<Schedule> DelaySearch::runWithGaps() {
  if (!placeWithGaps())
    return std::nullopt;
  std::optional<Quality> quality = evaluatePlaced(bestTimes);
  if (!quality || quality->excess > 0 || !setStages(bestTimes, quality->stages))
    return std::nullopt;
  return std::move(draft);
}

std::optional<Schedule> takt::scheduleWithGaps(const Problem &problem,
                                               const Assignment &assignment,
                                               const DelayRequest &request) {
  return DelaySearch(problem, assignment, request).runWithGaps();
}

std::optional<Schedule> takt::searchDelays(const Problem &problem,
                                           const Assignment &assignment,
                                           const DelayRequest &request) {
  return DelaySearch(problem, assignment, request).run();
}
