//===- OnnxText.cpp - the two forms of an ONNX file -----------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "takt/Support/OnnxText.h"

using llvm::StringRef;

/// No protobuf of a model begins with '<', a group's end.
bool takt::isOnnxText(llvm::MemoryBufferRef file) {
  StringRef name = file.getBufferIdentifier(), text = file.getBuffer();
  if (name.ends_with(".onnxtxt") || name.ends_with(".onnxtext"))
    return true;
  while (true) {
    text = text.ltrim();
    if (!text.starts_with("#"))
      return text.starts_with("<");
    text = text.drop_until([](char c) { return c == '\n'; });
  }
}
