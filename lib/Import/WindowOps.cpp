//===- WindowOps.cpp - convolutions ---------------------------------------===//
//
// Part of Takt, under the Apache License v2.0 with LLVM Exceptions.
// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
//===----------------------------------------------------------------------===//

#include "Emit.h"
#include "Registry.h"
#include "Windows.h"

using namespace mlir;
using namespace takt::import;
namespace train = takt::train;

//===----------------------------------------------------------------------===//
// Convolution
//===----------------------------------------------------------------------===//

/// Of a convolution or its gradient; the window is resolved.
static AttributeList convolutionAttributes(const Node &node, int64_t groups,
                                           const WindowAttributes &window) {
  AttributeList attributes = node.attributes();
  attributes.integer("groups", groups)
      .perDimension("strides", *window.strides, 1)
      .perDimension("pads_begin", window.padsBegin, 0)
      .perDimension("pads_end", window.padsEnd, 0)
      .perDimension("dilations", *window.dilations, 1);
  return attributes;
}

FailureOr<Value> takt::import::convolve(Node &node, Value x, Value w, Value b,
                                        int64_t groups,
                                        WindowAttributes &window) {
  if (failed(checkSpatialRank(node, x)))
    return failure();
  ArrayRef<int64_t> weights = shapeOf(w);
  if (weights.size() != shapeOf(x).size())
    return node.invalid() << "has weights of rank " << weights.size()
                          << ", expected " << shapeOf(x).size()
                          << " as the input has";
  Dims kernel(weights.drop_front(2));
  if (window.kernel && *window.kernel != kernel)
    return node.invalid() << "has kernel_shape " << shapeText(*window.kernel)
                          << ", but weights of " << shapeText(kernel);
  window.kernel = kernel;
  if (failed(window.resolve(node, shapeOf(x).drop_front(2))))
    return failure();
  SmallVector<Value> operands = {x, w};
  if (b)
    operands.push_back(b);
  auto y = node.create<train::ConvOp>(
      operands, convolutionAttributes(node, groups, window));
  if (failed(y))
    return failure();
  return Value(y->getY());
}

static LogicalResult convertConv(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), w = bind.tensor("W");
  Value b = bind.optionalTensor("B");
  int64_t groups = bind.integer("group", 1, 1);
  WindowAttributes window(bind, /*dilated=*/true);
  if (failed(bind.finish()))
    return failure();
  FailureOr<Value> y = convolve(node, x, w, b, groups, window);
  return failed(y) ? failure() : node.define(0, *y);
}

//===----------------------------------------------------------------------===//
// Transposed convolution
//===----------------------------------------------------------------------===//

namespace {
/// What a transposed convolution has beyond a convolution's attributes.
struct OutputSize {
  std::optional<Dims> padding, shape;
};
} // namespace

/// The spatial sizes of the output; where these are given, the pads follow.
static FailureOr<Dims> transposedSizes(const Node &node, ArrayRef<int64_t> x,
                                       WindowAttributes &window,
                                       const OutputSize &output) {
  size_t n = x.size();
  Dims padding = output.padding.value_or(Dims(n, 0));
  if (padding.size() != n || (output.shape && output.shape->size() != n))
    return node.invalid() << "has not one output_padding and one size in "
                             "output_shape per spatial axis, expected "
                          << n;
  bool sameSize = StringRef(window.autoPad).starts_with("SAME");
  Dims sizes;
  for (size_t i = 0; i < n; ++i) {
    int64_t stride = (*window.strides)[i];
    int64_t extent = (*window.dilations)[i] * ((*window.kernel)[i] - 1) + 1;
    if (padding[i] < 0 || padding[i] >= std::max(stride, extent))
      return node.invalid() << "has output_padding " << padding[i]
                            << ", expected less than stride or dilation";
    int64_t full = stride * (x[i] - 1) + padding[i] + extent;
    int64_t size = full - window.padsBegin[i] - window.padsEnd[i];
    if (output.shape || sameSize) {
      size = output.shape ? (*output.shape)[i] : x[i] * stride;
      if (size < 1 || size >= full + stride)
        return node.unsupported() << "has output size " << size
                                  << ", expected 1 to " << full + stride - 1;
      // More than the input reaches is output padding.
      int64_t total = std::max<int64_t>(0, full - size);
      int64_t less = total / 2, more = total - less;
      bool moreAtEnd = window.autoPad == "SAME_UPPER";
      window.padsBegin[i] = moreAtEnd ? less : more;
      window.padsEnd[i] = moreAtEnd ? more : less;
    }
    if (size < 1)
      return node.invalid() << "has an output of size " << size;
    sizes.push_back(size);
  }
  return sizes;
}

/// A transposed convolution: what a convolution's gradient computes, with the
/// input for dy.
static FailureOr<Value> transposeConvolution(Node &node, Value x, Value w,
                                             int64_t groups,
                                             const WindowAttributes &window,
                                             ArrayRef<int64_t> dims) {
  auto type = cast<RankedTensorType>(x.getType()).clone(dims);
  auto y = node.createTyped<train::ConvDgradOp>(
      type, {x, w}, convolutionAttributes(node, groups, window));
  if (failed(y))
    return failure();
  return Value(y->getResult());
}

