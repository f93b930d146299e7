//===- Windows.h - sliding windows of ONNX nodes ----------------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_EXPORT_WINDOWS_H
#define TAKT_LIB_EXPORT_WINDOWS_H

#include "Emission.h"
#include "takt/Target/Window.h"

namespace takt {

// The attributes of ONNX's windows.
Dims kernels(const Window &window);
Dims strides(const Window &window);
Dims dilations(const Window &window);
/// All begins, then all ends.
Dims pads(const Window &window);
Dims pads(const Window &window, llvm::ArrayRef<int64_t> ends);

/// What is behind the input in the windows of so many outputs, but at least the
/// padding: with it, as many windows fit when their number is rounded down.
Dims coveringEnds(const Window &window, llvm::ArrayRef<int64_t> input,
                  llvm::ArrayRef<int64_t> output);

/// What a convolution by w, of the window, from `input` to `output` sizes makes
/// of a gradient: a transposed convolution of dy.
Term convTranspose(const Term &dy, const Term &w, const Window &window,
                   llvm::ArrayRef<int64_t> output,
                   llvm::ArrayRef<int64_t> input, int64_t groups);

} // namespace takt

#endif // TAKT_LIB_EXPORT_WINDOWS_H
