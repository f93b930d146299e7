//===- takt-translate.cpp - between files and IR --------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/AsmState.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Support/FileUtilities.h"
#include "mlir/Tools/mlir-translate/Translation.h"
#include "takt/Dialect/Stream/Conversion.h"
#include "takt/Import/ImportOnnx.h"
#include "takt/Support/FileOutput.h"
#include "takt/Support/Printable.h"
#include "takt/Support/Tool.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/InitLLVM.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
namespace cl = llvm::cl;

/// Translates, with diagnostics on stderr. They quote names and lines of a file
/// that is not trusted.
static LogicalResult translate(const Translation &translation,
                               const std::shared_ptr<llvm::SourceMgr> &sources,
                               llvm::raw_ostream &os) {
  MLIRContext context;
  context.printOpOnDiagnostic(false);
  std::string said;
  llvm::raw_string_ostream diagnostics(said);
  LogicalResult result = [&] {
    SourceMgrDiagnosticHandler handler(*sources, &context, diagnostics);
    return translation(sources, os, &context);
  }();
  StringRef rest = said;
  while (!rest.empty()) {
    auto [line, behind] = rest.split('\n');
    llvm::errs() << takt::printable(line) << "\n";
    rest = behind;
  }
  return result;
}

static llvm::Error run(const Translation &translation, StringRef input,
                       StringRef output) {
  std::string message;
  std::unique_ptr<llvm::MemoryBuffer> file =
      translation.getInputAlignment()
          ? openInputFile(input, *translation.getInputAlignment(), &message)
          : openInputFile(input, &message);
  if (!file)
    return llvm::createStringError(message);
  auto sources = std::make_shared<llvm::SourceMgr>();
  sources->AddNewSourceBuffer(std::move(file), llvm::SMLoc());
  bool failedBefore = false;
  llvm::Error error = takt::writeFile(output, [&](llvm::raw_ostream &os) {
    failedBefore = failed(translate(translation, sources, os));
    return failedBefore ? llvm::createStringError("") : llvm::Error::success();
  });
  if (!failedBefore)
    return error;
  consumeError(std::move(error));
  return llvm::createStringError(""); // the diagnostics have said it all
}

int main(int argc, char **argv) {
  llvm::InitLLVM init(argc, argv);
  takt::registerImportOnnxTranslation();
  takt::stream::registerStreamTranslations();
  cl::opt<std::string> input(cl::Positional, cl::desc("input file"),
                             cl::init("-"));
  cl::opt<std::string> output("o", cl::desc("output file"),
                              cl::value_desc("OUT"), cl::init("-"));
  cl::opt<const Translation *, false, TranslationParser> translation(
      "", cl::desc("Translation to perform"), cl::Required);
  registerAsmPrinterCLOptions();
  registerTranslationCLOptions();
  takt::registerVersion();
  cl::ParseCommandLineOptions(
      argc, argv, "takt-translate: ONNX, IR and program containers\n");
  return takt::exitCode("takt-translate", run(*translation, input, output));
}
