//===- Shapes.h - shapes of train operations, internal ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Shape arithmetic that inference and verifiers share. Sizes come from tensors
// that isTensor accepts (at most 2^40 elements) and attributes that are checked
// to be at most 2^22, so that no product of two of them overflows; the result's
// size is checked last, by makeResult.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_DIALECT_TRAIN_SHAPES_H
#define TAKT_LIB_DIALECT_TRAIN_SHAPES_H

#include "takt/Dialect/Train/Train.h"
#include "takt/Support/ShapeText.h"
#include "takt/Target/Window.h"

namespace takt::train {

// Not the scheduling library's takt::Value.
using mlir::Value;
using takt::shapeText;

using Dims = llvm::SmallVector<int64_t, 8>;

/// The shape of a ranked tensor.
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getShape();
}
inline mlir::Type elementTypeOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
}

/// Where an operation's diagnostics go, and how they read.
class Reporter {
public:
  Reporter(std::optional<mlir::Location> loc, llvm::StringRef operation)
      : loc(loc), operation(operation) {}
  explicit Reporter(mlir::Operation *op)
      : loc(op->getLoc()), operation(op->getName().getStringRef()) {}

  mlir::LogicalResult fail(const llvm::Twine &message) const;
  /// "NAME is VALUE, expected EXPECTED".
  mlir::LogicalResult failValue(const llvm::Twine &name,
                                const llvm::Twine &value,
                                const llvm::Twine &expected) const;
  /// Checks that `value` is in [least, most].
  mlir::LogicalResult expectRange(const llvm::Twine &name, int64_t value,
                                  int64_t least, int64_t most) const;
  mlir::LogicalResult expectShape(const llvm::Twine &name,
                                  llvm::ArrayRef<int64_t> dims,
                                  llvm::ArrayRef<int64_t> expected) const;
  mlir::LogicalResult expectRank(const llvm::Twine &name,
                                 llvm::ArrayRef<int64_t> dims, int64_t least,
                                 int64_t most) const;
  /// Checks that `accepts` says yes to every type, which inference may meet
  /// before the operation's own verifier does, and that all have one element
  /// type.
  mlir::LogicalResult
  expectTensors(mlir::TypeRange types,
                bool (*accepts)(mlir::Type) = isFloatTensor) const;

  /// Checks that an attribute which inference reads is there.
  mlir::LogicalResult expectAttribute(llvm::StringRef name,
                                      mlir::Attribute attr) const;

private:
  std::optional<mlir::Location> loc;
  llvm::StringRef operation;
};

/// Appends the result type, or fails if it would be too large for a kernel.
mlir::LogicalResult makeResult(const Reporter &reporter,
                               llvm::ArrayRef<int64_t> dims,
                               mlir::Type elementType,
                               llvm::SmallVectorImpl<mlir::Type> &types);

/// The numbers given, or `n` times the default where there are none.
llvm::SmallVector<int64_t, 3> perDimension(llvm::ArrayRef<int64_t> given,
                                           size_t n, int64_t otherwise);

/// The attributes of a sliding window as an operation has them.
struct WindowAttributes {
  llvm::ArrayRef<int64_t> kernel, strides, padsBegin, padsEnd, dilations;
};

template <typename OpTy>
WindowAttributes convAttributes(OpTy op, llvm::ArrayRef<int64_t> weights) {
  return {weights.drop_front(std::min<size_t>(2, weights.size())),
          op.getStrides(), op.getPadsBegin(), op.getPadsEnd(),
          op.getDilations()};
}
template <typename OpTy> WindowAttributes poolAttributes(OpTy op) {
  return {op.getKernel(), op.getStrides(), op.getPadsBegin(), op.getPadsEnd(),
          op.getDilations()};
}

/// The shape that a convolution of x by w has.
/// Fails with a diagnostic if x, w and the attributes do not fit each other.
mlir::FailureOr<Dims> convShape(const Reporter &reporter,
                                llvm::ArrayRef<int64_t> x,
                                llvm::ArrayRef<int64_t> w, int64_t groups,
                                const WindowAttributes &attributes);

/// The shape that a pool of x has.
/// Fails with a diagnostic if x and the attributes do not fit each other.
mlir::FailureOr<Dims> poolShape(const Reporter &reporter,
                                llvm::ArrayRef<int64_t> x,
                                const WindowAttributes &attributes,
                                bool ceilMode);

/// Checks that a pool of x has the shape dy, with or without ceil_mode.
mlir::LogicalResult expectPooled(const Reporter &reporter,
                                 llvm::ArrayRef<int64_t> dy,
                                 llvm::ArrayRef<int64_t> x,
                                 const WindowAttributes &attributes);

/// Checks that `axis` is an axis of a tensor of that shape.
mlir::LogicalResult expectAxis(const Reporter &reporter, int64_t axis,
                               llvm::ArrayRef<int64_t> dims);

/// The shape of x with `begins` before and `ends` behind it along each axis.
/// Fails with a diagnostic if these are out of range.
mlir::FailureOr<Dims> paddedShape(const Reporter &reporter,
                                  llvm::ArrayRef<int64_t> x, PadMode mode,
                                  llvm::ArrayRef<int64_t> begins,
                                  llvm::ArrayRef<int64_t> ends);

/// What all shapes are broadcast to.
/// Fails with a diagnostic if some axis has two sizes that are not 1.
mlir::FailureOr<Dims>
broadcastShape(const Reporter &reporter,
               llvm::ArrayRef<llvm::ArrayRef<int64_t>> shapes);

} // namespace takt::train

#endif // TAKT_LIB_DIALECT_TRAIN_SHAPES_H
