//===- Types.cpp - types, attributes and traits of train ------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Dialect/ElementTypes.h"
#include "takt/Dialect/Train/Train.h"
#include "takt/Target/KernelCheck.h"

using namespace mlir;
using namespace takt::train;
using takt::elementBytes;
using takt::elementType;
using takt::ElementType;
using takt::kMaxTensorElements;

static constexpr int64_t kMaxRank = 8;

//===----------------------------------------------------------------------===//
// Types and attributes
//===----------------------------------------------------------------------===//

static bool hasKernelShape(RankedTensorType type) {
  if (type.getEncoding() || type.getRank() > kMaxRank)
    return false;
  int64_t elements = 1;
  for (int64_t dim : type.getShape()) {
    // Dynamic sizes are negative.
    if (dim < 1 || dim > kMaxTensorElements / elements)
      return false;
    elements *= dim;
  }
  return true;
}

bool takt::train::isTensor(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor || !hasKernelShape(tensor))
    return false;
  return elementType(tensor.getElementType()).has_value();
}

bool takt::train::isFloatTensor(Type type) {
  return isTensor(type) &&
         isa<FloatType>(cast<RankedTensorType>(type).getElementType());
}

bool takt::train::isLabelTensor(Type type) {
  return isTensor(type) &&
         cast<RankedTensorType>(type).getElementType().isSignlessInteger(64);
}

bool takt::train::isBoolTensor(Type type) {
  return isTensor(type) &&
         cast<RankedTensorType>(type).getElementType().isSignlessInteger(1);
}

bool takt::train::isNumberTensor(Type type) {
  return isTensor(type) && !isBoolTensor(type);
}

bool takt::train::isFiniteF32(Attribute attr) {
  auto number = dyn_cast<FloatAttr>(attr);
  return number && number.getType().isF32() && number.getValue().isFinite();
}

bool takt::train::isNumberF32(Attribute attr) {
  auto number = dyn_cast<FloatAttr>(attr);
  return number && number.getType().isF32() && !number.getValue().isNaN();
}

bool takt::train::isShortFloatTensor(Type type) {
  return isTensor(type) && takt::isShortFloat(getElementType(type));
}

ElementType takt::train::getElementType(Type type) {
  return elementType(cast<RankedTensorType>(type).getElementType())
      .value_or(ElementType::I1);
}

int64_t takt::train::getRows(Type tensor) {
  auto type = cast<RankedTensorType>(tensor);
  return type.getRank() == 0 ? 1 : type.getDimSize(0);
}

int64_t takt::train::getBytes(Type tensor) {
  return cast<RankedTensorType>(tensor).getNumElements() *
         elementBytes(getElementType(tensor));
}

//===----------------------------------------------------------------------===//
// Traits
//===----------------------------------------------------------------------===//

LogicalResult takt::train::detail::verifyOneType(Operation *op) {
  Type expected = op->getOperand(0).getType();
  for (auto [i, type] : llvm::enumerate(op->getOperandTypes()))
    if (type != expected)
      return op->emitOpError("operand #")
             << i << " has type " << type << ", expected " << expected
             << " as operand #0";
  for (auto [i, type] : llvm::enumerate(op->getResultTypes()))
    if (type != expected)
      return op->emitOpError("result #")
             << i << " has type " << type << ", expected " << expected
             << " as operand #0";
  return success();
}

LogicalResult takt::train::detail::verifyResultTypes(Operation *op,
                                                     TypeRange expected) {
  for (auto [i, type, inferred] :
       llvm::enumerate(op->getResultTypes(), expected))
    if (type != inferred)
      return op->emitOpError("result #")
             << i << " has type " << type << ", expected " << inferred;
  return success();
}

//===----------------------------------------------------------------------===//
// Creating operations
//===----------------------------------------------------------------------===//

Operation *takt::train::detail::createVerified(OpBuilder &builder, Location loc,
                                               StringRef name,
                                               TypeRange results,
                                               ValueRange operands,
                                               ArrayRef<NamedAttribute> attrs) {
  OperationState state(loc, name, operands, results, attrs);
  Operation *op = builder.create(state);
  if (succeeded(verify(op)))
    return op;
  op->erase();
  return nullptr;
}
