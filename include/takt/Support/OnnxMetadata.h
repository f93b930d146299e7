//===- OnnxMetadata.h - what exporters say of nodes and values --*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_ONNXMETADATA_H
#define TAKT_SUPPORT_ONNXMETADATA_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>

namespace takt {

/// Field numbers of `metadata_props`, newer than libonnx's classes.
constexpr int kNodeMetadata = 9, kValueMetadata = 4;

/// The value of an entry (a StringStringEntryProto) if its key is `wanted`.
/// Fails if the bytes are no message.
llvm::Expected<std::optional<llvm::StringRef>>
metadataValue(llvm::StringRef entry, llvm::StringRef wanted);

} // namespace takt

#endif // TAKT_SUPPORT_ONNXMETADATA_H
