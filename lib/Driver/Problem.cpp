//===- Problem.cpp - scheduling problems without a network ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/Problem.h"
#include "mlir/Parser/Parser.h"
#include "takt/Dialect/Sched/Conversion.h"
#include "takt/Dialect/Sched/Setting.h"
#include "takt/Driver/Diagnostics.h"
#include "takt/Driver/Front.h"
#include "takt/Driver/Trace.h"
#include "takt/Scheduling/PipelineGraph.h"
#include "takt/Scheduling/ProfileGraph.h"
#include "takt/Support/FileOutput.h"
#include "takt/Support/Nesting.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/SourceMgr.h"
#include <chrono>

using namespace mlir;
using namespace takt;

InputKind takt::classifyInput(StringRef path, StringRef content) {
  StringRef extension = llvm::sys::path::extension(path);
  if (extension == ".mlir")
    return InputKind::Sched;
  if (extension == ".yaml" || extension == ".yml" ||
      content.starts_with("takt-pipeline:"))
    return InputKind::Pipeline;
  StringRef name = content.take_until([](char c) { return c == ' '; });
  int number = 0;
  if (name.consume_front("node") && !name.getAsInteger(10, number) &&
      content.drop_front(std::min(content.size(), name.size() + 4))
          .starts_with(" -- "))
    return InputKind::Profile;
  return InputKind::Onnx;
}

//===----------------------------------------------------------------------===//
// Reading
//===----------------------------------------------------------------------===//

static llvm::Expected<StatedProblem>
readSched(llvm::MemoryBufferRef file, const ProblemDefaults &defaults) {
  auto said = [] { return llvm::createStringError(""); };
  if (std::string message = checkMlirNesting(file); !message.empty())
    return llvm::createStringError(message);
  MLIRContext context;
  context.disableMultithreading();
  context.printOpOnDiagnostic(false);
  context.loadDialect<sched::SchedDialect>();
  DiagnosticPrinter printer(context, file.getBufferIdentifier());
  auto module = parseSourceString<ModuleOp>(
      file.getBuffer(), ParserConfig(&context), file.getBufferIdentifier());
  if (!module)
    return said();
  auto problems = llvm::to_vector(module->getOps<sched::ProblemOp>());
  if (problems.size() != 1)
    return module->emitError("expected one sched.problem, found ")
               << problems.size(),
           said();
  FailureOr<TaskGraph> graph = sched::toTaskGraph(problems.front());
  if (failed(graph))
    return said();
  if (defaults.machineGiven || !(*module)->hasAttr(sched::kMachineAttr))
    (*module)->setAttr(
        sched::kMachineAttr,
        StringAttr::get(&context, defaults.machine.canonicalText()));
  bool ownCost = (*module)->hasAttr(sched::kCostAttr);
  auto setting = sched::Setting::of(
      *module, 0, defaults.costGiven || !ownCost ? defaults.cost : StringRef());
  if (!setting)
    return setting.takeError();
  StatedProblem problem;
  problem.graph = std::move(*graph);
  problem.machine = std::move(setting->machine);
  problem.cost = std::move(setting->cost);
  return std::move(problem);
}

llvm::Expected<StatedProblem> takt::statePipeline(PipelineProblem pipeline) {
  auto cost = createCostModel("macs");
  if (!cost)
    return cost.takeError();
  StatedProblem problem;
  problem.graph = pipelineGraph(pipeline);
  problem.machine = pipelineMachine(pipeline);
  problem.cost = std::move(*cost);
  problem.pipeline = std::move(pipeline);
  return std::move(problem);
}

static llvm::Expected<StatedProblem>
readPipeline(llvm::MemoryBufferRef file, const ProblemDefaults &defaults) {
  llvm::Expected<PipelineProblem> pipeline = parsePipeline(file);
  if (!pipeline)
    return pipeline.takeError();
  if (defaults.machineGiven &&
      defaults.machine.processors() != pipeline->processors)
    return llvm::createStringError(file.getBufferIdentifier() +
                                   ": the problem states " +
                                   llvm::Twine(pipeline->processors) +
                                   " processors, the command line says " +
                                   llvm::Twine(defaults.machine.processors()));
  return statePipeline(std::move(*pipeline));
}

