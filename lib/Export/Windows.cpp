//===- Windows.cpp - sliding windows of ONNX nodes ------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Windows.h"
#include "llvm/ADT/STLExtras.h"

using namespace llvm;
using namespace takt;

static Dims each(const Window &window, int64_t WindowAxis::*member) {
  Dims values;
  for (const WindowAxis &axis : window)
    values.push_back(axis.*member);
  return values;
}

Dims takt::kernels(const Window &window) {
  return each(window, &WindowAxis::kernel);
}
Dims takt::strides(const Window &window) {
  return each(window, &WindowAxis::stride);
}
Dims takt::dilations(const Window &window) {
  return each(window, &WindowAxis::dilation);
}
Dims takt::pads(const Window &window) {
  return pads(window, each(window, &WindowAxis::padEnd));
}
Dims takt::pads(const Window &window, ArrayRef<int64_t> ends) {
  Dims all = each(window, &WindowAxis::padBegin);
  all.append(ends.begin(), ends.end());
  return all;
}

Dims takt::coveringEnds(const Window &window, ArrayRef<int64_t> input,
                        ArrayRef<int64_t> output) {
  Dims ends;
  for (auto [i, axis] : enumerate(window))
    ends.push_back(std::max(axis.padEnd, axis.origin(output[i] - 1) +
                                             axis.extent() - input[i]));
  return ends;
}

/// The windows cover the input up to the last tap of the last one. Behind it is
/// padding, which is cut off, or input that no window reads and that gets
/// zeros.
Term takt::convTranspose(const Term &dy, const Term &w, const Window &window,
                         ArrayRef<int64_t> output, ArrayRef<int64_t> input,
                         int64_t groups) {
  Dims ends, unread;
  for (auto [i, axis] : enumerate(window)) {
    int64_t behind = axis.origin(output[i] - 1) + axis.extent() - input[i];
    ends.push_back(std::max<int64_t>(0, behind));
    unread.push_back(std::max<int64_t>(0, -behind));
  }
  return dy.node("ConvTranspose", {w},
                 {NodeAttribute("kernel_shape", kernels(window)),
                  NodeAttribute("strides", strides(window)),
                  NodeAttribute("pads", pads(window, ends)),
                  NodeAttribute("output_padding", unread),
                  NodeAttribute("dilations", dilations(window)),
                  NodeAttribute("group", groups)});
}
