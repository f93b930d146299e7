//===- Options.cpp - the command line of takt-run -------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "takt/Support/Tool.h"
#include "llvm/Support/CommandLine.h"
#include <cmath>

using namespace llvm;
using namespace takt;

namespace {
cl::OptionCategory category("takt-run options");

/// The options as the command-line library sees them.
struct Flags {
  cl::opt<std::string> program{cl::Positional, cl::desc("PROGRAM.takt"),
                               cl::cat(category)};
  cl::opt<std::string> data{
      "data", cl::value_desc("FILE.npz"), cl::cat(category),
      cl::desc("samples: arrays named as the model's inputs, and label or "
               "target (default: made up from the seed)")};
  cl::opt<uint64_t> iterations{
      "iterations", cl::value_desc("N"), cl::cat(category),
      cl::desc("iterations, of one minibatch each but where layers have "
               "replicas (default: one epoch of the data; without data, as the "
               "program says)")};
  cl::opt<std::string> weights{
      "weights", cl::value_desc("FILE.npz"), cl::cat(category),
      cl::desc("initial parameters by name (default: the model's own)")};
  cl::opt<std::string> saveWeights{
      "save-weights", cl::value_desc("FILE.npz"), cl::cat(category),
      cl::desc("write trained parameters, states and optimizer states")};
  cl::opt<std::string> saveOnnx{
      "save-onnx", cl::value_desc("OUT.onnx"), cl::cat(category),
      cl::desc("write --model with the trained parameters and states in it")};
  cl::opt<std::string> model{
      "model", cl::value_desc("MODEL.onnx"), cl::cat(category),
      cl::desc("what the program was compiled from, for --save-onnx")};
  cl::opt<std::string> saveGradients{
      "save-gradients", cl::value_desc("FILE.npz"), cl::cat(category),
      cl::desc("write the gradients of the last updates by parameter")};
  cl::opt<std::string> saveOutputs{
      "save-outputs", cl::value_desc("FILE.npz"), cl::cat(category),
      cl::desc("write the outputs of the last minibatch; of a forward program, "
               "of all samples")};
  cl::opt<std::string> checkpoint{
      "checkpoint", cl::value_desc("DIR"), cl::cat(category),
      cl::desc("save the machine's state there after the last iteration")};
  cl::opt<uint64_t> checkpointEvery{
      "checkpoint-every", cl::value_desc("K"), cl::cat(category), cl::init(0),
      cl::desc("save it every K iterations, too")};
  cl::opt<bool> resume{
      "resume", cl::cat(category),
      cl::desc("continue from the checkpoint up to --iterations in all")};
  cl::opt<bool> forward{
      "forward", cl::cat(category),
      cl::desc("the program is a forward one; refuse one that trains")};
  cl::opt<bool> sequential{
      "sequential", cl::cat(category),
      cl::desc("the reference interpreter of the same tasks on one thread")};
  cl::opt<bool> verify{
      "verify", cl::cat(category),
      cl::desc("run both ways and compare losses and parameters bit for bit")};
  cl::opt<double> learningRate{"learning-rate", cl::value_desc("X"),
                               cl::cat(category),
                               cl::desc("instead of the program's own")};
  cl::list<std::string> scalars{
      "scalar", cl::value_desc("NAME=X"), cl::cat(category),
      cl::desc("a run-time scalar's value instead of the program's own")};
  cl::opt<bool> printStaleness{
      "print-staleness", cl::cat(category),
      cl::desc("print each parameter's staleness, observed and promised")};
  cl::opt<bool> profile{
      "profile", cl::cat(category),
      cl::desc("print where the time goes: that of an iteration, and of the "
               "kernels, without the first call of each")};
  cl::opt<bool> noShuffle{"no-shuffle", cl::cat(category),
                          cl::desc("take the samples in file order")};
  cl::opt<uint64_t> seed{"seed", cl::cat(category), cl::init(0),
                         cl::desc("of shuffling and made-up data (default 0)")};
};

Error invalid(const Twine &message) { return createStringError(message); }
} // namespace

static Error check(const Flags &flags) {
  constexpr uint64_t kMaxIterations = 1'000'000'000;
  if (flags.program.empty())
    return invalid("no program given: takt-run PROGRAM.takt [options], --help "
                   "lists them");
  if (flags.iterations.getNumOccurrences() &&
      (flags.iterations == 0 || flags.iterations > kMaxIterations))
    return invalid("--iterations=" + Twine(flags.iterations) +
                   ", expected 1 to " + Twine(kMaxIterations));
  if (flags.learningRate.getNumOccurrences() &&
      !std::isfinite(flags.learningRate))
    return invalid("--learning-rate is not finite");
  if (flags.resume && flags.checkpoint.empty())
    return invalid("--resume needs --checkpoint=DIR to resume from");
  if (flags.checkpointEvery && flags.checkpoint.empty())
    return invalid("--checkpoint-every needs --checkpoint=DIR to save to");
  if (flags.resume && !flags.weights.empty())
    return invalid("--resume takes the weights of the checkpoint, it excludes "
                   "--weights");
  if (flags.saveOnnx.empty() != flags.model.empty())
    return invalid("--save-onnx=OUT.onnx and --model=MODEL.onnx, which it "
                   "writes trained weights into, need each other");
  if (flags.verify && flags.sequential)
    return invalid("--verify runs both ways, it excludes --sequential");
  if (!flags.checkpoint.empty() && (flags.verify || flags.sequential))
    return invalid("--checkpoint excludes --sequential and --verify: only the "
                   "processors' state is saved");
  if (flags.verify && flags.profile)
    return invalid("--profile is of one run, it excludes --verify");
  if (flags.sequential && flags.printStaleness)
    return invalid("--print-staleness observes the processors, it excludes "
                   "--sequential");
  return Error::success();
}

Expected<Options> takt::readOptions(int argc, char **argv) {
  Flags flags;
  cl::HideUnrelatedOptions(category);
  registerVersion();
  cl::ParseCommandLineOptions(
      argc, argv,
      "takt-run: trains with a Takt program, or runs a forward program\n");
  if (Error error = check(flags))
    return std::move(error);
  Options options;
  options.program = flags.program;
  options.data = flags.data;
  options.weights = flags.weights;
  options.saveWeights = flags.saveWeights;
  options.saveOnnx = flags.saveOnnx;
  options.model = flags.model;
  options.saveGradients = flags.saveGradients;
  options.saveOutputs = flags.saveOutputs;
  options.checkpoint = flags.checkpoint;
  options.checkpointEvery = flags.checkpointEvery;
  options.resume = flags.resume;
  options.forward = flags.forward;
  options.sequential = flags.sequential;
  options.verify = flags.verify;
  options.printStaleness = flags.printStaleness;
  options.profile = flags.profile;
  options.shuffle = !flags.noShuffle;
  options.seed = flags.seed;
  if (flags.iterations.getNumOccurrences())
    options.iterations = flags.iterations;
  if (flags.learningRate.getNumOccurrences())
    options.learningRate = flags.learningRate;
  for (const std::string &scalar : flags.scalars) {
    auto [name, text] = StringRef(scalar).split('=');
    double value = 0;
    if (name.empty() || text.getAsDouble(value) || !std::isfinite(value))
      return invalid("--scalar=" + scalar +
                     ": expected NAME=X with a finite number X");
    options.scalars.push_back({name.str(), value});
  }
  return options;
}
