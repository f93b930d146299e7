//===- Shapes.cpp - shapes of train operations ----------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Shapes.h"
#include "takt/Target/KernelCheck.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace takt::train;
using takt::kMaxTensorElements;
using takt::Window;
using takt::WindowAxis;

/// Largest stride, pad, dilation or pool extent, as for kernels.
static constexpr int64_t kMaxWindowWord = int64_t(1) << 22;

//===----------------------------------------------------------------------===//
// Reporter
//===----------------------------------------------------------------------===//

LogicalResult Reporter::fail(const Twine &message) const {
  return emitOptionalError(loc, "'", operation, "' op ", message);
}

LogicalResult Reporter::failValue(const Twine &name, const Twine &value,
                                  const Twine &expected) const {
  return fail(name + " is " + value + ", expected " + expected);
}

LogicalResult Reporter::expectRange(const Twine &name, int64_t value,
                                    int64_t least, int64_t most) const {
  if (value >= least && value <= most)
    return success();
  if (least == most)
    return failValue(name, Twine(value), Twine(least));
  return failValue(name, Twine(value),
                   "a number from " + Twine(least) + " to " + Twine(most));
}

LogicalResult Reporter::expectShape(const Twine &name, ArrayRef<int64_t> dims,
                                    ArrayRef<int64_t> expected) const {
  if (dims == expected)
    return success();
  return failValue("shape of " + name, shapeText(dims), shapeText(expected));
}

LogicalResult Reporter::expectRank(const Twine &name, ArrayRef<int64_t> dims,
                                   int64_t least, int64_t most) const {
  return expectRange("rank of " + name, dims.size(), least, most);
}

LogicalResult Reporter::expectTensors(TypeRange types,
                                      bool (*accepts)(Type)) const {
  for (auto [i, type] : llvm::enumerate(types)) {
    std::string text;
    llvm::raw_string_ostream(text) << type;
    if (!accepts(type))
      return failValue("type of tensor #" + Twine(i), text,
                       accepts == isFloatTensor
                           ? "a static tensor of floats of at most 8 positive "
                             "sizes and 2^40 elements"
                           : "a static tensor of numbers or i1 of at most 8 "
                             "positive sizes and 2^40 elements");
    Type element = cast<RankedTensorType>(type).getElementType();
    Type expected = cast<RankedTensorType>(types[0]).getElementType();
    if (element == expected)
      continue;
    std::string expectedText;
    llvm::raw_string_ostream(expectedText) << expected;
    return failValue("type of tensor #" + Twine(i), text,
                     "elements of type " + expectedText);
  }
  return success();
}

LogicalResult Reporter::expectAttribute(StringRef name, Attribute attr) const {
  return attr ? success() : fail("requires attribute '" + name + "'");
}

LogicalResult takt::train::makeResult(const Reporter &reporter,
                                      ArrayRef<int64_t> dims, Type elementType,
                                      SmallVectorImpl<Type> &types) {
  auto type = RankedTensorType::get(dims, elementType);
  if (!isTensor(type))
    return reporter.failValue("shape of the result", shapeText(dims),
                              "at most 8 dimensions and " +
                                  Twine(kMaxTensorElements) + " elements");
  types.push_back(type);
  return success();
}

//===----------------------------------------------------------------------===//
// Windows
//===----------------------------------------------------------------------===//

SmallVector<int64_t, 3> takt::train::perDimension(ArrayRef<int64_t> given,
                                                  size_t n, int64_t otherwise) {
  if (!given.empty())
    return SmallVector<int64_t, 3>(given);
  return SmallVector<int64_t, 3>(n, otherwise);
}

/// Checks that an attribute is empty or has `n` numbers from `least` on.
static LogicalResult expectPerDimension(const Reporter &reporter,
                                        StringRef name, ArrayRef<int64_t> given,
                                        int64_t n, int64_t least) {
  if (given.empty())
    return success();
  if (failed(reporter.expectRange("length of " + name, given.size(), n, n)))
    return failure();
  for (auto [i, value] : llvm::enumerate(given))
    if (failed(reporter.expectRange(name + "[" + Twine(i) + "]", value, least,
                                    kMaxWindowWord)))
      return failure();
  return success();
}

/// The window along each of `n` spatial axes. The kernel is checked only if it
/// is an attribute; else it is the weights' own, `n` sizes.
static FailureOr<Window> makeWindow(const Reporter &reporter, size_t n,
                                    const WindowAttributes &attributes) {
  const WindowAttributes &a = attributes;
  if (failed(expectPerDimension(reporter, "strides", a.strides, n, 1)) ||
      failed(expectPerDimension(reporter, "pads_begin", a.padsBegin, n, 0)) ||
      failed(expectPerDimension(reporter, "pads_end", a.padsEnd, n, 0)) ||
      failed(expectPerDimension(reporter, "dilations", a.dilations, n, 1)))
    return failure();
  auto strides = perDimension(a.strides, n, 1);
  auto padsBegin = perDimension(a.padsBegin, n, 0);
  auto padsEnd = perDimension(a.padsEnd, n, 0);
  auto dilations = perDimension(a.dilations, n, 1);
  Window window;
  for (size_t i = 0; i < n; ++i)
    window.push_back(
        {a.kernel[i], strides[i], padsBegin[i], padsEnd[i], dilations[i]});
  return window;
}

