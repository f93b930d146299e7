//===- Objective.h - which schedule is the better one -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Schedules are compared by several figures, all of them better when smaller.
// An objective orders the figures lexicographically, with tolerances; the
// Pareto front keeps what no other schedule beats in all of them.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SCHEDULING_OBJECTIVE_H
#define TAKT_SCHEDULING_OBJECTIVE_H

#include "takt/Scheduling/Schedule.h"

namespace takt {

/// What a schedule is judged by, for each Criterion:
/// - interval: cycles between two minibatches, or of a synchronous step;
/// - memory: bytes on the processor that holds most (peakMemory());
/// - traffic: bytes between processors per minibatch;
/// - staleness: delays in updates, summed over the layers;
/// - energy: picojoules per minibatch, see Metrics.
struct Figures {
  double interval = 0, memory = 0, traffic = 0, staleness = 0, energy = 0;

  double of(Criterion criterion) const;
};
Figures figures(const Problem &problem, const Schedule &schedule);

/// Reads a comma-separated list of criteria, each at most once and each with an
/// optional tolerance in per cent: `interval:5%,traffic`. Fails with a message
/// that names the criterion it does not know, or the tolerance that is none.
llvm::Expected<Objective> parseObjective(llvm::StringRef text);

/// The index of the best of `all`, which is not empty: of those within the
/// first term's tolerance of its least figure those within the second's, and so
/// on; ties go by the criteria that the objective does not name, in the order
/// of Criterion, then to the first.
size_t chooseBest(llvm::ArrayRef<Figures> all, const Objective &objective);

/// The indices, by growing interval, of what no other one equals or beats in
/// interval, memory and traffic at once. Of equal ones the first is kept.
std::vector<size_t> paretoFront(llvm::ArrayRef<Figures> all);

/// The front over what the named schedulers find, asked for many different
/// trades of interval against memory and traffic: longer intervals, fewer
/// processors, less memory. All of it verified. Schedulers that cannot do the
/// problem are passed over; fails if all cannot, with the first one's reason.
llvm::Expected<std::vector<Schedule>>
paretoSchedules(llvm::ArrayRef<std::string> names, const Problem &problem,
                const ScheduleOptions &options);

} // namespace takt

#endif // TAKT_SCHEDULING_OBJECTIVE_H
