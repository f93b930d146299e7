//===- FunctionOps.cpp - functions of one and of two tensors --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "ShapeArithmetic.h"
#include "llvm/Support/MathExtras.h"
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

/// What sizes need that are computed in floats: rounding, the side of a square.
template <UnaryFunction function, double (*compute)(double)>
static LogicalResult convertOfSizes(Node &node) {
  if (isNumberArithmetic(node))
    return foldNumbers(node, compute);
  return convertUnary<function>(node);
}

static std::optional<int64_t> negated(int64_t value) {
  int64_t result;
  return llvm::SubOverflow<int64_t>(0, value, result) ? std::nullopt
                                                      : std::optional(result);
}

static LogicalResult convertNeg(Node &node) {
  if (node.isShapeArithmetic())
    return foldEach(node, "X", negated);
  Binder bind(node);
  Value x = bind.tensor("X", Accept::Numbers);
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  return emit.define(emit.negate(x));
}

/// Of integers it is the larger of x and -x.
static LogicalResult convertAbs(Node &node) {
  if (node.isShapeArithmetic())
    return foldEach(node, "X", [](int64_t value) {
      return value < 0 ? negated(value) : std::optional(value);
    });
  Binder bind(node);
  Value x = bind.tensor("X", Accept::Numbers);
  if (failed(bind.finish()))
    return failure();
  if (isFloat(x))
    return emitUnary(node, x, UnaryFunction::Abs);
  if (elementOf(x).isUnsignedInteger())
    return node.define(0, x);
  Emit emit(node);
  return emit.define(emit.binary(BinaryFunction::Max, x, emit.negate(x)));
}

/// Of integers it is x brought to -1 to 1.
static LogicalResult convertSign(Node &node) {
  if (node.isShapeArithmetic())
    return foldEach(node, "input", [](int64_t value) {
      return std::optional<int64_t>((value > 0) - (value < 0));
    });
  Binder bind(node);
  Value x = bind.tensor("input", Accept::Numbers);
  if (failed(bind.finish()))
    return failure();
  if (isFloat(x))
    return emitUnary(node, x, UnaryFunction::Sign);
  Emit emit(node);
  Value below = emit.binary(BinaryFunction::Min, x, emit.filled(1, {}, x));
  if (elementOf(x).isUnsignedInteger())
    return emit.define(below);
  return emit.define(
      emit.binary(BinaryFunction::Max, below, emit.filled(-1, {}, x)));
}

/// With the attribute alpha.
template <UnaryFunction function>
static LogicalResult convertWithAlpha(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X");
  float alpha = bind.number("alpha", 1);
  if (failed(bind.finish()))
    return failure();
  if (function == UnaryFunction::Celu && alpha == 0)
    return node.invalid() << "has alpha 0";
  return emitUnary(node, x, function, alpha);
}

