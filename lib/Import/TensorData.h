//===- TensorData.h - the bytes of an ONNX tensor ---------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_TENSORDATA_H
#define TAKT_LIB_IMPORT_TENSORDATA_H

#include "Subject.h"
#include "takt/Support/Onnx.h"
#include "llvm/ADT/StringRef.h"
#include <memory>

namespace takt::import {

/// Bytes of one element in raw data; 0 for a type that Takt does not read.
int64_t rawBytes(int32_t type);

/// Where the elements of a tensor lie: little-endian in `raw`, or, if that is
/// nullopt, in the repeated field of the tensor's type.
struct TensorData {
  std::optional<llvm::StringRef> raw;
  std::shared_ptr<const void> owner; ///< keeps `raw` alive, if not null
};

/// Finds the elements and checks that there are `count` of them. `rawData` are
/// those of a tensor that has them apart; external data must be a regular file
/// in or below `directory`, and are mapped.
/// Fails with a diagnostic about `subject`.
mlir::FailureOr<TensorData> findData(const onnx::TensorProto &tensor,
                                     std::optional<llvm::StringRef> rawData,
                                     int64_t count, llvm::StringRef directory,
                                     const Subject &subject);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_TENSORDATA_H
