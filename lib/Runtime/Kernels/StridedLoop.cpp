//===- StridedLoop.cpp - walks tensors of different strides ---------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "StridedLoop.h"

using namespace llvm;

namespace takt {

Strides denseStrides(ArrayRef<int64_t> dims) {
  Strides strides(dims.size(), 1);
  for (size_t i = dims.size(); i-- > 1;)
    strides[i - 1] = strides[i] * dims[i];
  return strides;
}

Strides broadcastStrides(ArrayRef<int64_t> dims, ArrayRef<int64_t> to) {
  Strides strides(to.size(), 0);
  Strides dense = denseStrides(dims);
  size_t skip = to.size() - dims.size();
  for (size_t i = 0; i < dims.size(); ++i)
    if (dims[i] != 1)
      strides[skip + i] = dense[i];
  return strides;
}

StridedLoop::StridedLoop(ArrayRef<int64_t> allDims,
                         ArrayRef<Strides> allStrides)
    : strides(allStrides.size()) {
  for (size_t axis = 0; axis < allDims.size(); ++axis) {
    if (allDims[axis] == 1)
      continue;
    if (!dims.empty() && mergesWithNext(allStrides, axis, allDims[axis])) {
      dims.back() *= allDims[axis];
      for (size_t i = 0; i < strides.size(); ++i)
        strides[i].back() = allStrides[i][axis];
      continue;
    }
    dims.push_back(allDims[axis]);
    for (size_t i = 0; i < strides.size(); ++i)
      strides[i].push_back(allStrides[i][axis]);
  }
  if (!dims.empty())
    return;
  dims.push_back(1);
  for (Strides &s : strides)
    s.push_back(1);
}

/// Whether the innermost loop so far and the loop over `axis`, `next` long, are
/// one loop for every tensor.
bool StridedLoop::mergesWithNext(ArrayRef<Strides> all, size_t axis,
                                 int64_t next) const {
  for (size_t i = 0; i < strides.size(); ++i)
    if (strides[i].back() != all[i][axis] * next)
      return false;
  return true;
}

void StridedLoop::forEachRow(
    function_ref<void(ArrayRef<int64_t> offsets)> row) const {
  size_t outer = dims.size() - 1;
  Strides index(outer, 0), offsets(strides.size(), 0);
  while (true) {
    row(offsets);
    size_t axis = outer;
    for (; axis > 0; --axis) {
      bool wraps = ++index[axis - 1] == dims[axis - 1];
      int64_t steps = wraps ? 1 - dims[axis - 1] : 1;
      for (size_t i = 0; i < strides.size(); ++i)
        offsets[i] += steps * strides[i][axis - 1];
      if (!wraps)
        break;
      index[axis - 1] = 0;
    }
    if (axis == 0)
      return;
  }
}

} // namespace takt