static LogicalResult convertShrink(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("input");
  float bias = bind.number("bias", 0), lambd = bind.number("lambd", 0.5f);
  if (failed(bind.finish()))
    return failure();
  return emitUnary(node, x, UnaryFunction::Shrink, lambd, bias);
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

namespace {
/// An end of a clip: known at import, or a tensor of one element.
struct End {
  float number;
  Value computed;
};
} // namespace

/// The end is left out, a constant, or computed. Fails with a diagnostic.
static FailureOr<End> bindEnd(Node &node, const Operand &operand,
                              StringRef role, float otherwise) {
  if (!operand)
    return End{otherwise, {}};
  if (operand.constant && !operand.constant->isInteger()) {
    FailureOr<float> number =
        node.graph.reader.scalar(*operand.constant, node.subject());
    if (failed(number))
      return failure();
    if (std::isnan(*number))
      return node.invalid() << "has NaN for " << role << ", expected a number";
    return End{std::clamp(*number, -FLT_MAX, FLT_MAX), {}};
  }
  FailureOr<Value> value = node.toValue(operand, role, Accept::Numbers);
  if (failed(value))
    return failure();
  if (typeOf(*value).getNumElements() != 1)
    return node.invalid() << "has " << role << " of shape "
                          << shapeText(shapeOf(*value))
                          << ", expected one element";
  Emit emit(node);
  return End{otherwise, emit.reshape(*value, {})};
}

/// The ends are attributes before opset 11 and inputs from then on. What is
/// left out or infinite is the largest number.
static LogicalResult convertClip(Node &node) {
  Binder bind(node);
  Operand input = bind.operand("input"), leastInput, mostInput;
  End least{-FLT_MAX, {}}, most{FLT_MAX, {}};
  if (node.since < 11) {
    least.number = bind.number("min", least.number);
    most.number = bind.number("max", most.number);
  } else {
    leastInput = bind.optionalOperand();
    mostInput = bind.optionalOperand();
  }
  if (failed(bind.finish()))
    return failure();
  if (node.since >= 11) {
    FailureOr<End> first = bindEnd(node, leastInput, "min", -FLT_MAX);
    FailureOr<End> last = bindEnd(node, mostInput, "max", FLT_MAX);
    if (failed(first) || failed(last))
      return failure();
    least = *first;
    most = *last;
  }
  bool isKnown = !least.computed && !most.computed;
  if (isKnown && least.number == -FLT_MAX && most.number == FLT_MAX)
    return node.define(0, input);
  FailureOr<Value> x = node.toValue(input, "input", Accept::Numbers);
  if (failed(x))
    return failure();
  if (isKnown && isFloat(*x))
    return emitUnary(node, *x, UnaryFunction::Clip, least.number, most.number);
  Emit emit(node);
  Value y = *x;
  for (auto [end, function] : {std::pair(least, BinaryFunction::Max),
                               std::pair(most, BinaryFunction::Min)}) {
    if (end.computed)
      y = emit.binary(function, y, end.computed);
    else if (std::fabs(end.number) != FLT_MAX)
      y = emit.binary(function, y, emit.filled(end.number, {}, y));
  }
  return emit.define(y);
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
  Value a = bind.tensor("A", Accept::Numbers),
        b = bind.tensor("B", Accept::Numbers);
  if (node.since < 7)
    b = bind.alignedTo(a, b);
  if (failed(bind.finish()))
    return failure();
  FailureOr<Value> y = createBinary(node, function, a, b);
  return failed(y) ? failure() : node.define(0, *y);
}

static LogicalResult convertSub(Node &node) {
  if (node.isShapeArithmetic())
    return foldArithmetic(node, IntegerOperation::Sub);
  if (isNumberArithmetic(node))
    return foldNumbers(node, std::minus<double>());
  return convertBinary(node, BinaryFunction::Sub);
}

static LogicalResult convertDiv(Node &node) {
  if (node.isShapeArithmetic())
    return foldArithmetic(node, IntegerOperation::Div);
  if (isNumberArithmetic(node))
    return foldNumbers(node, std::divides<double>());
  return convertBinary(node, BinaryFunction::Div);
}

/// With the sign of the divisor or, where `fmod` is set, of the dividend.
static LogicalResult convertMod(Node &node) {
  Binder bind(node);
  bool fmod = bind.flag("fmod", false);
  if (node.isShapeArithmetic())
    return foldArithmetic(node, bind,
                          fmod ? IntegerOperation::Rem : IntegerOperation::Mod);
  Value a = bind.tensor("A", Accept::Numbers),
        b = bind.tensor("B", Accept::Numbers);
  if (failed(bind.finish()))
    return failure();
  Emit emit(node);
  return emit.define(
      emit.binary(fmod ? BinaryFunction::Fmod : BinaryFunction::Mod, a, b));
}

static LogicalResult convertOldPow(Node &node, Binder &bind, Value x,
                                   const Operand &exponent) {
  FailureOr<Value> y =
      exponent ? node.toValue(exponent, "Y") : FailureOr<Value>(failure());
  Value aligned = succeeded(y) && x ? bind.alignedTo(x, *y) : Value();
  if (failed(bind.finish()) || failed(y))
    return failure();
  Emit emit(node);
  return emit.define(emit.binary(BinaryFunction::Pow, x, aligned));
}

/// An exponent that is a number is no parameter. The result has the type of the
/// base; an exponent of another type is computed with in that of the floats.
static LogicalResult convertPow(Node &node) {
  if (node.isShapeArithmetic() && node.since >= 7)
    return foldArithmetic(node, IntegerOperation::Pow);
  if (node.since >= 7 && isNumberArithmetic(node) &&
      node.operand(0).constant->type == node.operand(1).constant->type)
    return foldNumbers(node, [](double x, double y) { return std::pow(x, y); });
  Binder bind(node);
  Value x = bind.tensor("X", Accept::Numbers);
  Operand exponent = bind.operand("Y");
  if (node.since < 7)
    return convertOldPow(node, bind, x, exponent);
  if (failed(bind.finish()))
    return failure();
  FailureOr<std::optional<float>> number =
      constantNumber(node, exponent, /*integersToo=*/true);
  if (failed(number))
    return failure();
  if (*number && isFloat(x))
    return emitUnary(node, x, UnaryFunction::Power, **number);
  FailureOr<Value> y = node.toValue(exponent, "Y", Accept::Numbers);
  if (failed(y))
    return failure();
  Emit emit(node);
  Value wide = !isFloat(x) && isFloat(*y) ? emit.castLike(x, *y) : x;
  Value power = emit.binary(BinaryFunction::Pow, wide, emit.castLike(*y, wide));
  return emit.define(emit.castLike(power, x));
}

/// Of any number of tensors, two at a time.
template <BinaryFunction function>
static LogicalResult convertVariadic(Node &node) {
  if (node.isShapeArithmetic())
    return foldVariadic(node, function == BinaryFunction::Max
                                  ? IntegerOperation::Max
                                  : IntegerOperation::Min);
  Binder bind(node);
  SmallVector<Value> values = bind.tensors("data_0", Accept::Numbers);
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
  // Before opset 7, a slope of rank 1 is per channel.
  if (node.since < 7 && rankOf(slope) == 1 && rankOf(x) > 2) {
    Dims perChannel(rankOf(x) - 1, 1);
    perChannel[0] = shapeOf(slope)[0];
    Emit emit(node);
    slope = emit.reshape(slope, perChannel);
  }
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
  registry.add("Abs", {6, 13}, convertAbs, "train.unary abs; folded on shapes");
  registry.add("Sign", {9, 13}, convertSign,
               "train.unary sign; folded on shapes");
  registry.add("Sqrt", {6, 13}, convertOfSizes<U::Sqrt, std::sqrt>,
               "train.unary sqrt; folded on shapes");
  registry.add("Exp", {6, 13}, convertUnary<U::Exp>, "train.unary exp");
  registry.add("Log", {6, 13}, convertUnary<U::Log>, "train.unary log");
  registry.add("Reciprocal", {6, 13}, convertUnary<U::Reciprocal>,
               "train.unary reciprocal");
  registry.add("Erf", {9, 13}, convertUnary<U::Erf>, "train.unary erf");
  registry.add("Sin", {7, 22}, convertUnary<U::Sin>, "train.unary sin");
  registry.add("Cos", {7, 22}, convertUnary<U::Cos>, "train.unary cos");
  registry.add("Tan", {7, 22}, convertUnary<U::Tan>, "train.unary tan");
  registry.add("Asin", {7, 22}, convertUnary<U::Asin>, "train.unary asin");
  registry.add("Acos", {7, 22}, convertUnary<U::Acos>, "train.unary acos");
  registry.add("Atan", {7, 22}, convertUnary<U::Atan>, "train.unary atan");
  registry.add("Sinh", {9, 22}, convertUnary<U::Sinh>, "train.unary sinh");
  registry.add("Cosh", {9, 22}, convertUnary<U::Cosh>, "train.unary cosh");
  registry.add("Asinh", {9, 22}, convertUnary<U::Asinh>, "train.unary asinh");
  registry.add("Acosh", {9, 22}, convertUnary<U::Acosh>, "train.unary acosh");
  registry.add("Atanh", {9, 22}, convertUnary<U::Atanh>, "train.unary atanh");
  registry.add("Floor", {6, 13}, convertOfSizes<U::Floor, std::floor>,
               "train.unary floor; folded on shapes");
  registry.add("Ceil", {6, 13}, convertOfSizes<U::Ceil, std::ceil>,
               "train.unary ceil; folded on shapes");
  registry.add("Round", {11, 22}, convertOfSizes<U::Round, std::nearbyint>,
               "train.unary round; folded on shapes");
  registry.add("Softplus", {1, 22}, convertUnary<U::Softplus>,
               "train.unary softplus");
  registry.add("Softsign", {1, 22}, convertUnary<U::Softsign>,
               "train.unary softsign");
  registry.add("HardSwish", {14, 22}, convertUnary<U::HardSwish>,
               "train.unary hard_swish");
  registry.add("Mish", {18, 22}, convertUnary<U::Mish>, "train.unary mish");
  registry.add("Swish", {24}, convertWithAlpha<U::Swish>, "train.unary swish");
  registry.add("Celu", {12}, convertWithAlpha<U::Celu>, "train.unary celu");
  registry.add("Elu", {6, 22}, convertWithAlpha<U::Elu>, "train.unary elu");
  registry.add("ThresholdedRelu", {10, 22},
               convertWithAlpha<U::ThresholdedRelu>,
               "train.unary thresholded_relu");
  registry.add("Shrink", {9}, convertShrink, "train.unary shrink");
  registry.add("Neg", {6, 13}, convertNeg, "train.scale; folded on shapes");
  registry.add("Selu", {6, 22}, convertSelu, "train.unary selu");
  registry.add("HardSigmoid", {6, 22}, convertHardSigmoid,
               "train.unary hard_sigmoid");
  registry.add("Gelu", {20}, convertGelu, "train.unary gelu, gelu_tanh");
  registry.add("Clip", {6, 11, 12, 13}, convertClip,
               "train.unary clip; train.binary max, min with computed ends");
  registry.add("Mod", {10, 13}, convertMod,
               "train.binary mod, fmod; folded on shapes");
  registry.add("Sub", {6, 7, 13, 14}, convertSub,
               "train.binary sub; folded on shapes");
  registry.add("Div", {6, 7, 13, 14}, convertDiv,
               "train.binary div; folded on shapes");
  registry.add("Pow", {1, 7, 12, 13, 15}, convertPow,
               "train.unary power, train.binary pow; folded on shapes");
  registry.add("Max", {6, 8, 12, 13}, convertVariadic<BinaryFunction::Max>,
               "train.binary max; folded on shapes");
  registry.add("Min", {6, 8, 12, 13}, convertVariadic<BinaryFunction::Min>,
               "train.binary min; folded on shapes");
  registry.add("PRelu", {6, 7, 9, 16}, convertPRelu, "train.binary prelu");
}