static LogicalResult convertConvTranspose(Node &node) {
  Binder bind(node);
  Value x = bind.tensor("X"), w = bind.tensor("W");
  Value b = bind.optionalTensor("B");
  int64_t groups = bind.integer("group", 1, 1, kMaxWindowSize);
  WindowAttributes window(bind, /*dilated=*/true);
  OutputSize output = {bind.list("output_padding"), bind.list("output_shape")};
  if (failed(bind.finish()) || failed(checkSpatialRank(node, x)))
    return failure();
  ArrayRef<int64_t> weights = shapeOf(w), input = shapeOf(x);
  if (weights.size() != input.size() || weights[0] != input[1])
    return node.invalid() << "has weights of " << shapeText(weights)
                          << " for an input of " << shapeText(input);
  Dims kernel(weights.drop_front(2));
  if (window.kernel && *window.kernel != kernel)
    return node.invalid() << "has kernel_shape " << shapeText(*window.kernel)
                          << ", but weights of " << shapeText(kernel);
  window.kernel = kernel;
  if (failed(window.resolve(node, input.drop_front(2))))
    return failure();
  FailureOr<Dims> sizes =
      transposedSizes(node, input.drop_front(2), window, output);
  if (failed(sizes))
    return failure();
  Dims dims = {input[0], weights[1] * groups};
  dims.append(*sizes);
  if (!countElements(dims))
    return node.unsupported() << "has an output of shape " << shapeText(dims)
                              << ", expected at most 2^40 elements";
  FailureOr<Value> y = transposeConvolution(node, x, w, groups, window, dims);
  if (failed(y))
    return failure();
  if (!b)
    return node.define(0, *y);
  Dims perChannel(dims.size() - 1, 1);
  perChannel[0] = shapeOf(b).empty() ? 1 : shapeOf(b)[0];
  if (shapeOf(b) != ArrayRef(dims[1]))
    return node.invalid() << "has a bias of " << shapeText(shapeOf(b))
                          << ", expected " << dims[1];
  FailureOr<Value> bias = node.reshape(b, perChannel);
  if (failed(bias))
    return failure();
  return node.emit<train::AddOp>({*y, *bias});
}

/// For each place in a block a kernel that is 1 there, for every channel.
static Value placesOfBlock(Emit &emit, int64_t channels,
                           ArrayRef<int64_t> block, Value like) {
  int64_t places = *countElements(block);
  SmallVector<float> weights;
  for (int64_t row = 0; row < channels * places; ++row)
    for (int64_t place = 0; place < places; ++place)
      weights.push_back(place == row % places);
  Dims shape = {channels * places, 1};
  llvm::append_range(shape, block);
  return emit.floats(weights, shape, like);
}

/// Blocks that overlap are summed up: a transposed convolution.
static LogicalResult convertCol2Im(Node &node) {
  constexpr int64_t kMaxWeights = int64_t(1) << 22;
  Binder bind(node);
  Value x = bind.tensor("input");
  Dims image = bind.integers("image_shape"),
       block = bind.integers("block_shape");
  WindowAttributes window(bind, /*dilated=*/true, /*padsItself=*/false);
  if (failed(bind.finish()))
    return failure();
  size_t n = image.size();
  auto isPositive = [](int64_t size) { return size > 0; };
  if (rankOf(x) != 3 || n < 1 || n > 3 || block.size() != n ||
      !llvm::all_of(image, isPositive) || !llvm::all_of(block, isPositive))
    return node.invalid() << "makes images of " << shapeText(image)
                          << " of blocks of " << shapeText(block)
                          << " in an input of " << shapeText(shapeOf(x));
  window.kernel = block;
  if (failed(window.resolve(node, image)))
    return failure();
  ArrayRef<int64_t> input = shapeOf(x);
  int64_t places = countElements(block).value_or(kMaxWeights + 1);
  if (places > kMaxWeights || input[1] > kMaxWeights / places)
    return node.unsupported()
           << "has blocks of " << shapeText(block) << ", which are too large";
  Dims blocks, dims = {input[0], input[1] / places};
  for (size_t i = 0; i < n; ++i) {
    int64_t room = image[i] + window.padsBegin[i] + window.padsEnd[i] -
                   (*window.dilations)[i] * (block[i] - 1) - 1;
    blocks.push_back(room < 0 ? 0 : room / (*window.strides)[i] + 1);
  }
  if (input[1] % places != 0 || countElements(blocks) != input[2])
    return node.invalid() << "has an input of " << shapeText(input) << " for "
                          << shapeText(blocks) << " blocks of "
                          << shapeText(block);
  Emit emit(node);
  Dims apart = {input[0], input[1]};
  apart.append(blocks);
  dims.append(image);
  Value weights = placesOfBlock(emit, dims[1], block, x);
  Value each = emit.reshape(x, apart);
  if (!weights || !each)
    return failure();
  FailureOr<Value> y =
      transposeConvolution(node, each, weights, dims[1], window, dims);
  return failed(y) ? failure() : node.define(0, *y);
}

void takt::import::addWindowOps(Registry &registry) {
  registry.add("Conv", {1, 11, 22}, convertConv,
               "train.conv; 1 to 3 spatial dimensions");
  registry.add("ConvTranspose", {1, 11, 22}, convertConvTranspose,
               "train.conv_dgrad; train.reshape, train.add for a bias");
  registry.add("Col2Im", {18}, convertCol2Im,
               "train.conv_dgrad; shapes known at import");
}
