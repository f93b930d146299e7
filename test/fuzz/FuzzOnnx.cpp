//===- FuzzOnnx.cpp - libFuzzer target of the importer --------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Any bytes give a module, or exactly one message, in both modes.
//
//===----------------------------------------------------------------------===//

#include "mlir/IR/MLIRContext.h"
#include "takt/Import/ImportOnnx.h"
#include <cstdlib>
#include <memory>

/// Contexts are slow to make and keep what they have seen: a new one now and
/// then.
static mlir::MLIRContext &nextContext() {
  constexpr unsigned kUses = 256;
  static std::unique_ptr<mlir::MLIRContext> context;
  static unsigned uses = 0;
  if (uses++ % kUses == 0)
    context = std::make_unique<mlir::MLIRContext>(
        mlir::MLIRContext::Threading::DISABLED);
  return *context;
}

static void importOnce(llvm::StringRef bytes, takt::ImportMode mode) {
  mlir::MLIRContext &context = nextContext();
  int messages = 0;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &) {
    ++messages;
    return mlir::success();
  });
  takt::ImportOptions options;
  options.batch = 2;
  options.mode = mode;
  auto module =
      takt::importOnnx(llvm::MemoryBufferRef(bytes, "fuzz"), context, options);
  if (messages != (module ? 0 : 1))
    std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  llvm::StringRef bytes(reinterpret_cast<const char *>(data), size);
  importOnce(bytes, takt::ImportMode::Train);
  importOnce(bytes, takt::ImportMode::Forward);
  return 0;
}
