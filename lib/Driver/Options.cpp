//===- Options.cpp - the options of taktc ---------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "takt/Scheduling/Objective.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Process.h"
#include <cmath>

using namespace llvm;
using namespace takt;

/// Beyond this a double does not tell one minibatch from the next.
static constexpr int64_t kMaxScalingSteps =
    static_cast<int64_t>(kMaxIterations);

Error takt::badOption(const Twine &message) {
  return createStringError(message);
}

static Error readDims(const Options &options, CompileOptions &result) {
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

static Error readSemantics(const Options &options, ScheduleOptions &result) {
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
static void showProgress(int64_t best, int64_t bound) {
  double gap =
      100 * (1 - static_cast<double>(bound) / static_cast<double>(best));
  errs() << "taktc: best interval " << best << ", bound " << bound << ", gap "
         << format("%.2f", std::max(0.0, gap)) << " %\n";
}

/// What only some schedulers ask for.
static Error readReplication(const Options &options, ScheduleOptions &result) {
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

static Error readRateSchedule(const Options &options, LowerOptions &result) {
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

static Error readGroups(const Options &options, DifferentiateOptions &result) {
  for (const std::string &text : options.groups) {
    Expected<ParameterGroup> group = parseParameterGroup(text);
    if (!group)
      return badOption("--parameter-group: " + toString(group.takeError()));
    result.groups.push_back(std::move(*group));
  }
  return Error::success();
}

/// The samples and how they are divided.
static Error checkBatch(const Options &options) {
  if (options.batch < 0 ||
      (options.batch == 0 && options.batch.getNumOccurrences()))
    return badOption("--batch=" + Twine(options.batch) +
                     ": expected a positive integer");
  if (options.microbatches < 1)
    return badOption("--microbatches=" + Twine(options.microbatches) +
                     ": expected a positive integer");
  if (options.batch == 0 && options.microbatches > 1)
    return badOption("--microbatches=" + Twine(options.microbatches) +
                     ": expected --batch=N, too, the samples of all of them; a "
                     "batch that the model fixes is that of one");
  if (options.batch % options.microbatches != 0)
    return badOption("--microbatches=" + Twine(options.microbatches) +
                     ": expected a divisor of the samples in --batch=" +
                     Twine(options.batch));
  return Error::success();
}

static Error checkSearch(const Options &options) {
  if (options.tolerance < 0 || options.tolerance > 1000)
    return badOption("--interval-tolerance: expected per cent from 0 to 1000");
  if (!(options.minibatchScale > 0 && options.minibatchScale <= 1e6))
    return badOption("--minibatch-scale: expected a number above 0, at most "
                     "1000000");
  if (options.timeLimit.getNumOccurrences() && options.timeLimit < 1)
    return badOption("--time-limit=" + Twine(options.timeLimit) +
                     ": expected a positive number of seconds");
  if (options.stages < 0)
    return badOption("--stages=" + Twine(options.stages) +
                     ": expected 0 or more");
  if (options.objective.getNumOccurrences() &&
      options.tolerance.getNumOccurrences())
    return badOption("--interval-tolerance is the objective's interval:N%, "
                     "expected only one of the two");
  if (options.pareto && (options.objective.getNumOccurrences() ||
                         options.tolerance.getNumOccurrences()))
    return badOption("--pareto shows all trades, expected it without "
                     "--objective and --interval-tolerance");
  return Error::success();
}

/// Options that belong to some kinds of output.
static Error checkEmit(const Options &options) {
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
  return Error::success();
}

static Error checkTraining(const Options &options) {
  if (!(options.learningRate >= 0))
    return badOption("--learning-rate: expected a number that is not negative");
  if (options.delayScaling < 0 || options.delayScaling > kMaxScalingSteps)
    return badOption("--learning-rate-by-delay=" + Twine(options.delayScaling) +
                     ": expected 0 to " + Twine(kMaxScalingSteps) +
                     " minibatches");
  if (!(options.lossScale > 0) || std::isinf(options.lossScale))
    return badOption("--loss-scale: expected a positive number");
  std::pair<StringRef, bool> ofTraining[] = {
      {"--recompute", options.recompute != Recomputation::None},
      {"--batch-norm", options.batchNorm.getNumOccurrences() > 0},
      {"--freeze", !options.freeze.empty()},
      {"--parameter-group", !options.groups.empty()},
      {"--class-axis", options.classAxis.getNumOccurrences() > 0},
      {"--loss-scale", options.lossScale.getNumOccurrences() > 0},
      {"--clip-value", options.clipValue.getNumOccurrences() > 0},
      {"--clip-norm", options.clipNorm.getNumOccurrences() > 0}};
  for (auto [name, given] : ofTraining)
    if (options.mode == "forward" && given)
      return badOption(name + " is for training, expected it without "
                              "--mode=forward");
  if (options.clipNorm.getNumOccurrences() &&
      !(options.clipNorm > 0 && std::isfinite(options.clipNorm)))
    return badOption("--clip-norm: expected a positive number");
  if (options.classAxis.getNumOccurrences() &&
      (options.classAxis == 0 || options.loss != LossKind::SoftmaxCrossEntropy))
    return badOption("--class-axis=" + Twine(options.classAxis) +
                     ": expected an axis other than the samples', 0, for "
                     "--loss=softmax-cross-entropy");
  return Error::success();
}

static Error checkAll(const Options &options) {
  if (options.mode != "train" && options.mode != "forward")
    return badOption("--mode=" + options.mode + ": expected train or forward");
  for (Error (*part)(const Options &) :
       {checkBatch, checkSearch, checkEmit, checkTraining})
    if (Error error = part(options))
      return error;
  return Error::success();
}

static Error readTraining(const Options &options, CompileOptions &result) {
  result.frozen = {options.freeze.begin(), options.freeze.end()};
  result.differentiate = {
      options.loss,        options.classAxis,
      options.optimizer,   options.momentum,
      options.nesterov,    options.lossScale.getNumOccurrences() > 0,
      options.weightDecay, options.beta1,
      options.beta2,       options.epsilon,
      options.clipValue,   {}};
  if (options.lossScale.getNumOccurrences())
    result.lowering.lossScale = options.lossScale;
  result.clipNorm = options.clipNorm;
  result.lowering.learningRate = options.learningRate;
  result.lowering.delayScalingSteps = options.delayScaling;
  if (Error error = readGroups(options, result.differentiate))
    return error;
  return readRateSchedule(options, result.lowering);
}

static Error readScheduling(const Options &options, ScheduleOptions &result) {
  result.stages = options.stages;
  if (options.weights.getNumOccurrences())
    result.weights = options.weights;
  result.intervalTolerance = static_cast<int>(options.tolerance * 10 + 0.5);
  if (options.timeLimit.getNumOccurrences())
    result.timeLimitSeconds = options.timeLimit;
  result.seed = options.seed;
  result.cuts = options.cuts;
  if (sys::Process::StandardErrIsDisplayed())
    result.onProgress = showProgress;
  if (Error error = readSemantics(options, result))
    return error;
  if (options.objective.getNumOccurrences()) {
    auto objective = parseObjective(options.objective);
    if (!objective)
      return badOption("--objective=" + options.objective + ": " +
                       toString(objective.takeError()));
    result.objective = std::move(*objective);
  }
  return readReplication(options, result);
}

Expected<CompileOptions> takt::readOptions(const Options &options) {
  if (Error error = checkAll(options))
    return std::move(error);
  CompileOptions result;
  result.forwardOnly = options.mode == "forward";
  result.recomputation = options.recompute;
  result.microbatches = options.microbatches;
  result.import.batch = options.batch / options.microbatches;
  result.import.mode =
      result.forwardOnly ? ImportMode::Forward : ImportMode::Train;
  result.import.batchNorm = options.batchNorm;
  if (Error error = readDims(options, result))
    return std::move(error);
  if (Error error = readTraining(options, result))
    return std::move(error);
  if (Error error = readScheduling(options, result.scheduling))
    return std::move(error);
  return result;
}

Expected<Machine> takt::readMachine(const Options &options) {
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
