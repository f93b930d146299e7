//===- SolverStates.cpp - least makespan by search over states ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Turns the search for an order of at most some makespan into one for the best:
// with narrow layers first, which find good orders and close the easy cases,
// then with wider ones, which prove.
//
//===----------------------------------------------------------------------===//

#include "SearchStates.h"
#include "Solver.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;
using namespace takt;

namespace {
constexpr int64_t kInfinite = std::numeric_limits<int64_t>::max();

/// Up to this many tasks the strong bounds pay: their time grows with the
/// tasks for each partial schedule, so with the square for each order.
constexpr int kStrongTasks = 4096;

/// Beyond this one order alone takes long and hundreds of megabytes.
constexpr double kMostTasks = 1 << 22;

/// By what a step that was too large is divided.
constexpr int64_t kStepBack = 8;

/// One placement: what it allows, and what is proved about it.
struct Bracket {
  PipelineRows rows;
  int64_t bound = 0; ///< in units

  Bracket(const PipelineProblem &problem, ArrayRef<int> processorOf)
      : rows(problem, processorOf,
             /*closures=*/int64_t(problem.stages.size()) * kPipelineKinds *
                     problem.microbatches <=
                 kStrongTasks),
        bound(divideCeil(makespanBound(problem, processorOf), rows.unit)) {}

  int64_t boundCycles() const {
    return bound == kInfinite ? kInfinite : bound * rows.unit;
  }
};

class StateSolution {
public:
  StateSolution(const PipelineProblem &problem,
                ArrayRef<std::vector<int>> placements,
                std::optional<TimedOrder> incumbent,
                const SolverOptions &options);

  SolverResult run();

private:
  int64_t best() const {
    return result.best ? result.best->makespan : kInfinite;
  }
  /// The largest makespan of the placement that would be an improvement.
  int64_t target(const Bracket &bracket) const {
    return best() == kInfinite ? kInfinite / 4
                               : (best() - 1) / bracket.rows.unit;
  }
  bool isOpen(const Bracket &bracket) const;
  bool search(Bracket &bracket, int64_t target, size_t width);
  void narrow(Bracket &bracket, size_t width);
  void conclude();

  const SolverOptions &options;
  std::vector<Bracket> brackets;
  SearchBudget budget;
  SolverResult result;
};

StateSolution::StateSolution(const PipelineProblem &problem,
                             ArrayRef<std::vector<int>> placements,
                             std::optional<TimedOrder> incumbent,
                             const SolverOptions &options)
    : options(options) {
  if (options.timeLimitSeconds)
    budget.deadline = std::chrono::steady_clock::now() +
                      std::chrono::seconds(*options.timeLimitSeconds);
  else
    budget.effort = options.effort;
  for (const std::vector<int> &processorOf : placements)
    brackets.emplace_back(problem, processorOf);
  result.best = std::move(incumbent);
}

bool StateSolution::isOpen(const Bracket &bracket) const {
  return bracket.bound != kInfinite && bracket.bound <= target(bracket) &&
         (best() == kInfinite || double(best() - bracket.boundCycles()) >
                                     options.gap * double(best()));
}

/// Whether the search could say something about this target: found an order,
/// or proved that there is none.
bool StateSolution::search(Bracket &bracket, int64_t target, size_t width) {
  StateSearchOptions search;
  search.target = target;
  search.width = width;
  search.seed = options.seed;
  search.strongBounds = bracket.rows.tasks() <= kStrongTasks;
  StateSearchResult found = searchStates(bracket.rows, search, budget);
  if (found.placed) {
    TimedOrder order;
    order.order = bracket.rows.order(*found.placed);
    order.makespan = found.makespan * bracket.rows.unit;
    result.best = std::move(order);
    return true;
  }
  if (found.complete)
    bracket.bound = found.bound;
  return found.complete;
}

/// Raises the bound and lowers the best with layers of this width.
void StateSolution::narrow(Bracket &bracket, size_t width) {
  // Small targets leave little to search: the bound rises, in growing steps,
  // until that is hard.
  int64_t step = 0;
  while (isOpen(bracket) && !budget.isOver()) {
    if (search(bracket, std::min(bracket.bound + step, target(bracket)), width))
      step = 2 * step + 1;
    else if (step == 0)
      break;
    else
      step /= kStepBack;
  }
  if (!isOpen(bracket) || budget.isOver())
    return;
  search(bracket, target(bracket), width);
  // A target in between leaves the layers to what may still meet it.
  int64_t low = bracket.bound;
  for (int step = 0; step < 3 && isOpen(bracket) && !budget.isOver(); ++step) {
    int64_t high = target(bracket), middle = low + (high - low) / 2;
    if (best() == kInfinite || middle <= low || middle >= high)
      return;
    if (!search(bracket, middle, width))
      low = middle;
    low = std::max(low, bracket.bound);
  }
}

void StateSolution::conclude() {
  result.bound = kInfinite;
  for (const Bracket &bracket : brackets)
    result.bound = std::min(result.bound, bracket.boundCycles());
  bool open = false;
  for (const Bracket &bracket : brackets)
    open |= bracket.bound != kInfinite && bracket.bound <= target(bracket);
  if (result.best) {
    result.bound = std::min(result.bound, best());
    result.status = open ? SolverStatus::Feasible : SolverStatus::Optimal;
  } else {
    result.status = open ? SolverStatus::Timeout : SolverStatus::Infeasible;
  }
}

SolverResult StateSolution::run() {
  constexpr size_t kFirstWidth = 4, kGrowth = 4;
  size_t widest = kInfinite;
  for (const Bracket &bracket : brackets)
    widest = std::min(widest, greatestSearchWidth(bracket.rows));
  for (size_t width = kFirstWidth;; width *= kGrowth) {
    width = std::min(width, widest);
    for (Bracket &bracket : brackets)
      if (!budget.isOver())
        narrow(bracket, width);
    if (budget.isOver() || width == widest ||
        none_of(brackets, [&](const Bracket &b) { return isOpen(b); }))
      break;
  }
  conclude();
  return std::move(result);
}

class StateSolver : public PipelineSolver {
public:
  SolverResult solve(const PipelineProblem &problem,
                     ArrayRef<std::vector<int>> placements,
                     std::optional<TimedOrder> incumbent,
                     const SolverOptions &options) const override {
    double tasks =
        double(problem.stages.size()) * kPipelineKinds * problem.microbatches;
    if (tasks > kMostTasks)
      return {SolverStatus::Unavailable, std::move(incumbent), 0};
    for (const std::vector<int> &processorOf : placements)
      if (!canSearchStates(
              PipelineRows(problem, processorOf, /*closures=*/false)))
        return {SolverStatus::Unavailable, std::move(incumbent), 0};
    return StateSolution(problem, placements, std::move(incumbent), options)
        .run();
  }
};
} // namespace

std::unique_ptr<PipelineSolver> takt::createStateSolver() {
  return std::make_unique<StateSolver>();
}
