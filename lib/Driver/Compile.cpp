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
#include "takt/Transforms/FormTasks.h"
#include "takt/Transforms/Pipelines.h"
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

FailureOr<ScheduledProgram>
takt::compileSchedule(const TrainingStep &step, StringRef scheduler,
                      const Machine &machine, const CostModel &cost,
                      const CompileOptions &options,
                      OwningOpRef<ModuleOp> *scheduledModule) {
  auto begin = std::chrono::steady_clock::now();
  OwningOpRef<ModuleOp> module = step.module.get().clone();
  Problem problem{&step.graph, &machine, &cost};
  llvm::Expected<Schedule> found =
      schedule(scheduler, problem, options.scheduling);
  if (!found)
    return module->emitError() << llvm::toString(found.takeError()), failure();
  FailureOr<ScheduledProgram> result =
      lowerSchedule(*module, problem, std::move(*found), options.learningRate);
  if (failed(result))
    return failure();
  result->compileSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  if (scheduledModule)
    *scheduledModule = std::move(module);
  return result;
}
