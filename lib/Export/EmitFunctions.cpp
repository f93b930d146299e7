//===- EmitFunctions.cpp - functions as ONNX nodes ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emission.h"
#include "Formulas.h"
#include "llvm/ADT/STLExtras.h"

using namespace mlir;
using namespace takt;

//===----------------------------------------------------------------------===//
// Functions of Functions.def
//===----------------------------------------------------------------------===//

/// use(f) for the function of one number that the operation has.
template <typename OpTy, typename Use> static Term withUnary(OpTy op, Use use) {
  formulas::Coefficients of = {op.getAlpha(), op.getBeta()};
  switch (op.getFunction()) {
#define TAKT_UNARY(Name, mnemonic, code, formula)                              \
  case UnaryFunction::Name:                                                    \
    return use(formulas::Name{of});
#include "takt/Target/Functions.def"
  }
  llvm_unreachable("attributes hold functions of the list");
}

template <typename Use>
static Term withBinary(BinaryFunction function, Use use) {
  switch (function) {
#define TAKT_BINARY(Name, mnemonic, code, formula)                             \
  case BinaryFunction::Name:                                                   \
    return use(formulas::Name());
#include "takt/Target/Functions.def"
  }
  llvm_unreachable("attributes hold functions of the list");
}

static Term emitUnary(Emission &emission, train::UnaryOp op) {
  Term x = emission.of(op.getX());
  return withUnary(op, [&](auto f) { return f.value(x); });
}

static Term emitUnaryDgrad(Emission &emission, train::UnaryDgradOp op) {
  Term dy = emission.of(op.getDy()), x = emission.of(op.getX());
  return withUnary(op, [&](auto f) { return dy * f.slope(x); });
}

static Term emitBinary(Emission &emission, train::BinaryOp op) {
  Term a = emission.of(op.getA()), b = emission.of(op.getB());
  return withBinary(op.getFunction(), [&](auto f) { return f.value(a, b); });
}

static Term emitBinaryDgrad(Emission &emission, train::BinaryDgradOp op) {
  Term dy = emission.of(op.getDy());
  Term a = emission.of(op.getA()), b = emission.of(op.getB());
  return withBinary(op.getFunction(), [&](auto f) {
    return dy * (op.getOperand() == 1 ? f.slopeB(a, b) : f.slopeA(a, b));
  });
}

//===----------------------------------------------------------------------===//
// Activations
//===----------------------------------------------------------------------===//

static Term emitRelu(Emission &emission, train::ReluOp op) {
  return emission.of(op.getX()).node("Relu");
}

static Term emitReluDgrad(Emission &emission, train::ReluDgradOp op) {
  return where(emission.of(op.getY()) > 0, emission.of(op.getDy()), 0);
}

static Term emitLeakyRelu(Emission &emission, train::LeakyReluOp op) {
  return emission.of(op.getX()).node("LeakyRelu", {},
                                     NodeAttribute("alpha", op.getAlpha()));
}

static Term emitLeakyReluDgrad(Emission &emission, train::LeakyReluDgradOp op) {
  Term dy = emission.of(op.getDy());
  return where(emission.of(op.getX()) > 0, dy, dy * op.getAlpha());
}

static Term emitSigmoid(Emission &emission, train::SigmoidOp op) {
  return sigmoid(emission.of(op.getX()));
}

static Term emitSigmoidDgrad(Emission &emission, train::SigmoidDgradOp op) {
  Term y = emission.of(op.getY());
  return emission.of(op.getDy()) * y * (1 - y);
}

static Term emitTanh(Emission &emission, train::TanhOp op) {
  return tanh(emission.of(op.getX()));
}

static Term emitTanhDgrad(Emission &emission, train::TanhDgradOp op) {
  Term y = emission.of(op.getY());
  return emission.of(op.getDy()) * (1 - y * y);
}

static Term emitSoftmax(Emission &emission, train::SoftmaxOp op) {
  return emission.of(op.getX()).node(
      "Softmax", {}, NodeAttribute("axis", int64_t(op.getAxis())));
}

static Term emitSoftmaxDgrad(Emission &emission, train::SoftmaxDgradOp op) {
  Term dy = emission.of(op.getDy()), y = emission.of(op.getY());
  return y * (dy - (dy * y).sum(int64_t(op.getAxis())));
}

static Term emitLogSoftmax(Emission &emission, train::LogSoftmaxOp op) {
  return emission.of(op.getX()).node(
      "LogSoftmax", {}, NodeAttribute("axis", int64_t(op.getAxis())));
}

static Term emitLogSoftmaxDgrad(Emission &emission,
                                train::LogSoftmaxDgradOp op) {
  Term dy = emission.of(op.getDy());
  return dy - exp(emission.of(op.getY())) * dy.sum(int64_t(op.getAxis()));
}

/// Which elements are kept is up to whoever runs the graph, but the same ones
/// in the gradient: the first dropout of a seed draws the mask.
static Term emitDropout(Emission &emission, train::DropoutOp op) {
  Term x = emission.of(op.getX());
  auto seed = static_cast<int64_t>(op.getSeed());
  std::pair<int64_t, Dims> key(seed, dimsOf(op.getX()));
  if (auto mask = emission.masks.find(key); mask != emission.masks.end())
    return where(mask->second, x / (1.0 - op.getRatio()), 0);
  Term ratio = emission.number(ElementType::F32, op.getRatio());
  Term training = emission.number(ElementType::I1, 1);
  auto [y, mask] = x.nodeOfTwo("Dropout", {ratio, training},
                               NodeAttribute("seed", seed), ElementType::I1);
  emission.masks.insert({key, mask});
  return y;
}

