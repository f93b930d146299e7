//===- SendTurns.h - who uses a link after whom -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Links serve who comes first, and a program runs ahead of its schedule where
// it can. So on links that transfers share, one that is sent early may take the
// turn of another that somebody is waiting for. These are the places of sends
// in the bodies of their processors with which, by the times of the schedule's
// tasks, all arrive in time, and the turns that keep it so: a send never comes
// to a link before one that is planned before it there.
//
// By induction over the sends in their order, none of them is then later than
// planned, whatever is earlier: it is sent when its maker is done and those
// before it are sent, and has its links when those are through. Without turns,
// what ends earlier may make the whole slower (Graham's anomalies, 1969).
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_SENDTURNS_H
#define TAKT_TARGET_SENDTURNS_H

#include "takt/Target/StepRings.h"

namespace takt {

/// A transfer that holds links.
struct PlannedSend {
  int maker; ///< task that makes what is sent
  TransferPlacement times;
  int64_t latest; ///< when it has to have its links, of minibatch 0
};

/// Where and in which order sends are done, found by a local search that is the
/// same in every run. Where a processor is busy with one task for too long
/// there may be no places with which all are in time; then some are late.
class SendTurns {
public:
  /// Of two sends, by index: `before` is done before `after` of the minibatch
  /// that is `distance` later, which another processor sends.
  struct Turn {
    size_t before, after;
    int64_t distance;
  };
  struct Place {
    int task; ///< behind which it is sent; −1: before all of the body
    int64_t stage;
  };

  SendTurns(const Machine &machine, const Schedule &schedule,
            const StepRings &rings, llvm::ArrayRef<PlannedSend> sends);

  Place place(size_t send) const;
  std::vector<Turn> turns() const;

private:
  /// A moment at which the processor is between two tasks.
  struct Gap {
    int64_t time; ///< in the interval
    int task;
  };
  /// A gap of a send's processor, counted through all trips.
  using Position = int64_t;

  void findGaps(const StepRings &rings);
  int64_t gapsOf(size_t send) const {
    return int64_t(gaps[sends[send].times.from].size());
  }
  int64_t timeOf(size_t send, Position at) const;
  Position lastBy(size_t send, int64_t time) const;
  std::vector<size_t> inOrder() const;
  uint64_t lateness();
  void search();
  llvm::SmallVector<size_t> waitsFor(size_t late) const;
  void tryAt(size_t send, Position at, uint64_t &total);

  const Schedule &schedule;
  const llvm::ArrayRef<PlannedSend> sends;
  std::vector<Machine::Route> routes;  ///< by send
  std::vector<std::vector<Gap>> gaps;  ///< by processor
  std::vector<Position> first, chosen; ///< by send
  std::vector<int64_t> starts;         ///< on its links, of minibatch 0
};

} // namespace takt

#endif // TAKT_TARGET_SENDTURNS_H
