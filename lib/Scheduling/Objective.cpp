//===- Objective.cpp - what makes one schedule better than another --------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Scheduling/Objective.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringSwitch.h"

using namespace takt;

static constexpr Criterion kAll[] = {Criterion::Interval, Criterion::Memory,
                                     Criterion::Traffic, Criterion::Staleness,
                                     Criterion::Energy};

double Figures::of(Criterion criterion) const {
  switch (criterion) {
  case Criterion::Interval:
    return interval;
  case Criterion::Memory:
    return memory;
  case Criterion::Traffic:
    return traffic;
  case Criterion::Staleness:
    return staleness;
  case Criterion::Energy:
    return energy;
  }
  llvm_unreachable("a criterion of the enumeration");
}

Figures takt::figures(const Problem &problem, const Schedule &schedule) {
  Figures result;
  result.interval =
      static_cast<double>(schedule.interval) / schedule.graph.minibatches;
  std::vector<int64_t> held = peakMemory(problem, schedule);
  result.memory = static_cast<double>(*llvm::max_element(held));
  Metrics its = metrics(problem, schedule);
  result.traffic = static_cast<double>(its.communicationBytes);
  result.staleness = static_cast<double>(totalStaleness(schedule));
  result.energy = its.energyPicojoules;
  return result;
}

/// A term's tolerance in thousandths; nullopt if the text is none.
static std::optional<int> parseTolerance(llvm::StringRef text) {
  double percent = 0;
  if (!text.consume_back("%") || text.trim().getAsDouble(percent) ||
      !(percent >= 0 && percent <= 1000))
    return std::nullopt;
  return static_cast<int>(percent * 10 + 0.5);
}

llvm::Expected<Objective> takt::parseObjective(llvm::StringRef text) {
  llvm::SmallVector<llvm::StringRef> parts;
  text.split(parts, ',');
  Objective objective;
  for (llvm::StringRef part : parts) {
    auto [name, tolerance] = part.split(':');
    auto criterion = llvm::StringSwitch<std::optional<Criterion>>(name.trim())
                         .Case("interval", Criterion::Interval)
                         .Case("memory", Criterion::Memory)
                         .Case("traffic", Criterion::Traffic)
                         .Case("staleness", Criterion::Staleness)
                         .Case("energy", Criterion::Energy)
                         .Default(std::nullopt);
    if (!criterion)
      return llvm::createStringError(
          "found '" + name.trim() +
          "', expected interval, memory, traffic, staleness or energy");
    if (llvm::any_of(objective, [&](const ObjectiveTerm &term) {
          return term.criterion == *criterion;
        }))
      return llvm::createStringError("'" + name.trim() + "' is there twice");
    ObjectiveTerm term{*criterion};
    if (part.contains(':')) {
      std::optional<int> thousandths = parseTolerance(tolerance);
      if (!thousandths)
        return llvm::createStringError("found '" + part.trim() +
                                       "', expected a tolerance of 0% to " +
                                       "1000%, as in 'interval:5%'");
      term.tolerance = *thousandths;
    }
    objective.push_back(term);
  }
  return objective;
}

size_t takt::chooseBest(llvm::ArrayRef<Figures> all,
                        const Objective &objective) {
  auto left = llvm::to_vector(llvm::seq<size_t>(all.size()));
  auto keep = [&](ObjectiveTerm term) {
    double least = std::numeric_limits<double>::max();
    for (size_t i : left)
      least = std::min(least, all[i].of(term.criterion));
    llvm::erase_if(left, [&](size_t i) {
      return all[i].of(term.criterion) > least * (1 + term.tolerance / 1000.0);
    });
  };
  for (const ObjectiveTerm &term : objective)
    keep(term);
  // A criterion with a tolerance breaks ties once more, without it.
  for (const ObjectiveTerm &term : objective)
    keep({term.criterion});
  for (Criterion criterion : kAll)
    keep({criterion});
  return left.front();
}

std::vector<size_t> takt::paretoFront(llvm::ArrayRef<Figures> all) {
  auto key = [&](size_t i) {
    return std::tuple(all[i].interval, all[i].memory, all[i].traffic);
  };
  auto order = llvm::to_vector(llvm::seq<size_t>(all.size()));
  llvm::stable_sort(order, [&](size_t a, size_t b) { return key(a) < key(b); });
  std::vector<size_t> front;
  for (size_t i : order)
    if (llvm::none_of(front, [&](size_t f) {
          return all[f].memory <= all[i].memory &&
                 all[f].traffic <= all[i].traffic;
        }))
      front.push_back(i);
  return front;
}
