//===- FusedOps.cpp - what onnxruntime fuses ------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Activations with a bias, and products with what comes before and after them,
// as onnxruntime's optimizer writes them into the models that it saves.
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"

using namespace mlir;
using takt::UnaryFunction;
using namespace takt::import;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

enum class BiasInput { None, Optional, Required };

template <UnaryFunction function, BiasInput biasInput>
static LogicalResult convertGelu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), bias;
  if (biasInput == BiasInput::Required)
    bias = bind.tensor("bias");
  else if (biasInput == BiasInput::Optional)
    bias = bind.optionalTensor("bias");
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  Value sum = bias ? emit.add(x, bias) : x;
  if (!sum)
    return failure();
  if (sum.getType() != x.getType())
    return node.invalid() << "has a bias of " << shapeText(shapeOf(bias))
                          << ", expected one that broadcasts to "
                          << shapeText(shapeOf(x));
  return emit.define(emit.unary(function, sum));
}

/// x · sigmoid(alpha · x)
static LogicalResult convertQuickGelu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float alpha = bind.number("alpha", 1.702f);
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  return emit.define(emit.unary(UnaryFunction::Swish, x, alpha));
}

/// The activation that the attribute names; the value itself without one.
/// Fails with a diagnostic if it is none of those that are fused.
static FailureOr<Value> activate(Node &node, StringRef name, float alpha,
                                 Value x) {
  Emit emit(node);
  Value y;
  if (name.empty())
    y = x;
  else if (name == "Relu")
    y = emit.relu(x);
  else if (name == "LeakyRelu")
    y = emit.leakyRelu(x, alpha);
  else if (name == "Sigmoid")
    y = emit.sigmoid(x);
  else if (name == "Tanh")
    y = emit.tanh(x);
  else
    return node.unsupported() << "has activation '" << name
                              << "', expected Relu, LeakyRelu, Sigmoid or Tanh";
  return orFailure(y);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

static LogicalResult convertFusedMatMul(Node &node) {
  Binder bind(node);
  Value a = bind.tensor("A"), b = bind.tensor("B");
  float alpha = bind.number("alpha", 1);
  bool transA = bind.flag("transA", false), transB = bind.flag("transB", false);
  bool batchA = bind.flag("transBatchA", false);
  bool batchB = bind.flag("transBatchB", false);
  if (failed(bind.finish()))
    return failure();
  if (batchA || batchB)
    return node.unsupported()
           << "transposes the axes of the batch (transBatchA, transBatchB)";
  for (auto [role, value] : {std::pair("A", a), std::pair("B", b)})
    if (rankOf(value) < 2)
      return node.unsupported() << "has " << role << " of rank "
                                << rankOf(value) << ", expected at least 2";
  auto product = node.create<train::MatMulOp>(
      {a, b},
      node.attributes().flag("trans_a", transA).flag("trans_b", transB));
  if (failed(product))
    return failure();
  Emit emit(node);
  return emit.define(emit.scale((*product)->getResult(0), alpha));
}

static LogicalResult convertFusedGemm(Node &node) {
  Binder bind(node);
  SmallVector<Value> operands = {bind.tensor("A"), bind.tensor("B")};
  if (Value c = bind.optionalTensor("C"))
    operands.push_back(c);
  AttributeList attributes = node.attributes();
  attributes.number("alpha", bind.number("alpha", 1))
      .number("beta", bind.number("beta", 1))
      .flag("trans_a", bind.integer("transA", 0) != 0)
      .flag("trans_b", bind.integer("transB", 0) != 0);
  std::string activation = bind.text("activation", "");
  float slope = bind.number("activation_alpha", 0.01f);
  if (failed(bind.finish()))
    return failure();
  auto product = node.create<train::GemmOp>(operands, attributes);
  if (failed(product))
    return failure();
  FailureOr<Value> y =
      activate(node, activation, slope, (*product)->getResult(0));
  return failed(y) ? failure() : node.define(0, *y);
}

void takt::import::addFusedOps(Registry &registry) {
  using U = UnaryFunction;
  registry.add(kOnnxRuntime, "Gelu", {1}, convertGelu<U::Gelu, BiasInput::None>,
               "train.unary gelu");
  registry.add(kOnnxRuntime, "BiasGelu", {1},
               convertGelu<U::Gelu, BiasInput::Required>,
               "train.add, unary gelu");
  registry.add(kOnnxRuntime, "FastGelu", {1},
               convertGelu<U::GeluTanh, BiasInput::Optional>,
               "train.add, unary gelu_tanh");
  registry.add(kOnnxRuntime, "QuickGelu", {1}, convertQuickGelu,
               "train.unary swish");
  registry.add(kOnnxRuntime, "FusedMatMul", {1}, convertFusedMatMul,
               "train.matmul, scale");
  registry.add(kOnnxRuntime, "FusedGemm", {1}, convertFusedGemm,
               "train.gemm and relu, leaky_relu, sigmoid or tanh");
}
