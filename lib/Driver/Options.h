//===- Options.h - the options of taktc -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_DRIVER_OPTIONS_H
#define TAKT_LIB_DRIVER_OPTIONS_H

#include "takt/Driver/Compile.h"
#include "takt/Driver/Emit.h"
#include "llvm/Support/CommandLine.h"

namespace takt {

namespace cl = llvm::cl;

/// All options of taktc, made when it starts so that no other tool that links
/// this library has them.
struct Options {
  cl::OptionCategory category{"taktc options"}; ///< of all below

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
  cl::opt<BatchNormMode> batchNorm{
      "batch-norm", cl::cat(category), cl::init(BatchNormMode::AsModel),
      cl::desc("which statistics batch normalization has in training"),
      cl::values(
          clEnumValN(BatchNormMode::AsModel, "model",
                     "the minibatch's where the model is in training form, "
                     "otherwise the running ones (default)"),
          clEnumValN(BatchNormMode::Training, "training", "the minibatch's"),
          clEnumValN(BatchNormMode::Frozen, "frozen",
                     "the running ones, as they are"))};
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
  cl::opt<int64_t> classAxis{
      "class-axis", cl::init(0), cl::cat(category),
      cl::desc("axis of the classes in the output (default: that of its "
               "softmax, else the last of three and 1 of more)")};
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
  cl::opt<double> lossScale{
      "loss-scale", cl::init(1), cl::value_desc("S"), cl::cat(category),
      cl::desc(
          "factor of all gradients until they are weights' in f32, so that "
          "those in f16 do not vanish")};
  cl::opt<double> clipNorm{
      "clip-norm", cl::init(0), cl::cat(category),
      cl::desc("limit of the norm of all gradients together (default: none)")};
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

/// A message as it is: createStringError() of a literal reads it as a format.
llvm::Error badOption(const llvm::Twine &message);

/// The options of the compilation. Fails if they are out of range or contradict
/// each other.
llvm::Expected<CompileOptions> readOptions(const Options &options);

/// The machine file, or the default machine with the links asked for.
llvm::Expected<Machine> readMachine(const Options &options);

} // namespace takt

#endif // TAKT_LIB_DRIVER_OPTIONS_H
