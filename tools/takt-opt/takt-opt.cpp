//===- takt-opt.cpp - any pass or pipeline on .mlir text ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-opt/MlirOptMain.h"
#include "mlir/Transforms/Passes.h"
#include "takt/Dialect/Sched/Passes.h"
#include "takt/Dialect/Stream/Stream.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Driver/Passes.h"
#include "takt/Support/FileOutput.h"
#include "takt/Support/Tool.h"
#include "takt/Transforms/Passes.h"
#include "takt/Transforms/Pipelines.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace mlir;

/// Like MlirOptMain with file names, but an output file that is there stays
/// until its successor is whole.
static llvm::Error optimize(StringRef input, StringRef output,
                            DialectRegistry &registry,
                            const MlirOptMainConfig &config) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file = openInputFile(input, &message);
  if (!file)
    return llvm::createStringError(message);
  bool failedBefore = false;
  llvm::Error error = takt::writeFile(output, [&](llvm::raw_ostream &os) {
    failedBefore = failed(MlirOptMain(os, std::move(file), registry, config));
    return failedBefore ? llvm::createStringError("") : llvm::Error::success();
  });
  if (!failedBefore)
    return error;
  consumeError(std::move(error));
  return llvm::createStringError(""); // the diagnostics have said it all
}

int main(int argc, char **argv) {
  DialectRegistry registry;
  registry.insert<func::FuncDialect, takt::train::TrainDialect,
                  takt::sched::SchedDialect, takt::stream::StreamDialect>();
  registerCanonicalizerPass();
  registerCSEPass();
  takt::registerTaktTransformsPasses();
  takt::registerTransformPipelines();
  takt::sched::registerSchedPasses();
  takt::registerTaktDriverPasses();
  takt::registerVersion();
  auto [input, output] = registerAndParseCLIOptions(
      argc, argv, "Takt optimizer driver\n", registry);
  MlirOptMainConfig config = MlirOptMainConfig::createFromCLOptions();
  if (output == "-" || config.shouldListPasses() || config.shouldShowDialects())
    return asMainReturnCode(MlirOptMain(argc, argv, input, output, registry));
  llvm::InitLLVM init(argc, argv);
  return takt::exitCode("takt-opt", optimize(input, output, registry, config));
}
