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
#include "Windows.h"

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

/// The activation of that name, with the numbers given or ONNX's defaults; the
/// value itself where the name is empty.
/// Fails with a diagnostic if it is none of those that are fused.
static FailureOr<Value> activate(Node &node, StringRef name,
                                 ArrayRef<float> numbers, Value x) {
  Emit emit(node);
  auto number = [&](size_t i, float otherwise) {
    return i < numbers.size() ? numbers[i] : otherwise;
  };
  Value y;
  if (name.empty())
    y = x;
  else if (name == "Relu")
    y = emit.relu(x);
  else if (name == "LeakyRelu")
    y = emit.leakyRelu(x, number(0, 0.01f));
  else if (name == "Sigmoid")
    y = emit.sigmoid(x);
  else if (name == "Tanh")
    y = emit.tanh(x);
  else if (name == "Clip" && numbers.size() == 2)
    y = emit.unary(UnaryFunction::Clip, x, numbers[0], numbers[1]);
  else if (name == "HardSigmoid")
    y = emit.unary(UnaryFunction::HardSigmoid, x, number(0, 0.2f),
                   number(1, 0.5f));
  else
    return node.unsupported()
           << "has activation '" << name << "' with " << numbers.size()
           << " numbers, expected Relu, LeakyRelu, Sigmoid, Tanh, HardSigmoid, "
              "or Clip with 2";
  return orFailure(y);
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Batches first: the matrix whose rows are its first axis has them behind.
static Value batchesFirst(Emit &emit, Value x) {
  SmallVector<int64_t> permutation;
  for (int64_t axis = 1; axis + 1 < rankOf(x); ++axis)
    permutation.push_back(axis);
  permutation.append({0, rankOf(x) - 1});
  return emit.transpose(x, permutation);
}

static LogicalResult convertFusedMatMul(Node &node) {
  Binder bind(node);
  Value a = bind.tensor("A"), b = bind.tensor("B");
  float alpha = bind.number("alpha", 1);
  bool transA = bind.flag("transA", false), transB = bind.flag("transB", false);
  bool batchA = bind.flag("transBatchA", false);
  bool batchB = bind.flag("transBatchB", false);
  if (failed(bind.finish()))
    return failure();
  for (auto [role, value, least] :
       {std::tuple("A", a, batchA ? 3 : 2), std::tuple("B", b, batchB ? 3 : 2)})
    if (rankOf(value) < least)
      return node.unsupported()
             << "has " << role << " of rank " << rankOf(value)
             << ", expected at least " << least;
  Emit emit(node);
  a = batchA ? batchesFirst(emit, a) : a;
  b = batchB ? batchesFirst(emit, b) : b;
  if (!a || !b)
    return failure();
  auto product = node.create<train::MatMulOp>(
      {a, b},
      node.attributes().flag("trans_a", transA).flag("trans_b", transB));
  if (failed(product))
    return failure();
  return emit.define(emit.scale((*product)->getResult(0), alpha));
}

static LogicalResult convertGemmFastGelu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), w = bind.tensor("W");
  Value bias = bind.optionalTensor("bias");
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  Value product = emit.matmul(x, w);
  if (bias)
    product = emit.add(product, bias);
  return emit.define(emit.unary(UnaryFunction::GeluTanh, product));
}

/// An activation of a convolution plus Z.
static LogicalResult convertFusedConv(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), w = bind.tensor("W");
  Value b = bind.optionalTensor("B"), z = bind.optionalTensor("Z");
  int64_t groups = bind.integer("group", 1, 1);
  WindowAttributes window(bind, /*dilated=*/true);
  std::string activation = bind.text("activation", "");
  SmallVector<float> numbers = bind.numbers("activation_params");
  if (failed(bind.finish()))
    return failure();
  FailureOr<Value> y = convolve(node, x, w, b, groups, window);
  if (failed(y))
    return failure();
  if (z && z.getType() != y->getType())
    return node.invalid() << "adds a tensor of " << shapeText(shapeOf(z))
                          << " to one of " << shapeText(shapeOf(*y));
  if (z)
    y = orFailure(Emit(node).add(*y, z));
  if (succeeded(y))
    y = activate(node, activation, numbers, *y);
  return failed(y) ? failure() : node.define(0, *y);
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
  SmallVector<float> numbers;
  for (StringRef name : {"activation_alpha", "activation_beta"})
    if (std::optional<float> number = bind.optionalNumber(name))
      numbers.push_back(*number);
  if (failed(bind.finish()))
    return failure();
  auto product = node.create<train::GemmOp>(operands, attributes);
  if (failed(product))
    return failure();
  FailureOr<Value> y =
      activate(node, activation, numbers, (*product)->getResult(0));
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
               "train.transpose, matmul, scale");
  registry.add(kOnnxRuntime, "TransposeMatMul", {1}, convertFusedMatMul,
               "train.transpose, matmul, scale");
  registry.add(kOnnxRuntime, "FusedGemm", {1}, convertFusedGemm,
               "train.gemm and relu, leaky_relu, sigmoid, tanh or unary clip, "
               "hard_sigmoid");
  registry.add(kOnnxRuntime, "GemmFastGelu", {1}, convertGemmFastGelu,
               "train.matmul, add, unary gelu_tanh");
  registry.add(kOnnxRuntime, "FusedConv", {1}, convertFusedConv,
               "train.conv, add and relu, leaky_relu, sigmoid, tanh or unary "
               "clip, hard_sigmoid");
}
