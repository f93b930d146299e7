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

#include "Subject.h"
#include "TensorData.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "takt/Support/Onnx.h"
#include "takt/Support/ShapeText.h"
#include "llvm/ADT/SmallVector.h"
#include <optional>
#include <string>

namespace takt::import {

using takt::shapeText;

using Dims = llvm::SmallVector<int64_t, 8>;

/// Most elements of an integer tensor that is computed with. Shapes need 8; the
/// limit keeps a small file from making big tensors.
constexpr int64_t kMaxIntegers = 1024;

/// The most elements that a tensor of the train dialect has.
constexpr int64_t kMaxElements = int64_t(1) << 40;

/// A tensor that is known at import. Its elements are `integers`, or else those
/// of `tensor`, or else `fill` each.
struct Constant {
  std::string name;
  int32_t type = onnx::TensorProto::UNDEFINED; ///< TensorProto::DataType
  Dims shape;
  std::optional<llvm::SmallVector<int64_t, 4>> integers;
  const onnx::TensorProto *tensor = nullptr;
  /// The tensor's raw data, where the file has them apart from it.
  std::optional<llvm::StringRef> rawData;
  float fill = 0;
  bool literal = false; ///< written in a Constant node
  /// Made by the importer, or computed from sizes of inputs: nothing to train.
  bool fixed = false;

  /// Of integers or bool: a shape, an index or a flag, nothing to train.
  bool isInteger() const;
};

/// The type that elements of an ONNX type have in the train dialect. Null for
/// types that it does not compute with.
mlir::Type computedType(int32_t type, mlir::MLIRContext *context);
/// The ONNX type of tensors that are computed in a type of the train dialect.
int32_t onnxType(mlir::Type computed);

/// Whether it is one of the 16-bit floats.
inline bool isRoundedType(int32_t type) {
  return type == onnx::TensorProto::FLOAT16 ||
         type == onnx::TensorProto::BFLOAT16;
}

/// ONNX's name of an element type: float, int64, …
std::string typeName(int32_t type);

/// Product of sizes that are not negative; nullopt if it is more than
/// kMaxElements.
std::optional<int64_t> countElements(llvm::ArrayRef<int64_t> dims);

/// The constant that `tensor` is, which must outlive it. Checks type and shape,
/// not the elements.
/// Fails with a diagnostic about `subject`.
mlir::FailureOr<Constant> makeConstant(llvm::StringRef name,
                                       const onnx::TensorProto &tensor,
                                       const Subject &subject);

/// Decodes elements. External data is looked for in `directory`; data in the
/// model's file are copied if it has no `owner`.
class TensorReader {
public:
  TensorReader(mlir::MLIRContext *context, std::string directory,
               std::shared_ptr<const void> owner = nullptr)
      : context(context), directory(std::move(directory)),
        owner(std::move(owner)) {}

  /// The elements of a tensor of integers or bool.
  /// Fails with a diagnostic about `subject` if it is none or too large.
  mlir::FailureOr<llvm::SmallVector<int64_t, 4>>
  integers(const Constant &constant, const Subject &subject) const;

  /// The only element of a float tensor.
  mlir::FailureOr<float> scalar(const Constant &constant,
                                const Subject &subject) const;

  /// The elements of a small tensor of any type as numbers.
  /// Fails with a diagnostic about `subject` if these are more than
  /// kMaxIntegers.
  mlir::FailureOr<llvm::SmallVector<double, 4>>
  numbers(const Constant &constant, const Subject &subject) const;

  /// The elements in their computed type: a splat if all have the same bits.
  /// Fails with a diagnostic about `subject` if it is no tensor of the train
  /// dialect, its data do not have the size of its shape, or an element that is
  /// finite would not be in that type.
  mlir::FailureOr<mlir::ElementsAttr> elements(const Constant &constant,
                                               const Subject &subject) const;

private:
  template <typename T>
  mlir::FailureOr<mlir::ElementsAttr> elementsAs(const Constant &constant,
                                                 mlir::RankedTensorType type,
                                                 const Subject &subject) const;

  mlir::FailureOr<TensorData> find(const Constant &constant, int64_t count,
                                   const Subject &subject) const;

  mlir::MLIRContext *context;
  std::string directory;
  std::shared_ptr<const void> owner;
};

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_TENSORS_H
