//===- Windows.h - the attributes of a sliding window -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_IMPORT_WINDOWS_H
#define TAKT_LIB_IMPORT_WINDOWS_H

#include "Binder.h"

namespace takt::import {

/// Largest kernel, stride, dilation or pad, as in the train dialect.
constexpr int64_t kMaxWindowSize = int64_t(1) << 22;

/// The attributes that convolutions and pools share; lists that are left out
/// have their defaults once resolve() was called.
struct WindowAttributes {
  std::string autoPad;
  std::optional<Dims> kernel, strides, pads, dilations;
  Dims padsBegin, padsEnd;

  /// With the attribute 'dilations' and, if it `padsItself`, 'auto_pad'.
  WindowAttributes(Binder &bind, bool dilated, bool padsItself = true)
      : autoPad(padsItself ? bind.text("auto_pad", "NOTSET") : "NOTSET"),
        kernel(bind.list("kernel_shape")), strides(bind.list("strides")),
        pads(bind.list("pads")) {
    if (dilated)
      dilations = bind.list("dilations");
  }

  /// Checks the lists and computes pads for an input of these spatial sizes.
  mlir::LogicalResult resolve(const Node &node, llvm::ArrayRef<int64_t> sizes);

private:
  mlir::LogicalResult checkList(const Node &node, llvm::StringRef name,
                                std::optional<Dims> &list, size_t length,
                                int64_t least);
  mlir::LogicalResult resolvePads(const Node &node,
                                  llvm::ArrayRef<int64_t> sizes);
  void padToSame(llvm::ArrayRef<int64_t> sizes, bool extraAtEnd);
};

/// Convolutions and pools have 1 to 3 spatial axes.
mlir::LogicalResult checkSpatialRank(const Node &node, mlir::Value x);

/// Builds a convolution of x by w, plus b where it is not null.
/// Fails with a diagnostic about the node if they do not fit each other.
mlir::FailureOr<mlir::Value> convolve(Node &node, mlir::Value x, mlir::Value w,
                                      mlir::Value b, int64_t groups,
                                      WindowAttributes &window);

} // namespace takt::import

#endif // TAKT_LIB_IMPORT_WINDOWS_H
