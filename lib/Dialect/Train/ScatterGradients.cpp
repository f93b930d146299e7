//===- ScatterGradients.cpp - gradients of scattered updates --------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Gradients.h"
#include "Shapes.h"

using namespace mlir;
using namespace takt::train;
using takt::ScatterMode;

namespace {
/// Builds the gradients of one operation. In the formulas an update u is one of
/// those of the element e of x, y is e's result, and Σ and Π are over e's.
class ScatterGradient {
public:
  ScatterGradient(OpBuilder &builder, ScatterElementsOp op, Value dy)
      : builder(builder), loc(op.getLoc()), op(op), x(op.getX()),
        updates(op.getUpdates()), dy(dy) {}

  Value ofReplaced(unsigned operand);
  Value ofAdded(unsigned operand) { return operand == 0 ? dy : gather(dy); }
  Value ofProduct(unsigned operand);
  Value ofExtreme(unsigned operand);

private:
  Value gather(Value value) {
    return GatherElementsOp::create(builder, loc, updates.getType(), value,
                                    op.getIndices(), op.getAxis());
  }
  Value scatter(ScatterMode mode, Value into, Value what) {
    return ScatterElementsOp::create(builder, loc, into.getType(), mode, into,
                                     op.getIndices(), what, op.getAxis());
  }
  Value zerosLike(Value value) {
    return ScaleOp::create(builder, loc, value, 0.0f);
  }
  /// 1 where a and b are equal, else 0.
  Value areEqual(Value a, Value b) {
    Value truth =
        CompareOp::create(builder, loc, takt::CompareFunction::Equal, a, b);
    return CastOp::create(builder, loc, a.getType(), truth);
  }
  Value multiply(Value a, Value b) { return MulOp::create(builder, loc, a, b); }
  Value divide(Value a, Value b) {
    return BinaryOp::create(builder, loc, a.getType(),
                            takt::BinaryFunction::Div, a, b);
  }

  OpBuilder &builder;
  Location loc;
  ScatterElementsOp op;
  Value x, updates, dy;
};
} // namespace

/// What was replaced has none. Of several updates the program keeps the last,
/// but each gets the gradient.
Value ScatterGradient::ofReplaced(unsigned operand) {
  Value taken = gather(dy);
  return operand == 2 ? taken
                      : scatter(ScatterMode::Replace, dy, zerosLike(taken));
}

/// dx = dy · Π u. For an update du = dy · y / u, but where it is 0: of a single
/// one dy · x · Π of the others, of several 0.
Value ScatterGradient::ofProduct(unsigned operand) {
  if (operand == 0)
    return scatter(ScatterMode::Mul, dy, updates);
  Value isZero = areEqual(updates, zerosLike(updates));
  Value notZero = AddOp::create(builder, loc, updates, isZero);
  Value rest = scatter(ScatterMode::Mul, x, notZero);
  Value zeros = scatter(ScatterMode::Add, zerosLike(x), isZero);
  // Without this update as many others are 0 as there are zeros but itself.
  Value others =
      BinaryOp::create(builder, loc, updates.getType(),
                       takt::BinaryFunction::Sub, gather(zeros), isZero);
  Value counts = areEqual(others, zerosLike(others));
  Value product = divide(gather(multiply(dy, rest)), notZero);
  return multiply(product, counts);
}

/// dy in equal parts to x and the updates that are y, as PyTorch divides it.
Value ScatterGradient::ofExtreme(unsigned operand) {
  Value y = scatter(op.getMode(), x, updates);
  Value isX = areEqual(x, y), isUpdate = areEqual(updates, gather(y));
  Value part = divide(dy, scatter(ScatterMode::Add, isX, isUpdate));
  return operand == 0 ? multiply(part, isX) : multiply(gather(part), isUpdate);
}

Value ScatterElementsOp::buildOperandGradient(OpBuilder &builder,
                                              unsigned operand,
                                              ArrayRef<Value> resultGradients) {
  Value dy = resultGradients[0];
  if (!dy || operand == 1 || !isa<FloatType>(elementTypeOf(dy)))
    return {};
  ScatterGradient gradient(builder, *this, dy);
  switch (getMode()) {
  case ScatterMode::Replace:
    return gradient.ofReplaced(operand);
  case ScatterMode::Add:
    return gradient.ofAdded(operand);
  case ScatterMode::Mul:
    return gradient.ofProduct(operand);
  case ScatterMode::Max:
  case ScatterMode::Min:
    return gradient.ofExtreme(operand);
  }
  return {};
}
