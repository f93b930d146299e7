//===- SampleShares.cpp - layers shared out by samples --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// A processor takes as many samples of a group as fit, the same of each layer,
// and one more of the group's first or last layers to fill up. Between these
// and the rest one sample changes its processor, which is all that crosses
// within a group besides weights.
//
//===----------------------------------------------------------------------===//

#include "SampleShares.h"
#include "BalancedAssignments.h"
#include "Cuts.h"
#include "LayerGraph.h"
#include "llvm/ADT/STLExtras.h"
#include <map>

using namespace takt;

namespace {
/// Where the samples of a group that one processor has end: at `count` in all
/// layers, but one later in the layers from `first` to before `last`.
struct Border {
  int64_t count = 0;
  int first = 0, last = 0;

  int64_t at(int layer) const {
    return count + (layer >= first && layer < last);
  }
  /// The same in all layers.
  bool isEven() const { return first >= last; }
};

/// Consecutive layers, and which samples of them which processor has.
struct Group {
  int begin = 0, end = 0; ///< layers
  int processor = 0;      ///< the first
  /// By processor. The last one is at the number of samples.
  llvm::SmallVector<Border, 4> borders;

  int processors() const { return static_cast<int>(borders.size()); }
  int64_t samples(int index, int layer) const {
    return borders[index].at(layer) -
           (index == 0 ? 0 : borders[index - 1].at(layer));
  }
};

/// The groups of the first layers.
struct Partial {
  Group group;      ///< the last one
  int before = -1;  ///< index of the ones before among those up to its begin
  int64_t load = 0; ///< of the group's last processor
  double bytes = 0;
  /// Whether the samples of the group's processors are in descending order, so
  /// that a processor with a share of two groups has the same samples of both.
  bool reversed = false;

  int lastProcessor() const { return group.processor + group.processors() - 1; }
};

class Sharing {
public:
  Sharing(const Problem &problem, int processors, int64_t interval);

  std::optional<Assignment> run();

private:
  bool readSamples();
  void readBytes();
  int64_t cycles(int layer, int64_t samples, int on) const;
  int64_t taskCyclesOf(int task, int64_t samples, int on) const;
  const std::vector<int64_t> &sums(int64_t samples, int processor);
  int64_t loadOf(const Group &group, const Border &from, const Border &to,
                 int processor);
  Border fill(const Group &group, const Border &from, int processor,
              int64_t room, bool fillUp);
  bool share(Group &group, int64_t room, bool fillUp, int64_t &load);
  int64_t lastLoop(const Group &group) const;
  double groupBytes(const Group &group) const;
  double sharedBytes(const Partial &before, const Group &group) const;
  bool extend(int begin, int index, int end);
  void keep(Partial partial);
  llvm::SmallVector<int, 4> divide(const Partial &partial, Cut &cut) const;
  Assignment assignmentOf(int index) const;

  const Problem &problem;
  const TaskGraph &graph;
  const Machine &machine;
  int count;
  int64_t interval;
  int64_t samples = 0;
  std::vector<std::vector<int>> tasksOf;      ///< by layer
  std::vector<bool> divisible;                ///< by layer
  std::vector<std::vector<int64_t>> known;    ///< by class and samples
  std::vector<double> weightBytes;            ///< updated, by layer
  std::vector<double> productBytes;           ///< that a layer's joins collect
  std::vector<double> borderBytes;            ///< that cross before a layer
  std::vector<std::vector<Partial>> partials; ///< by number of layers
};
} // namespace

Sharing::Sharing(const Problem &problem, int processors, int64_t interval)
    : problem(problem), graph(*problem.graph), machine(*problem.machine),
      count(processors), interval(interval), tasksOf(graph.layers.size()),
      divisible(graph.layers.size(), true), weightBytes(graph.layers.size(), 0),
      productBytes(graph.layers.size(), 0),
      borderBytes(graph.layers.size() + 1, 0),
      partials(graph.layers.size() + 1) {}

/// The number of samples that most work has; false if there is none.
bool Sharing::readSamples() {
  std::map<int64_t, int64_t> work;
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    tasksOf[task.layer].push_back(static_cast<int>(index));
    if (int64_t extent = cutExtent(task, sampleAxis(task.kind)))
      work[extent] += task.work[0].gemm.macs().value_or(0);
  }
  int64_t most = -1;
  for (auto [extent, macs] : work)
    if (macs > most)
      std::tie(most, samples) = std::pair(macs, extent);
  for (const Task &task : graph.tasks)
    if (task.kind != TaskKind::Update && !task.work.empty() &&
        task.work[0].gemm.count > 0 &&
        cutExtent(task, sampleAxis(task.kind)) != samples)
      divisible[task.layer] = false;
  return samples > 1;
}

