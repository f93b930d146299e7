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

/// Signless for i1 to i64, unsigned for ui8 to ui64.
inline mlir::Type mlirType(mlir::Builder &builder, ElementType type) {
  switch (type) {
  case ElementType::F32:
    return builder.getF32Type();
  case ElementType::F64:
    return builder.getF64Type();
  case ElementType::F16:
    return builder.getF16Type();
  case ElementType::BF16:
    return builder.getBF16Type();
  case ElementType::I1:
    return builder.getI1Type();
  case ElementType::I8:
  case ElementType::I16:
  case ElementType::I32:
  case ElementType::I64:
    return builder.getIntegerType(8 * elementBytes(type));
  case ElementType::U8:
  case ElementType::U16:
  case ElementType::U32:
  case ElementType::U64:
    return builder.getIntegerType(8 * elementBytes(type), /*isSigned=*/false);
  }
  return builder.getNoneType();
}

/// The element type that mlirType would make that type of; nullopt if there is
/// none.
inline std::optional<ElementType> elementType(mlir::Type type) {
  if (type.isF32())
    return ElementType::F32;
  if (type.isF64())
    return ElementType::F64;
  if (type.isF16())
    return ElementType::F16;
  if (type.isBF16())
    return ElementType::BF16;
  auto integer = mlir::dyn_cast<mlir::IntegerType>(type);
  if (!integer || integer.isSigned())
    return std::nullopt;
  bool isSignless = integer.isSignless();
  switch (integer.getWidth()) {
  case 1:
    return isSignless ? std::optional(ElementType::I1) : std::nullopt;
  case 8:
    return isSignless ? ElementType::I8 : ElementType::U8;
  case 16:
    return isSignless ? ElementType::I16 : ElementType::U16;
  case 32:
    return isSignless ? ElementType::I32 : ElementType::U32;
  case 64:
    return isSignless ? ElementType::I64 : ElementType::U64;
  default:
    return std::nullopt;
  }
}

} // namespace takt

#endif // TAKT_DIALECT_ELEMENTTYPES_H
