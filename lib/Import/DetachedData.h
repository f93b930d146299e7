//===- DetachedData.h - weights that stay in the file -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// ONNX's classes copy what they parse and take no more than 2 GiB. Almost all
// of a big model is the raw data of its initializers, so these are cut out of
// the bytes before the classes see them, and are used where they lie.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_DETACHEDDATA_H
#define TAKT_LIB_IMPORT_DETACHEDDATA_H

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include <optional>
#include <string>
#include <vector>

namespace takt::import {

/// A ModelProto's bytes without the large raw data of the graph's initializers.
struct DetachedModel {
  std::string bytes;
  /// By initializer, in the order in which the classes list them; nullopt for
  /// one whose data are in `bytes`. They refer to the file.
  std::vector<std::optional<llvm::StringRef>> rawData;
};

/// Splits a file. Linear in the number of its fields, not in its size. Fails
/// if the bytes of the model, its graph or an initializer are malformed.
llvm::Expected<DetachedModel> detachData(llvm::StringRef file);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_DETACHEDDATA_H
