//===- CopyBox.h - a range of one axis of an array, internal ----*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_LIB_RUNTIME_COPYBOX_H
#define TAKT_LIB_RUNTIME_COPYBOX_H

#include "takt/Support/Npz.h"
#include <cstring>

namespace takt::runtime {

/// Copies the box of `value` with the extents `dims` that begins at index
/// `begin` of `axis` and has all other axes whole.
inline void copyBox(const ArrayView &value, uint32_t axis, uint64_t begin,
                    llvm::ArrayRef<int64_t> dims, void *target) {
  if (value.dims == dims) {
    std::memcpy(target, value.data.data(), value.data.size());
    return;
  }
  uint64_t outer = 1, inner = elementBytes(value.type);
  for (uint32_t i = 0; i < value.dims.size(); ++i)
    if (i != axis)
      (i < axis ? outer : inner) *= value.dims[i];
  uint64_t row = inner * dims[axis], pitch = inner * value.dims[axis];
  const uint8_t *from = value.data.data() + begin * inner;
  for (uint64_t i = 0; i < outer; ++i)
    std::memcpy(static_cast<char *>(target) + i * row, from + i * pitch, row);
}

} // namespace takt::runtime

#endif // TAKT_LIB_RUNTIME_COPYBOX_H
