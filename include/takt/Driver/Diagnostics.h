//===- Diagnostics.h - messages for the user of a tool ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_DIAGNOSTICS_H
#define TAKT_DRIVER_DIAGNOSTICS_H

#include "mlir/IR/Diagnostics.h"

namespace takt {

/// Prints the diagnostics of a context on stderr as "MODEL: error: LOCATION:
/// message", notes below, one line each. The location is the file position or
/// the name of the ONNX node.
class DiagnosticPrinter {
public:
  DiagnosticPrinter(mlir::MLIRContext &context, llvm::StringRef modelPath);

private:
  std::string modelPath;
  mlir::ScopedDiagnosticHandler handler;
};

} // namespace takt

#endif // TAKT_DRIVER_DIAGNOSTICS_H
