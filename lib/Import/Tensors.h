//===- Tensors.h - tensors that are known at import -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Initializers and Constant, ConstantOfShape and folded nodes. Elements stay
// where they are in the file until they are needed: integers for shapes, floats
// for the initial values of parameters.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_TENSORS_H
#define TAKT_LIB_IMPORT_TENSORS_H

#include "Onnx.h"
#include "Subject.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>

namespace takt::import {

using Dims = llvm::SmallVector<int64_t, 8>;

/// Most elements of an integer tensor that is computed with. Shapes need 8; the
/// limit keeps a small file from making big tensors.
constexpr int64_t kMaxIntegers = 1024;

/// A tensor that is known at import. Its elements are `integers`, or else those
/// of `tensor`, or else `fill` each.
struct Constant {
  std::string name;
  int32_t type = onnx::TensorProto::UNDEFINED; ///< TensorProto::DataType
  Dims shape;
  std::optional<llvm::SmallVector<int64_t, 4>> integers;
  const onnx::TensorProto *tensor = nullptr;
  float fill = 0;
  bool literal = false; ///< written in a Constant node

  /// Of integers or bool: a shape, an index or a flag, never a parameter.
  bool isInteger() const;
};

/// ONNX's name of an element type: float, int64, …
std::string typeName(int32_t type);

/// "2x3x4", or "scalar".
std::string shapeText(llvm::ArrayRef<int64_t> dims);

/// Product of sizes that are not negative; nullopt if it is more than 2^40, the
/// most elements that a tensor of the train dialect has.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> dims);

/// The constant that `tensor` is, which must outlive it. Checks type and shape,
/// not the elements.
/// Fails with a diagnostic about `subject`.
mlir::FailureOr<Constant> makeConstant(llvm::StringRef name,
                                       const onnx::TensorProto &tensor,
                                       const Subject &subject);

/// Decodes elements. External data is looked for in `directory`.
class TensorReader {
public:
  TensorReader(mlir::MLIRContext *context, std::string directory)
      : context(context), directory(std::move(directory)) {}

  /// The elements of a tensor of integers or bool.
  /// Fails with a diagnostic about `subject` if it is none or too large.
  mlir::FailureOr<llvm::SmallVector<int64_t, 4>>
  integers(const Constant &constant, const Subject &subject) const;

  /// The only element of a float tensor.
  mlir::FailureOr<float> scalar(const Constant &constant,
                                const Subject &subject) const;

  /// The elements of a float tensor as f32: a splat if all have the same bits.
  /// Fails with a diagnostic about `subject` if it is no tensor of the train
  /// dialect, its data do not have the size of its shape, or an element that is
  /// finite would not be in f32.
  mlir::FailureOr<mlir::ElementsAttr> floats(const Constant &constant,
                                             const Subject &subject) const;

private:
  mlir::MLIRContext *context;
  std::string directory;
};

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_TENSORS_H
