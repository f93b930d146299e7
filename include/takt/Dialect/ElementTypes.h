//===- ElementTypes.h - element types as MLIR types -------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_DIALECT_ELEMENTTYPES_H
#define TAKT_DIALECT_ELEMENTTYPES_H

#include "mlir/IR/Builders.h"
#include "mlir/IR/BuiltinTypes.h"
#include "takt/Support/ElementType.h"
#include <optional>

namespace takt {

inline mlir::Type mlirType(mlir::Builder &builder, ElementType type) {
  switch (type) {
  case ElementType::F32:
    return builder.getF32Type();
  case ElementType::F64:
    return builder.getF64Type();
  case ElementType::I32:
    return builder.getI32Type();
  case ElementType::I64:
    return builder.getI64Type();
  case ElementType::I1:
    return builder.getI1Type();
  }
  return builder.getNoneType();
}

/// The element type that an MLIR type stands for; nullopt if for none.
inline std::optional<ElementType> elementType(mlir::Type type) {
  if (type.isF32())
    return ElementType::F32;
  if (type.isF64())
    return ElementType::F64;
  if (type.isInteger(32))
    return ElementType::I32;
  if (type.isInteger(64))
    return ElementType::I64;
  if (type.isInteger(1))
    return ElementType::I1;
  return std::nullopt;
}

} // namespace takt

#endif // TAKT_DIALECT_ELEMENTTYPES_H
