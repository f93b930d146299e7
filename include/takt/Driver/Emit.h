//===- Emit.h - what taktc writes -------------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DRIVER_EMIT_H
#define TAKT_DRIVER_EMIT_H

#include "takt/Driver/Compile.h"

namespace takt {

enum class EmitKind {
  Train,
  Sched,
  Stream,
  Program,
  Listing,
  CHeader,
  Report,
  Trace,
  Html,
  Onnx,
  OnnxGradients
};

struct EmitRequest {
  EmitKind kind;
  std::string input, output;
  std::string schedule;
  std::vector<std::string> compare; ///< further schedules of report and page
  bool showParameters = false;
  /// Of Onnx: trained weights, as takt-run saves them. Empty: the model's own.
  std::string checkpoint;
  /// Writes what was imported (Explain.h) instead of compiling.
  bool explain = false;
  /// Report and page show the Pareto front of the schedules.
  bool pareto = false;
};

/// Compiles the model as far as the request needs and writes it. Diagnostics go
/// to stderr as they come; the error returned is what is left to say, and its
/// text is empty where a diagnostic has said it.
llvm::Error emitModel(llvm::MemoryBufferRef model, const EmitRequest &request,
                      const Machine &machine, const CostModel &cost,
                      const CompileOptions &options);

/// The C header of container and instruction set.
llvm::Error emitCHeaderFile(llvm::StringRef output);

} // namespace takt

#endif // TAKT_DRIVER_EMIT_H
