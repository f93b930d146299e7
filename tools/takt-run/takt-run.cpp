//===- takt-run.cpp - trains with a program's bytes -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Options.h"
#include "Summary.h"
#include "takt/Export/OnnxWeights.h"
#include "takt/Runtime/Executor.h"
#include "takt/Runtime/Sequential.h"
#include "takt/Support/MappedPages.h"
#include "takt/Support/Tool.h"
#include "takt/Target/BindingTurns.h"
#include "takt/Target/Container.h"
#include "takt/Target/Validate.h"
#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;
using namespace takt;

namespace {
/// One invocation: what was read, and how to run it.
class Session {
public:
  explicit Session(const Options &options) : options(options) {}
  Error run();

private:
  Error loadProgram();
  Error setScalars();
  Error loadData();
  Error loadWeights();
  Error openModel();
  Error runBoth();
  Error runOnce();
  Error report(RunResult &result, double seconds);
  Error save(const RunResult &result);
  void trimOutputs(RunResult &result) const;

  const Options &options;
  std::shared_ptr<MemoryBuffer> file; ///< the program's
  Program program;
  bool forward = false;
  std::vector<Array> arrays, weights;
  std::unique_ptr<HostData> data;
  std::optional<OnnxWeights> model; ///< that gets the trained weights
  uint64_t samples = 0;             ///< 0: made up, without end
  uint64_t batch = 1;               ///< samples
  uint64_t epoch = 1;               ///< iterations
  RunOptions runOptions;
};
} // namespace

Error Session::loadProgram() {
  auto buffer = MemoryBuffer::getFile(options.program, /*IsText=*/false,
                                      /*RequiresNullTerminator=*/false);
  if (!buffer)
    return createStringError(options.program + ": " +
                             buffer.getError().message());
  file = std::move(*buffer);
  ArrayRef<uint8_t> bytes = arrayRefFromStringRef(file->getBuffer());
  Expected<Program> decoded = decode(bytes, file);
  if (!decoded)
    return createStringError(options.program + ": " +
                             toString(decoded.takeError()));
  program = std::move(*decoded);
  forward = isForwardProgram(program);
  if (Error error = setScalars())
    return error;
  if (!options.checkpoint.empty())
    runOptions.checkpoint.programHash = SHA256::hash(bytes);
  releasePages(*file); // most of it are weights, which come later
  return Error::success();
}

/// What the host writes into the program's run-time scalars.
Error Session::setScalars() {
  for (const auto &[name, value] : options.scalars) {
    auto found =
        find_if(program.scalars, [&, name = name](const ScalarInfo &s) {
          return s.name == name;
        });
    if (found == program.scalars.end() || name == "iterations") {
      std::string names;
      for (const ScalarInfo &scalar : program.scalars)
        if (scalar.name != "iterations")
          names += (names.empty() ? "" : ", ") + scalar.name;
      return createStringError(
          "--scalar=" + name +
          ": the program has no such scalar to set, only " + names);
    }
    found->value = value;
  }
  if (options.scalars.empty())
    return Error::success();
  if (Error error = validate(program))
    return createStringError("--scalar: " + toString(std::move(error)));
  return Error::success();
}

Error Session::loadData() {
  constexpr size_t kIterations = 1; // run-time scalar
  if (options.data.empty()) {
    data = makeSyntheticData(program, options.seed);
    if (!forward && program.scalars.size() > kIterations &&
        program.scalars[kIterations].value >= 1)
      epoch = static_cast<uint64_t>(program.scalars[kIterations].value);
  } else {
    Expected<std::vector<Array>> read = readArrayFile(options.data);
    if (!read)
      return read.takeError();
    arrays = std::move(*read);
    SamplingOptions sampling;
    sampling.shuffle = options.shuffle && !forward;
    sampling.seed = options.seed;
    sampling.keepIncomplete = forward;
    auto created = ArrayData::create(program, arrays, sampling);
    if (!created)
      return createStringError(options.data + ": " +
                               toString(created.takeError()));
    // An iteration may be of several minibatches. Training leaves an incomplete
    // one to the next epoch, a forward pass is of all samples.
    uint64_t minibatches = (*created)->minibatchesPerEpoch();
    uint64_t several = BindingTurns(program).minibatches();
    epoch = forward ? divideCeil(minibatches, several)
                    : std::max<uint64_t>(1, minibatches / several);
    samples = (*created)->samples();
    batch = (*created)->samplesPerMinibatch();
    data = std::move(*created);
    // Accuracy still needs the labels; everything else has been copied.
    erase_if(arrays, [](const Array &array) { return array.name != "label"; });
  }
  runOptions.data = data.get();
  runOptions.iterations = options.iterations.value_or(epoch);
  return Error::success();
}

Error Session::loadWeights() {
  if (options.weights.empty())
    return Error::success();
  Expected<std::vector<Array>> read = readArrayFile(options.weights);
  if (!read)
    return read.takeError();
  weights = std::move(*read);
  size_t used = 0;
  StringSet<> known; // several parameters may be parts of one tensor
  for (const Parameter &parameter : program.parameters)
    if (parameter.kind != ParameterKind::Derived && // of another one
        known.insert(parameter.name).second)
      used += findArray(weights, parameter.name) != nullptr;
  if (used == 0)
    return createStringError(
        options.weights + ": no array has the name of a parameter" +
        (program.parameters.empty()
             ? Twine(", the program has none")
             : ", expected for example '" + program.parameters[0].name + "'"));
  outs() << used << " of " << known.size() << " parameters from "
         << options.weights << "\n";
  runOptions.weights = weights;
  return Error::success();
}

