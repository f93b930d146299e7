//===- ReadModel.h - from bytes to ONNX's classes ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_READMODEL_H
#define TAKT_LIB_IMPORT_READMODEL_H

#include "mlir/IR/MLIRContext.h"
#include "takt/Support/MergedValues.h"
#include "takt/Support/Onnx.h"
#include "llvm/Support/MemoryBufferRef.h"
#include <memory>

namespace takt::import {

/// A model, and the large raw data of its initializers, which are left out of
/// it and refer to the file.
struct Model {
  std::unique_ptr<onnx::ModelProto> proto;
  int64_t opset = 0; ///< of the default domain
  /// By initializer; nullopt, or shorter, where the data are in `proto`.
  std::vector<std::optional<llvm::StringRef>> rawData;
  /// What `proto` has as initializers of their own, and the file has not.
  std::vector<SeparateInput> separate;
};

/// The model in a file, protobuf or text. Fails with a diagnostic if it is
/// neither, or imports not exactly one version of the default domain that is
/// understood.
mlir::FailureOr<Model> readModel(llvm::MemoryBufferRef file,
                                 mlir::MLIRContext &context);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_READMODEL_H
