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

static ModelSummary summarize(ModuleOp module, const TaskGraph &graph) {
  ModelSummary summary;
  summary.name = graph.name;
  summary.layers = graph.layers.size();
  for (auto parameter : module.getOps<train::ParameterOp>())
    if (parameter.getKind() == ParameterKind::Trainable)
      summary.parameters +=
          cast<ShapedType>(parameter.getType()).getNumElements();
  module.walk([&](train::KernelOpInterface op) {
    std::optional<TaskKind> kind = getKind(op);
    if (!kind || *kind != TaskKind::Forward)
      return;
    ++summary.operations;
    if (std::optional<int64_t> macs = op.getWork().gemm.macs())
      summary.forwardMacs += *macs;
  });
  return summary;
}

/// Divides the module into microbatches, clips their gradients, and forms its
/// task graph.
static LogicalResult finish(TrainingStep &step, WeightVersions weights) {
  if (failed(divideIntoMicrobatches(*step.module, step.microbatches)))
    return failure();
  if (step.clipNorm != 0 && failed(clipByNorm(*step.module, step.clipNorm)))
    return failure();
  if (weights == WeightVersions::Average &&
      failed(reconstructWeights(*step.module)))
    return failure();
  FailureOr<TaskGraph> graph = formTasks(*step.module);
  if (failed(graph))
    return failure();
  step.graph = std::move(*graph);
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
  step.undivided = step.module.get().clone();
  if (failed(finish(step, WeightVersions::Stash)))
    return failure();
  step.summary = summarize(*step.module, step.graph);
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
  result.summary = step.summary;
  result.microbatches = step.microbatches;
  result.clipNorm = step.clipNorm;
  result.recomputed = recomputed.vec();
  if (recomputed.empty() && weights != WeightVersions::Average) {
    result.module = step.module.get().clone();
    result.graph = step.graph;
    return std::move(result);
  }
  result.module = step.undivided.get().clone();
  if (!recomputed.empty() && failed(recompute(*result.module, recomputed)))
    return failure();
  if (failed(finish(result, weights)))
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

/// How long it takes to verify, lower and measure a schedule: so many times as
/// long as to build the step's task graph, which is a part of it.
static double secondsBehindSearch(const TrainingStep &step) {
  constexpr double kTimes = 5;
  auto begin = std::chrono::steady_clock::now();
  // The step has one already, so this cannot fail.
  (void)buildTaskGraph(step.module.get());
  return kTimes * secondsSince(begin);
}

/// The schedule of a machine with less memory is one of the machine.
FailureOr<ScheduledProgram>
takt::compileSchedule(const TrainingStep &step, StringRef scheduler,
                      const Machine &machine, const CostModel &cost,
                      const CompileOptions &options,
                      OwningOpRef<ModuleOp> *scheduledModule) {
  auto begin = std::chrono::steady_clock::now();
  Problem problem{&step.graph, &machine, &cost};
  ScheduleOptions scheduling = options.scheduling;
  std::optional<double> limit = scheduling.timeLimitSeconds;
  double behind = limit ? secondsBehindSearch(step) : 0;
  Machine offered = machine;
  std::unique_ptr<MemoryShortage> least;
  for (int attempt = 0; attempt < options.memoryAttempts; ++attempt) {
    if (limit)
      scheduling.timeLimitSeconds =
          std::max(0.0, *limit - behind - secondsSince(begin));
    llvm::Expected<Schedule> found =
        schedule(scheduler, {&step.graph, &offered, &cost}, scheduling);
    OwningOpRef<ModuleOp> module = step.module.get().clone();
    if (!found && !least)
      return module->emitError() << llvm::toString(found.takeError()),
             failure();
    if (llvm::errorToBool(found.takeError()))
      break;
    std::unique_ptr<MemoryShortage> shortage;
    FailureOr<ScheduledProgram> result = lowerSchedule(
        *module, problem, std::move(*found), options.lowering, &shortage);
    if (succeeded(result)) {
      result->recomputed = step.recomputed;
      result->compileSeconds = secondsSince(begin);
      if (scheduledModule)
        *scheduledModule = std::move(module);
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
