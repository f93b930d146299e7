//===- TestNetworks.h - small networks as text ------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TEST_UNIT_TRANSFORMS_TESTNETWORKS_H
#define TAKT_TEST_UNIT_TRANSFORMS_TESTNETWORKS_H

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Transforms/Differentiate.h"
#include "takt/Transforms/FormTasks.h"
#include "gtest/gtest.h"
#include <random>
#include <string>

namespace takt::test {

/// A network of square layers on 4 x 8 tensors, written line by line.
class Network {
public:
  /// Returns the new value's name. A new layer has its own weight, unless one
  /// is named.
  std::string input() const { return "%x"; }
  std::string gemm(const std::string &x, const std::string &weight = "") {
    std::string name = "fc" + std::to_string(layers++);
    std::string w = weight.empty() ? parameter(name + ".weight") : weight;
    std::string read = fresh();
    body += read + " = train.read @" + w + " : tensor<8x8xf32>\n";
    return emit("train.gemm " + x + ", " + read +
                    " : (tensor<4x8xf32>, tensor<8x8xf32>) -> tensor<4x8xf32>",
                name);
  }
  std::string relu(const std::string &x) {
    std::string name = "relu" + std::to_string(others++);
    return emit("train.relu " + x + " : tensor<4x8xf32>", name);
  }
  std::string add(const std::string &a, const std::string &b) {
    std::string name = "add" + std::to_string(others++);
    return emit("train.add " + a + ", " + b +
                    " : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>",
                name);
  }
  /// Adds a trainable matrix.
  std::string bias(const std::string &x) {
    std::string name = "bias" + std::to_string(others++);
    parameters += "train.parameter @" + name +
                  ".b : tensor<4x8xf32> = dense<0.0> {kind = "
                  "#train.parameter_kind<trainable>}\n";
    std::string read = fresh();
    body += read + " = train.read @" + name + ".b : tensor<4x8xf32>\n";
    return emit("train.add " + x + ", " + read +
                    " : (tensor<4x8xf32>, tensor<4x8xf32>) -> tensor<4x8xf32>",
                name);
  }
  std::string dropout(const std::string &x) {
    std::string name = "dropout" + std::to_string(others++);
    return emit("train.dropout " + x + " {ratio = 0.25 : f32, seed = " +
                    std::to_string(others) + " : i64} : tensor<4x8xf32>",
                name);
  }
  /// Writes the running statistics "bnN.mean" and "bnN.var".
  std::string batchNorm(const std::string &x) {
    std::string name = "bn" + std::to_string(others++), operands, reads;
    for (std::string of : {"scale", "bias", "mean", "var"}) {
      bool isState = of == "mean" || of == "var";
      parameters += "train.parameter @" + name + "." + of +
                    " : tensor<8xf32> = dense<1.0> {kind = "
                    "#train.parameter_kind<" +
                    (isState ? "state" : "trainable") + ">}\n";
      std::string read = fresh();
      reads +=
          read + " = train.read @" + name + "." + of + " : tensor<8xf32>\n";
      operands += ", " + read;
    }
    body += reads;
    std::string y = fresh(), mean = fresh(), var = fresh();
    std::string vectors = "tensor<8xf32>, tensor<8xf32>, tensor<8xf32>, "
                          "tensor<8xf32>)";
    body += y + ", " + fresh() + ", " + fresh() + ", " + mean + ", " + var +
            " = train.batch_norm " + x + operands + " : (tensor<4x8xf32>, " +
            vectors + " -> (tensor<4x8xf32>, " + vectors + " loc(\"" + name +
            "\")\ntrain.write @" + name + ".mean, " + mean +
            " : tensor<8xf32>\ntrain.write @" + name + ".var, " + var +
            " : tensor<8xf32>\n";
    return y;
  }
  /// A layer on a and b side by side.
  std::string concatGemm(const std::string &a, const std::string &b) {
    std::string joined = fresh(), read = fresh();
    std::string layer = "fc" + std::to_string(layers++);
    body += joined + " = train.concat " + a + ", " + b +
            " {axis = 1 : i64} : (tensor<4x8xf32>, tensor<4x8xf32>) -> "
            "tensor<4x16xf32> loc(\"concat" +
            std::to_string(others++) + "\")\n" + read + " = train.read @" +
            parameter(layer + ".weight", "16x8") + " : tensor<16x8xf32>\n";
    return emit(
        "train.gemm " + joined + ", " + read +
            " : (tensor<4x16xf32>, tensor<16x8xf32>) -> tensor<4x8xf32>",
        layer);
  }

