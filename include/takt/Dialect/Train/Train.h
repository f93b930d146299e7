//===- Train.h - the train dialect ------------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// The operations, attributes and interfaces of the train dialect, and how to
// create its operations from input that may be wrong.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_TRAIN_TRAIN_H
#define TAKT_DIALECT_TRAIN_TRAIN_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"
#include "takt/Machine/CostModel.h"
#include "takt/Scheduling/TaskGraph.h"
#include "takt/Target/Program.h"

namespace takt {

/// The keyword of a kind: trainable, state, optimizer, constant, derived.
llvm::StringRef stringifyParameterKind(ParameterKind kind);
/// nullopt: no kind has that keyword.
std::optional<ParameterKind> symbolizeParameterKind(llvm::StringRef keyword);

namespace train {

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

/// A ranked static tensor of one of ElementTypes.def's types with at most 8
/// dimensions, each positive, and at most kMaxTensorElements elements: what a
/// kernel can work on. Sizes of such tensors can be multiplied with each other
/// element by element without overflow.
bool isTensor(mlir::Type type);
/// isTensor, of f32, f64, f16 or bf16.
bool isFloatTensor(mlir::Type type);
/// isTensor, of f16 or bf16.
bool isShortFloatTensor(mlir::Type type);
/// isTensor, of i64.
bool isLabelTensor(mlir::Type type);
/// isTensor, of i1.
bool isBoolTensor(mlir::Type type);
/// isTensor, of anything but i1.
bool isNumberTensor(mlir::Type type);
/// A finite number of type f32.
bool isFiniteF32(mlir::Attribute attr);
/// A number of type f32, which may be infinite.
bool isNumberF32(mlir::Attribute attr);

/// The element type of a tensor in memory; `type` is one of those that isTensor
/// accepts.
ElementType getElementType(mlir::Type type);
/// Size in bytes of a tensor that isTensor accepts.
int64_t getBytes(mlir::Type tensor);

/// Indices of a ranked tensor's first axis; 1 of a scalar.
int64_t getRows(mlir::Type tensor);

/// All parameters' memory. Reads and writes of it are neither dropped nor moved
/// across each other.
struct ParameterResource
    : mlir::SideEffects::Resource::Base<ParameterResource> {
  llvm::StringRef getName() final { return "parameter"; }
};

/// What an operation on some rows of its operands gives; see
/// RowwiseOpInterface.
enum class RowRule : uint8_t { Rows, Sum, None };

/// One element-wise operation on every element of the first result, times
/// `perElement`, and the bytes of all operands and results.
Work elementwiseWork(mlir::Operation *op, int64_t perElement);

//===----------------------------------------------------------------------===//
// Traits
//===----------------------------------------------------------------------===//

namespace detail {
/// Fails with "operand #1 has type X, expected Y as operand #0".
mlir::LogicalResult verifyOneType(mlir::Operation *op);
/// Fails with "result #0 has type X, expected Y".
mlir::LogicalResult verifyResultTypes(mlir::Operation *op,
                                      mlir::TypeRange expected);
} // namespace detail

/// All operands and results have the same type.
template <typename ConcreteType>
struct HasOneType : public mlir::OpTrait::TraitBase<ConcreteType, HasOneType> {
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    return detail::verifyOneType(op);
  }
};

/// The result types are those that inferReturnTypes gives. Says so in one
/// message, before InferTypeOpInterface checks the same and adds its own.
template <typename ConcreteType>
struct VerifiesInference
    : public mlir::OpTrait::TraitBase<ConcreteType, VerifiesInference> {
  static mlir::LogicalResult verifyTrait(mlir::Operation *op) {
    llvm::SmallVector<mlir::Type> types;
    if (mlir::failed(ConcreteType::inferReturnTypes(
            op->getContext(), op->getLoc(), op->getOperands(),
            op->getRawDictionaryAttrs(), op->getPropertiesStorage(),
            op->getRegions(), types)))
      return mlir::failure();
    return detail::verifyResultTypes(op, types);
  }
};

} // namespace train
} // namespace takt

#include "takt/Dialect/Train/TrainDialect.h.inc"
#include "takt/Dialect/Train/TrainInterfaces.h.inc"

#define GET_ATTRDEF_CLASSES
#include "takt/Dialect/Train/TrainAttributes.h.inc"

#define GET_OP_CLASSES
#include "takt/Dialect/Train/TrainOps.h.inc"

namespace takt::train {

//===----------------------------------------------------------------------===//
// Creating operations from input that may be wrong
//===----------------------------------------------------------------------===//

namespace detail {
/// Creates the operation and verifies it; null, and nothing left behind, if it
/// does not verify.
mlir::Operation *createVerified(mlir::OpBuilder &builder, mlir::Location loc,
                                llvm::StringRef name, mlir::TypeRange results,
                                mlir::ValueRange operands,
                                llvm::ArrayRef<mlir::NamedAttribute> attrs);
} // namespace detail

/// Creates an operation whose result types are given, and verifies it.
/// Fails with a diagnostic at `loc`; then nothing is created.
template <typename OpTy>
mlir::FailureOr<OpTy>
tryCreate(mlir::OpBuilder &builder, mlir::Location loc, mlir::TypeRange results,
          mlir::ValueRange operands,
          llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  mlir::Operation *op = detail::createVerified(
      builder, loc, OpTy::getOperationName(), results, operands, attributes);
  if (!op)
    return mlir::failure();
  return mlir::cast<OpTy>(op);
}

/// Creates an operation whose result types follow from its operands and
/// attributes, and verifies it. (OpTy::create without result types aborts where
/// this fails.)
/// Fails with a diagnostic at `loc`; then nothing is created.
template <typename OpTy>
mlir::FailureOr<OpTy>
tryCreate(mlir::OpBuilder &builder, mlir::Location loc,
          mlir::ValueRange operands,
          llvm::ArrayRef<mlir::NamedAttribute> attributes = {}) {
  using Properties = typename OpTy::Properties;
  mlir::MLIRContext *context = builder.getContext();
  auto dictionary = mlir::DictionaryAttr::get(context, attributes);
  Properties properties{};
  mlir::OperationName(OpTy::getOperationName(), context)
      .populateDefaultProperties(mlir::OpaqueProperties(&properties));
  if constexpr (!std::is_same_v<Properties, mlir::EmptyProperties>)
    if (mlir::failed(OpTy::setPropertiesFromAttr(properties, dictionary, [&] {
          return mlir::emitError(loc)
                 << "'" << OpTy::getOperationName() << "' op ";
        })))
      return mlir::failure();
  llvm::SmallVector<mlir::Type> results;
  if (mlir::failed(OpTy::inferReturnTypes(context, loc, operands, dictionary,
                                          mlir::OpaqueProperties(&properties),
                                          {}, results)))
    return mlir::failure();
  return tryCreate<OpTy>(builder, loc, results, operands, attributes);
}

} // namespace takt::train

#endif // TAKT_DIALECT_TRAIN_TRAIN_H
