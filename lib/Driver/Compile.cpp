//===- Compile.cpp - the whole way from a model to programs ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Compile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "takt/Dialect/Sched/Sched.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Driver/Problem.h"
#include "takt/Scheduling/Microbatches.h"
#include "takt/Transforms/ClipNorm.h"
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Microbatch.h"
#include "takt/Transforms/Pipelines.h"
#include "takt/Transforms/Recompute.h"
#include "takt/Transforms/ReconstructWeights.h"
#include "takt/Transforms/Tags.h"
#include "llvm/Support/MemoryBuffer.h"
#include <chrono>

using namespace mlir;
using namespace takt;

void takt::registerAllDialects(MLIRContext &context) {
  context.loadDialect<func::FuncDialect, train::TrainDialect,
                      sched::SchedDialect>();
}

llvm::Expected<Machine> takt::loadMachine(StringRef path, int64_t processors) {
  if (path.empty())
    return Machine::uniform(processors);
  auto file = llvm::MemoryBuffer::getFile(path);
  if (!file)
    return llvm::createStringError(file.getError(),
                                   path + ": " + file.getError().message());
  return Machine::parse((*file)->getMemBufferRef());
}

/// Of all microbatches.
static ModelSummary summarize(const TrainingStep &step) {
  ModuleOp module = step.module.get();
  ModelSummary summary;
  summary.name = step.graph->name;
  summary.layers = step.graph->layers.size();
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (parameter.getKind() == ParameterKind::Trainable)
      summary.parameters +=
          cast<ShapedType>(parameter.getType()).getNumElements();
  module.walk([&](train::KernelOpInterface op) {
    std::optional<TaskKind> kind = getKind(op);
    if (!kind || *kind != TaskKind::Forward)
      return;
    summary.operations += step.microbatches;
    if (std::optional<int64_t> macs = op.getWork().gemm.macs())
      summary.forwardMacs += *macs * step.microbatches;
  });
  return summary;
}

static FailureOr<OwningOpRef<ModuleOp>> divided(const TrainingStep &step,
                                                int64_t microbatches) {
  OwningOpRef<ModuleOp> module = step.module.get().clone();
  if (failed(divideIntoMicrobatches(*module, microbatches)))
    return failure();
  if (step.clipNorm != 0 && failed(clipByNorm(*module, step.clipNorm)))
    return failure();
  if (step.weights == WeightVersions::Average &&
      failed(reconstructWeights(*module)))
    return failure();
  return std::move(module);
}

FailureOr<OwningOpRef<ModuleOp>> TrainingStep::wholeModule() const {
  return divided(*this, microbatches);
}

static FailureOr<TaskGraph> graphOf(const TrainingStep &step,
                                    int64_t microbatches) {
  FailureOr<OwningOpRef<ModuleOp>> module = divided(step, microbatches);
  if (failed(module))
    return failure();
  return formTasks(**module);
}

/// Without the operations of all microbatches, where there are many.
static LogicalResult formGraph(TrainingStep &step) {
  auto count = static_cast<int>(step.microbatches);
  FailureOr<TaskGraph> graph = graphOf(step, std::min(count, 4));
  if (failed(graph))
    return failure();
  if (count <= 4) {
    step.graph = std::make_shared<TaskGraph>(std::move(*graph));
    return success();
  }
  FailureOr<TaskGraph> three = graphOf(step, 3);
  if (failed(three))
    return failure();
  step.graph =
      std::make_shared<TaskGraph>(repeatMicrobatches(*three, *graph, count));
  return success();
}

FailureOr<TrainingStep> takt::buildTrainingStep(llvm::MemoryBufferRef model,
                                                MLIRContext &context,
                                                const CompileOptions &options) {
  TrainingStep step;
  step.module = importOnnx(model, context, options.import);
  if (!step.module)
    return failure();
  DifferentiateOptions differentiate = options.differentiate;
  if (options.forwardOnly)
    differentiate.loss = LossKind::None;
  PassManager manager(&context);
  buildStepPipeline(manager, differentiate, options.frozen);
  if (failed(manager.run(*step.module)))
    return failure();
  step.microbatches = options.microbatches;
  step.clipNorm = options.clipNorm;
  if (failed(formGraph(step)))
    return failure();
  step.summary = summarize(step);
  return std::move(step);
}

WeightVersions takt::weightVersions(StringRef scheduler,
                                    const ScheduleOptions &options) {
  for (const SchedulerInfo &info : schedulers())
    if (info.name == scheduler && info.semantics != Semantics::Synchronous)
      return options.weights.value_or(info.weights);
  return WeightVersions::Stash;
}

