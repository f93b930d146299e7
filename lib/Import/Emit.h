//===- Emit.h - operators that become several operations --------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_EMIT_H
#define TAKT_LIB_IMPORT_EMIT_H

#include "Binder.h"

namespace takt::import {

/// Writes a formula as operations of the train dialect. A value is null once
/// something failed, which was then reported, and so is everything that is
/// computed from it: only the end of a formula asks.
class Emit {
public:
  explicit Emit(Node &node) : node(node) {}

  // Element by element; operands are broadcast to each other.
  Value add(Value a, Value b);
  Value sub(Value a, Value b) { return binary(BinaryFunction::Sub, a, b); }
  Value mul(Value a, Value b);
  Value div(Value a, Value b) { return binary(BinaryFunction::Div, a, b); }
  Value binary(BinaryFunction function, Value a, Value b);
  Value unary(UnaryFunction function, Value x, float alpha = 0, float beta = 0);
  Value scale(Value x, float factor);
  /// x times −1; of integers the difference from 0.
  Value negate(Value x);
  /// Numbers in reversed order, those of x again if it is applied twice: −x or,
  /// of integers, whose lowest number has no opposite, −1 − x.
  Value reverseOrder(Value x);
  Value compare(CompareFunction function, Value a, Value b);
  Value invert(Value condition);
  Value where(Value condition, Value a, Value b);
  /// The value itself if it has that element type.
  Value cast(Value x, mlir::Type element);
  Value castLike(Value x, Value other);
  Value relu(Value x);
  Value leakyRelu(Value x, float alpha);
  Value sigmoid(Value x);
  Value tanh(Value x);

  // Movement.
  Value reshape(Value x, llvm::ArrayRef<int64_t> shape);
  Value transpose(Value x, llvm::ArrayRef<int64_t> permutation);
  /// Indices begin to begin + extent of an axis; x itself if these are all.
  Value slice(Value x, int64_t axis, int64_t begin, int64_t extent);
  Value concat(llvm::ArrayRef<Value> values, int64_t axis);
  Value expand(Value x, llvm::ArrayRef<int64_t> shape);
  Value pad(Value x, PadMode mode, llvm::ArrayRef<int64_t> begins,
            llvm::ArrayRef<int64_t> ends, float value);
  Value gather(Value x, Value indices, int64_t axis);
  Value gatherElements(Value x, Value indices, int64_t axis);
  Value scatterElements(ScatterMode mode, Value x, Value indices, Value updates,
                        int64_t axis);

  // Along axes, which are kept at 1.
  Value reduceSum(Value x, llvm::ArrayRef<int64_t> axes);
  Value reduceMax(Value x, llvm::ArrayRef<int64_t> axes);
  Value mean(Value x, llvm::ArrayRef<int64_t> axes);
  Value argMax(Value x, int64_t axis, bool last);
  Value cumSum(Value x, int64_t axis, bool exclusive, bool reverse);
  Value logSoftmax(Value x, int64_t axis);
  Value softmax(Value x, int64_t axis);

  Value matmul(Value a, Value b, bool transposeB = false);

  // Constants, which are never trained.
  Value filled(float value, llvm::ArrayRef<int64_t> shape, Value like);
  Value integers(llvm::ArrayRef<int64_t> values, llvm::ArrayRef<int64_t> shape,
                 int32_t type = onnx::TensorProto::INT64);
  Value floats(llvm::ArrayRef<float> values, llvm::ArrayRef<int64_t> shape,
               Value like);
  /// 0 to size − 1. Fails with a diagnostic if these are too many.
  Value range(int64_t size);

  /// Defines an output of the node; fails if the value is null.
  mlir::LogicalResult define(int output, Value value);
  mlir::LogicalResult define(Value value) { return define(0, value); }

private:
  template <typename OpTy>
  Value create(mlir::ValueRange operands,
               llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  template <typename OpTy>
  Value createTyped(mlir::Type type, mlir::ValueRange operands,
                    llvm::ArrayRef<mlir::NamedAttribute> attributes = {});
  template <typename OpTy> Value reduce(Value x, llvm::ArrayRef<int64_t> axes);
  AttributeList attributes() const { return node.attributes(); }

  Node &node;
};

inline mlir::RankedTensorType typeOf(Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType());
}
inline int64_t rankOf(Value value) { return typeOf(value).getRank(); }

/// Fail with a diagnostic about the input `role` unless it has that rank, or
/// that shape. An input that is left out, null, has any shape.
mlir::LogicalResult expectRank(const Node &node, llvm::StringRef role,
                               Value value, int64_t rank);
mlir::LogicalResult expectShape(const Node &node, llvm::StringRef role,
                                Value value, llvm::ArrayRef<int64_t> shape);

/// Most elements of a range that the importer makes.
constexpr int64_t kMaxRange = int64_t(1) << 22;

/// The end of a formula: failure if the value is null.
inline mlir::FailureOr<Value> orFailure(Value value) {
  if (!value)
    return mlir::failure();
  return value;
}

/// 0 to rank − 1.
Dims axesOf(int64_t rank);

/// What shapes are broadcast to, or nullopt.
std::optional<Dims> broadcastShapes(llvm::ArrayRef<int64_t> a,
                                    llvm::ArrayRef<int64_t> b);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_EMIT_H