/// What the run returns of the model; the optimizer's state is its own.
static std::vector<WeightDeclaration> modelWeights(const Program &program,
                                                   ArrayRef<Array> given) {
  std::vector<WeightDeclaration> weights;
  for (const Parameter &parameter : program.parameters) {
    if (!isFloatType(parameter.home.type) ||
        parameter.kind == ParameterKind::OptimizerState ||
        !isReturned(parameter, given))
      continue;
    std::vector<int64_t> dims = wholeDims(program, parameter);
    weights.push_back({parameter.name, {dims.begin(), dims.end()}});
  }
  return weights;
}

/// Before the training and not after it, so that nothing is trained in vain.
Error Session::openModel() {
  if (options.saveOnnx.empty())
    return Error::success();
  Expected<OnnxWeights> opened =
      OnnxWeights::open(options.model, modelWeights(program, weights));
  if (!opened)
    return opened.takeError();
  model.emplace(std::move(*opened));
  return Error::success();
}

static double secondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin)
      .count();
}

Error Session::runBoth() {
  Expected<RunResult> parallel = execute(program, runOptions);
  if (!parallel)
    return parallel.takeError();
  Expected<RunResult> sequential = executeSequentially(program, runOptions);
  if (!sequential)
    return sequential.takeError();
  std::string difference = firstDifference(*parallel, *sequential);
  if (!difference.empty())
    return createStringError("the processors and the sequential interpreter "
                             "differ: " +
                             difference);
  outs() << "identical after " << runOptions.iterations << " iterations on "
         << program.code.size() << " processors: losses "
         << parallel->losses.size() << ", parameters "
         << parallel->parameters.size() << ", outputs "
         << parallel->outputs.size() << "\n";
  if (options.printStaleness)
    printStaleness(outs(), program, *parallel);
  return save(*parallel);
}

Error Session::runOnce() {
  std::optional<RunProfile> profile;
  if (options.profile)
    runOptions.profile = &profile.emplace(program);
  auto begin = std::chrono::steady_clock::now();
  Expected<RunResult> result = [&] {
    Progress progress(runOptions.iterations);
    runOptions.onLoss = [&](uint64_t minibatch, double loss) {
      progress.show(minibatch, loss);
    };
    return options.sequential ? executeSequentially(program, runOptions)
                              : execute(program, runOptions);
  }();
  if (!result)
    return result.takeError();
  double seconds = secondsSince(begin);
  if (profile)
    printProfile(outs(), program, *profile);
  return report(*result, seconds);
}

/// Removes the rows that only filled up the last minibatch, from the outputs
/// that have a row for each sample.
void Session::trimOutputs(RunResult &result) const {
  if (!forward || samples == 0)
    return;
  uint64_t padded =
      runOptions.iterations * BindingTurns(program).minibatches() * batch;
  for (Array &array : result.outputs) {
    uint64_t rows = array.dims.empty() ? 0 : array.dims[0];
    if (rows != padded || rows <= samples)
      continue;
    array.data.resize(array.data.size() / rows * samples);
    array.dims[0] = static_cast<int64_t>(samples);
  }
}

Error Session::report(RunResult &result, double seconds) {
  trimOutputs(result);
  if (options.printStaleness)
    printStaleness(outs(), program, result);
  if (Error error = save(result))
    return error;
  if (forward)
    if (Error error = printAccuracy(outs(), result, arrays))
      return createStringError(options.data + ": " +
                               toString(std::move(error)));
  printSummary(outs(), program, result, runOptions.iterations, seconds);
  return Error::success();
}

Error Session::save(const RunResult &result) {
  std::pair<StringRef, ArrayRef<Array>> files[] = {
      {options.saveWeights, result.parameters},
      {options.saveGradients, result.gradients},
      {options.saveOutputs, result.outputs}};
  for (auto [path, saved] : files)
    if (!path.empty())
      if (Error error = writeNpz(path, saved))
        return error;
  if (model)
    return model->write(options.saveOnnx, result.parameters);
  return Error::success();
}

Error Session::run() {
  if (Error error = loadProgram())
    return error;
  if (options.forward && !forward)
    return createStringError(
        "--forward: '" + options.program +
        "' trains; taktc --mode=forward compiles for this");
  if (forward && !options.checkpoint.empty())
    return createStringError("--checkpoint: a forward program has no state to "
                             "continue from");
  if (forward && !options.saveOnnx.empty())
    return createStringError("--save-onnx: a forward program trains nothing");
  if (Error error = loadData())
    return error;
  if (Error error = loadWeights())
    return error;
  if (Error error = openModel())
    return error;
  runOptions.learningRate = options.learningRate;
  // A forward program is asked about its samples, all of them, once.
  runOptions.keepAllOutputs = forward && samples != 0;
  if (runOptions.keepAllOutputs && runOptions.iterations > epoch)
    return createStringError("--iterations=" + Twine(runOptions.iterations) +
                             ": the data has " + Twine(epoch) +
                             " minibatches for a forward program");
  runOptions.keepParameters =
      options.verify || model || !options.saveWeights.empty();
  runOptions.keepGradients = !options.saveGradients.empty();
  // The file's pages can be read again, should anybody ask.
  runOptions.onInitialized = [this] { releasePages(*file); };
  runOptions.checkpoint.directory = options.checkpoint;
  runOptions.checkpoint.every = options.checkpointEvery;
  runOptions.checkpoint.resume = options.resume;
  runOptions.checkpoint.dataSeed = options.seed;
  return options.verify ? runBoth() : runOnce();
}

static Error runSession(const Options &options) {
  try {
    return Session(options).run();
  } catch (const std::bad_alloc &) {
    return createStringError("out of memory");
  }
}

int main(int argc, char **argv) {
  InitLLVM init(argc, argv);
  Expected<Options> options = readOptions(argc, argv);
  return exitCode("takt-run",
                  options ? runSession(*options) : options.takeError());
}