void Sharing::readBytes() {
  for (const Value &value : graph.values) {
    if (value.producer < 0)
      continue;
    const Task &producer = graph.tasks[value.producer];
    auto bytes = static_cast<double>(value.bytes);
    if (value.kind == ValueClass::Weight)
      weightBytes[producer.layer] += bytes;
    if (value.kind != ValueClass::Activation &&
        value.kind != ValueClass::Gradient)
      continue;
    int low = producer.layer, high = producer.layer;
    for (const Use &use : value.uses) {
      low = std::min(low, graph.tasks[use.task].layer);
      high = std::max(high, graph.tasks[use.task].layer);
    }
    for (int layer = low + 1; layer <= high; ++layer)
      borderBytes[layer] += bytes;
  }
  for (const Task &task : graph.tasks)
    if (!task.cuts.empty() && !task.rowwise && task.kind != TaskKind::Wgrad)
      productBytes[task.layer] += static_cast<double>(task.work[0].bytesOut);
}

/// Of F, D and W of a layer for so many samples.
int64_t Sharing::cycles(int layer, int64_t of, int on) const {
  int64_t total = 0;
  for (int task : tasksOf[layer])
    total += of == 0 ? 0 : taskCyclesOf(task, of, on);
  return total;
}

/// Of some samples; of what is not divided all, so that nobody has too much.
int64_t Sharing::taskCyclesOf(int index, int64_t of, int on) const {
  Task task = graph.tasks[index];
  CutAxis axis = sampleAxis(task.kind);
  if (of < samples && cutExtent(task, axis) == samples)
    task.work =
        partWork(task, Cut{index, axis, {of}, {true, true}}, /*part=*/0);
  return *taskCycles(*problem.cost, task, machine.classes[on]);
}

/// Element l: of that many samples of the first l layers.
const std::vector<int64_t> &Sharing::sums(int64_t of, int processor) {
  int on = classOf(machine, processor);
  std::vector<int64_t> &sums = known[on * (samples + 1) + of];
  if (sums.empty()) {
    sums.push_back(0);
    for (size_t layer = 0; layer < tasksOf.size(); ++layer)
      sums.push_back(sums.back() + cycles(static_cast<int>(layer), of, on));
  }
  return sums;
}

int64_t Sharing::loadOf(const Group &group, const Border &from,
                        const Border &to, int processor) {
  if (from.isEven() && to.isEven()) {
    const auto &of = sums(to.count - from.count, processor);
    return of[group.end] - of[group.begin];
  }
  // Between these layers the number of samples is the same.
  int bounds[] = {group.begin, from.first, from.last,
                  to.first,    to.last,    group.end};
  std::sort(std::begin(bounds), std::end(bounds));
  int64_t total = 0;
  for (size_t i = 1; i < std::size(bounds); ++i) {
    int begin = std::max(bounds[i - 1], group.begin), end = bounds[i];
    if (begin >= end || begin >= group.end)
      continue;
    const auto &of = sums(to.at(begin) - from.at(begin), processor);
    total += of[end] - of[begin];
  }
  return total;
}

/// The border behind as many samples as fit into `room`.
Border Sharing::fill(const Group &group, const Border &from, int processor,
                     int64_t room, bool fillUp) {
  // Not less than `from` in any layer.
  int64_t low = from.count + (from.first < from.last), high = samples;
  if (loadOf(group, from, {low, 0, 0}, processor) > room)
    return from;
  while (low < high) {
    int64_t middle = low + (high - low + 1) / 2;
    if (loadOf(group, from, {middle, 0, 0}, processor) <= room)
      low = middle;
    else
      high = middle - 1;
  }
  Border best{low, 0, 0};
  if (!fillUp || low == samples)
    return best;
  // The longest run of layers at either end that still fits.
  int64_t most = loadOf(group, from, best, processor);
  auto consider = [&](const Border &border) {
    int64_t load = loadOf(group, from, border, processor);
    if (load > room)
      return false;
    if (load > most)
      std::tie(most, best) = std::pair(load, border);
    return true;
  };
  for (int layer = group.begin + 1; layer < group.end; ++layer)
    if (!consider({low, group.begin, layer}))
      break;
  for (int layer = group.end - 1; layer > group.begin; --layer)
    if (!consider({low, layer, group.end}))
      break;
  return best;
}

