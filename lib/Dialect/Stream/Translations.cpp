//===- Translations.cpp - containers to text and back ---------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "mlir/Tools/mlir-translate/Translation.h"
#include "takt/Dialect/Stream/Conversion.h"
#include "takt/Dialect/Stream/Stream.h"
#include "takt/Target/Container.h"
#include "takt/Target/Validate.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/SourceMgr.h"

using namespace mlir;
using namespace takt;

static OwningOpRef<Operation *> readContainer(llvm::SourceMgr &sources,
                                              MLIRContext *context) {
  const llvm::MemoryBuffer *file =
      sources.getMemoryBuffer(sources.getMainFileID());
  llvm::Expected<Program> program =
      decode(llvm::arrayRefFromStringRef(file->getBuffer()));
  if (!program) {
    emitError(FileLineColLoc::get(context, file->getBufferIdentifier(), 0, 0))
        << llvm::toString(program.takeError());
    return nullptr;
  }
  return stream::programToStream(*program, *context);
}

static LogicalResult writeContainer(Operation *op, raw_ostream &os) {
  auto module = dyn_cast<ModuleOp>(op);
  if (!module)
    return op->emitError("expected a module with a program");
  // At the program, without printing all of it behind the message.
  auto programs = module.getOps<stream::ProgramOp>();
  Location loc = programs.empty() ? op->getLoc() : (*programs.begin()).getLoc();
  auto report = [&](llvm::Error error) -> LogicalResult {
    return emitError(loc, llvm::toString(std::move(error)));
  };
  llvm::Expected<Program> program = stream::streamToProgram(module);
  if (!program)
    return report(program.takeError());
  if (llvm::Error error = validate(*program))
    return report(std::move(error));
  if (llvm::Error error = encode(*program, os))
    return report(std::move(error));
  return success();
}

void stream::registerStreamTranslations() {
  static TranslateToMLIRRegistration read(
      "takt-to-stream", "a program container as stream text",
      [](const std::shared_ptr<llvm::SourceMgr> &sources,
         MLIRContext *context) { return readContainer(*sources, context); });
  static TranslateFromMLIRRegistration write(
      "stream-to-takt", "stream text as a program container", writeContainer,
      [](DialectRegistry &registry) {
        registry.insert<stream::StreamDialect>();
      });
}
