//===- ProductGradients.cpp - gradients of matrix products ----------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// With a' = a or its transpose, and b' likewise, y = a' b' has the gradients
//
//   da' = dy b'^T        da = dy b'^T     or, of a transposed,  b' dy^T
//   db' = a'^T dy        db = a'^T dy     or, of b transposed,  dy^T a'
//
// so that every transposition is a flag of the gradient's own product.
//
//===----------------------------------------------------------------------===//

#include "Gradients.h"
#include "Shapes.h"

using namespace mlir;
using namespace takt::train;

namespace {
/// Operands and flags of the product that gives a gradient.
struct Product {
  Value a, b;
  bool transA, transB;
};
} // namespace

/// The gradient of operand 0 or 1 of a product with these operands and flags.
static Product gradientProduct(const Product &of, unsigned operand, Value dy) {
  if (operand == 0)
    return of.transA ? Product{of.b, dy, of.transB, true}
                     : Product{dy, of.b, false, !of.transB};
  return of.transB ? Product{dy, of.a, true, of.transA}
                   : Product{of.a, dy, !of.transA, false};
}

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

Value ConvOp::buildOperandGradient(OpBuilder &builder, unsigned operand,
                                   ArrayRef<Value> resultGradients) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  Location loc = getLoc();
  if (operand == 0)
    return ConvDgradOp::create(builder, loc, getX().getType(), dy, getW(),
                               getGroups(), getStrides(), getPadsBegin(),
                               getPadsEnd(), getDilations());
  if (operand == 1)
    return ConvWgradOp::create(builder, loc, getW().getType(), getX(), dy,
                               getGroups(), getStrides(), getPadsBegin(),
                               getPadsEnd(), getDilations());
  SmallVector<int64_t> axes;
  for (int64_t axis = 0, rank = shapeOf(dy).size(); axis < rank; ++axis)
    if (axis != 1)
      axes.push_back(axis);
  return ReduceSumOp::create(builder, loc, getB().getType(), dy, axes);
}

/// It is linear in both operands: x = dy of a convolution, whose own gradients
/// it has.
Value ConvDgradOp::buildOperandGradient(OpBuilder &builder, unsigned operand,
                                        ArrayRef<Value> resultGradients) {
  Value gradient = resultGradients[0];
  if (!gradient)
    return {};
  if (operand == 0)
    return ConvOp::create(builder, getLoc(), getDy().getType(), gradient,
                          getW(), /*b=*/Value(), getGroups(), getStrides(),
                          getPadsBegin(), getPadsEnd(), getDilations());
  return ConvWgradOp::create(builder, getLoc(), getW().getType(), gradient,
                             getDy(), getGroups(), getStrides(), getPadsBegin(),
                             getPadsEnd(), getDilations());
}

//===----------------------------------------------------------------------===//
// Matrices
//===----------------------------------------------------------------------===//

Value GemmOp::buildOperandGradient(OpBuilder &builder, unsigned operand,
                                   ArrayRef<Value> resultGradients) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  Location loc = getLoc();
  if (operand == 2)
    return scaleBy(builder, loc, sumTo(builder, loc, dy, getC().getType()),
                   getBeta());
  Product product =
      gradientProduct({getA(), getB(), getTransA(), getTransB()}, operand, dy);
  return GemmOp::create(builder, loc, getOperand(operand).getType(), product.a,
                        product.b, /*c=*/Value(), product.transA,
                        product.transB, getAlpha());
}

/// A tensor as a matrix of its rows.
static Value flattenRows(OpBuilder &builder, Location loc, Value value) {
  ArrayRef<int64_t> dims = shapeOf(value);
  int64_t rows = 1;
  for (int64_t dim : dims.drop_back())
    rows *= dim;
  auto type = RankedTensorType::get({rows, dims.back()}, elementTypeOf(value));
  return ReshapeOp::create(builder, loc, type, value);
}

Value MatMulOp::buildOperandGradient(OpBuilder &builder, unsigned operand,
                                     ArrayRef<Value> resultGradients) {
  Value dy = resultGradients[0];
  if (!dy)
    return {};
  Location loc = getLoc();
  Type type = getOperand(operand).getType();
  Product of{getA(), getB(), getTransA(), getTransB()};
  bool batched = shapeOf(getA()).size() > 2,
       shared = shapeOf(getB()).size() == 2;
  if (operand == 1 && batched && shared && !getTransA()) {
    // One product over all rows, rather than a sum of one per batch.
    of.a = flattenRows(builder, loc, getA());
    Product product =
        gradientProduct(of, operand, flattenRows(builder, loc, dy));
    return GemmOp::create(builder, loc, type, product.a, product.b, Value(),
                          product.transA, product.transB);
  }
  Product product = gradientProduct(of, operand, dy);
  Dims dims(shapeOf(dy).drop_back(2));
  dims.append(shapeOf(getOperand(operand)).take_back(2).begin(),
              shapeOf(getOperand(operand)).end());
  Value gradient = MatMulOp::create(
      builder, loc, RankedTensorType::get(dims, elementTypeOf(dy)), product.a,
      product.b, product.transA, product.transB);
  return sumTo(builder, loc, gradient, type);
}