/// Divides the group among its first processor, which has that room, and the
/// following ones.
bool Sharing::share(Group &group, int64_t room, bool fillUp, int64_t &load) {
  Border from;
  for (int p = group.processor; p < count; ++p) {
    Border to = fill(group, from, p, room, fillUp);
    if (p == group.processor && to.count == 0)
      return false; // it does not take part
    group.borders.push_back(to);
    if (to.count == samples) {
      load = interval - room + loadOf(group, from, to, p);
      return true;
    }
    from = to;
    room = interval;
  }
  return false;
}

/// Of the last layer's F and W, which have no delay: those of the processor
/// with the largest share.
int64_t Sharing::lastLoop(const Group &group) const {
  int last = group.end - 1;
  int64_t longest = 0;
  for (int i = 0; i < group.processors(); ++i) {
    int64_t share = group.samples(i, last);
    int64_t loop = 0;
    for (int task : tasksOf[last])
      if (share > 0 && graph.tasks[task].kind != TaskKind::Dgrad)
        loop +=
            taskCyclesOf(task, share, classOf(machine, group.processor + i));
    longest = std::max(longest, loop);
  }
  return longest;
}

/// Within a group: gradients to where the weights are, weights from there, what
/// joins collect and distribute, and samples that change their processor.
double Sharing::groupBytes(const Group &group) const {
  double bytes = 0;
  int others = group.processors() - 1;
  if (others == 0)
    return 0;
  double largest = 0;
  for (int i = 0; i < group.processors(); ++i)
    largest =
        std::max(largest, static_cast<double>(group.samples(i, group.begin)));
  double elsewhere = 1 - largest / static_cast<double>(samples);
  for (int layer = group.begin; layer < group.end; ++layer)
    bytes +=
        2 * others * weightBytes[layer] + 2 * elsewhere * productBytes[layer];
  for (const Border &border : group.borders)
    for (int layer = group.begin + 1; layer < group.end; ++layer)
      if (border.at(layer) != border.at(layer - 1))
        bytes += borderBytes[layer] / static_cast<double>(samples);
  return bytes;
}

/// What does not cross between two groups because a processor has both.
double Sharing::sharedBytes(const Partial &before, const Group &group) const {
  if (group.begin == 0 || before.lastProcessor() != group.processor)
    return 0;
  int64_t both = std::min(
      before.group.samples(before.group.processors() - 1, group.begin - 1),
      group.samples(0, group.begin));
  return borderBytes[group.begin] * static_cast<double>(both) /
         static_cast<double>(samples);
}

/// Keeps what nothing beats in processors, load and bytes.
void Sharing::keep(Partial partial) {
  std::vector<Partial> &all = partials[partial.group.end];
  auto isBetter = [](const Partial &a, const Partial &b) {
    return a.bytes <= b.bytes && std::pair(a.lastProcessor(), a.load) <=
                                     std::pair(b.lastProcessor(), b.load);
  };
  if (llvm::any_of(all, [&](const Partial &p) { return isBetter(p, partial); }))
    return;
  llvm::erase_if(all, [&](const Partial &p) { return isBetter(partial, p); });
  // More than the fronts of most networks have.
  constexpr size_t kMaxPartials = 16;
  if (all.size() < kMaxPartials)
    all.push_back(std::move(partial));
}

/// Whether the layers from `begin` to `end` fit behind that one of the
/// partials.
bool Sharing::extend(int begin, int index, int end) {
  bool fits = false;
  for (bool next : {false, true})
    for (bool fillUp : {false, true}) {
      Partial partial;
      Group &group = partial.group;
      group.begin = begin;
      group.end = end;
      int64_t room = interval;
      if (index >= 0) {
        const Partial &before = partials[begin][index];
        group.processor = before.lastProcessor() + next;
        if (!next)
          room -= before.load;
      } else if (next) {
        continue;
      }
      if (group.processor >= count || room <= 0 ||
          !share(group, room, fillUp, partial.load))
        continue;
      fits = true;
      if (group.processors() > 1 &&
          !std::all_of(divisible.begin() + begin, divisible.begin() + end,
                       [](bool is) { return is; }))
        continue;
      if (end == static_cast<int>(graph.layers.size()) &&
          lastLoop(group) > interval)
        continue;
      partial.bytes = groupBytes(group);
      partial.before = index;
      if (index >= 0) {
        const Partial &before = partials[begin][index];
        partial.bytes +=
            before.bytes + borderBytes[begin] - sharedBytes(before, group);
        partial.reversed = !next && !before.reversed;
      }
      keep(std::move(partial));
    }
  return fits;
}