static llvm::Expected<StatedProblem>
readProfile(llvm::MemoryBufferRef file, const ProblemDefaults &defaults) {
  llvm::Expected<TaskGraph> graph =
      parseProfileGraph(file, defaults.minibatchScale);
  if (!graph)
    return graph.takeError();
  auto cost = createCostModel("macs");
  if (!cost)
    return cost.takeError();
  StatedProblem problem;
  problem.graph = std::move(*graph);
  problem.machine = defaults.machine;
  problem.cost = std::move(*cost);
  return std::move(problem);
}

llvm::Expected<StatedProblem>
takt::readProblem(InputKind kind, llvm::MemoryBufferRef file,
                  const ProblemDefaults &defaults) {
  llvm::Expected<StatedProblem> problem =
      kind == InputKind::Sched      ? readSched(file, defaults)
      : kind == InputKind::Pipeline ? readPipeline(file, defaults)
                                    : readProfile(file, defaults);
  if (!problem)
    return problem.takeError();
  problem->summary.name = problem->graph.name;
  problem->summary.operations = problem->graph.tasks.size();
  problem->summary.layers = problem->graph.layers.size();
  return problem;
}

//===----------------------------------------------------------------------===//
// Solving
//===----------------------------------------------------------------------===//

static bool isPipelineScheduler(StringRef name) {
  return llvm::any_of(pipelineSchedulers(), [&](const PipelineScheduler &info) {
    return info.name == name;
  });
}

/// Of the schedulers of task graphs, those that take steps of microbatches.
static bool isForPipelines(const SchedulerInfo &info) {
  return info.semantics == Semantics::Synchronous || info.takesMicrobatches;
}

/// A pipeline scheduler's order as a schedule of the problem's graph, verified
/// as all schedules are.
static llvm::Expected<Schedule> solvePipeline(const StatedProblem &problem,
                                              StringRef name,
                                              const ScheduleOptions &options,
                                              Bounds &bounds) {
  PipelineOptions pipelineOptions;
  pipelineOptions.timeLimitSeconds = options.timeLimitSeconds;
  pipelineOptions.seed = options.seed;
  llvm::Expected<PipelineSolution> solution =
      schedulePipeline(name, *problem.pipeline, pipelineOptions);
  if (!solution)
    return solution.takeError();
  llvm::Expected<PipelineTimes> times =
      timePipeline(*problem.pipeline, solution->order);
  if (!times)
    return times.takeError();
  Schedule schedule = pipelineSchedule(*problem.pipeline, problem.graph,
                                       solution->order, *times);
  schedule.scheduler = name.str();
  schedule.status =
      solution->optimal ? SolveStatus::Optimal : SolveStatus::Feasible;
  Problem of{&problem.graph, &problem.machine, problem.cost.get()};
  if (llvm::Error error = verify(of, schedule))
    return std::move(error);
  bounds = takt::bounds(of, schedule);
  bounds.loop = std::max(bounds.loop, solution->bound);
  return std::move(schedule);
}

ScheduledProgram takt::describeSchedule(const Problem &problem,
                                        Schedule schedule) {
  ScheduledProgram result;
  result.schedule = std::move(schedule);
  result.bounds = bounds(problem, result.schedule);
  result.metrics = metrics(problem, result.schedule);
  result.peakMemory = peakMemory(problem, result.schedule);
  result.interval = result.steadyInterval = result.schedule.interval;
  perMinibatch(result);
  return result;
}

