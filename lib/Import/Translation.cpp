//===- Translation.cpp - --import-onnx for takt-translate -----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-translate/Translation.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Import/ImportOnnx.h"
#include "llvm/Support/CommandLine.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace takt;
namespace cl = llvm::cl;

namespace {
struct TranslationOptions {
  cl::opt<int64_t> batch{"batch", cl::value_desc("N"), cl::init(0),
                         cl::desc("size of the batch dimension")};
  cl::list<std::string> dims{"dim", cl::value_desc("NAME=N"),
                             cl::desc("size of a symbolic dimension")};
  cl::opt<ImportMode> mode{
      "mode", cl::desc("what the model is imported for"),
      cl::init(ImportMode::Train),
      cl::values(
          clEnumValN(ImportMode::Train, "train", "training"),
          clEnumValN(ImportMode::Forward, "forward", "the forward pass"))};
  cl::opt<BatchNormMode> batchNorm{
      "batch-norm", cl::desc("which statistics batch normalization has"),
      cl::init(BatchNormMode::AsModel),
      cl::values(
          clEnumValN(BatchNormMode::AsModel, "model", "as the model says"),
          clEnumValN(BatchNormMode::Training, "training", "the minibatch's"),
          clEnumValN(BatchNormMode::Frozen, "frozen", "the running ones"))};
  cl::opt<bool> showParameters{
      "show-parameters",
      cl::desc("say on stderr which tensors are parameters, and why")};
};
} // namespace

static LogicalResult readOptions(const TranslationOptions &flags,
                                 MLIRContext *context, ImportOptions &options) {
  options.batch = flags.batch;
  options.mode = flags.mode;
  options.batchNorm = flags.batchNorm;
  for (const std::string &dim : flags.dims) {
    auto [name, text] = StringRef(dim).split('=');
    int64_t size = 0;
    if (name.empty() || text.getAsInteger(10, size) || size < 1)
      return emitError(UnknownLoc::get(context))
             << "--dim=" << dim
             << ": expected NAME=N with a positive integer N";
    options.dims[name.str()] = size;
  }
  return success();
}

void takt::registerImportOnnxTranslation() {
  static TranslationOptions flags;
  TranslateToMLIRRegistration registration(
      "import-onnx", "import an ONNX model, protobuf or text",
      [](llvm::SourceMgr &sources,
         MLIRContext *context) -> OwningOpRef<Operation *> {
        ImportOptions options;
        if (failed(readOptions(flags, context, options)))
          return nullptr;
        OwningOpRef<ModuleOp> module =
            importOnnx(*sources.getMemoryBuffer(sources.getMainFileID()),
                       *context, options);
        if (module && flags.showParameters)
          printParameters(*module, llvm::errs());
        return OwningOpRef<Operation *>(module ? module.release().getOperation()
                                               : nullptr);
      },
      [](DialectRegistry &registry) {
        registry.insert<func::FuncDialect, train::TrainDialect>();
      });
}
