//===- CommandLine.cpp - the command line of taktc ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Driver/CommandLine.h"
#include "takt/Driver/Compile.h"
#include "takt/Driver/Diagnostics.h"
#include "takt/Driver/Emit.h"
#include "takt/Driver/Problem.h"
#include "takt/Scheduling/Objective.h"
#include "takt/Support/FileOutput.h"
#include "takt/Support/Tool.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Process.h"

using namespace llvm;
using namespace takt;

namespace {
cl::OptionCategory category("taktc options");

/// Beyond this a double does not tell one minibatch from the next.
constexpr int64_t kMaxScalingSteps = static_cast<int64_t>(kMaxIterations);

/// All options of taktc, made when it starts so that no other tool that links
/// this library has them.
struct Options {
  cl::opt<std::string> input{
      cl::Positional, cl::desc("MODEL.onnx, or a problem: .mlir, .yaml, .txt"),
      cl::cat(category)};
  cl::opt<std::string> output{"o", cl::desc("output file (- for stdout)"),
                              cl::value_desc("OUT"), cl::cat(category)};
  cl::opt<EmitKind> emit{
      "emit", cl::desc("how far to go and what to write"),
      cl::init(EmitKind::Program), cl::cat(category),
      cl::values(
          clEnumValN(EmitKind::Train, "train", "training step, train dialect"),
          clEnumValN(EmitKind::Sched, "sched", "problem and solution as text"),
          clEnumValN(EmitKind::Stream, "stream", "program as text"),
          clEnumValN(EmitKind::Program, "program", "program container"),
          clEnumValN(EmitKind::Listing, "listing", "disassembly"),
          clEnumValN(EmitKind::CHeader, "c-header", "C header of the format"),
          clEnumValN(EmitKind::Report, "report", "JSON report"),
          clEnumValN(EmitKind::Trace, "trace", "Perfetto trace"),
          clEnumValN(EmitKind::Html, "html", "page with report and picture"),
          clEnumValN(EmitKind::Onnx, "onnx",
                     "the model, with the weights of --checkpoint"),
          clEnumValN(EmitKind::OnnxGradients, "onnx-gradients",
                     "loss and gradients as a model"))};
  cl::opt<std::string> checkpoint{
      "checkpoint", cl::value_desc("FILE.npz"), cl::cat(category),
      cl::desc("for --emit=onnx: weights, as takt-run --save-weights writes "
               "them (default: the model's own)")};
  cl::opt<std::string> mode{"mode", cl::desc("train or forward"),
                            cl::init("train"), cl::cat(category)};
  cl::opt<int64_t> processors{
      "processors", cl::desc("processors of the uniform default machine"),
      cl::init(1), cl::cat(category)};
  cl::opt<std::string> machine{"machine", cl::desc("machine file"),
                               cl::value_desc("FILE.yaml"), cl::cat(category)};
  cl::opt<std::string> topology{
      "topology", cl::cat(category),
      cl::value_desc("KIND[:NxN…][,bytes_per_cycle=N][,latency_cycles=N]"),
      cl::desc("links of the default machine: full, bus, ring, mesh, torus or "
               "tree")};
  cl::opt<int64_t> batch{"batch", cl::desc("samples in a minibatch"),
                         cl::init(0), cl::cat(category)};
  cl::list<std::string> dims{"dim", cl::desc("value of a symbolic dimension"),
                             cl::value_desc("NAME=N"), cl::cat(category)};
  cl::opt<LossKind> loss{
      "loss", cl::desc("loss of training"),
      cl::init(LossKind::SoftmaxCrossEntropy), cl::cat(category),
      cl::values(
          clEnumValN(LossKind::SoftmaxCrossEntropy, "softmax-cross-entropy",
                     "on the logits"),
          clEnumValN(LossKind::MeanSquaredError, "mse", "mean squared error"))};
  cl::opt<OptimizerKind> optimizer{
      "optimizer", cl::desc("optimizer of training"),
      cl::init(OptimizerKind::Sgd), cl::cat(category),
      cl::values(clEnumValN(OptimizerKind::Sgd, "sgd", "plain"),
                 clEnumValN(OptimizerKind::Momentum, "momentum", "heavy ball"),
                 clEnumValN(OptimizerKind::Adam, "adam", "Adam"),
                 clEnumValN(OptimizerKind::AdamW, "adamw",
                            "Adam, decoupled weight decay"))};
  cl::opt<double> learningRate{"learning-rate", cl::desc("default 0.01"),
                               cl::init(0.01), cl::cat(category)};
  cl::opt<std::string> rateSchedule{
      "learning-rate-schedule", cl::cat(category),
      cl::value_desc("KIND:UPDATES:FACTOR"),
      cl::desc(
          "how the learning rate falls: step:N:F multiplies it by F every "
          "N updates, cosine:N[:F] and linear:N[:F] let it fall to F times "
          "(default 0) what it was")};
  cl::opt<int64_t> warmup{
      "warmup", cl::init(0), cl::value_desc("UPDATES"), cl::cat(category),
      cl::desc("updates over which the learning rate rises at the beginning")};
  cl::opt<int64_t> delayScaling{
      "learning-rate-by-delay", cl::init(0), cl::value_desc("STEPS"),
      cl::cat(category),
      cl::desc(
          "minibatches over which the learning rate of weights whose "
          "gradients are d updates late rises from 1/d (default 0: none)")};
  cl::opt<double> momentum{"momentum", cl::init(0.9), cl::cat(category),
                           cl::desc("momentum factor (default 0.9)")};
  cl::opt<bool> nesterov{"nesterov", cl::desc("Nesterov's momentum"),
                         cl::cat(category)};
  cl::opt<double> weightDecay{"weight-decay", cl::desc("default 0"),
                              cl::init(0), cl::cat(category)};
  cl::opt<double> beta1{"beta1", cl::desc("of Adam (default 0.9)"),
                        cl::init(0.9), cl::cat(category)};
  cl::opt<double> beta2{"beta2", cl::desc("of Adam (default 0.999)"),
                        cl::init(0.999), cl::cat(category)};
  cl::opt<double> epsilon{"epsilon", cl::desc("of Adam (default 1e-8)"),
                          cl::init(1e-8), cl::cat(category)};
  cl::list<std::string> groups{
      "parameter-group", cl::cat(category),
      cl::value_desc("GLOB:learning-rate-factor=X,weight-decay=Y"),
      cl::desc("updates of parameters that differ, by name; the first group "
               "that matches counts")};
  cl::opt<double> clipValue{
      "clip-value", cl::init(0), cl::cat(category),
      cl::desc("limit of every element of a gradient (default 0: none)")};
  cl::list<std::string> freeze{
      "freeze", cl::CommaSeparated, cl::value_desc("GLOB,…"), cl::cat(category),
      cl::desc("parameters that are not trained, by name")};
  cl::opt<std::string> schedule{"schedule", cl::desc("scheduler's name"),
                                cl::init("layerpipe"), cl::cat(category)};
  cl::list<std::string> compare{"compare", cl::CommaSeparated,
                                cl::desc("other schedules for the report"),
                                cl::value_desc("NAME,…"), cl::cat(category)};
  cl::opt<int64_t> microbatches{"microbatches",
                                cl::desc("microbatches of a step"), cl::init(1),
                                cl::cat(category)};
  cl::opt<std::string> cost{
      "cost", cl::desc("macs, systolic, roofline or profile:FILE"),
      cl::init("systolic"), cl::cat(category)};
  cl::opt<int> stages{"stages", cl::init(0), cl::cat(category),
                      cl::desc("delay stages (0: as few as possible)")};
  cl::opt<WeightVersions> weights{
      "weights",
      cl::desc("which weights dgrads of a delayed schedule read "
               "(default: the schedule's own way)"),
      cl::cat(category),
      cl::values(
          clEnumValN(WeightVersions::Stash, "stash",
                     "those of the forward pass, kept until then"),
          clEnumValN(WeightVersions::Latest, "latest", "the newest"),
          clEnumValN(WeightVersions::Average, "average",
                     "those of the forward pass, reconstructed from the newest "
                     "and a moving average of their steps"))};
  cl::opt<AllowedCuts> cuts{
      "cuts", cl::init(AllowedCuts::All), cl::cat(category),
      cl::desc("which tasks schedulers may cut in parts"),
      cl::values(
          clEnumValN(AllowedCuts::All, "all", "all, any way that is legal"),
          clEnumValN(AllowedCuts::None, "none", "none"),
          clEnumValN(AllowedCuts::Dgrads, "dgrad", "dgrads"),
          clEnumValN(AllowedCuts::Samples, "samples", "all, by samples"))};
  cl::opt<Recomputation> recompute{
      "recompute", cl::init(Recomputation::None), cl::cat(category),
      cl::desc("which activations the backward pass makes again instead of "
               "keeping them"),
      cl::values(
          clEnumValN(Recomputation::None, "none", "none"),
          clEnumValN(Recomputation::Full, "full",
                     "all but those that cross between processors"),
          clEnumValN(Recomputation::Auto, "auto",
                     "those that make schedules faster in the memory there is, "
                     "or that the objective wants"))};
  cl::opt<double> tolerance{
      "interval-tolerance", cl::init(0), cl::cat(category),
      cl::desc("per cent by which the interval may grow for less traffic")};
  cl::opt<std::string> objective{
      "objective", cl::cat(category), cl::value_desc("FIGURE[:N%],…"),
      cl::desc("what to minimise, in this order, and by how much each may "
               "exceed its least for the next: interval, memory, traffic, "
               "staleness, energy")};
  cl::opt<bool> pareto{
      "pareto", cl::cat(category),
      cl::desc("report or page of the schedules that none beats in interval, "
               "memory and traffic")};
  cl::opt<int64_t> timeLimit{
      "time-limit", cl::cat(category), cl::value_desc("SECONDS"),
      cl::desc("after which a search returns the best that it has found "
               "(default: a fixed effort)")};
  cl::opt<std::string> semantics{
      "semantics", cl::init("any"), cl::cat(category),
      cl::desc("synchronous, delayed or any: what auto and ilp may choose")};
  cl::opt<uint64_t> seed{"seed", cl::desc("seed of randomised searches"),
                         cl::init(0), cl::cat(category)};
  cl::opt<std::string> synchronization{
      "synchronization", cl::cat(category), cl::value_desc("sum|max"),
      cl::desc("how pipedream-replicated plans with the replicas' exchange: "
               "after computing, or meanwhile (default: both)")};
  cl::list<std::string> bandwidthLevels{
      "bandwidth-levels", cl::CommaSeparated, cl::cat(category),
      cl::value_desc("COUNTxBYTES,…"),
      cl::desc("groups that pipedream-replicated plans with, innermost first, "
               "and bytes a cycle in each (default: as the machine's)")};
  cl::opt<double> minibatchScale{
      "minibatch-scale", cl::init(1), cl::cat(category),
      cl::desc("minibatch wanted over the one of a measured profile")};
  cl::opt<bool> listSchedules{"list-schedules",
                              cl::desc("list the schedulers and stop"),
                              cl::cat(category)};
  cl::opt<bool> listOps{"list-ops",
                        cl::desc("list the ONNX operators and stop"),
                        cl::cat(category)};
  cl::opt<bool> printOperators{
      "print-operator-reference", cl::cat(category),
      cl::desc("print them as a page in Markdown and stop")};
  cl::opt<bool> dumpMachine{"dump-machine",
                            cl::desc("print the machine as a file and stop"),
                            cl::cat(category)};
  cl::opt<bool> explain{
      "explain", cl::cat(category),
      cl::desc("write what was imported, as text, instead of compiling")};
  cl::opt<bool> showParameters{
      "show-parameters", cl::cat(category),
      cl::desc("say on stderr which tensors are parameters, and why")};
};

Error badOption(const Twine &message) { return createStringError(message); }

Error readDims(const Options &options, CompileOptions &result) {
  for (const std::string &dim : options.dims) {
    auto [name, text] = StringRef(dim).split('=');
    int64_t value = 0;
    if (name.empty() || text.getAsInteger(10, value) || value < 1)
      return badOption("--dim=" + dim +
                       ": expected NAME=N with a positive integer N");
    result.import.dims[name.str()] = value;
  }
  return Error::success();
}

Error readSemantics(const Options &options, ScheduleOptions &result) {
  if (options.semantics == "synchronous")
    result.semantics = Semantics::Synchronous;
  else if (options.semantics == "delayed")
    result.semantics = Semantics::Delayed;
  else if (options.semantics != "any")
    return badOption("--semantics=" + options.semantics +
                     ": expected synchronous, delayed or any");
  return Error::success();
}

/// To a terminal only, so that logs stay the same from run to run.
void showProgress(int64_t best, int64_t bound) {
  double gap =
      100 * (1 - static_cast<double>(bound) / static_cast<double>(best));
  errs() << "taktc: best interval " << best << ", bound " << bound << ", gap "
         << format("%.2f", std::max(0.0, gap)) << " %\n";
}

/// What only some schedulers ask for.
Error readReplication(const Options &options, ScheduleOptions &result) {
  if (options.synchronization == "sum")
    result.synchronization = SynchronizationForm::Sum;
  else if (options.synchronization == "max")
    result.synchronization = SynchronizationForm::Max;
  else if (options.synchronization.getNumOccurrences())
    return badOption("--synchronization=" + options.synchronization +
                     ": expected sum or max");
  for (const std::string &level : options.bandwidthLevels) {
    auto [count, bytes] = StringRef(level).split('x');
    BandwidthLevel of;
    if (count.getAsInteger(10, of.count) || of.count < 1 ||
        of.count > Machine::kMaxProcessors ||
        bytes.getAsDouble(of.bytesPerCycle) ||
        !(of.bytesPerCycle > 0 && of.bytesPerCycle <= Machine::kMaxRate))
      return badOption("--bandwidth-levels=" + level +
                       ": expected COUNTxBYTES, with 1 to " +
                       Twine(Machine::kMaxProcessors) +
                       " groups and a positive number of bytes a cycle");
    result.bandwidthLevels.push_back(of);
  }
  return Error::success();
}

Error readRateSchedule(const Options &options, LowerOptions &result) {
  if (options.rateSchedule.getNumOccurrences()) {
    auto schedule = parseLearningRateSchedule(options.rateSchedule);
    if (!schedule)
      return badOption("--learning-rate-schedule: " +
                       toString(schedule.takeError()));
    result.rateSchedule = *schedule;
  }
  if (options.warmup < 0 || options.warmup > kMaxScalingSteps)
    return badOption("--warmup=" + Twine(options.warmup) + ": expected 0 to " +
                     Twine(kMaxScalingSteps) + " updates");
  result.rateSchedule.warmup = options.warmup;
  return Error::success();
}

Error readGroups(const Options &options, DifferentiateOptions &result) {
  for (const std::string &text : options.groups) {
    Expected<ParameterGroup> group = parseParameterGroup(text);
    if (!group)
      return badOption("--parameter-group: " + toString(group.takeError()));
    result.groups.push_back(std::move(*group));
  }
  return Error::success();
}

Expected<CompileOptions> readOptions(const Options &options) {
  CompileOptions result;
  if (options.mode != "train" && options.mode != "forward")
    return badOption("--mode=" + options.mode + ": expected train or forward");
  if (options.batch < 0 ||
      (options.batch == 0 && options.batch.getNumOccurrences()))
    return badOption("--batch=" + Twine(options.batch) +
                     ": expected a positive integer");
  if (options.microbatches < 1)
    return badOption("--microbatches=" + Twine(options.microbatches) +
                     ": expected a positive integer");
  if (options.batch % options.microbatches != 0 ||
      (options.batch == 0 && options.microbatches > 1))
    return badOption("--microbatches=" + Twine(options.microbatches) +
                     ": expected a divisor of the samples in --batch=" +
                     Twine(options.batch));
  if (options.tolerance < 0 || options.tolerance > 1000)
    return badOption("--interval-tolerance: expected per cent from 0 to 1000");
  if (!(options.minibatchScale > 0 && options.minibatchScale <= 1e6))
    return badOption("--minibatch-scale: expected a number above 0, at most "
                     "1000000");
  if (options.timeLimit.getNumOccurrences() && options.timeLimit < 1)
    return badOption("--time-limit=" + Twine(options.timeLimit) +
                     ": expected a positive number of seconds");
  if (options.objective.getNumOccurrences() &&
      options.tolerance.getNumOccurrences())
    return badOption("--interval-tolerance is the objective's interval:N%, "
                     "expected only one of the two");
  if (options.pareto && (options.objective.getNumOccurrences() ||
                         options.tolerance.getNumOccurrences()))
    return badOption("--pareto shows all trades, expected it without "
                     "--objective and --interval-tolerance");
  if (options.pareto && options.emit != EmitKind::Report &&
      options.emit != EmitKind::Html)
    return badOption("--pareto is for --emit=report and --emit=html");
  if (!options.checkpoint.empty() && options.emit != EmitKind::Onnx)
    return badOption("--checkpoint is for --emit=onnx");
  if (options.emit == EmitKind::OnnxGradients &&
      (options.mode == "forward" || options.microbatches > 1))
    return badOption("--emit=onnx-gradients is of training with whole "
                     "minibatches, expected it without --mode=forward and "
                     "--microbatches");
  if (options.stages < 0)
    return badOption("--stages=" + Twine(options.stages) +
                     ": expected 0 or more");
  if (!(options.learningRate >= 0))
    return badOption("--learning-rate: expected a number that is not negative");
  if (options.delayScaling < 0 || options.delayScaling > kMaxScalingSteps)
    return badOption("--learning-rate-by-delay=" + Twine(options.delayScaling) +
                     ": expected 0 to " + Twine(kMaxScalingSteps) +
                     " minibatches");
  if (Error error = readDims(options, result))
    return std::move(error);
  result.forwardOnly = options.mode == "forward";
  result.recomputation = options.recompute;
  if (result.forwardOnly && options.recompute != Recomputation::None)
    return badOption("--recompute is for training, expected it without "
                     "--mode=forward");
  std::pair<StringRef, bool> ofTraining[] = {
      {"--freeze", !options.freeze.empty()},
      {"--parameter-group", !options.groups.empty()},
      {"--clip-value", options.clipValue.getNumOccurrences() > 0}};
  for (auto [name, given] : ofTraining)
    if (result.forwardOnly && given)
      return badOption(name + " is for training, expected it without "
                              "--mode=forward");
  result.frozen = {options.freeze.begin(), options.freeze.end()};
  result.microbatches = options.microbatches;
  result.import.batch = options.batch / options.microbatches;
  result.import.mode =
      result.forwardOnly ? ImportMode::Forward : ImportMode::Train;
  result.differentiate = {options.loss,        options.optimizer,
                          options.momentum,    options.nesterov,
                          options.weightDecay, options.beta1,
                          options.beta2,       options.epsilon,
                          options.clipValue,   {}};
  if (Error error = readGroups(options, result.differentiate))
    return std::move(error);
  result.lowering.learningRate = options.learningRate;
  result.lowering.delayScalingSteps = options.delayScaling;
  if (Error error = readRateSchedule(options, result.lowering))
    return std::move(error);
  result.scheduling.stages = options.stages;
  if (options.weights.getNumOccurrences())
    result.scheduling.weights = options.weights;
  result.scheduling.intervalTolerance =
      static_cast<int>(options.tolerance * 10 + 0.5);
  if (options.timeLimit.getNumOccurrences())
    result.scheduling.timeLimitSeconds = options.timeLimit;
  result.scheduling.seed = options.seed;
  result.scheduling.cuts = options.cuts;
  if (Error error = readSemantics(options, result.scheduling))
    return std::move(error);
  if (sys::Process::StandardErrIsDisplayed())
    result.scheduling.onProgress = showProgress;
  if (options.objective.getNumOccurrences()) {
    auto objective = parseObjective(options.objective);
    if (!objective)
      return badOption("--objective=" + options.objective + ": " +
                       toString(objective.takeError()));
    result.scheduling.objective = std::move(*objective);
  }
  if (Error error = readReplication(options, result.scheduling))
    return std::move(error);
  return result;
}

/// What the options ask to be told instead of compiling. True when it was.
bool answerQuestions(const Options &options) {
  if (options.listSchedules)
    for (const SchedulerInfo &info : schedulers())
      outs() << left_justify(info.name, 21) << info.summary << "\n";
  if (options.listSchedules) {
    outs() << "\nof --microbatches, and of pipeline problems (takt-pipeline "
              "files):\n";
    for (const PipelineScheduler &info : pipelineSchedulers())
      outs() << left_justify(info.name, 21) << info.summary << "\n";
  }
  if (options.listOps)
    listOps(outs());
  if (options.printOperators)
    printOperatorPage(outs());
  return options.listSchedules || options.listOps || options.printOperators;
}

/// The machine file, or the default machine with the links asked for.
Expected<Machine> readMachine(const Options &options) {
  if (!options.topology.getNumOccurrences())
    return loadMachine(options.machine, options.processors);
  if (options.machine.getNumOccurrences())
    return badOption("--topology=" + options.topology +
                     ": is for the default machine, and " + options.machine +
                     " has its own interconnect");
  std::optional<int64_t> processors;
  if (options.processors.getNumOccurrences())
    processors = options.processors;
  Expected<Interconnect> links =
      parseInterconnect(options.topology, processors);
  if (!links)
    return badOption("--topology=" + options.topology + ": " +
                     toString(links.takeError()));
  Expected<Machine> machine = Machine::uniform(*processors);
  if (!machine)
    return machine;
  machine->interconnect = std::move(*links);
  if (Error error = machine->connect())
    return badOption("--topology=" + options.topology + ": " +
                     toString(std::move(error)));
  return machine;
}

ProblemDefaults problemDefaults(const Options &options,
                                const Machine &machine) {
  return {machine,
          options.machine.getNumOccurrences() != 0 ||
              options.topology.getNumOccurrences() != 0 ||
              options.processors.getNumOccurrences() != 0,
          options.cost, options.cost.getNumOccurrences() != 0,
          options.minibatchScale};
}

Error compileAndEmit(const Options &options) {
  Expected<CompileOptions> compile = readOptions(options);
  if (!compile)
    return compile.takeError();
  if (options.emit == EmitKind::CHeader)
    return emitCHeaderFile(options.output);
  Expected<Machine> machine = readMachine(options);
  if (!machine)
    return machine.takeError();
  if (options.dumpMachine) {
    outs() << machine->canonicalText();
    return Error::success();
  }
  if (options.input.empty())
    return badOption("no model given: taktc MODEL.onnx -o OUT (--help tells "
                     "the options)");
  if (options.output.empty() && !options.explain)
    return badOption("no output file given: -o OUT");
  EmitRequest request{options.emit,
                      options.input,
                      options.output,
                      options.schedule,
                      {options.compare.begin(), options.compare.end()},
                      options.showParameters,
                      options.checkpoint,
                      options.explain,
                      options.pareto};
  if (options.explain && request.output.empty())
    request.output = "-";
  auto buffer = MemoryBuffer::getFileOrSTDIN(options.input);
  if (!buffer)
    return createStringError(options.input + ": " +
                             buffer.getError().message());
  std::shared_ptr<MemoryBuffer> file = std::move(*buffer);
  MemoryBufferRef content(file->getBuffer(), options.input);
  if (InputKind kind = classifyInput(options.input, content.getBuffer());
      kind != InputKind::Onnx) {
    if (compile->recomputation != Recomputation::None)
      return badOption("--recompute is for models: the tasks of " +
                       options.input + " are as they are");
    if (options.explain)
      return badOption("--explain is for models: " + options.input +
                       " is a problem without a network");
    return emitProblem(kind, content, request,
                       problemDefaults(options, *machine), compile->scheduling);
  }
  auto cost = createCostModel(options.cost);
  if (!cost)
    return cost.takeError();
  compile->import.owner = file;
  return emitModel(content, request, *machine, **cost, *compile);
}
} // namespace

int takt::taktcMain(int argc, char **argv) {
  InitLLVM init(argc, argv);
  Options options;
  cl::HideUnrelatedOptions(category);
  registerVersion();
  cl::ParseCommandLineOptions(
      argc, argv,
      "taktc: compiles the training of an ONNX model for an array of "
      "processors\n");
  if (answerQuestions(options))
    return 0;
  return exitCode("taktc", compileAndEmit(options));
}
