//===- LogicOps.cpp - truth values and element types ----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include <cfloat>
#include <cmath>
#include <limits>

using namespace mlir;
using takt::BinaryFunction;
using takt::CompareFunction;
using takt::elementTypeOfOnnx;
using takt::UnaryFunction;
using namespace takt::import;
using onnx::TensorProto;

//===----------------------------------------------------------------------===//
// Comparison
//===----------------------------------------------------------------------===//

/// a is compared with b or, if `swapped`, b with a.
template <CompareFunction function, bool swapped, IntegerOperation folded>
static LogicalResult convertCompare(Node &node) {
  if (node.isShapeArithmetic())
    return foldArithmetic(node, folded);
  if (isNumberArithmetic(node))
    return foldComparison(node, folded);
  Binder bind(node);
  Value a = bind.tensor("A", Accept::Any), b = bind.tensor("B", Accept::Any);
  if (failed(bind.finish()))
    return failure();
  if (swapped)
    std::swap(a, b);
  Emit emit(node);
  return emit.define(emit.compare(function, a, b));
}

static LogicalResult convertIsNaN(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  return emit.define(emit.compare(CompareFunction::NotEqual, x, x));
}

static LogicalResult convertIsInf(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  bool negative = bind.flag("detect_negative", true);
  bool positive = bind.flag("detect_positive", true);
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  if (negative && positive)
    x = emit.unary(UnaryFunction::Abs, x);
  if (!negative && !positive)
    return emit.define(emit.compare(CompareFunction::Less, x, x));
  float of = positive ? kInfinity : -kInfinity;
  return emit.define(
      emit.compare(CompareFunction::Equal, x, emit.filled(of, {}, x)));
}

//===----------------------------------------------------------------------===//
// Logic
//===----------------------------------------------------------------------===//

/// Fails unless the value is of truth values.
static LogicalResult expectBool(const Node &node, StringRef role, Value value) {
  if (elementOf(value).isInteger(1))
    return success();
  return node.invalid() << "has elements of type " << elementOf(value)
                        << " for " << role << ", expected bool";
}

static FailureOr<std::pair<Value, Value>> bindBools(Node &node) {
  Binder bind(node);
  Value a = bind.tensor("A", Accept::Any), b = bind.tensor("B", Accept::Any);
  if (failed(bind.finish()) || failed(expectBool(node, "A", a)) ||
      failed(expectBool(node, "B", b)))
    return failure();
  return std::pair(a, b);
}

template <BinaryFunction function, IntegerOperation folded>
static LogicalResult convertLogic(Node &node) {
  if (node.isShapeArithmetic())
    return foldArithmetic(node, folded);
  auto operands = bindBools(node);
  if (failed(operands))
    return failure();
  Emit emit(node);
  return emit.define(emit.binary(function, operands->first, operands->second));
}

static LogicalResult convertXor(Node &node) {
  if (node.isShapeArithmetic())
    return foldArithmetic(node, IntegerOperation::Xor);
  auto operands = bindBools(node);
  if (failed(operands))
    return failure();
  Emit emit(node);
  return emit.define(emit.compare(CompareFunction::NotEqual, operands->first,
                                  operands->second));
}

static LogicalResult convertNot(Node &node) {
  if (node.isShapeArithmetic())
    return foldNot(node);
  Binder bind(node);
  Value x = bind.tensor("X", Accept::Any);
  if (failed(bind.finish()) || failed(expectBool(node, "X", x)))
    return failure();
  Emit emit(node);
  return emit.define(emit.invert(x));
}

static LogicalResult convertWhere(Node &node) {
  if (node.isShapeArithmetic())
    return foldWhere(node);
  Binder bind(node);
  Value condition = bind.tensor("condition", Accept::Any);
  Value x = bind.tensor("X", Accept::Any), y = bind.tensor("Y", Accept::Any);
  if (failed(bind.finish()) || failed(expectBool(node, "condition", condition)))
    return failure();
  Emit emit(node);
  return emit.define(emit.where(condition, x, y));
}

//===----------------------------------------------------------------------===//
// Element types
//===----------------------------------------------------------------------===//

/// The ends of the numbers of an ONNX type that the importer computes with: of
/// integers those of 64 bits.
static double lowest(int32_t type) {
  return visitElement(elementTypeOfOnnx(type).value_or(takt::ElementType::I64),
                      [](auto zero) -> double {
                        using Limits = std::numeric_limits<decltype(zero)>;
                        return Limits::is_integer ? double(Limits::min())
                                                  : -HUGE_VAL;
                      });
}
static double largest(int32_t type) {
  return visitElement(elementTypeOfOnnx(type).value_or(takt::ElementType::I64),
                      [](auto zero) -> double {
                        using Limits = std::numeric_limits<decltype(zero)>;
                        return Limits::is_integer
                                   ? std::min(0x1p63, double(Limits::max()))
                                   : HUGE_VAL;
                      });
}

