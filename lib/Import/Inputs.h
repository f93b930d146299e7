//===- Inputs.h - the model's inputs and their sizes ------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_INPUTS_H
#define TAKT_LIB_IMPORT_INPUTS_H

#include "Subject.h"
#include "Tensors.h"
#include "mlir/IR/BuiltinTypes.h"
#include "takt/Import/ImportOnnx.h"
#include "takt/Support/Onnx.h"

namespace takt::import {

/// The batch dimension: the first one of the first input that has one.
struct Batch {
  int64_t size = 1;
  /// The size that the file fixes; 0 if it leaves it open.
  int64_t inFile = 0;

  /// The file says one size and is imported with another.
  bool rebound() const { return inFile != 0 && inFile != size; }
};

/// An argument of @main.
struct Input {
  llvm::StringRef name;
  mlir::RankedTensorType type;
};

struct Inputs {
  Batch batch;
  llvm::SmallVector<Input> inputs;
};

/// Gives all dimensions of the inputs a size. The batch is that of the options
/// or the file's; other symbolic dimensions have the options' sizes.
/// Fails with a diagnostic if an input is no tensor of numbers or bool, a size
/// is not positive, a dimension is left without a size, or an option names a
/// dimension that no input has.
mlir::FailureOr<Inputs>
bindInputs(llvm::ArrayRef<const onnx::ValueInfoProto *> infos,
           const ImportOptions &options, mlir::MLIRContext *context);

/// Checks a declared output against the type that was computed.
/// Fails with a diagnostic if its element type, rank or a size is another.
mlir::LogicalResult checkOutput(const onnx::ValueInfoProto &info,
                                mlir::RankedTensorType type, const Batch &batch,
                                mlir::MLIRContext *context);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_INPUTS_H