llvm::Expected<ScheduledProgram>
takt::solveProblem(const StatedProblem &problem, StringRef scheduler,
                   const ScheduleOptions &options) {
  auto begin = std::chrono::steady_clock::now();
  Problem of{&problem.graph, &problem.machine, problem.cost.get()};
  if (problem.pipeline && !options.objective.empty())
    return solvePipelineByObjective(problem, scheduler, options);
  ScheduledProgram result;
  // A pipeline is synchronous unless the options say otherwise.
  if (problem.pipeline && isPipelineScheduler(scheduler) &&
      options.semantics != Semantics::Delayed) {
    Bounds bounds;
    auto found = solvePipeline(problem, scheduler, options, bounds);
    if (!found)
      return found.takeError();
    result = describeSchedule(of, std::move(*found));
    result.bounds = bounds;
  } else if (problem.pipeline && llvm::none_of(schedulers(), [&](auto &info) {
               return info.name == scheduler && isForPipelines(info);
             })) {
    std::vector<StringRef> names;
    for (const PipelineScheduler &info : pipelineSchedulers())
      names.push_back(info.name);
    for (const SchedulerInfo &info : schedulers())
      if (isForPipelines(info))
        names.push_back(info.name);
    return llvm::createStringError(
        "schedule '" + scheduler +
        "' is not for a pipeline problem, expected one of " +
        llvm::join(names, ", "));
  } else {
    auto found = schedule(scheduler, of, options);
    if (!found)
      return found.takeError();
    result = describeSchedule(of, std::move(*found));
  }
  if (problem.pipeline)
    result.memoryScale = problem.pipeline->memoryScale;
  result.compileSeconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
          .count();
  return std::move(result);
}

//===----------------------------------------------------------------------===//
// Writing
//===----------------------------------------------------------------------===//

static llvm::Error writeSched(StringRef output, const StatedProblem &problem,
                              const Schedule &schedule) {
  MLIRContext context;
  context.loadDialect<sched::SchedDialect>();
  OwningOpRef<ModuleOp> module =
      sched::scheduleModule(UnknownLoc::get(&context), problem.graph,
                            problem.machine, *problem.cost, schedule);
  return writeFile(output, [&](llvm::raw_ostream &os) {
    os << *module << "\n";
    return llvm::Error::success();
  });
}

static llvm::Expected<std::vector<ScheduledProgram>>
solveAll(const StatedProblem &problem, ArrayRef<std::string> schedulers,
         const ScheduleOptions &options) {
  std::vector<ScheduledProgram> all;
  for (const std::string &name : schedulers) {
    llvm::Expected<ScheduledProgram> entry =
        solveProblem(problem, name, options);
    if (!entry)
      return entry.takeError();
    all.push_back(std::move(*entry));
  }
  return std::move(all);
}

llvm::Error takt::emitProblem(InputKind kind, llvm::MemoryBufferRef file,
                              const EmitRequest &request,
                              const ProblemDefaults &defaults,
                              const ScheduleOptions &options) {
  bool comparison =
      request.kind == EmitKind::Report || request.kind == EmitKind::Html;
  if (!comparison && request.kind != EmitKind::Trace &&
      request.kind != EmitKind::Sched)
    return llvm::createStringError(
        file.getBufferIdentifier() +
        ": a scheduling problem has no program, only "
        "--emit=report, trace, html or sched");
  llvm::Expected<StatedProblem> problem = readProblem(kind, file, defaults);
  if (!problem)
    return problem.takeError();
  std::vector<std::string> names = {request.schedule};
  if (comparison)
    llvm::append_range(names, request.compare);
  auto found = request.pareto ? solveFront(*problem, names, options)
                              : solveAll(*problem, names, options);
  if (!found)
    return llvm::createStringError(file.getBufferIdentifier() + ": " +
                                   llvm::toString(found.takeError()));
  const std::vector<ScheduledProgram> &all = *found;
  if (request.kind == EmitKind::Sched)
    return writeSched(request.output, *problem, all.front().schedule);
  return writeFile(request.output, [&](llvm::raw_ostream &os) {
    if (request.kind == EmitKind::Report)
      writeReport(os, problem->summary, problem->machine, all);
    else if (request.kind == EmitKind::Html)
      writePage(os, problem->summary, problem->machine, all);
    else
      writeTrace(os, all.front(), problem->machine);
    return llvm::Error::success();
  });
}
