//===- ElementType.h - element types of tensors -----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_ELEMENTTYPE_H
#define TAKT_SUPPORT_ELEMENTTYPE_H

#include "takt/Support/Float16.h"
#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace takt {

/// The element type of a tensor in memory. The values are part of the program
/// container and never change.
enum class ElementType : uint8_t {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnx)          \
  Name = code,
#include "takt/Support/ElementTypes.def"
};

/// Size of one element in bytes; 0 for a value that is no element type, so
/// that a corrupt container is caught by a comparison.
constexpr int64_t elementBytes(ElementType type) {
  switch (type) {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnx)          \
  case ElementType::Name:                                                      \
    return sizeof(Storage);
#include "takt/Support/ElementTypes.def"
  }
  return 0;
}

/// "f32"; empty for a value that is no element type.
inline llvm::StringRef name(ElementType type) {
  switch (type) {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnx)          \
  case ElementType::Name:                                                      \
    return mnemonic;
#include "takt/Support/ElementTypes.def"
  }
  return "";
}

/// use(zero) with a zero of an element's C++ type (uint8_t for i1 and for what
/// is no element type).
template <typename Use> auto visitElement(ElementType type, Use &&use) {
  switch (type) {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnx)          \
  case ElementType::Name:                                                      \
    return use(Storage());
#include "takt/Support/ElementTypes.def"
  }
  return use(uint8_t());
}

/// f16 or bf16, which no kernel computes in: it widens them to f32 and rounds
/// its results.
constexpr bool isShortFloat(ElementType type) {
  return type == ElementType::F16 || type == ElementType::BF16;
}

constexpr bool isFloatType(ElementType type) {
  return type == ElementType::F32 || type == ElementType::F64 ||
         isShortFloat(type);
}

} // namespace takt

#endif // TAKT_SUPPORT_ELEMENTTYPE_H
