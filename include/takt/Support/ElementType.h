//===- ElementType.h - element types of tensors -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_ELEMENTTYPE_H
#define TAKT_SUPPORT_ELEMENTTYPE_H

#include <cstdint>

namespace takt {

/// The element type of a tensor in memory. The values are part of the program
/// container and never change.
enum class ElementType : uint8_t { F32 = 1, F64 = 2, I32 = 3, I64 = 4, I1 = 5 };

/// Size of one element in bytes; 0 for a value that is no element type, so
/// that a corrupt container is caught by a comparison.
constexpr int64_t elementBytes(ElementType type) {
  switch (type) {
  case ElementType::F32:
  case ElementType::I32:
    return 4;
  case ElementType::F64:
  case ElementType::I64:
    return 8;
  case ElementType::I1:
    return 1;
  }
  return 0;
}

} // namespace takt

#endif // TAKT_SUPPORT_ELEMENTTYPE_H
