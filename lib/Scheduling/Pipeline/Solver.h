//===- Solver.h - solvers for pipeline orders -------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_SCHEDULING_PIPELINE_SOLVER_H
#define TAKT_LIB_SCHEDULING_PIPELINE_SOLVER_H

#include "takt/Scheduling/Pipeline.h"
#include <memory>

namespace takt {

enum class SolverStatus : uint8_t {
  Optimal,    ///< proved
  Feasible,   ///< an order, not proved to be the best
  Infeasible, ///< proved: no order under any of the placements
  Timeout,    ///< neither an order nor a proof that there is none
  Unavailable ///< the problem is outside of what the solver can state
};

struct SolverOptions {
  std::optional<int64_t> timeLimitSeconds;
  /// Used where there is no time limit: of tasks looked at, some 10^7 a second
  /// and more.
  int64_t effort = 0;
  uint64_t seed = 0; ///< chooses among equals
  /// Stops once the makespan is within this fraction of the bound.
  double gap = 0;
};

/// An order within the memory limits.
struct TimedOrder {
  PipelineOrder order;
  int64_t makespan = 0; ///< cycles
};

struct SolverResult {
  SolverStatus status = SolverStatus::Timeout;
  std::optional<TimedOrder> best; ///< there when optimal or feasible
  int64_t bound = 0;              ///< of the makespan over all placements
};

/// Looks for the order of least makespan within the memory limits.
class PipelineSolver {
public:
  virtual ~PipelineSolver() = default;

  /// `placements`: what to choose from, the processor of each stage.
  /// `incumbent`: an order to improve on, not necessarily of these placements.
  virtual SolverResult solve(const PipelineProblem &problem,
                             llvm::ArrayRef<std::vector<int>> placements,
                             std::optional<TimedOrder> incumbent,
                             const SolverOptions &options) const = 0;
};

/// By dynamic programming over partial schedules, as SearchStates.h says.
/// Where the problem is small enough, or the bound is met, it proves what it
/// finds. Needs no library.
std::unique_ptr<PipelineSolver> createStateSolver();

/// The placements that the number of stages allows, each once.
std::vector<std::vector<int>> allPlacements(const PipelineProblem &problem);

/// One microbatch after the other, each W behind its D.
PipelineOrder oneByOne(const PipelineProblem &problem,
                       llvm::ArrayRef<int> processorOf);

/// Why nothing fits, where that is known without a search: fails if some
/// processor cannot even hold what one microbatch needs under any placement.
/// The message names it, its most demanding stage and the least limit.
llvm::Error checkLeastMemory(const PipelineProblem &problem,
                             llvm::ArrayRef<std::vector<int>> placements);

/// The best of the published schedules that fits the memory, of those that
/// there is time for; with W apart from D where that is allowed to change
/// nothing but the times.
std::optional<TimedOrder> bestPublished(const PipelineProblem &problem,
                                        const PipelineOptions &options);

/// Runs the state solver from the best that is known. Fails if there is no
/// order within the memory, or none was found.
llvm::Expected<PipelineSolution> searchOrders(const PipelineProblem &problem,
                                              const PipelineOptions &options,
                                              int64_t effort);

} // namespace takt

#endif // TAKT_LIB_SCHEDULING_PIPELINE_SOLVER_H
