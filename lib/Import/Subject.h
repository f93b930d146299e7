//===- Subject.h - what a message is about ----------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_SUBJECT_H
#define TAKT_LIB_IMPORT_SUBJECT_H

#include "mlir/IR/Diagnostics.h"
#include <string>

namespace takt::import {

/// The grammatical subject of a message, such as "node 'conv1' of type 'Conv'
/// (opset 13)" or "initializer 'w'", and where it is. The rest of the sentence
/// is streamed into what the functions return.
struct Subject {
  mlir::Location loc;
  std::string text;

  /// The file breaks a rule of ONNX.
  mlir::InFlightDiagnostic invalid() const {
    return mlir::emitError(loc) << "invalid ONNX: " << text << " ";
  }
  /// The file may be right, but Takt does not know what to do with it.
  mlir::InFlightDiagnostic unsupported() const {
    return mlir::emitError(loc) << "unsupported: " << text << " ";
  }
};

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_SUBJECT_H
