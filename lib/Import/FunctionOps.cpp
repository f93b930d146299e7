//===- FunctionOps.cpp - functions of one and of two tensors --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Binder.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include <cfloat>
#include <cmath>

using namespace mlir;
using takt::BinaryFunction;
using takt::UnaryFunction;
using namespace takt::import;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Of one tensor
//===----------------------------------------------------------------------===//

static LogicalResult emitUnary(Node &node, Value x, UnaryFunction function,
                               float alpha = 0, float beta = 0) {
  AttributeList attributes = node.attributes();
  attributes.keyword("function", function)
      .number("alpha", alpha)
      .number("beta", beta);
  return node.emitSameType<train::UnaryOp>(x, attributes);
}

template <UnaryFunction function>
static LogicalResult convertUnary(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()))
    return failure();
  return emitUnary(node, x, function);
}

static LogicalResult convertNeg(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()))
    return failure();
  return node.emitSameType<train::ScaleOp>(
      x, node.attributes().number("value", -1));
}

static LogicalResult convertElu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float alpha = bind.number("alpha", 1);
  if (failed(bind.finish()))
    return failure();
  return emitUnary(node, x, UnaryFunction::Elu, alpha);
}

static LogicalResult convertSelu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float alpha = bind.number("alpha", 1.67326319217681884765625f);
  float gamma = bind.number("gamma", 1.05070102214813232421875f);
  if (failed(bind.finish()))
    return failure();
  return emitUnary(node, x, UnaryFunction::Selu, alpha, gamma);
}

static LogicalResult convertHardSigmoid(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float alpha = bind.number("alpha", 0.2f), beta = bind.number("beta", 0.5f);
  if (failed(bind.finish()))
    return failure();
  return emitUnary(node, x, UnaryFunction::HardSigmoid, alpha, beta);
}

static LogicalResult convertGelu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  std::string approximate = bind.text("approximate", "none");
  if (failed(bind.finish()))
    return failure();
  if (approximate != "none" && approximate != "tanh")
    return node.invalid() << "has approximate '" << approximate
                          << "', expected none or tanh";
  return emitUnary(node, x,
                   approximate == "none" ? UnaryFunction::Gelu
                                         : UnaryFunction::GeluTanh);
}

/// The ends are attributes before opset 11 and inputs from then on. What is
/// left out or infinite is the largest number.
static LogicalResult convertClip(Node &node) {
  Binder bind(node);
  Operand input = bind.operand("input");
  float least = -FLT_MAX, most = FLT_MAX;
  if (node.since < 11) {
    least = bind.number("min", least);
    most = bind.number("max", most);
  } else {
    least = bind.optionalScalar("min").value_or(least);
    most = bind.optionalScalar("max").value_or(most);
  }
  if (failed(bind.finish()))
    return failure();
  if (std::isnan(least) || std::isnan(most))
    return node.invalid() << "has ends " << least << " and " << most
                          << ", expected numbers";
  least = std::clamp(least, -FLT_MAX, FLT_MAX);
  most = std::clamp(most, -FLT_MAX, FLT_MAX);
  if (least == -FLT_MAX && most == FLT_MAX)
    return node.define(0, input);
  FailureOr<Value> x = node.toValue(input, "input");
  if (failed(x))
    return failure();
  return emitUnary(node, *x, UnaryFunction::Clip, least, most);
}

//===----------------------------------------------------------------------===//
// Of two tensors
//===----------------------------------------------------------------------===//

static FailureOr<Value> createBinary(Node &node, BinaryFunction function,
                                     Value a, Value b) {
  auto op = node.create<train::BinaryOp>(
      {a, b}, node.attributes().keyword("function", function));
  if (failed(op))
    return failure();
  return Value(op->getResult());
}

static LogicalResult convertBinary(Node &node, BinaryFunction function) {
  Binder bind(node);
  Value a = bind.tensor("A"), b = bind.tensor("B");
  if (failed(bind.finish()))
    return failure();
  FailureOr<Value> y = createBinary(node, function, a, b);
  return failed(y) ? failure() : node.define(0, *y);
}

static LogicalResult convertSub(Node &node) {
  return node.isShapeArithmetic() ? foldArithmetic(node, IntegerOperation::Sub)
                                  : convertBinary(node, BinaryFunction::Sub);
}