FailureOr<TrainingStep> takt::stepFor(const TrainingStep &step,
                                      WeightVersions weights,
                                      llvm::ArrayRef<std::string> recomputed) {
  TrainingStep result;
  result.module = step.module.get().clone();
  result.summary = step.summary;
  result.microbatches = step.microbatches;
  result.clipNorm = step.clipNorm;
  result.recomputed = recomputed.vec();
  result.weights = weights;
  if (recomputed.empty() && weights != WeightVersions::Average) {
    result.graph = step.graph;
    return std::move(result);
  }
  if (!recomputed.empty() && failed(recompute(*result.module, recomputed)))
    return failure();
  if (failed(formGraph(result)))
    return failure();
  return std::move(result);
}

/// Offers a scheduler less memory, since what a task holds while it runs is not
/// in the schedule: less by half of what its program lacked, but in steps of 2
/// to 5 per cent.
static void tighten(Machine &machine, const MemoryShortage &shortage) {
  int64_t lacks = (shortage.needed - shortage.limit) / 2;
  for (ProcessorClass &on : machine.classes)
    if (int64_t bytes = on.memoryBytes; bytes > 0)
      on.memoryBytes = std::max<int64_t>(
          1, bytes - std::clamp(lacks, bytes / 50 + 1, bytes / 20 + 1));
}

static double secondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

/// How long it takes to verify and lower a schedule and to measure its program:
/// so many times as long as to build the step's task graph from its operations,
/// which is a part of it. Without a program there is only its description.
static double secondsBehindSearch(const TrainingStep &step, bool makeProgram) {
  constexpr double kTimes = 5;
  auto begin = std::chrono::steady_clock::now();
  if (!makeProgram) {
    (void)step.graph->check();
    return kTimes * secondsSince(begin);
  }
  int64_t few = std::min<int64_t>(step.microbatches, 4);
  // The step has one already, so this cannot fail.
  (void)graphOf(step, few);
  return kTimes * secondsSince(begin) * static_cast<double>(step.microbatches) /
         static_cast<double>(few);
}

/// The schedule of a machine with less memory is one of the machine.
FailureOr<ScheduledProgram>
takt::compileSchedule(const TrainingStep &step, StringRef scheduler,
                      const Machine &machine, const CostModel &cost,
                      const CompileOptions &options,
                      OwningOpRef<ModuleOp> *scheduledModule) {
  auto begin = std::chrono::steady_clock::now();
  Problem problem{step.graph.get(), &machine, &cost};
  ScheduleOptions scheduling = options.scheduling;
  std::optional<double> limit = scheduling.timeLimitSeconds;
  double behind = limit ? secondsBehindSearch(step, options.makeProgram) : 0;
  Machine offered = machine;
  std::unique_ptr<MemoryShortage> least;
  for (int attempt = 0; attempt < options.memoryAttempts; ++attempt) {
    if (limit)
      scheduling.timeLimitSeconds =
          std::max(0.0, *limit - behind - secondsSince(begin));
    llvm::Expected<Schedule> found =
        schedule(scheduler, {step.graph.get(), &offered, &cost}, scheduling);
    if (!found && !least)
      return step.module.get().emitError() << llvm::toString(found.takeError()),
             failure();
    if (llvm::errorToBool(found.takeError()))
      break;
    if (!options.makeProgram) {
      ScheduledProgram described = describeSchedule(problem, std::move(*found));
      described.recomputed = step.recomputed;
      described.compileSeconds = secondsSince(begin);
      return std::move(described);
    }
    FailureOr<OwningOpRef<ModuleOp>> module = step.wholeModule();
    if (failed(module))
      return failure();
    std::unique_ptr<MemoryShortage> shortage;
    FailureOr<ScheduledProgram> result = lowerSchedule(
        **module, problem, std::move(*found), options.lowering, &shortage);
    if (succeeded(result)) {
      result->recomputed = step.recomputed;
      result->compileSeconds = secondsSince(begin);
      if (scheduledModule)
        *scheduledModule = std::move(*module);
      return result;
    }
    if (!shortage)
      return failure();
    tighten(offered, *shortage);
    if (!least ||
        shortage->needed - shortage->limit < least->needed - least->limit)
      least = std::move(shortage);
  }
  std::string text;
  llvm::raw_string_ostream os(text);
  least->log(os);
  return step.module.get().emitError() << text, failure();
}
