//===- WindowRules.cpp - shape rules of convolutions and pools ------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "KernelRules.h"
#include "takt/Target/Window.h"
#include <algorithm>

using namespace llvm;

namespace takt {

namespace {

using Dims = SmallVector<int64_t, 8>;

/// Largest stride, pad, dilation or pool extent; times the largest tensor this
/// still fits 64 bits.
constexpr int64_t kMaxWindowWord = int64_t(1) << 22;

Error expectWindow(const KernelSubject &s, size_t i, const WindowAxis &w) {
  std::string at = "[" + std::to_string(i) + "]";
  if (Error error = s.expectRange("strides" + at, w.stride, 1, kMaxWindowWord))
    return error;
  if (Error error =
          s.expectRange("dilations" + at, w.dilation, 1, kMaxWindowWord))
    return error;
  if (Error error =
          s.expectRange("pads_begin" + at, w.padBegin, 0, kMaxWindowWord))
    return error;
  return s.expectRange("pads_end" + at, w.padEnd, 0, kMaxWindowWord);
}

/// Positions of the window between the first and the last one that lie in the
/// padded input wholly; negative when not even the first does.
int64_t lastOrigin(const WindowAxis &w, int64_t input) {
  return input + w.padBegin + w.padEnd - w.extent();
}

//===----------------------------------------------------------------------===//
// Convolutions
//===----------------------------------------------------------------------===//

/// The shapes of a convolution and its gradients: x, w and y stand in different
/// places, their relation is the same.
Error convolution(const KernelSubject &s, const NamedShape &x,
                  const NamedShape &w, const NamedShape &y) {
  if (Error error = s.expectRange("n", s.word(0), 1, 3))
    return error;
  size_t rank = s.word(0) + 2;
  for (const NamedShape *tensor : {&x, &w, &y})
    if (Error error = s.expectRank(*tensor, rank, rank))
      return error;
  int64_t groups = s.word(1);
  if (groups < 1 || x[1] % groups != 0 || w[0] % groups != 0)
    return s.failValue("groups", Twine(groups),
                       "a divisor of " + Twine(x[1]) + " input and " +
                           Twine(w[0]) + " output channels");
  Dims weights(w.dims), output = {x[0], w[0]};
  weights[1] = x[1] / groups;
  if (Error error = s.expectShape(w, weights))
    return error;
  for (auto [i, axis] : enumerate(convWindow(s.kernel.words, w.dims))) {
    if (Error error = expectWindow(s, i, axis))
      return error;
    int64_t last = lastOrigin(axis, x[2 + i]);
    if (last < 0)
      return s.failValue("extent of the window on spatial axis " + Twine(i),
                         Twine(axis.extent()),
                         "at most " + Twine(last + axis.extent()));
    output.push_back(last / axis.stride + 1);
  }
  return s.expectShape(y, output);
}

} // namespace

Error checkConv(const KernelSubject &s) {
  if (Error error = convolution(s, s.in(0), s.in(1), s.out(0)))
    return error;
  return s.operands() == 3 ? s.expectShape(s.in(2), s.in(1)[0])
                           : Error::success();
}

Error checkConvDgrad(const KernelSubject &s) {
  return convolution(s, s.out(0), s.in(1), s.in(0));
}

Error checkConvWgrad(const KernelSubject &s) {
  return convolution(s, s.in(0), s.out(0), s.in(1));
}

//===----------------------------------------------------------------------===//
// Pools
//===----------------------------------------------------------------------===//

namespace {

/// The number of windows along an axis may round down or up; every window
/// begins at an element or in the padding before the first one.
Error expectPoolAxis(const KernelSubject &s, size_t i, const WindowAxis &w,
                     int64_t input, int64_t output) {
  std::string at = "[" + std::to_string(i) + "]";
  if (Error error = s.expectRange("kernel" + at, w.kernel, 1, kMaxWindowWord))
    return error;
  if (Error error = expectWindow(s, i, w))
    return error;
  if (Error error =
          s.expectRange("pads_begin" + at, w.padBegin, 0, w.extent() - 1))
    return error;
  int64_t last = lastOrigin(w, input);
  if (last < 0)
    return s.failValue("extent of the window on spatial axis " + Twine(i),
                       Twine(w.extent()),
                       "at most " + Twine(last + w.extent()));
  int64_t most = (last + w.stride - 1) / w.stride + 1;
  most = std::min(most, (input + w.padBegin - 1) / w.stride + 1);
  int64_t least = std::min(last / w.stride + 1, most);
  return s.expectRange("number of windows on spatial axis " + Twine(i), output,
                       least, most);
}

Error pool(const KernelSubject &s, const NamedShape &x, const NamedShape &y,
           Window (*window)(ArrayRef<uint32_t>)) {
  if (Error error = s.expectRange("n", s.word(0), 1, 3))
    return error;
  size_t rank = s.word(0) + 2;
  for (const NamedShape *tensor : {&x, &y})
    if (Error error = s.expectRank(*tensor, rank, rank))
      return error;
  for (auto [i, axis] : enumerate(window(s.kernel.words)))
    if (Error error = expectPoolAxis(s, i, axis, x[2 + i], y[2 + i]))
      return error;
  Dims output(y.dims);
  output[0] = x[0];
  output[1] = x[1];
  return s.expectShape(y, output);
}

} // namespace

Error checkMaxPool(const KernelSubject &s) {
  return pool(s, s.in(0), s.out(0), maxPoolWindow);
}

Error checkMaxPoolDgrad(const KernelSubject &s) {
  if (Error error = s.expectShape(s.out(0), s.in(1).dims))
    return error;
  return pool(s, s.in(1), s.in(0), maxPoolWindow);
}

Error checkMaxPoolIndices(const KernelSubject &s) {
  if (Error error = s.expectFlag("column_major", 1))
    return error;
  if (Error error = expectNumberType(s, s.in(0), s.inType(0)))
    return error;
  if (Error error = s.expectType(s.out(0), s.outType(0), ElementType::I64))
    return error;
  return pool(s, s.in(0), s.out(0), averagePoolWindow);
}

Error checkAveragePool(const KernelSubject &s) {
  if (Error error = s.expectFlag("count_include_pad", 1))
    return error;
  return pool(s, s.in(0), s.out(0), averagePoolWindow);
}

Error checkAveragePoolDgrad(const KernelSubject &s) {
  if (Error error = s.expectFlag("count_include_pad", 1))
    return error;
  return pool(s, s.out(0), s.in(0), averagePoolWindow);
}

static Error expectNorm(const KernelSubject &s) {
  float p = wordToFloat(s.word(1));
  if (p >= 1)
    return Error::success();
  return s.failValue("p", std::to_string(p), "at least 1");
}

Error checkLpPool(const KernelSubject &s) {
  if (Error error = expectNorm(s))
    return error;
  return pool(s, s.in(0), s.out(0), averagePoolWindow);
}

Error checkLpPoolDgrad(const KernelSubject &s) {
  if (Error error = expectNorm(s))
    return error;
  if (Error error = s.expectShape(s.out(0), s.in(1).dims))
    return error;
  if (Error error = s.expectShape(s.in(2), s.in(0).dims))
    return error;
  return pool(s, s.in(1), s.in(0), averagePoolWindow);
}

} // namespace takt