static LogicalResult convertDiv(Node &node) {
  return node.isShapeArithmetic() ? foldArithmetic(node, IntegerOperation::Div)
                                  : convertBinary(node, BinaryFunction::Div);
}

/// An exponent that is a number is no parameter.
static LogicalResult convertPow(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  Operand exponent = bind.operand("Y");
  if (failed(bind.finish()))
    return failure();
  FailureOr<std::optional<float>> number =
      constantNumber(node, exponent, /*integersToo=*/true);
  if (failed(number))
    return failure();
  if (*number)
    return emitUnary(node, x, UnaryFunction::Power, **number);
  FailureOr<Value> y = node.toValue(exponent, "Y");
  if (failed(y))
    return failure();
  FailureOr<Value> power = createBinary(node, BinaryFunction::Pow, x, *y);
  return failed(power) ? failure() : node.define(0, *power);
}

/// Of any number of tensors, two at a time.
template <BinaryFunction function>
static LogicalResult convertVariadic(Node &node) {
  Binder bind(node);
  SmallVector<Value> values = bind.tensors("data_0");
  if (failed(bind.finish()))
    return failure();
  Value result = values.front();
  for (Value value : llvm::drop_begin(values)) {
    FailureOr<Value> next = createBinary(node, function, result, value);
    if (failed(next))
      return failure();
    result = *next;
  }
  return node.define(0, result);
}

static LogicalResult convertPRelu(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), slope = bind.tensor("slope");
  if (failed(bind.finish()))
    return failure();
  FailureOr<Value> y = createBinary(node, BinaryFunction::PRelu, x, slope);
  if (failed(y))
    return failure();
  if (y->getType() != x.getType())
    return node.invalid() << "has a slope of " << shapeText(shapeOf(slope))
                          << ", expected one that broadcasts to "
                          << shapeText(shapeOf(x));
  return node.define(0, *y);
}

void takt::import::addFunctionOps(Registry &registry) {
  using U = UnaryFunction;
  registry.add("Abs", {6, 13}, convertUnary<U::Abs>, "train.unary abs");
  registry.add("Sqrt", {6, 13}, convertUnary<U::Sqrt>, "train.unary sqrt");
  registry.add("Exp", {6, 13}, convertUnary<U::Exp>, "train.unary exp");
  registry.add("Log", {6, 13}, convertUnary<U::Log>, "train.unary log");
  registry.add("Reciprocal", {6, 13}, convertUnary<U::Reciprocal>,
               "train.unary reciprocal");
  registry.add("Erf", {9, 13}, convertUnary<U::Erf>, "train.unary erf");
  registry.add("Softplus", {1}, convertUnary<U::Softplus>,
               "train.unary softplus");
  registry.add("Softsign", {1}, convertUnary<U::Softsign>,
               "train.unary softsign");
  registry.add("HardSwish", {14}, convertUnary<U::HardSwish>,
               "train.unary hard_swish");
  registry.add("Neg", {6, 13}, convertNeg, "train.scale");
  registry.add("Elu", {6}, convertElu, "train.unary elu");
  registry.add("Selu", {6}, convertSelu, "train.unary selu");
  registry.add("HardSigmoid", {6}, convertHardSigmoid,
               "train.unary hard_sigmoid");
  registry.add("Gelu", {20}, convertGelu, "train.unary gelu, gelu_tanh");
  registry.add("Clip", {6, 11, 12, 13}, convertClip,
               "train.unary clip; ends known at import");
  registry.add("Sub", {7, 13, 14}, convertSub,
               "train.binary sub; folded on shapes");
  registry.add("Div", {7, 13, 14}, convertDiv,
               "train.binary div; folded on shapes");
  registry.add("Pow", {7, 12, 13, 15}, convertPow,
               "train.unary power, train.binary pow");
  registry.add("Max", {6, 8, 12, 13}, convertVariadic<BinaryFunction::Max>,
               "train.binary max");
  registry.add("Min", {6, 8, 12, 13}, convertVariadic<BinaryFunction::Min>,
               "train.binary min");
  registry.add("PRelu", {7, 9, 16}, convertPRelu, "train.binary prelu");
}
