//===- EmittersTest.cpp - operations as ONNX nodes ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/Parser/Parser.h"
#include "takt/Export/OnnxGradients.h"
#include "gtest/gtest.h"

using namespace takt;

namespace {

/// What is in no forward or backward pass.
bool isOfUpdates(mlir::OperationName operation) {
  static const llvm::StringRef names[] = {
      "train.sgd",        "train.momentum",    "train.adam",
      "train.fade",       "train.reconstruct", "train.sum_squares",
      "train.clip_factor"};
  return llvm::is_contained(names, operation.getStringRef());
}

TEST(Emitters, EveryOperationOfAPassHasOne) {
  mlir::MLIRContext context;
  context.loadDialect<train::TrainDialect>();
  int found = 0;
  for (mlir::RegisteredOperationName operation :
       context.getRegisteredOperationsByDialect("train")) {
    if (!operation.hasInterface<train::KernelOpInterface>() ||
        isOfUpdates(operation))
      continue;
    EXPECT_TRUE(EmitterTable::get().find(operation))
        << operation.getStringRef().str();
    ++found;
  }
  EXPECT_GT(found, 50);
}

TEST(Emitters, EqualConstantsAreOne) {
  Scope scope;
  Term one(scope, "x", ElementType::F32);
  EXPECT_EQ(one.number(2).getName(), one.number(2).getName());
  EXPECT_NE(one.number(2).getName(), one.number(3).getName());
  Term wide(scope, "y", ElementType::F64);
  EXPECT_NE(one.number(2).getName(), wide.number(2).getName());
}

TEST(Emitters, NamesGiveWay) {
  OnnxGraph graph;
  EXPECT_TRUE(graph.reserve("loss"));
  EXPECT_FALSE(graph.reserve("loss"));
  EXPECT_EQ(graph.unique("loss"), "loss.1");
  EXPECT_EQ(graph.unique("loss"), "loss.2");
  EXPECT_EQ(graph.unique("other"), "other");
}

/// The one message about a step.
std::string refusal(llvm::StringRef step) {
  mlir::MLIRContext context;
  context.loadDialect<mlir::func::FuncDialect, train::TrainDialect>();
  auto module = mlir::parseSourceString<mlir::ModuleOp>(step, &context);
  EXPECT_TRUE(module);
  std::string messages;
  mlir::ScopedDiagnosticHandler handler(&context, [&](mlir::Diagnostic &d) {
    llvm::raw_string_ostream(messages) << d.getLocation() << ": " << d << ";";
  });
  EXPECT_TRUE(!module || mlir::failed(gradientsAsOnnx(*module)));
  return messages;
}

TEST(Gradients, WhatOnnxHasNotIsRefused) {
  EXPECT_EQ(refusal(R"(
    func.func @main(%x: tensor<4x3xf32> {train.name = "x"},
                    %i: tensor<4x1xi64> {train.name = "i"},
                    %t: tensor<4x3xf32> {train.name = "target"})
        -> (tensor<f32> {train.name = "loss"}) {
      %u = train.slice %x {axis = 1 : i64, begin = 0 : i64}
          : (tensor<4x3xf32>) -> tensor<4x1xf32>
      %y = train.scatter_elements max %x, %i, %u {axis = 1 : i64}
          : (tensor<4x3xf32>, tensor<4x1xi64>, tensor<4x1xf32>) -> tensor<4x3xf32>
          loc("largest")
      %loss, %dy = train.mean_squared_error %y, %t
          : (tensor<4x3xf32>, tensor<4x3xf32>) -> (tensor<f32>, tensor<4x3xf32>)
      return %loss : tensor<f32>
    })"),
            "loc(\"largest\"): unsupported: ONNX has no scatter of mode 'max' "
            "before opset 18;");
}

TEST(Gradients, WhatIsOfNoPassIsRefused) {
  EXPECT_EQ(
      refusal(R"(
    func.func @main(%x: tensor<4x3xf32> {train.name = "x"},
                    %t: tensor<4x3xf32> {train.name = "target"})
        -> (tensor<f32> {train.name = "loss"}) {
      %y = train.fade %x, %x {train.node = "w"} : tensor<4x3xf32> loc("w")
      %loss, %dy = train.mean_squared_error %y, %t
          : (tensor<4x3xf32>, tensor<4x3xf32>) -> (tensor<f32>, tensor<4x3xf32>)
      return %loss : tensor<f32>
    })"),
      "loc(\"w\"): unsupported: node 'w' needs 'train.fade', which cannot "
      "be written in ONNX;");
}

} // namespace