/// A constant in another type. Its elements are converted when they are read;
/// floats become integers in the program.
static FailureOr<Constant> castConstant(Node &node, const Constant &constant,
                                        int32_t to) {
  Constant result = constant;
  result.type = to;
  if (!constant.isInteger() || constant.type == to)
    return result;
  auto values = node.graph.reader.integers(constant, node.subject());
  if (failed(values))
    return failure();
  for (int64_t &value : *values) {
    if (to == TensorProto::BOOL)
      value = value != 0;
    else if (double(value) > largest(to) || double(value) < lowest(to))
      return node.invalid() << "casts " << value << " to " << typeName(to);
  }
  result.tensor = nullptr;
  result.integers = std::move(*values);
  // Numbers that are computed from shapes are nothing to train.
  result.fixed = true;
  return result;
}

/// Known floats as integers, rounded towards zero.
static FailureOr<Constant>
truncateConstant(Node &node, const Constant &constant, int32_t to) {
  auto values = node.graph.reader.numbers(constant, node.subject());
  if (failed(values))
    return failure();
  Constant result;
  result.type = to;
  result.shape = constant.shape;
  result.integers.emplace();
  for (double value : *values) {
    if (to == TensorProto::BOOL)
      value = value != 0;
    if (!(value > lowest(to) - 1 && value < largest(to) + 1))
      return node.invalid() << "casts " << value << " to " << typeName(to);
    result.integers->push_back(static_cast<int64_t>(value));
  }
  return result;
}

/// Whether the importer converts it, rather than the program: of floats that
/// are rounded the parameter is to keep all bits.
static bool isFolded(const Operand &input, int32_t to) {
  if (!input.constant)
    return false;
  if (isRoundedType(to) && !input.constant->isInteger() &&
      !input.shape().empty())
    return false;
  bool isSmall =
      countElements(input.shape()).value_or(kMaxIntegers + 1) <= kMaxIntegers;
  Constant result;
  result.type = to;
  return input.constant->isInteger() ? isSmall : !result.isInteger();
}

static LogicalResult castTo(Node &node, const Operand &input, int32_t to) {
  Type element = computedType(to, node.loc.getContext());
  if (!element)
    return node.unsupported()
           << "casts to type " << typeName(to) << ", expected numbers or bool";
  bool truncates = input.constant && !isa<FloatType>(element) &&
                   isKnownNumber(*input.constant);
  if (truncates || isFolded(input, to)) {
    auto *convert = truncates ? truncateConstant : castConstant;
    FailureOr<Constant> constant = convert(node, *input.constant, to);
    if (failed(constant))
      return failure();
    return node.define(0, *constant);
  }
  FailureOr<Value> x = node.toValue(input, "input", Accept::Any);
  if (failed(x))
    return failure();
  Emit emit(node);
  return emit.define(emit.cast(*x, element));
}

static LogicalResult convertCast(Node &node) {
  Binder bind(node);
  Operand input = bind.operand("input");
  int64_t to = bind.requiredInteger("to");
  if (node.since >= 19)
    bind.flag("saturate", true); // of 8-bit floats
  if (node.since >= 24)
    bind.text("round_mode", "up"); // of 8-bit floats
  if (failed(bind.finish()))
    return failure();
  return castTo(node, input, to);
}

static LogicalResult convertCastLike(Node &node) {
  Binder bind(node);
  Operand input = bind.operand("input"), like = bind.operand("target_type");
  if (node.since >= 19)
    bind.flag("saturate", true);
  if (node.since >= 24)
    bind.text("round_mode", "up");
  if (failed(bind.finish()))
    return failure();
  return castTo(node, input,
                like.constant ? like.constant->type
                              : onnxType(elementOf(like.value)));
}

void takt::import::addLogicOps(Registry &registry) {
  using C = CompareFunction;
  using I = IntegerOperation;
  registry.add("Equal", {7, 11, 13, 19},
               (convertCompare<C::Equal, false, I::Equal>),
               "train.compare equal; folded on shapes");
  registry.add("Less", {7, 9, 13}, (convertCompare<C::Less, false, I::Less>),
               "train.compare less");
  registry.add("Greater", {7, 9, 13},
               (convertCompare<C::Less, true, I::Greater>),
               "train.compare less");
  registry.add("LessOrEqual", {12, 16},
               (convertCompare<C::LessOrEqual, false, I::LessOrEqual>),
               "train.compare less_or_equal");
  registry.add("GreaterOrEqual", {12, 16},
               (convertCompare<C::LessOrEqual, true, I::GreaterOrEqual>),
               "train.compare less_or_equal");
  registry.add("IsNaN", {9, 13, 20}, convertIsNaN, "train.compare not_equal");
  registry.add("IsInf", {10, 20}, convertIsInf,
               "train.unary abs, train.compare equal");
  registry.add("And", {7}, (convertLogic<BinaryFunction::Min, I::And>),
               "train.binary min");
  registry.add("Or", {7}, (convertLogic<BinaryFunction::Max, I::Or>),
               "train.binary max");
  registry.add("Xor", {7}, convertXor, "train.compare not_equal");
  registry.add("Not", {1}, convertNot, "train.compare equal");
  registry.add("Where", {9, 16}, convertWhere, "train.where; folded on shapes");
  registry.add("Cast", {6, 9, 13, 19, 21, 23, 24, 25}, convertCast,
               "train.cast; folded on shapes");
  registry.add("CastLike", {15, 19, 21, 23, 24, 25}, convertCastLike,
               "train.cast; folded on shapes");
}