/// How far the window's first tap can move: padded input minus window.
static FailureOr<int64_t> movement(const Reporter &reporter, size_t i,
                                   const WindowAxis &axis, int64_t input) {
  int64_t padded = input + axis.padBegin + axis.padEnd;
  if (failed(reporter.expectRange("extent of the window on spatial axis " +
                                      Twine(i),
                                  axis.extent(), 1, padded)))
    return failure();
  return padded - axis.extent();
}

FailureOr<Dims> takt::train::convShape(const Reporter &reporter,
                                       ArrayRef<int64_t> x, ArrayRef<int64_t> w,
                                       int64_t groups,
                                       const WindowAttributes &attributes) {
  if (failed(reporter.expectRank("x", x, 3, 5)) ||
      failed(reporter.expectRank("w", w, x.size(), x.size())))
    return failure();
  if (groups < 1 || x[1] % groups != 0 || w[0] % groups != 0)
    return reporter.failValue("groups", Twine(groups),
                              "a divisor of " + Twine(x[1]) + " input and " +
                                  Twine(w[0]) + " output channels");
  if (failed(reporter.expectRange("size of axis 1 of w", w[1], x[1] / groups,
                                  x[1] / groups)))
    return failure();
  FailureOr<Window> window = makeWindow(reporter, x.size() - 2, attributes);
  if (failed(window))
    return failure();
  Dims y = {x[0], w[0]};
  for (auto [i, axis] : llvm::enumerate(*window)) {
    FailureOr<int64_t> room = movement(reporter, i, axis, x[2 + i]);
    if (failed(room))
      return failure();
    y.push_back(*room / axis.stride + 1);
  }
  return y;
}

FailureOr<Dims> takt::train::poolShape(const Reporter &reporter,
                                       ArrayRef<int64_t> x,
                                       const WindowAttributes &attributes,
                                       bool ceilMode) {
  if (failed(reporter.expectRank("x", x, 3, 5)))
    return failure();
  size_t n = x.size() - 2;
  if (failed(reporter.expectRange("length of kernel", attributes.kernel.size(),
                                  n, n)) ||
      failed(expectPerDimension(reporter, "kernel", attributes.kernel, n, 1)))
    return failure();
  FailureOr<Window> window = makeWindow(reporter, n, attributes);
  if (failed(window))
    return failure();
  Dims y = {x[0], x[1]};
  for (auto [i, axis] : llvm::enumerate(*window)) {
    std::string at = "[" + std::to_string(i) + "]";
    int64_t most = axis.extent() - 1;
    FailureOr<int64_t> room = movement(reporter, i, axis, x[2 + i]);
    if (failed(room) ||
        failed(
            reporter.expectRange("pads_begin" + at, axis.padBegin, 0, most)) ||
        failed(reporter.expectRange("pads_end" + at, axis.padEnd, 0, most)))
      return failure();
    int64_t windows = *room / axis.stride + 1;
    // One more, over the end, unless it begins in the padding there.
    bool over = *room % axis.stride != 0 && axis.origin(windows) < x[2 + i];
    y.push_back(windows + (ceilMode && over ? 1 : 0));
  }
  return y;
}

LogicalResult takt::train::expectPooled(const Reporter &reporter,
                                        ArrayRef<int64_t> dy,
                                        ArrayRef<int64_t> x,
                                        const WindowAttributes &attributes) {
  FailureOr<Dims> down = poolShape(reporter, x, attributes, false);
  if (failed(down))
    return failure();
  if (dy == ArrayRef(*down))
    return success();
  FailureOr<Dims> up = poolShape(reporter, x, attributes, true);
  if (failed(up))
    return failure();
  return reporter.expectShape("dy", dy, *up);
}

//===----------------------------------------------------------------------===//
// Axes and broadcasting
//===----------------------------------------------------------------------===//

LogicalResult takt::train::expectAxis(const Reporter &reporter, int64_t axis,
                                      ArrayRef<int64_t> dims) {
  if (dims.empty())
    return reporter.failValue("rank of the operand", "0", "at least 1");
  return reporter.expectRange("axis", axis, 0, int64_t(dims.size()) - 1);
}

FailureOr<Dims> takt::train::paddedShape(const Reporter &reporter,
                                         ArrayRef<int64_t> x, PadMode mode,
                                         ArrayRef<int64_t> begins,
                                         ArrayRef<int64_t> ends) {
  Dims y(x);
  for (auto [name, pads] : {std::pair(StringRef("begins"), begins),
                            std::pair(StringRef("ends"), ends)}) {
    if (failed(reporter.expectRange("length of " + name, pads.size(), x.size(),
                                    x.size())))
      return failure();
    for (auto [i, pad] : llvm::enumerate(pads)) {
      int64_t most = mode == PadMode::Reflect ? x[i] - 1 : UINT32_MAX;
      if (failed(
              reporter.expectRange(name + "[" + Twine(i) + "]", pad, 0, most)))
        return failure();
      y[i] += pad;
    }
  }
  return y;
}

FailureOr<Dims>
takt::train::broadcastShape(const Reporter &reporter,
                            ArrayRef<ArrayRef<int64_t>> shapes) {
  Dims dims;
  for (ArrayRef<int64_t> shape : shapes) {
    if (shape.size() > dims.size())
      dims.insert(dims.begin(), shape.size() - dims.size(), 1);
    size_t skip = dims.size() - shape.size();
    for (size_t i = 0; i < shape.size(); ++i) {
      int64_t &dim = dims[skip + i];
      if (dim == 1)
        dim = shape[i];
      else if (shape[i] != 1 && shape[i] != dim)
        return reporter.failValue("shape of an operand", shapeText(shape),
                                  "one that broadcasts with " +
                                      shapeText(dims));
    }
  }
  return dims;
}
