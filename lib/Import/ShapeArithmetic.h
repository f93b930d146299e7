//===- ShapeArithmetic.h - integers that are known at import ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Exporters compute the shapes of Reshape nodes in the graph: Shape, Gather,
// Concat and arithmetic. All sizes are known at import, so that these nodes
// become constants.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_SHAPEARITHMETIC_H
#define TAKT_LIB_IMPORT_SHAPEARITHMETIC_H

#include "Binder.h"
#include "Node.h"

namespace takt::import {

/// The ones from Equal on give truth values.
enum class IntegerOperation {
  Add,
  Sub,
  Mul,
  Div,
  Mod, ///< with the sign of the divisor
  Rem, ///< with the sign of the dividend
  Pow,
  Max,
  Min,
  Equal,
  Less,
  LessOrEqual,
  Greater,
  GreaterOrEqual,
  And,
  Or,
  Xor
};

/// The node's two integer constants combined; one of them may have one element.
/// Fails with a diagnostic on overflow and division by zero.
mlir::LogicalResult foldArithmetic(Node &node, IntegerOperation operation);
/// The same behind attributes that are bound already.
mlir::LogicalResult foldArithmetic(Node &node, Binder &bind,
                                   IntegerOperation operation);
/// Of any number of integer constants, two at a time.
mlir::LogicalResult foldVariadic(Node &node, IntegerOperation operation);
/// Each of the node's integers, which it calls `role`; nothing on overflow.
mlir::LogicalResult
foldEach(Node &node, llvm::StringRef role,
         llvm::function_ref<std::optional<int64_t>(int64_t)> function);

/// The constant is of floats that are known and that nobody trains, such as a
/// size on its way to another size: a single number, or computed from integers.
bool isKnownNumber(const Constant &constant);

/// All operands are known numbers or, beside at least one, written in Constant
/// nodes.
bool isNumberArithmetic(const Node &node);

/// The node's numbers, combined in their type. Double precision is enough to
/// round sums, differences, products and quotients of floats rightly.
mlir::LogicalResult foldNumbers(Node &node,
                                llvm::function_ref<double(double)> function);
mlir::LogicalResult
foldNumbers(Node &node, llvm::function_ref<double(double, double)> function);

/// The node's numbers compared, by an operation from Equal to GreaterOrEqual.
mlir::LogicalResult foldComparison(Node &node, IntegerOperation operation);

/// The node's truth values, constants, inverted.
mlir::LogicalResult foldNot(Node &node);

/// The node's choice between two integer constants by a third.
mlir::LogicalResult foldWhere(Node &node);

/// Integers with a shape.
struct IntegerTensor {
  Dims shape, values;
};

/// An operand of the node, a constant of integers.
/// Fails with a diagnostic if these are too many.
mlir::FailureOr<IntegerTensor> integersOf(Node &node, const Operand &operand);
/// The same of the node's input.
mlir::FailureOr<IntegerTensor> integerInput(Node &node, int index);

/// The node's first input, a constant of integers, broadcast to a shape.
mlir::LogicalResult foldExpand(Node &node, llvm::ArrayRef<int64_t> shape);

/// The listed indices of an axis, which are in range.
IntegerTensor take(const IntegerTensor &tensor, int64_t axis,
                   llvm::ArrayRef<int64_t> indices);

/// Axis i of the result is axis permutation[i].
IntegerTensor transpose(const IntegerTensor &tensor,
                        llvm::ArrayRef<int64_t> permutation);

/// Defines an output of the node as integers of its first input's type.
mlir::LogicalResult defineIntegers(Node &node, const IntegerTensor &tensor,
                                   int output = 0);

/// An index from 0 to `size`: one that is negative counts from the end.
int64_t clampIndex(int64_t index, int64_t size);

/// Integers one after the other along an axis, which may count from the end.
/// Fails with a diagnostic if their other sizes differ.
mlir::FailureOr<IntegerTensor>
join(const Node &node, llvm::ArrayRef<IntegerTensor> parts, int64_t axis);

/// Concatenates the node's integer constants.
mlir::LogicalResult foldConcat(Node &node);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_SHAPEARITHMETIC_H
