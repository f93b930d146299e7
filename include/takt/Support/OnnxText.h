//===- OnnxText.h - the two forms of an ONNX file ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_ONNXTEXT_H
#define TAKT_SUPPORT_ONNXTEXT_H

#include "llvm/Support/MemoryBufferRef.h"

namespace takt {

/// The file is ONNX's text rather than a protobuf: by its name, which is the
/// buffer's identifier, or by what it begins with after blanks and comments.
bool isOnnxText(llvm::MemoryBufferRef file);

} // namespace takt

#endif // TAKT_SUPPORT_ONNXTEXT_H
