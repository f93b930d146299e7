//===- Compile.cpp - the whole way from a model to programs ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Compile.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Pass/PassManager.h"
#include "takt/Dialect/Sched/Conversion.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Target/LowerToProgram.h"
#include "takt/Target/Simulate.h"
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Pipelines.h"
#include "takt/Transforms/Retime.h"
#include "takt/Transforms/Split.h"
#include "takt/Transforms/Tags.h"
#include "takt/Transforms/Verify.h"
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
  buildStepPipeline(manager, differentiate);
  if (failed(manager.run(*step.module)))
    return failure();
  FailureOr<TaskGraph> graph = formTasks(*step.module);
  if (failed(graph))
    return failure();
  step.graph = std::move(*graph);
  step.summary = summarize(*step.module, step.graph);
  return std::move(step);
}

/// The schedule's graph and the one of the rewritten module were made by
/// different code; the program is right only if they agree.
static LogicalResult checkSameTasks(ModuleOp module, const Schedule &schedule,
                                    const TaskGraph &formed) {
  const TaskGraph &scheduled = schedule.graph;
  if (scheduled.tasks.size() != formed.tasks.size())
    return module.emitError("schedule '")
           << schedule.scheduler << "' has " << scheduled.tasks.size()
           << " tasks, but the module has " << formed.tasks.size();
  for (auto [a, b] : llvm::zip_equal(scheduled.tasks, formed.tasks))
    if (a.name != b.name)
      return module.emitError("schedule '")
             << schedule.scheduler << "' has task '" << a.name
             << "' where the module has '" << b.name << "'";
  return success();
}

/// Rewrites the module for the schedule: cuts, then delays.
static LogicalResult applySchedule(ModuleOp module, const TaskGraph &graph,
                                   const Schedule &schedule) {
  if (failed(split(module, nameCuts(graph, schedule.cuts))))
    return failure();
  SmallVector<int64_t> delays(schedule.delay.begin(), schedule.delay.end());
  if (failed(retime(module, delays)))
    return failure();
  FailureOr<TaskGraph> formed = buildTaskGraph(module);
  if (failed(formed) || failed(checkSameTasks(module, schedule, *formed)))
    return failure();
  return verifyTasks(module);
}

FailureOr<ScheduledProgram>
takt::compileSchedule(const TrainingStep &step, StringRef scheduler,
                      const Machine &machine, const CostModel &cost,
                      const CompileOptions &options,
                      OwningOpRef<ModuleOp> *scheduledModule) {
  auto begin = std::chrono::steady_clock::now();
  OwningOpRef<ModuleOp> module = step.module.get().clone();
  auto fail = [&](llvm::Error error) {
    return module->emitError() << llvm::toString(std::move(error));
  };
  Problem problem{&step.graph, &machine, &cost};
  llvm::Expected<Schedule> found =
      schedule(scheduler, problem, options.scheduling);
  if (!found)
    return fail(found.takeError());
  ScheduledProgram result;
  result.schedule = std::move(*found);
  result.bounds = bounds(problem, result.schedule);
  result.metrics = metrics(problem, result.schedule);
  if (failed(applySchedule(*module, step.graph, result.schedule)))
    return failure();
  LowerOptions lower;
  lower.learningRate = options.learningRate;
  llvm::Expected<Program> program =
      lowerToProgram(*module, problem, result.schedule, lower);
  if (!program)
    return fail(program.takeError());
  result.program = std::move(*program);
  result.interval = result.schedule.interval;
  if (result.schedule.semantics == Semantics::Delayed) {
    llvm::Expected<SimulationResult> measured = simulate(result.program);
    if (!measured)
      return fail(measured.takeError());
    result.interval = measured->interval;
    result.program.interval = measured->interval;
  }
  result.compileSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  if (scheduledModule)
    *scheduledModule = std::move(module);
  return std::move(result);
}
