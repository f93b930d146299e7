//===- Conversion.h - programs to text and back -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_STREAM_CONVERSION_H
#define TAKT_DIALECT_STREAM_CONVERSION_H

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "takt/Target/Program.h"
#include "llvm/Support/Error.h"

namespace takt::stream {

/// A module with the program as its only operation.
mlir::OwningOpRef<mlir::ModuleOp> programToStream(const Program &program,
                                                  mlir::MLIRContext &context);

/// The program of the module's `stream.program`; streamToProgram(
/// programToStream(p)) is p. Fails if there is not exactly one, or if a number
/// is negative or too large for its field. The program is not validated.
llvm::Expected<Program> streamToProgram(mlir::ModuleOp module);

/// Registers takt-translate's --takt-to-stream and --stream-to-takt.
void registerStreamTranslations();

} // namespace takt::stream

#endif // TAKT_DIALECT_STREAM_CONVERSION_H
