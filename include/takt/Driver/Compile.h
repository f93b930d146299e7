//===- Compile.h - the whole way from a model to programs -------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The compiler's phases in the order in which taktc runs them. Every function
// reports errors as MLIR diagnostics of the module's context.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_COMPILE_H
#define TAKT_DRIVER_COMPILE_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "takt/Driver/Report.h"
#include "takt/Import/ImportOnnx.h"
#include "takt/Target/LowerToProgram.h"
#include "takt/Target/MemoryPlan.h"
#include "takt/Transforms/Differentiate.h"

namespace takt {

/// Which activations the backward pass makes again (Recomputation.h).
enum class Recomputation { None, Full, Auto };

struct CompileOptions {
  ImportOptions import;
  bool forwardOnly = false;
  /// Of a synchronous step; the model is imported with the samples of one.
  int64_t microbatches = 1;
  DifferentiateOptions differentiate;
  /// The largest norm of all gradients together that stays as it is
  /// (ClipNorm.h); 0: no limit.
  double clipNorm = 0;
  /// Patterns of the names of parameters that are not trained (Freeze.h).
  std::vector<std::string> frozen;
  LowerOptions lowering;
  ScheduleOptions scheduling;
  Recomputation recomputation = Recomputation::None;
  /// How often a scheduler is asked again with less memory, where the program
  /// needs more than its schedule let expect.
  int memoryAttempts = 24;
  /// Whether what is reported is the program; otherwise it is the schedule, and
  /// no program is made.
  bool makeProgram = true;
};

/// Loads the dialects that the phases need.
void registerAllDialects(mlir::MLIRContext &context);

/// The machine of `--machine=FILE` or, when the path is empty, the uniform
/// default machine. Fails if the file cannot be read or is no machine.
llvm::Expected<Machine> loadMachine(llvm::StringRef path, int64_t processors);

/// Import, differentiate, form tasks: the training step (or the forward pass),
/// and the task graph of all its microbatches.
struct TrainingStep {
  /// Of one microbatch, its operations tagged with their tasks, before its
  /// gradients are clipped and its weights reconstructed.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::shared_ptr<const TaskGraph> graph; ///< shared by steps that are alike
  ModelSummary summary;
  /// What the backward pass makes again, sorted.
  std::vector<std::string> recomputed;
  int64_t microbatches = 1;
  double clipNorm = 0;                            ///< as CompileOptions has it
  WeightVersions weights = WeightVersions::Stash; ///< that dgrads read

  /// A new module of all that the graph has tasks of.
  mlir::FailureOr<mlir::OwningOpRef<mlir::ModuleOp>> wholeModule() const;
};
mlir::FailureOr<TrainingStep> buildTrainingStep(llvm::MemoryBufferRef model,
                                                mlir::MLIRContext &context,
                                                const CompileOptions &options);

/// Which weights the dgrads of a schedule by that name read, under the options.
WeightVersions weightVersions(llvm::StringRef scheduler,
                              const ScheduleOptions &options);

/// The step for schedules with those weights (for averages, with the
/// reconstructions and the tasks' work on them), of whose activations the
/// backward pass makes those again.
mlir::FailureOr<TrainingStep> stepFor(const TrainingStep &step,
                                      WeightVersions weights,
                                      llvm::ArrayRef<std::string> recomputed);

/// Split, retime, lower and measure: the program of a verified schedule of
/// `problem`, which is the module's own. Rewrites the module. Fails if the
/// tasks of the split module are not those that were scheduled, or if the
/// program does not fit; the latter it does not report, but hands over, where
/// there is a `shortage`. Figures are of one minibatch.
mlir::FailureOr<ScheduledProgram>
lowerSchedule(mlir::ModuleOp module, const Problem &problem, Schedule schedule,
              const LowerOptions &options,
              std::unique_ptr<MemoryShortage> *shortage = nullptr);

/// Schedule and lower: one schedule's program, where the options say so. The
/// step itself, which is stepFor's, is left as it is; `scheduledModule`, where
/// given, receives the module that the program was made from. A program may
/// need more memory than its schedule let expect; then the scheduler is asked
/// again with less. Fails if no schedule fits, or lowerSchedule does.
mlir::FailureOr<ScheduledProgram>
compileSchedule(const TrainingStep &step, llvm::StringRef scheduler,
                const Machine &machine, const CostModel &cost,
                const CompileOptions &options,
                mlir::OwningOpRef<mlir::ModuleOp> *scheduledModule = nullptr);

} // namespace takt

#endif // TAKT_DRIVER_COMPILE_H