  std::string text(const std::string &result) const {
    return "module @net attributes {train.batch = 4 : i64} {\n" + parameters +
           "func.func @main(%x: tensor<4x8xf32> {train.name = \"x\"}) -> "
           "tensor<4x8xf32> {\n" +
           body + "return " + result + " : tensor<4x8xf32>\n}\n}\n";
  }

private:
  std::string fresh() { return "%v" + std::to_string(values++); }
  std::string emit(const std::string &operation, const std::string &name) {
    std::string value = fresh();
    body += value + " = " + operation + " loc(\"" + name + "\")\n";
    return value;
  }
  std::string parameter(const std::string &name,
                        const std::string &shape = "8x8") {
    parameters += "train.parameter @" + name + " : tensor<" + shape +
                  "xf32> = dense<0.1> {kind = "
                  "#train.parameter_kind<trainable>}\n";
    return name;
  }

  std::string parameters, body;
  int layers = 0, others = 0, values = 0;
};

/// A chain of `layers` gemm and relu.
inline std::string chain(int layers) {
  Network net;
  std::string x = net.input();
  for (int i = 0; i < layers; ++i)
    x = net.relu(net.gemm(x));
  return net.text(x);
}

/// A random network of all kinds of operations, some weights shared;
/// the same for the same seed.
inline std::string randomNetwork(unsigned seed) {
  std::minstd_rand random(seed + 1);
  Network net;
  std::string last = net.gemm(net.input()); // owns fc0.weight
  std::vector<std::string> values = {net.input(), last};
  auto any = [&] { return values[random() % values.size()]; };
  for (int i = 0, n = 3 + random() % 12; i < n; ++i) {
    switch (random() % 7) {
    case 0:
    case 1:
      last = net.gemm(any());
      break;
    case 2:
      last = net.gemm(any(), "fc0.weight");
      break;
    case 3:
      last = net.relu(last);
      break;
    case 4:
      last = net.add(last, any());
      break;
    case 5:
      last = net.bias(last);
      break;
    case 6:
      last = net.concatGemm(any(), last);
      break;
    }
    values.push_back(last);
  }
  return net.text(net.gemm(last));
}

/// A context with the dialects, and modules parsed into it.
class Fixture {
public:
  Fixture() {
    context.loadDialect<mlir::func::FuncDialect, train::TrainDialect>();
  }
  /// Null where the text is wrong; diagnostics go to stderr.
  mlir::OwningOpRef<mlir::ModuleOp> parse(const std::string &text) {
    return mlir::parseSourceString<mlir::ModuleOp>(text, &context);
  }
  mlir::MLIRContext context;
};

/// In double precision, for finite differences.
inline std::string inDouble(std::string text) {
  for (size_t at = 0; (at = text.find("xf32>", at)) != std::string::npos;)
    text.replace(at, 5, "xf64>");
  return text;
}

/// A training step with the mean squared error as its loss, and its tasks.
class StepFixture : public Fixture {
public:
  void differentiate(const std::string &text,
                     OptimizerKind optimizer = OptimizerKind::Sgd) {
    module = parse(text);
    ASSERT_TRUE(module);
    DifferentiateOptions options;
    options.loss = LossKind::MeanSquaredError;
    options.optimizer = optimizer;
    ASSERT_TRUE(succeeded(takt::differentiate(*module, options)));
    ASSERT_TRUE(succeeded(verify(*module)));
  }
  /// The graph of the step as it is now.
  void form() {
    mlir::FailureOr<TaskGraph> formed = formTasks(*module);
    ASSERT_TRUE(succeeded(formed));
    graph = std::move(*formed);
  }
  void differentiateAndForm(const std::string &text,
                            OptimizerKind optimizer = OptimizerKind::Sgd) {
    differentiate(text, optimizer);
    if (!testing::Test::HasFatalFailure())
      form();
  }

  mlir::OwningOpRef<mlir::ModuleOp> module;
  TaskGraph graph;
};

} // namespace takt::test

#endif // TAKT_TEST_UNIT_TRANSFORMS_TESTNETWORKS_H
