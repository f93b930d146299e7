//===- Window.h - the windows of convolutions and pools ---------*- C++ -*-===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//
//
// Decodes the attribute words that describe a sliding window, see Kernels.def.
// The number of words must be right, which checkKernel checks first.
//
//===----------------------------------------------------------------------===//

#ifndef TAKT_TARGET_WINDOW_H
#define TAKT_TARGET_WINDOW_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include <cstdint>

namespace takt {

/// A window along one spatial axis. Output position o reads the input positions
/// o * stride - padBegin + k * dilation for k in [0, kernel) that exist.
struct WindowAxis {
  int64_t kernel, stride, padBegin, padEnd, dilation;

  /// Input positions between the window's first tap and its last, inclusive.
  int64_t extent() const { return dilation * (kernel - 1) + 1; }
  /// Input position of the first tap for output position `o`.
  int64_t origin(int64_t o) const { return o * stride - padBegin; }
};

using Window = llvm::SmallVector<WindowAxis, 3>;

/// n, groups, strides[n], pads_begin[n], pads_end[n], dilations[n]; the window
/// is that of weights Cout, Cin/groups, spatial….
inline Window convWindow(llvm::ArrayRef<uint32_t> words,
                         llvm::ArrayRef<int64_t> weights) {
  unsigned n = words[0];
  Window window;
  for (unsigned i = 0; i < n; ++i)
    window.push_back({weights[2 + i], words[2 + i], words[2 + n + i],
                      words[2 + 2 * n + i], words[2 + 3 * n + i]});
  return window;
}

/// kernel[n], strides[n], pads_begin[n], pads_end[n], dilations[n].
inline Window poolWindow(llvm::ArrayRef<uint32_t> lists, unsigned n) {
  Window window;
  for (unsigned i = 0; i < n; ++i)
    window.push_back({lists[i], lists[n + i], lists[2 * n + i],
                      lists[3 * n + i], lists[4 * n + i]});
  return window;
}

/// n and the lists, as max_pool has them.
inline Window maxPoolWindow(llvm::ArrayRef<uint32_t> words) {
  return poolWindow(words.drop_front(1), words[0]);
}

/// n, a word of the pool's own and the lists, as all other pools have them.
inline Window averagePoolWindow(llvm::ArrayRef<uint32_t> words) {
  return poolWindow(words.drop_front(2), words[0]);
}

} // namespace takt

#endif // TAKT_TARGET_WINDOW_H
