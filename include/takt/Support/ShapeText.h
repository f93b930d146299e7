//===- ShapeText.h - shapes in messages -------------------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_SUPPORT_SHAPETEXT_H
#define TAKT_SUPPORT_SHAPETEXT_H

#include "llvm/ADT/ArrayRef.h"
#include <string>

namespace takt {

/// "2x3x4", or "scalar".
std::string shapeText(llvm::ArrayRef<int64_t> dims);

} // namespace takt

#endif // TAKT_SUPPORT_SHAPETEXT_H
