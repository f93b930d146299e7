//===- RewriteWeights.h - new elements in an ONNX file ----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_REWRITEWEIGHTS_H
#define TAKT_LIB_EXPORT_REWRITEWEIGHTS_H

#include "OnnxFile.h"
#include "takt/Export/OnnxWeights.h"
#include "takt/Support/Onnx.h"
#include "takt/Support/Rope.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/ADT/StringMap.h"

namespace takt {

/// A tensor that gets other elements, and the type that these have in the file.
struct Weight {
  WeightDeclaration declared;
  onnx::TensorProto::DataType type;
};

/// The same with its new elements as raw data of the type: those of an array,
/// where it has them like that.
struct Replacement {
  const Weight *weight = nullptr;
  const Array *array = nullptr;
  std::optional<std::string> converted;

  llvm::StringRef raw() const {
    return converted ? llvm::StringRef(*converted)
                     : llvm::toStringRef(array->data);
  }
};

using Replacements = llvm::StringMap<Replacement>; ///< by name

/// An Identity of a weight that is none itself, and stays what it was: the
/// initializer or the node that it was the same as.
struct Kept {
  llvm::StringRef tensor, node; ///< messages; one of them
};

/// The model, which `file` was read from, with other elements for what is to be
/// replaced. What was kept (by output) makes what it made before; all else has
/// the bytes that it had. Refers to the bytes of all arguments.
/// Fails if the bytes are no model.
llvm::Expected<Rope> rewriteWeights(llvm::StringRef model, const OnnxFile &file,
                                    const Replacements &replacements,
                                    const llvm::StringMap<Kept> &kept);

} // namespace takt

#endif // TAKT_LIB_EXPORT_REWRITEWEIGHTS_H
