//===- StridedLoop.h - walks tensors of other strides -----------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_KERNELS_STRIDEDLOOP_H
#define TAKT_LIB_RUNTIME_KERNELS_STRIDEDLOOP_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace takt {

using Strides = llvm::SmallVector<int64_t, 8>;

/// Strides of a dense row-major tensor, in elements.
Strides denseStrides(llvm::ArrayRef<int64_t> dims);

/// Strides with which a tensor of shape `dims` is read when it is broadcast to
/// `to` by ONNX's (numpy's) rules: 0 along axes that it lacks or has once.
Strides broadcastStrides(llvm::ArrayRef<int64_t> dims,
                         llvm::ArrayRef<int64_t> to);

/// A nest of loops over a common index space in which each tensor moves by its
/// own strides. Neighbouring loops are merged where every tensor allows it, so
/// that rows are as long as they can be.
class StridedLoop {
public:
  StridedLoop(llvm::ArrayRef<int64_t> dims, llvm::ArrayRef<Strides> strides);

  /// Elements of a row and tensor i's stride in it.
  int64_t rowLength() const { return dims.back(); }
  int64_t rowStride(size_t i) const { return strides[i].back(); }

  /// Calls `row` with the offset of each tensor, rows in row-major order.
  void forEachRow(
      llvm::function_ref<void(llvm::ArrayRef<int64_t> offsets)> row) const;

private:
  bool mergesWithNext(llvm::ArrayRef<Strides> all, size_t axis,
                      int64_t next) const;

  Strides dims; ///< never empty
  llvm::SmallVector<Strides, 3> strides;
};

} // namespace takt

#endif // TAKT_LIB_RUNTIME_KERNELS_STRIDEDLOOP_H