/// Where the parts of a task are, and then its join; where all of it is if it
/// is not cut. Fills the places of the cut.
llvm::SmallVector<int, 4> Sharing::divide(const Partial &partial,
                                          Cut &cut) const {
  const Group &group = partial.group;
  const Task &task = graph.tasks[cut.task];
  bool isDivided = cutExtent(task, cut.axis) == samples;
  llvm::SmallVector<int, 4> places;
  int64_t at = 0, most = 0;
  int home = group.processor;
  for (int i = 0; i < group.processors(); ++i) {
    int member = partial.reversed ? group.processors() - 1 - i : i;
    int processor = group.processor + member;
    // That of all layers of the group, which their weights share.
    if (int64_t share = group.samples(member, group.begin); share > most)
      std::tie(most, home) = std::pair(share, processor);
    int64_t share = group.samples(member, task.layer);
    if (share == 0 || !isDivided)
      continue;
    if (at > 0)
      cut.at.push_back(at);
    places.push_back(processor);
    at += share;
  }
  if (cut.at.empty())
    return {places.empty() ? home : places[0]};
  places.push_back(home);
  return places;
}

Assignment Sharing::assignmentOf(int index) const {
  std::vector<const Partial *> partialOf(graph.layers.size());
  for (auto end = static_cast<int>(graph.layers.size()); end > 0;) {
    const Partial &partial = partials[end][index];
    for (int layer = partial.group.begin; layer < end; ++layer)
      partialOf[layer] = &partial;
    index = partial.before;
    end = partial.group.begin;
  }
  Assignment assignment;
  // By task of the uncut graph: the processors of the parts, then of the join.
  std::vector<llvm::SmallVector<int, 4>> places(graph.tasks.size());
  for (auto [index, task] : llvm::enumerate(graph.tasks)) {
    Cut cut{static_cast<int>(index), sampleAxis(task.kind), {}, {}};
    places[index] = divide(*partialOf[task.layer], cut);
    if (cut.at.empty())
      continue;
    cut.sliceAtProducer.assign(cut.parts(), true);
    assignment.cuts.push_back(std::move(cut));
  }
  // A join is where the next layer needs all of it.
  for (const Value &value : graph.values) {
    if (value.producer < 0 || places[value.producer].size() == 1 ||
        graph.tasks[value.producer].kind == TaskKind::Wgrad)
      continue;
    for (const Use &use : value.uses)
      if (places[use.task].size() == 1 && use.distance == 0)
        places[value.producer].back() = places[use.task][0];
  }
  for (auto [task, of] : llvm::enumerate(graph.tasks))
    if (of.colocated >= 0)
      places[task].assign(1, places[of.colocated].back());
  place(problem, assignment, [&](int task, int part) {
    return part == kWhole ? places[task].back() : places[task][part];
  });
  return assignment;
}

std::optional<Assignment> Sharing::run() {
  // More would take too long; layers of deep networks are small.
  constexpr int kMaxLayers = 150;
  auto layers = static_cast<int>(graph.layers.size());
  if (layers > kMaxLayers || graph.minibatches > 1 || !readSamples())
    return std::nullopt;
  known.resize(machine.classes.size() * (samples + 1));
  readBytes();
  for (int end = 1; end <= layers; ++end)
    if (!extend(0, -1, end))
      break;
  for (int begin = 1; begin < layers; ++begin)
    for (size_t index = 0; index < partials[begin].size(); ++index)
      for (int end = begin + 1; end <= layers; ++end)
        if (!extend(begin, static_cast<int>(index), end))
          break;
  const std::vector<Partial> &all = partials[layers];
  if (all.empty())
    return std::nullopt;
  auto best = llvm::min_element(all, [](const Partial &a, const Partial &b) {
    return a.bytes < b.bytes;
  });
  Assignment assignment = assignmentOf(static_cast<int>(best - all.begin()));
  if (assignment.leastInterval(machine) > interval ||
      undelayedLoop(assignment) > interval)
    return std::nullopt;
  return assignment;
}

std::optional<Assignment> takt::shareSamples(const Problem &problem,
                                             int processors, int64_t interval) {
  return Sharing(problem, processors, interval).run();
}
