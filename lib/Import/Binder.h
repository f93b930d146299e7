//===- Binder.h - binds a node's inputs and attributes ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_BINDER_H
#define TAKT_LIB_IMPORT_BINDER_H

#include "Node.h"
#include "llvm/ADT/SmallPtrSet.h"
#include <limits>

namespace takt::import {

/// Takes a node apart. Inputs are taken in their order, attributes by name; the
/// first thing that is wrong is reported, and from then on every function gives
/// defaults, so that a conversion checks once, with finish():
///
///     Binder bind(node);
///     Value x = bind.tensor("X");
///     float alpha = bind.number("alpha", 0.01f);
///     if (failed(bind.finish()))
///       return failure();
///
/// finish() also rejects inputs, attributes and used outputs that the
/// conversion did not ask for: nothing in a file is ignored.
class Binder {
public:
  explicit Binder(Node &node) : node(node) {}

  //===--------------------------------------------------------------------===//
  // Inputs
  //===--------------------------------------------------------------------===//

  /// The next input as a tensor; constants become parameters.
  mlir::Value tensor(llvm::StringRef role, Accept accept = Accept::Floats);
  /// Null if it is left out.
  mlir::Value optionalTensor(llvm::StringRef role,
                             Accept accept = Accept::Floats);
  /// All inputs that are left, at least one.
  llvm::SmallVector<mlir::Value> tensors(llvm::StringRef role,
                                         Accept accept = Accept::Floats);
  /// The next input as indices, in i64.
  mlir::Value indices(llvm::StringRef role);
  /// Null if it is left out.
  mlir::Value optionalIndices(llvm::StringRef role);
  /// The next input as it is.
  Operand operand(llvm::StringRef role);
  Operand optionalOperand();
  /// The next input as integers that are known at import; nullopt if it is left
  /// out.
  std::optional<Dims> optionalIntegers(llvm::StringRef role);
  Dims integers(llvm::StringRef role);
  /// The next input as a number that is known at import.
  std::optional<float> optionalScalar(llvm::StringRef role);
  bool hasMoreInputs() const { return nextInput < node.proto.input_size(); }

  //===--------------------------------------------------------------------===//
  // Attributes
  //===--------------------------------------------------------------------===//

  /// A finite number.
  float number(llvm::StringRef name, float otherwise);
  /// nullopt if there is no such attribute.
  std::optional<float> optionalNumber(llvm::StringRef name);
  int64_t integer(llvm::StringRef name, int64_t otherwise,
                  int64_t least = std::numeric_limits<int64_t>::min(),
                  int64_t most = std::numeric_limits<int64_t>::max());
  int64_t requiredInteger(llvm::StringRef name);
  /// 0 or 1.
  bool flag(llvm::StringRef name, bool otherwise) {
    return integer(name, otherwise, 0, 1) != 0;
  }
  /// nullopt if there is no such attribute.
  std::optional<Dims> list(llvm::StringRef name);
  /// Finite numbers; none if there is no such attribute.
  llvm::SmallVector<float> numbers(llvm::StringRef name);
  std::string text(llvm::StringRef name, llvm::StringRef otherwise);
  const onnx::TensorProto *tensorAttribute(llvm::StringRef name);
  const onnx::GraphProto *requiredGraph(llvm::StringRef name);
  /// Any attribute, to look at its type.
  const onnx::AttributeProto *attribute(llvm::StringRef name);

  /// The second operand of arithmetic, aligned to the first as the attributes
  /// `broadcast` and `axis` say, which there were before opset 7.
  mlir::Value alignedTo(mlir::Value a, mlir::Value b);

  /// Fails if anything was wrong or is left over. The conversion defines the
  /// first `outputs` outputs.
  mlir::LogicalResult finish(int outputs = 1);

private:
  const onnx::AttributeProto *
  attribute(llvm::StringRef name, onnx::AttributeProto::AttributeType type);
  /// True for the first thing that is wrong.
  bool firstError() { return !std::exchange(wrong, true); }
  mlir::LogicalResult checkAttributes();
  mlir::LogicalResult checkCounts(int outputs);

  Node &node;
  int nextInput = 0;
  bool wrong = false;
  llvm::SmallPtrSet<const onnx::AttributeProto *, 8> taken;
};

/// The number, if the operand is a constant of rank 0: of a float type, or of
/// integers where `integersToo` says so.
/// Fails with a diagnostic if it is not finite.
mlir::FailureOr<std::optional<float>>
constantNumber(Node &node, const Operand &operand, bool integersToo = false);

/// Which of `rank` axes are listed.
/// Fails with a diagnostic if one is out of range or listed twice.
mlir::FailureOr<llvm::SmallVector<bool>>
markAxes(const Node &node, llvm::ArrayRef<int64_t> axes, int64_t rank);

/// The element type of a value.
inline mlir::Type elementOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getElementType();
}
inline bool isFloat(mlir::Value value) {
  return mlir::isa<mlir::FloatType>(elementOf(value));
}

/// The shape of a value.
inline llvm::ArrayRef<int64_t> shapeOf(mlir::Value value) {
  return mlir::cast<mlir::RankedTensorType>(value.getType()).getShape();
}

/// An axis counted from 0, of one that may count from the end.
/// Fails with a diagnostic if it is not in [-rank, rank).
mlir::FailureOr<int64_t> resolveAxis(const Node &node, int64_t axis,
                                     int64_t rank);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_BINDER_H