/// Other numbers than Takt draws. A tensor stands for their shape and type.
template <typename OpTy>
static Term draw(Emission &emission, OpTy op, StringRef node, StringRef first,
                 float a, StringRef second, float b) {
  ElementType type = train::getElementType(op.getType());
  return emission.number(type, 0)
      .expand(dimsOf(op.getY()))
      .node(node, {},
            {NodeAttribute(first, a), NodeAttribute(second, b),
             NodeAttribute("seed", static_cast<float>(op.getSeed()))});
}

static Term emitRandomUniform(Emission &emission, train::RandomUniformOp op) {
  return draw(emission, op, "RandomUniformLike", "low", op.getLow(), "high",
              op.getHigh());
}

static Term emitRandomNormal(Emission &emission, train::RandomNormalOp op) {
  return draw(emission, op, "RandomNormalLike", "mean", op.getMean(), "scale",
              op.getScale());
}

//===----------------------------------------------------------------------===//
// Arithmetic, truth values, element types
//===----------------------------------------------------------------------===//

static Term emitAdd(Emission &emission, train::AddOp op) {
  return emission.of(op.getA()) + emission.of(op.getB());
}

static Term emitMul(Emission &emission, train::MulOp op) {
  return emission.of(op.getA()) * emission.of(op.getB());
}

static Term emitSum(Emission &emission, train::SumOp op) {
  SmallVector<Term> others;
  for (mlir::Value x : op.getX().drop_front())
    others.push_back(emission.of(x));
  return emission.of(op.getX().front()).node("Sum", others);
}

static Term emitScale(Emission &emission, train::ScaleOp op) {
  return emission.of(op.getX()) * op.getValue();
}

/// Truth values are ordered as integers.
static Term emitCompare(Emission &emission, train::CompareOp op) {
  Term a = emission.of(op.getA()), b = emission.of(op.getB());
  bool isOrder = op.getFunction() == CompareFunction::Less ||
                 op.getFunction() == CompareFunction::LessOrEqual;
  if (isOrder && a.getType() == ElementType::I1) {
    a = a.cast(ElementType::I32);
    b = b.cast(ElementType::I32);
  }
  switch (op.getFunction()) {
  case CompareFunction::Equal:
    return a == b;
  case CompareFunction::NotEqual:
    return !(a == b);
  case CompareFunction::Less:
    return a < b;
  case CompareFunction::LessOrEqual:
    break;
  }
  return a <= b;
}

static Term emitWhere(Emission &emission, train::WhereOp op) {
  return where(emission.of(op.getCondition()), emission.of(op.getA()),
               emission.of(op.getB()));
}

static Term emitWhereDgrad(Emission &emission, train::WhereDgradOp op) {
  Term condition = emission.of(op.getCondition()), dy = emission.of(op.getDy());
  return op.getOperand() == 1 ? where(condition, dy, 0)
                              : where(condition, dy.number(0), dy);
}

static Term emitCast(Emission &emission, train::CastOp op) {
  return emission.of(op.getX()).cast(train::getElementType(op.getType()));
}

void takt::addFunctionEmitters(EmitterTable &table) {
  table.add<train::UnaryOp, emitUnary>();
  table.add<train::UnaryDgradOp, emitUnaryDgrad>();
  table.add<train::BinaryOp, emitBinary>();
  table.add<train::BinaryDgradOp, emitBinaryDgrad>();
  table.add<train::ReluOp, emitRelu>();
  table.add<train::ReluDgradOp, emitReluDgrad>();
  table.add<train::LeakyReluOp, emitLeakyRelu>();
  table.add<train::LeakyReluDgradOp, emitLeakyReluDgrad>();
  table.add<train::SigmoidOp, emitSigmoid>();
  table.add<train::SigmoidDgradOp, emitSigmoidDgrad>();
  table.add<train::TanhOp, emitTanh>();
  table.add<train::TanhDgradOp, emitTanhDgrad>();
  table.add<train::SoftmaxOp, emitSoftmax>();
  table.add<train::SoftmaxDgradOp, emitSoftmaxDgrad>();
  table.add<train::LogSoftmaxOp, emitLogSoftmax>();
  table.add<train::LogSoftmaxDgradOp, emitLogSoftmaxDgrad>();
  table.add<train::DropoutOp, emitDropout>();
  table.add<train::RandomUniformOp, emitRandomUniform>();
  table.add<train::RandomNormalOp, emitRandomNormal>();
  table.add<train::AddOp, emitAdd>();
  table.add<train::MulOp, emitMul>();
  table.add<train::SumOp, emitSum>();
  table.add<train::ScaleOp, emitScale>();
  table.add<train::CompareOp, emitCompare>();
  table.add<train::WhereOp, emitWhere>();
  table.add<train::WhereDgradOp, emitWhereDgrad>();
  table.add<train::CastOp, emitCast>();
}
