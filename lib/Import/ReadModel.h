//===- ReadModel.h - from bytes to ONNX's classes ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_READMODEL_H
#define TAKT_LIB_IMPORT_READMODEL_H

#include "Onnx.h"
#include "mlir/IR/MLIRContext.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <memory>

namespace takt::import {

/// A model, and the large raw data of its initializers, which are left out of
/// it and refer to the file.
struct Model {
  std::unique_ptr<onnx::ModelProto> proto;
  /// By initializer; nullopt, or shorter, where the data are in `proto`.
  std::vector<std::optional<llvm::StringRef>> rawData;
};

/// The model in a file, protobuf or text. Fails with a diagnostic if it is
/// neither.
mlir::FailureOr<Model> readModel(llvm::MemoryBufferRef file,
                                 mlir::MLIRContext &context);

/// The version of the default domain that the model imports. Fails with a
/// diagnostic if there is not exactly one or it is not understood.
mlir::FailureOr<int64_t> readOpset(const onnx::ModelProto &model,
                                   mlir::MLIRContext *context);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_READMODEL_H
