//===- ImportTestSupport.h - models for importer tests ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_IMPORT_IMPORTTESTSUPPORT_H
#define TAKT_TEST_UNIT_IMPORT_IMPORTTESTSUPPORT_H

#include "mlir/IR/MLIRContext.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Import/ImportOnnx.h"
#include "takt/Support/Onnx.h"
#include <memory>
#include <string>
#include <vector>

namespace takt::test {

/// What an import gave: a module, or diagnostics.
struct Imported {
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
  std::vector<std::string> errors;

  explicit operator bool() const { return module && errors.empty(); }
  /// The only error; all of them, if there is not exactly one.
  std::string error() const;
  train::ParameterOp parameter(llvm::StringRef name);
  /// The elements of the parameter's initial value.
  std::vector<float> values(llvm::StringRef name);
};

/// `path` names the file, for what lies beside it.
Imported importBytes(llvm::StringRef bytes, const ImportOptions &options = {},
                     llvm::StringRef path = "model.onnx");
Imported importModel(const onnx::ModelProto &model,
                     const ImportOptions &options = {},
                     llvm::StringRef path = "model.onnx");

/// A graph of opset 13 with an input x and an output y of shape 2, both float.
onnx::ModelProto makeModel();

onnx::NodeProto *addNode(onnx::ModelProto &model, llvm::StringRef type,
                         llvm::ArrayRef<llvm::StringRef> inputs,
                         llvm::ArrayRef<llvm::StringRef> outputs);

/// A model with an initializer w that is added to x.
onnx::ModelProto makeAdd(onnx::TensorProto::DataType type);

/// A small network with every kind of thing that is imported: convolution,
/// batch normalization, dropout, a skip, shape arithmetic, constants.
onnx::ModelProto makeNetwork();

} // namespace takt::test

#endif // TAKT_TEST_UNIT_IMPORT_IMPORTTESTSUPPORT_H
