//===- SendTurns.cpp - who uses a link after whom -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Target/SendTurns.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/DenseSet.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"
#include <random>

using namespace takt;

/// What one search for places may take: moves, and moves times sends.
static constexpr size_t kMaxMoves = 5'000, kMaxMovedSends = 2'000'000;

SendTurns::SendTurns(const Machine &machine, const Schedule &schedule,
                     const StepRings &rings, llvm::ArrayRef<PlannedSend> sends)
    : schedule(schedule), sends(sends) {
  findGaps(rings);
  for (auto [index, send] : llvm::enumerate(sends)) {
    const Placement &maker = schedule.tasks[send.maker];
    routes.push_back(machine.linksHeld(send.times.from, send.times.to));
    first.push_back(lastBy(index, maker.start + maker.cycles));
    chosen.push_back(std::max(first.back(), lastBy(index, send.times.start)));
  }
  starts.resize(sends.size());
  search();
}

/// Local search: what is late is moved, or what it waits for, as long as the
/// sum does not grow.
void SendTurns::search() {
  std::mt19937 random(1);
  uint64_t total = lateness();
  size_t moves = std::min(kMaxMoves, kMaxMovedSends / (sends.size() + 1));
  for (; total > 0 && moves > 0; --moves) {
    llvm::SmallVector<size_t> late;
    for (size_t send = 0; send < sends.size(); ++send)
      if (starts[send] > sends[send].latest)
        late.push_back(send);
    size_t send = late[random() % late.size()];
    // It, or what it waits for, or what that waits for, …
    while (random() % 2 == 0) {
      llvm::SmallVector<size_t> others = waitsFor(send);
      if (others.empty())
        break;
      send = others[random() % others.size()];
    }
    Position last = std::max(first[send], lastBy(send, sends[send].latest));
    Position at = first[send] + Position(random() % (last - first[send] + 1));
    if (at != chosen[send])
      tryAt(send, at, total);
  }
}

/// Of tasks that end at the same time, behind the last. The last one of a body
/// may end in the next trip: that is before all of it.
void SendTurns::findGaps(const StepRings &rings) {
  for (llvm::ArrayRef<int> body : rings.bodies) {
    std::vector<Gap> &of = gaps.emplace_back();
    auto endOf = [&](int task) {
      const Placement &at = schedule.tasks[task];
      return at.start % schedule.interval + at.cycles;
    };
    int64_t begin = body.empty() ? 0 : endOf(body.back()) - schedule.interval;
    of.push_back({std::max<int64_t>(begin, 0), -1});
    for (int task : body) {
      int64_t end = endOf(task);
      if (end >= schedule.interval)
        break;
      if (of.back().time == end)
        of.pop_back();
      of.push_back({end, task});
    }
  }
}

int64_t SendTurns::timeOf(size_t send, Position at) const {
  const std::vector<Gap> &of = gaps[sends[send].times.from];
  int64_t count = gapsOf(send);
  int64_t trip = llvm::divideFloorSigned(at, count);
  return of[at - trip * count].time + trip * schedule.interval;
}

/// The last gap that begins by that time.
SendTurns::Position SendTurns::lastBy(size_t send, int64_t time) const {
  const std::vector<Gap> &of = gaps[sends[send].times.from];
  int64_t trip = llvm::divideFloorSigned(time, schedule.interval);
  auto next = llvm::upper_bound(
      of, time - trip * schedule.interval,
      [](int64_t time, const Gap &gap) { return time < gap.time; });
  return trip * gapsOf(send) + (next - of.begin()) - 1;
}

/// Sends in the order in which they are done in an interval; at one time, in
/// the order in which the schedule has them on links.
std::vector<size_t> SendTurns::inOrder() const {
  struct Event {
    int64_t time, planned;
    size_t send;
  };
  std::vector<Event> events;
  events.reserve(sends.size());
  for (size_t send = 0; send < sends.size(); ++send) {
    int64_t time = timeOf(send, chosen[send]);
    int64_t in = time % schedule.interval;
    events.push_back({in, sends[send].times.start - (time - in), send});
  }
  llvm::sort(events, [](const Event &a, const Event &b) {
    return std::tie(a.time, a.planned, a.send) <
           std::tie(b.time, b.planned, b.send);
  });
  std::vector<size_t> order;
  order.reserve(events.size());
  for (const Event &event : events)
    order.push_back(event.send);
  return order;
}

/// The times on links when they serve in order of sends and tasks keep their
/// times; the sum of what sends are late by.
uint64_t SendTurns::lateness() {
  constexpr int kRounds = 16;
  std::vector<size_t> order = inOrder();
  llvm::DenseMap<int64_t, int64_t> freeAt;
  bool isSteady = false;
  for (int round = 0; round < kRounds && !isSteady; ++round) {
    isSteady = true;
    for (size_t send : order) {
      int64_t time = timeOf(send, chosen[send]);
      int64_t shift =
          round * schedule.interval - (time - time % schedule.interval);
      int64_t start = time + shift;
      for (int64_t link : routes[send])
        start = std::max(start, freeAt.lookup(link));
      for (int64_t link : routes[send])
        freeAt[link] = start + sends[send].times.cycles;
      isSteady &= round > 0 && starts[send] == start - shift;
      starts[send] = start - shift;
    }
  }
  uint64_t total = 0; // costs may be anything
  for (auto [send, start] : llvm::zip_equal(sends, starts))
    total = llvm::SaturatingAdd(
        total, uint64_t(std::max<int64_t>(start - send.latest, 0)));
  return total;
}

/// Moves the send there unless more would be late in all.
void SendTurns::tryAt(size_t send, Position at, uint64_t &total) {
  Position old = std::exchange(chosen[send], at);
  std::vector<int64_t> startsBefore = starts;
  uint64_t now = lateness();
  if (now <= total) {
    total = now;
    return;
  }
  chosen[send] = old;
  starts = std::move(startsBefore);
}

/// What holds its links between when it is sent and when it has them.
llvm::SmallVector<size_t> SendTurns::waitsFor(size_t late) const {
  int64_t interval = schedule.interval;
  int64_t time = timeOf(late, chosen[late]);
  llvm::SmallVector<size_t> result;
  for (size_t other = 0; other < sends.size(); ++other) {
    if (other == late || llvm::none_of(routes[other], [&](int64_t link) {
          return llvm::is_contained(routes[late], link);
        }))
      continue;
    // Its instance that is served last before the late one.
    int64_t shift =
        llvm::divideFloorSigned(starts[late] - starts[other], interval) *
        interval;
    if (starts[other] + shift + sends[other].times.cycles > time)
      result.push_back(other);
  }
  return result;
}

SendTurns::Place SendTurns::place(size_t send) const {
  int64_t count = gapsOf(send);
  int64_t trip = chosen[send] / count;
  return {gaps[sends[send].times.from][chosen[send] % count].task, trip};
}

std::vector<SendTurns::Turn> SendTurns::turns() const {
  llvm::MapVector<int64_t, std::vector<size_t>> byLink;
  for (size_t send : inOrder())
    for (int64_t link : routes[send])
      byLink[link].push_back(send);
  std::vector<Turn> result;
  llvm::DenseSet<std::pair<size_t, size_t>> known;
  for (auto &[link, users] : byLink)
    for (auto [index, after] : llvm::enumerate(users)) {
      size_t before = index > 0 ? users[index - 1] : users.back();
      if (sends[before].times.from == sends[after].times.from ||
          !known.insert({before, after}).second)
        continue;
      int64_t distance = place(before).stage - place(after).stage;
      result.push_back({before, after, distance + (index == 0)});
    }
  return result;
}
