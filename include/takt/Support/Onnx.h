//===- Onnx.h - ONNX's protobuf classes -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Includes the generated classes with the definitions that the installed
// library was built with; they are part of its binary interface.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_ONNX_H
#define TAKT_SUPPORT_ONNX_H

#ifndef ONNX_NAMESPACE
#define ONNX_NAMESPACE onnx
#endif
#ifndef ONNX_ML
#define ONNX_ML 1
#endif

#include "takt/Support/ElementType.h"
#include <onnx/onnx_pb.h>
#include <optional>

namespace takt {

/// ONNX's data type of an element type.
inline int32_t onnxDataType(ElementType type) {
  switch (type) {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnxName)      \
  case ElementType::Name:                                                      \
    return onnx::TensorProto::onnxName;
#include "takt/Support/ElementTypes.def"
  }
  return onnx::TensorProto::UNDEFINED;
}

/// The element type of one of ONNX's data types; nullopt where there is none
/// (strings, complex numbers, floats of 8 bits, integers of 4).
inline std::optional<ElementType> elementTypeOfOnnx(int32_t dataType) {
  switch (dataType) {
#define TAKT_ELEMENT_TYPE(Name, mnemonic, code, Storage, numpy, onnxName)      \
  case onnx::TensorProto::onnxName:                                            \
    return ElementType::Name;
#include "takt/Support/ElementTypes.def"
  default:
    return std::nullopt;
  }
}

} // namespace takt

#endif // TAKT_SUPPORT_ONNX_H
