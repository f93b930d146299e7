//===- SearchStates.cpp - search over partial pipeline orders -------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "SearchStates.h"
#include "llvm/ADT/STLExtras.h"
#include <algorithm>
#include <numeric>

using namespace llvm;
using namespace takt;

namespace {
constexpr uint32_t kNone = std::numeric_limits<uint32_t>::max();
/// Marks a row that is not the next one of its processor.
constexpr uint16_t kDeferred = 1 << 15;

constexpr double kLargestSum = double(int64_t(1) << 62);

/// What a sum over all tasks of starts and tails can reach.
double largestRank(const PipelineRows &rows) {
  double longest = 1;
  for (const PipelineRow &row : rows.rows)
    longest += (double(row.cycles) + double(row.lag)) * rows.microbatches;
  return 4 * longest * rows.tasks();
}

/// Lower bound of all completions, and what ranks them where it is equal.
struct Value {
  int64_t bound = 0;
  int64_t rank = 0;
  bool operator<(const Value &o) const {
    return std::tie(bound, rank) < std::tie(o.bound, o.rank);
  }
};

/// A number that looks random, the same everywhere (SplitMix64).
uint64_t mix(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// The partial schedules of one layer, with those dominated left out.
class Layer {
public:
  explicit Layer(size_t rows) : rows(rows) { table.assign(1024, kNone); }

  struct Label {
    Value value;
    size_t times = 0; ///< where its times begin
    uint32_t length = 0;
    uint32_t next = kNone; ///< of the same progress
    uint32_t parent = 0;   ///< in the layer before
    int16_t row = 0;       ///< placed last
    bool dominated = false;
  };
  std::vector<Label> labels;

  ArrayRef<uint16_t> progress(uint32_t label) const {
    return ArrayRef(counts).slice(label * rows, rows);
  }
  ArrayRef<int64_t> times(uint32_t label) const {
    return ArrayRef(arena).slice(labels[label].times, labels[label].length);
  }

  /// Whether one of the same progress is nowhere later.
  bool dominates(ArrayRef<uint16_t> progress, ArrayRef<int64_t> times) const {
    for (uint32_t l = table[slotOf(progress)]; l != kNone; l = labels[l].next)
      if (!labels[l].dominated && noLater(this->times(l), times))
        return true;
    return false;
  }

  /// Takes those out that the new one dominates.
  void insert(ArrayRef<uint16_t> progress, ArrayRef<int64_t> times,
              Label label) {
    if (labels.size() * 2 >= table.size())
      grow();
    uint32_t &head = table[slotOf(progress)];
    for (uint32_t l = head; l != kNone; l = labels[l].next)
      if (!labels[l].dominated && noLater(times, this->times(l)))
        labels[l].dominated = true;
    label.times = arena.size();
    label.length = uint32_t(times.size());
    label.next = head;
    head = uint32_t(labels.size());
    labels.push_back(label);
    counts.insert(counts.end(), progress.begin(), progress.end());
    arena.insert(arena.end(), times.begin(), times.end());
  }

private:
  static bool noLater(ArrayRef<int64_t> a, ArrayRef<int64_t> b) {
    for (size_t i = 0; i < a.size(); ++i)
      if (a[i] > b[i])
        return false;
    return true;
  }

  /// Where labels of this progress hang, or an empty slot.
  size_t slotOf(ArrayRef<uint16_t> progress) const {
    size_t mask = table.size() - 1;
    // FNV-1a: the same on every machine, as the order of equals follows it.
    uint64_t hash = 1469598103934665603u;
    for (uint16_t count : progress)
      hash = (hash ^ count) * 1099511628211u;
    for (size_t slot = (hash ^ hash >> 29) & mask;; slot = (slot + 1) & mask)
      if (table[slot] == kNone || this->progress(table[slot]) == progress)
        return slot;
  }

  void grow() {
    std::vector<uint32_t> heads;
    for (uint32_t head : table)
      if (head != kNone)
        heads.push_back(head);
    table.assign(table.size() * 4, kNone);
    for (uint32_t head : heads)
      table[slotOf(progress(head))] = head;
  }

  size_t rows;
  std::vector<uint32_t> table; ///< open addressing
  std::vector<uint16_t> counts;
  std::vector<int64_t> arena;
};

/// One partial schedule, unpacked.
struct State {
  std::vector<int> count;     ///< tasks placed, by row
  std::vector<bool> deferred; ///< by row
  std::vector<int64_t> free;  ///< by processor
  std::vector<int64_t> held;  ///< memory, by processor
  std::vector<int64_t> work;  ///< left, by processor
  std::vector<int64_t> ready; ///< of tasks whose input is placed
};

class StateSearch {
public:
  StateSearch(const PipelineRows &rows, const StateSearchOptions &options,
              SearchBudget &budget);

  StateSearchResult run();

private:
  struct Start {
    int row;
    int64_t start, end;
  };

  void unpack(const Layer &layer, uint32_t label);
  void pack();
  SmallVector<Start, 16> startable() const;
  bool canGoOn(int processor) const;
  void expand(uint32_t parent);
  void place(const Start &start, uint32_t parent);
  void put(const Start &start, int by);
  Value valueOf(const Start &placed);
  void estimateStarts();
  int64_t machineBound(int processor);
  void trim(Layer &layer);
  void finish(const Layer &last);

  const PipelineRows &rows;
  const StateSearchOptions &options;
  SearchBudget &budget;
  int64_t rankScale; ///< fractions of a unit of time that ranks tell apart
  StateSearchResult result;
  std::vector<SmallVector<int, 2>> after; ///< rows whose inputs a row gives
  State state;
  Value parentValue;
  Layer current, next;
  std::vector<std::vector<std::pair<uint32_t, int16_t>>> history;

  // Scratch of `pack` and the bounds.
  std::vector<uint16_t> progress;
  std::vector<int64_t> times;
  std::vector<int64_t> earliest;
  struct Pending {
    int64_t start, cycles, tail;
  };
  std::vector<Pending> pending;
  std::vector<std::pair<int64_t, int64_t>> heap; ///< tail, cycles left
};

StateSearch::StateSearch(const PipelineRows &rows,
                         const StateSearchOptions &options,
                         SearchBudget &budget)
    : rows(rows), options(options), budget(budget),
      rankScale(std::min<int64_t>(64, kLargestSum / largestRank(rows))),
      after(rows.size()), current(rows.size()), next(rows.size()) {
  for (int row = 0; row < rows.size(); ++row)
    if (rows.rows[row].before >= 0)
      after[rows.rows[row].before].push_back(row);
  state.count.assign(rows.size(), 0);
  state.deferred.assign(rows.size(), false);
  state.free.assign(rows.processors, 0);
  state.held.assign(rows.processors, 0);
  state.work.assign(rows.processors, 0);
  state.ready.assign(rows.tasks(), 0);
  earliest.assign(rows.tasks(), 0);
}

void StateSearch::unpack(const Layer &layer, uint32_t label) {
  ArrayRef<uint16_t> counts = layer.progress(label);
  const int64_t *time = layer.times(label).begin();
  std::fill(state.held.begin(), state.held.end(), 0);
  std::fill(state.work.begin(), state.work.end(), 0);
  for (int row = 0; row < rows.size(); ++row) {
    const PipelineRow &of = rows.rows[row];
    state.count[row] = counts[row] & ~kDeferred;
    state.deferred[row] = counts[row] & kDeferred;
    state.held[of.processor] += of.memory * state.count[row];
    state.work[of.processor] +=
        of.cycles * (rows.microbatches - state.count[row]);
  }
  for (int64_t &free : state.free)
    free = *time++;
  for (int row = 0; row < rows.size(); ++row) {
    const PipelineRow &of = rows.rows[row];
    if (of.before < 0)
      continue;
    for (int i = state.count[row]; i < state.count[of.before]; ++i)
      state.ready[rows.at(row, i)] =
          rows.rows[of.before].processor == of.processor ? 0 : *time++;
  }
}

void StateSearch::pack() {
  progress.clear();
  times.clear();
  for (int row = 0; row < rows.size(); ++row)
    progress.push_back(uint16_t(state.count[row]) |
                       (state.deferred[row] ? kDeferred : 0));
  for (int q = 0; q < rows.processors; ++q)
    times.push_back(
        all_of(rows.rowsOf[q],
               [&](int row) { return state.count[row] == rows.microbatches; })
            ? 0
            : state.free[q]);
  for (int row = 0; row < rows.size(); ++row) {
    const PipelineRow &of = rows.rows[row];
    if (of.before < 0 || rows.rows[of.before].processor == of.processor)
      continue;
    // Later than it arrives, if the processor is not free, or busy with the
    // task of the row before this one.
    int64_t earliest = state.free[of.processor];
    for (int i = state.count[row]; i < state.count[of.before]; ++i) {
      earliest = std::max(earliest, state.ready[rows.at(row, i)]);
      times.push_back(earliest);
      earliest += of.cycles;
    }
  }
}

/// The tasks that may be next on their processors.
SmallVector<StateSearch::Start, 16> StateSearch::startable() const {
  SmallVector<Start, 16> starts;
  for (int row = 0; row < rows.size(); ++row) {
    const PipelineRow &of = rows.rows[row];
    int i = state.count[row];
    if (i == rows.microbatches || state.deferred[row] ||
        (of.before >= 0 && i >= state.count[of.before]) ||
        (of.memory > 0 &&
         state.held[of.processor] + of.memory > rows.limit[of.processor]))
      continue;
    if (any_of(rows.releasesBefore(row, i),
               [&](const PipelineRows::Release &release) {
                 return state.count[release.row] <= release.microbatch;
               }))
      continue;
    int64_t start = state.free[of.processor];
    if (of.before >= 0)
      start = std::max(start, state.ready[rows.at(row, i)]);
    starts.push_back({row, start, start + of.cycles});
  }
  return starts;
}

/// Whether something that is not deferred may be next on the processor: nothing
/// that must come before it there is left.
bool StateSearch::canGoOn(int processor) const {
  const auto &own = rows.rowsOf[processor];
  return any_of(own, [&](int row) {
    int i = state.count[row];
    if (i == rows.microbatches || state.deferred[row])
      return false;
    for (auto [needed, other] : zip(rows.needed(row, i), own))
      if (needed > state.count[other])
        return false;
    return true;
  });
}

void StateSearch::expand(uint32_t parent) {
  SmallVector<int, 8> deferred;
  std::vector<int64_t> free; // before anything was deferred
  while (true) {
    SmallVector<Start, 16> starts = startable();
    if (starts.empty())
      break; // the memory is full of what nothing can release
    auto rank = [&](const Start &s) {
      const PipelineRow &row = rows.rows[s.row];
      return std::make_tuple(s.end, !row.movesFreely, row.processor, s.row);
    };
    Start first = *std::min_element(
        starts.begin(), starts.end(),
        [&](const Start &a, const Start &b) { return rank(a) < rank(b); });
    int processor = rows.rows[first.row].processor;
    erase_if(starts, [&](const Start &s) {
      return rows.rows[s.row].processor != processor ||
             (s.row != first.row && s.start >= first.end);
    });
    for (const Start &start : starts)
      place(start, parent);
    if (rows.rows[first.row].movesFreely)
      break;
    // Its memory may be what another task needs: then none of these is next,
    // and nothing else can start before the end of the first.
    if (free.empty())
      free = state.free;
    for (const Start &start : starts) {
      state.deferred[start.row] = true;
      deferred.push_back(start.row);
    }
    state.free[processor] = first.end;
    if (!canGoOn(processor))
      break;
  }
  for (int row : deferred)
    state.deferred[row] = false;
  if (!free.empty())
    state.free = std::move(free);
}

/// Places a task, or takes it back.
void StateSearch::put(const Start &start, int by) {
  const PipelineRow &of = rows.rows[start.row];
  int i = by > 0 ? state.count[start.row] : state.count[start.row] - 1;
  state.count[start.row] += by;
  state.held[of.processor] += by * of.memory;
  state.work[of.processor] -= by * of.cycles;
  if (by > 0)
    for (int row : after[start.row])
      state.ready[rows.at(row, i)] = start.end + rows.rows[row].lag;
}

void StateSearch::place(const Start &start, uint32_t parent) {
  const PipelineRow &of = rows.rows[start.row];
  int64_t reached =
      start.end +
      std::max(rows.tail[rows.at(start.row, state.count[start.row])],
               state.work[of.processor] - of.cycles);
  auto exceeds = [&](int64_t bound) {
    if (bound <= options.target)
      return false;
    result.bound = std::min(result.bound, bound);
    return true;
  };
  if (exceeds(reached))
    return;
  int64_t free = std::exchange(state.free[of.processor], start.end);
  SmallVector<int, 6> waiting; // now another task is next, they may follow
  for (int row : rows.rowsOf[of.processor])
    if (state.deferred[row]) {
      waiting.push_back(row);
      state.deferred[row] = false;
    }
  put(start, 1);
  pack();
  if (!next.dominates(progress, times)) {
    Value value = valueOf(start);
    value.bound = std::max({value.bound, reached, parentValue.bound});
    if (!exceeds(value.bound)) {
      Layer::Label label;
      label.value = value;
      label.parent = parent;
      label.row = int16_t(start.row);
      next.insert(progress, times, label);
    }
  }
  put(start, -1);
  state.free[of.processor] = free;
  for (int row : waiting)
    state.deferred[row] = true;
}

/// Earliest starts of all tasks not placed, over the precedence and, on the
/// task's own processor, the work that must come before it.
void StateSearch::estimateStarts() {
  int first = *std::min_element(state.count.begin(), state.count.end());
  for (int i = first; i < rows.microbatches; ++i)
    for (int row : rows.chain) {
      if (i < state.count[row])
        continue;
      const PipelineRow &of = rows.rows[row];
      int64_t begin = state.free[of.processor];
      ArrayRef<int> needed = rows.needed(row, i);
      for (auto [index, other] : enumerate(rows.rowsOf[of.processor]))
        begin += rows.rows[other].cycles *
                 std::max(0, needed[index] - state.count[other]);
      auto follow = [&](int before, int j, int64_t lag) {
        if (before >= 0 && j >= state.count[before])
          begin = std::max(begin, earliest[rows.at(before, j)] +
                                      rows.rows[before].cycles + lag);
      };
      if (of.before >= 0 && i < state.count[of.before])
        begin = std::max(begin, state.ready[rows.at(row, i)]);
      follow(of.before, i, of.lag);
      follow(row, i - 1, 0);
      for (const PipelineRows::Release &release : rows.releasesBefore(row, i))
        follow(release.row, release.microbatch, 0);
      earliest[rows.at(row, i)] = begin;
    }
}

/// Jackson's preemptive schedule of what a processor has left: tasks as they
/// become ready, that with the longest tail first.
int64_t StateSearch::machineBound(int processor) {
  pending.clear();
  for (int row : rows.rowsOf[processor])
    for (int i = state.count[row]; i < rows.microbatches; ++i)
      pending.push_back({earliest[rows.at(row, i)], rows.rows[row].cycles,
                         rows.tail[rows.at(row, i)]});
  llvm::sort(pending, [](const Pending &a, const Pending &b) {
    return std::tie(a.start, a.tail) < std::tie(b.start, b.tail);
  });
  heap.clear();
  int64_t now = 0, bound = 0;
  for (size_t next = 0; next < pending.size() || !heap.empty();) {
    if (heap.empty())
      now = std::max(now, pending[next].start);
    while (next < pending.size() && pending[next].start <= now) {
      heap.push_back({pending[next].tail, pending[next].cycles});
      std::push_heap(heap.begin(), heap.end());
      ++next;
    }
    auto &[tail, left] = heap.front();
    int64_t until = now + left;
    if (next < pending.size() && pending[next].start < until) {
      left = until - pending[next].start;
      now = pending[next].start;
      continue;
    }
    now = until;
    bound = std::max(bound, now + tail);
    std::pop_heap(heap.begin(), heap.end());
    heap.pop_back();
  }
  return bound;
}

Value StateSearch::valueOf(const Start &placed) {
  Value value;
  budget.effort -= options.strongBounds ? int64_t(rows.tasks()) * rows.size() /
                                              (kPipelineKinds * rows.processors)
                                        : int64_t(rows.size()) * 4;
  if (options.strongBounds)
    estimateStarts();
  for (int q = 0; q < rows.processors; ++q) {
    int64_t bound =
        options.strongBounds ? machineBound(q) : state.free[q] + state.work[q];
    value.rank += bound * rankScale;
    if (options.strongBounds && !pending.empty()) {
      // Where bounds are equal, that schedule is ahead whose tasks on average
      // have more time left.
      int64_t reached = 0;
      for (const Pending &task : pending)
        reached += task.start + task.cycles + task.tail;
      value.rank += reached * rankScale / int64_t(pending.size());
    }
    value.bound = std::max(value.bound, bound);
    if (value.bound > options.target)
      break;
  }
  return value;
}

/// Takes the dominated out, and the worst that are too many.
void StateSearch::trim(Layer &layer) {
  std::vector<uint32_t> kept;
  for (uint32_t l = 0; l < layer.labels.size(); ++l)
    if (!layer.labels[l].dominated)
      kept.push_back(l);
  if (kept.size() > options.width) {
    result.complete = false;
    auto rank = [&](uint32_t l) {
      const Value &value = layer.labels[l].value;
      uint64_t draw = options.seed == 0 ? 0 : mix(l + options.seed);
      return std::make_tuple(value.bound, value.rank, draw, l);
    };
    auto better = [&](uint32_t a, uint32_t b) { return rank(a) < rank(b); };
    std::nth_element(kept.begin(), kept.begin() + options.width, kept.end(),
                     better);
    kept.resize(options.width);
    llvm::sort(kept);
  }
  Layer dense(rows.size());
  for (uint32_t l : kept)
    dense.insert(layer.progress(l), layer.times(l), layer.labels[l]);
  layer = std::move(dense);
}

void StateSearch::finish(const Layer &last) {
  uint32_t best = 0;
  for (uint32_t l = 1; l < last.labels.size(); ++l)
    if (last.labels[l].value < last.labels[best].value)
      best = l;
  result.makespan = last.labels[best].value.bound;
  std::vector<int> placed;
  for (uint32_t l = best, depth = history.size(); depth > 0; --depth) {
    auto [parent, row] = history[depth - 1][l];
    placed.push_back(row);
    l = parent;
  }
  std::reverse(placed.begin(), placed.end());
  result.placed = std::move(placed);
}

StateSearchResult StateSearch::run() {
  result.complete = true;
  pack();
  current.insert(progress, times, Layer::Label());
  for (int placed = 0; placed < rows.tasks(); ++placed) {
    next = Layer(rows.size());
    for (uint32_t l = 0; l < current.labels.size(); ++l) {
      if (l % 256 == 0 && budget.isOver()) {
        result.complete = false;
        result.stopped = true;
        return std::move(result);
      }
      parentValue = current.labels[l].value;
      unpack(current, l);
      expand(l);
      if (next.labels.size() > 2 * options.width + 1024)
        trim(next);
    }
    trim(next);
    if (next.labels.empty())
      return std::move(result);
    auto &steps = history.emplace_back();
    for (const Layer::Label &label : next.labels)
      steps.push_back({label.parent, label.row});
    std::swap(current, next);
  }
  finish(current);
  return std::move(result);
}
} // namespace

StateSearchResult takt::searchStates(const PipelineRows &rows,
                                     const StateSearchOptions &options,
                                     SearchBudget &budget) {
  return StateSearch(rows, options, budget).run();
}

bool takt::canSearchStates(const PipelineRows &rows) {
  return rows.microbatches < kDeferred && rows.size() < 1 << 15 &&
         largestRank(rows) < kLargestSum;
}

size_t takt::greatestSearchWidth(const PipelineRows &rows) {
  constexpr size_t kBytes = size_t(512) << 20;
  // Up to three layers' worth at a time, each label with its progress and about
  // as many times as rows; and two words of each for all layers.
  size_t label = sizeof(Layer::Label) +
                 size_t(rows.size()) * (sizeof(uint16_t) + sizeof(int64_t));
  return std::max<size_t>(1, kBytes / (3 * label + 8 * size_t(rows.tasks())));
}
