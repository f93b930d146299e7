//===- TaskKind.h - the four kinds of a training task -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_TASKKIND_H
#define TAKT_SUPPORT_TASKKIND_H

#include "llvm/ADT/StringRef.h"
#include <cstdint>

namespace takt {

/// F, D, W and U of a layer: forward, dgrad (gradient with respect to the
/// layer's input), wgrad (with respect to its weights), update. The values are
/// part of the program container.
enum class TaskKind : uint8_t { Forward = 0, Dgrad = 1, Wgrad = 2, Update = 3 };

/// The one-letter name: F, D, W or U.
inline llvm::StringRef letter(TaskKind kind) {
  return llvm::StringRef("FDWU").substr(static_cast<size_t>(kind), 1);
}

} // namespace takt

#endif // TAKT_SUPPORT_TASKKIND_H
